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
  const call = readHead(request);
  if (call === undefined) return tooManyHeaders();
  const event = { request, context, head: call.head, body: undefined, isTaken: false };
  if (!isShort(call)) return answer(event);
  event.isTaken = true;
  const { timeout } = call;
  const body = request.arrayBuffer();
  return (timeout === undefined ? body : before(Math.min(Number(timeout) || 0, longestMs), body)).then(
    (buffer) => {
      event.body = buffer;
      return answer(event);
    },
    // It broke off, which is told by there being none.
    () => answer(event),
  );
}

/**
 * A request but for its body. Its `head` is a text: when it came, verb, path with query, then a line for each header.
 * Beside it is what decides how the body is read: asking for one header more costs as much as a turn of this loop.
 * Nothing if there are too many headers.
 */
function readHead(request) {
  const { url, method } = request;
  const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  const call = { head: "", method, type: "", length: NaN, isChunked: false, timeout: undefined };
  let head = `${Date.now()}\n${method}\n${path}`;
  let count = 0;
  try {
    request.headers.forEach((value, name) => {
      count += 1;
      // Nothing else ends it before its time.
      if (count > HEADERS) throw new RangeError();
      head += `\n${name}:${value}`;
      switch (name) {
        case "content-type":
          call.type = value;
          break;
        case "content-length":
          call.length = Number(value);
          break;
        case "transfer-encoding":
          call.isChunked = true;
          break;
        case "connect-timeout-ms":
          call.timeout = value || undefined;
          break;
      }
    });
  } catch (error) {
    if (count > HEADERS) return undefined;
    throw error;
  }
  call.head = head;
  return call;
}

/** Whether a body is worth reading before: of a call that may be one, and short. */
function isShort({ method, type, length, isChunked }) {
  // What comes in chunks may be longer than it says, whatever that is.
  return method === "POST" && type.startsWith("application/") && length <= READ_BEFORE_BYTES && !isChunked;
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
function before(milliseconds, promise) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const settle = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    promise.then(settle, () => settle());
  });
}
