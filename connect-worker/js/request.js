// Request intake: reads the headers and a short body before Rust handles the fetch event.

/**
 * Largest body, in bytes, that is read before Rust is called. A body that arrives slowly then holds
 * no WebAssembly memory, which all requests share. Rust reads or rejects longer bodies.
 */
const EAGER_BODY_BYTES = 64 * 1024;

/**
 * Largest number of headers in a request. Clients send a dozen and proxies add some. The runtime
 * allows as many as fit into 128 KB, and parsing ten thousand would delay other requests.
 */
const MAX_HEADERS = 128;

/** Shortest time between two warnings about requests with too many headers. */
const WARNING_INTERVAL_MS = 60_000;

/**
 * Passes a fetch event to `handle` and returns its response. Without an eager body, `handle` is
 * called synchronously. The caller's `connect-timeout-ms`, up to `maxBodyWaitMs`, limits how long
 * the body may take to arrive.
 */
export function receive(request, context, handle, maxBodyWaitMs = 30_000) {
  const call = readHead(request);
  if (call === undefined) return tooManyHeaders();
  const event = { request, context, head: call.head, body: undefined, isBodyTaken: false };
  if (!hasEagerBody(call)) return handle(event);
  event.isBodyTaken = true;
  const { timeout } = call;
  const body = request.arrayBuffer();
  const arrival =
    timeout === undefined ? body : withTimeout(Math.min(Number(timeout) || 0, maxBodyWaitMs), body);
  return arrival.then(
    (buffer) => {
      event.body = buffer;
      return handle(event);
    },
    // The body is taken and missing, so Rust reports a broken body.
    () => handle(event),
  );
}

/**
 * Returns a request's head, or `undefined` if it has too many headers. `head` is one text: the time
 * of arrival, the method, the path with its query, and a line per header. The headers that decide
 * how to read the body are picked in the same loop: a separate lookup costs as much as one turn.
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
      // Only an exception ends `forEach` early.
      if (count > MAX_HEADERS) throw new RangeError();
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
    if (count > MAX_HEADERS) return undefined;
    throw error;
  }
  call.head = head;
  return call;
}

/** Returns true if the request can be a call and its body is short enough to be read eagerly. */
function hasEagerBody({ method, type, length, isChunked }) {
  const canBeCall = method === "POST" && type.startsWith("application/");
  // A chunked body may be longer than its Content-Length.
  return canBeCall && length <= EAGER_BODY_BYTES && !isChunked;
}

let lastWarningAt = -Infinity;

/** Returns the Connect error for a request with too many headers, and logs a warning. */
function tooManyHeaders() {
  const now = Date.now();
  if (now - lastWarningAt > WARNING_INTERVAL_MS) {
    lastWarningAt = now;
    console.warn(`rejected a request with more than ${MAX_HEADERS} headers (logged once a minute)`);
  }
  const error = { code: "resource_exhausted", message: `more than ${MAX_HEADERS} headers` };
  return Response.json(error, { status: 431 });
}

/** Resolves to the value of `promise`, or to `undefined` if it rejects or takes longer. */
function withTimeout(milliseconds, promise) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const settle = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    promise.then(settle, () => settle());
  });
}
