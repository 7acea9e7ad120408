// The JavaScript half of this crate. Each function does at once what Rust would do in several calls: a
// crossing costs more than the work behind it.

/** An event's request but for its body: when it came, verb, path with query, then a line for each header. */
export function head({ request, receivedAt }) {
  const { url } = request;
  let head = `${receivedAt}\n${request.method}\n${url.slice(url.indexOf("/", url.indexOf("//") + 2))}`;
  request.headers.forEach((value, name) => {
    head += `\n${name}:${value}`;
  });
  return head;
}

/** The whole body, if it was read before. */
export function takeBody({ body }) {
  return body && new Uint8Array(body);
}

/** Whether somebody has begun to read the body. */
export function isTaken({ isTaken }) {
  return isTaken;
}

/** A body that was not read before. */
export function read(event) {
  return event.request.arrayBuffer();
}

/** The request itself. */
export function requestOf(event) {
  return event.request;
}

/** The bytes of a buffer. */
export function bytes(buffer) {
  return new Uint8Array(buffer);
}

/** An answer; `head` has a line for each header, `body` is a view of memory that is soon used otherwise. */
export function respond(status, head, body) {
  const init = status === 200 && head === last.head ? last.init : toInit(status, head);
  return new Response(body.length === 0 ? null : body.slice(), init);
}

/** What the last answer of status 200 was made with: most have the same headers. */
const last = { head: undefined, init: undefined };

function toInit(status, head) {
  const init = { status, headers: [], encodeBody: "automatic" };
  for (const line of head === "" ? [] : head.split("\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    init.headers.push([name, line.slice(colon + 1)]);
    // It is encoded already.
    if (name === "content-encoding") init.encodeBody = "manual";
  }
  if (status === 200) Object.assign(last, { head, init });
  return init;
}

/** Tells `settle` under that number what becomes of a promise. */
export function listen(promise, number, settle) {
  promise.then(
    (value) => settle(number, true, value),
    (error) => settle(number, false, error),
  );
}

/** Tells `settle` under that number when the time is over. Returns what stops it. */
export function startTimer(milliseconds, number, settle) {
  return setTimeout(settle, milliseconds, number, true, undefined);
}

export function stopTimer(timer) {
  clearTimeout(timer);
}

const resolvers = new Map();

/** A promise that `resolve` keeps. With a context, that one does not end before. */
export function promise(number, context) {
  const promise = new Promise((resolve) => resolvers.set(number, resolve));
  context?.waitUntil(promise);
  return promise;
}

/** What an event keeps alive. */
export function contextOf(event) {
  return event.context;
}

export function resolve(number, value) {
  const resolve = resolvers.get(number);
  resolvers.delete(number);
  resolve(value);
}

/** Calls an object of that name. */
export function call(namespace, name, head, body) {
  return namespace.getByName(name).call(head, body.slice());
}

/** What an object answers. */
export function answerCall(head, body) {
  return [head, body.slice()];
}

export function headOf([head]) {
  return head;
}

export function bodyOf([, body]) {
  return body;
}
