// The fetch event, up to where Rust takes it.

/**
 * Bodies up to this many bytes are read before the module learns of the request: while one comes, slowly
 * perhaps, nothing of it takes memory that all requests share. Longer ones are read, or refused, by Rust.
 */
const READ_BEFORE_BYTES = 64 * 1024;

/**
 * How many headers a request may have: clients send a dozen, proxies add some. The runtime allows as many as fit into 128 KB,
 * and looking at ten thousand of them would cost others more than the call is worth.
 */
const HEADERS = 128;

/**
 * What `answer` makes of the event: called at once if there is nothing to read before. A caller's deadline is kept while
 * its body comes, up to `longestMs`.
 */
export function receive(request, context, answer, longestMs = 30_000) {
  const head = headOf(request);
  if (head === undefined) return tooManyHeaders();
  const event = { request, context, head, body: undefined, isTaken: false };
  if (!isShort(request)) return answer(event);
  event.isTaken = true;
  const timeout = request.headers.get("connect-timeout-ms");
  const body = request.arrayBuffer();
  return (timeout === null ? body : before(timeout, longestMs, body)).then(
    (buffer) => {
      event.body = buffer;
      return answer(event);
    },
    // It broke off, which is told by there being none.
    () => answer(event),
  );
}

/** Whether a body is worth reading before: of a call that may be one, and short. */
function isShort({ method, headers }) {
  const type = headers.get("content-type");
  if (method !== "POST" || type === null || !type.startsWith("application/")) return false;
  const length = headers.get("content-length");
  // What comes in chunks may be longer than it says, whatever that is.
  return length !== null && Number(length) <= READ_BEFORE_BYTES && !headers.has("transfer-encoding");
}

/**
 * A request but for its body: when it came, verb, path with query, then a line for each header. Nothing if there are too
 * many of those.
 */
function headOf(request) {
  const { url } = request;
  const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  let head = `${Date.now()}\n${request.method}\n${path}`;
  let count = 0;
  try {
    request.headers.forEach((value, name) => {
      count += 1;
      // Nothing else ends it before its time.
      if (count > HEADERS) throw new RangeError();
      head += `\n${name}:${value}`;
    });
  } catch (error) {
    if (count > HEADERS) return undefined;
    throw error;
  }
  return head;
}

/** When the log was told last of headers that were refused: once a minute is enough. */
let toldAt = -Infinity;

/** As the protocol writes errors. */
function tooManyHeaders() {
  const now = Date.now();
  if (now - toldAt > 60_000) {
    toldAt = now;
    console.warn(`a request with more than ${HEADERS} headers was refused, and others may be in the next minute`);
  }
  const error = { code: "resource_exhausted", message: `more than ${HEADERS} headers` };
  return Response.json(error, { status: 431 });
}

/** What a promise becomes within that time; otherwise nothing: whoever is called then sees that it is over. */
function before(milliseconds, longestMs, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.min(Number(milliseconds) || 0, longestMs));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
