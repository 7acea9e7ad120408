// The fetch event, up to where Rust takes it.

/**
 * Bodies up to this many bytes are read before the module learns of the request: while one comes, slowly
 * perhaps, nothing of it takes memory that all requests share. Longer ones are read, or refused, by Rust.
 */
const READ_BEFORE_BYTES = 64 * 1024;

/** The longest delay that `setTimeout` knows. */
const LONGEST_MS = 2 ** 31 - 1;

/** What `answer` makes of the event: called at once if there is nothing to read before. */
export function receive(request, context, answer) {
  const event = { request, context, body: undefined, isTaken: false, receivedAt: Date.now() };
  const { headers } = request;
  const length = headers.get("content-length");
  if (length === null || !(Number(length) <= READ_BEFORE_BYTES)) return answer(event);
  event.isTaken = true;
  const timeout = headers.get("connect-timeout-ms");
  const body = timeout === null ? request.arrayBuffer() : before(timeout, request.arrayBuffer());
  return body.then(
    (buffer) => {
      event.body = buffer;
      return answer(event);
    },
    // It broke off, which is told by there being none.
    () => answer(event),
  );
}

/** What a promise becomes within that time; otherwise nothing: whoever is called then sees that it is over. */
function before(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.min(Number(milliseconds) || 0, LONGEST_MS));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
