// The JavaScript half of this crate. Each function does at once what Rust would do in several calls: a
// crossing costs more than the work behind it.

/**
 * What the module's bindings, of which wasm-bindgen makes this file a part, have in common with `instance.js`, which is
 * bundled beside them: the number of the instance that runs, who waits for its answers, and who is told what it has
 * thrown where nobody called it.
 */
const shared = (globalThis[Symbol.for("connect-worker")] ??= {
  instance: 0,
  waiting: new Map(),
  failed: () => {},
});

/** The module's memory. */
let memory;

export function keepMemory(its) {
  memory = its;
}

/** A copy of what is soon overwritten. A view of it, as wasm-bindgen would make, costs more than the copy. */
function copy(start, length) {
  return memory.buffer.slice(start, start + length);
}

/** When an event's request came, and all of it but the body. */
export function headOfEvent({ head }) {
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

/** What answers are made with: by number, the heads that the module made last. */
const heads = [];

/** Keeps a head under that number; `lines` has a line for each header. Throws where there can be no such header. */
export function keepHead(number, status, lines) {
  const pairs = toPairs(lines);
  const isEncoded = pairs.some(([name]) => name === "content-encoding");
  // Headers that were made before are copied for each answer at a fraction of what making them costs.
  heads[number] = { status, headers: new Headers(pairs), encodeBody: isEncoded ? "manual" : "automatic" };
}

/** An answer with the head of that number, and what is there in the module's memory as its body. */
export function respond(number, start, length) {
  return new Response(length === 0 ? null : copy(start, length), heads[number]);
}

/** Names and values of headers, from a line for each. */
function toPairs(lines) {
  return lines === "" ? [] : lines.split("\n").map(toPair);
}

function toPair(line) {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1)];
}

/** Tells `settle` under that number what becomes of a promise. */
export function listen(promise, number, settle) {
  const { instance } = shared;
  promise.then(
    (value) => tell(instance, settle, number, true, value),
    (error) => tell(instance, settle, number, false, error),
  );
}

/** Tells `settle` under that number when the time is over. Returns what stops it. */
export function startTimer(milliseconds, number, settle) {
  return setTimeout(tell, milliseconds, shared.instance, settle, number, true, undefined);
}

/** What came for an instance that is no more is of no use to the next. */
function tell(instance, settle, number, ok, value) {
  if (instance !== shared.instance) return;
  try {
    settle(number, ok, value);
  } catch (error) {
    shared.failed(error);
  }
}

export function stopTimer(timer) {
  clearTimeout(timer);
}

/** A promise that `resolve` keeps. With a context, that one does not end before. */
export function promise(number, context) {
  const promise = new Promise((resolve, reject) => shared.waiting.set(number, { resolve, reject }));
  context?.waitUntil(promise);
  return promise;
}

export function resolve(number, value) {
  const { resolve } = shared.waiting.get(number);
  shared.waiting.delete(number);
  resolve(value);
}

/** What tells that the caller has gone. */
export function signalOf({ request }) {
  return request.signal;
}

/** What an event keeps alive. */
export function contextOf(event) {
  return event.context;
}

/** Calls an object of that name with what is there in the module's memory. */
export function call(namespace, name, start, length) {
  return namespace.getByName(name).ask(copy(start, length));
}

/** What an object answers: what is there in the module's memory. */
export function answerCall(start, length) {
  return copy(start, length);
}

/** What ends an exchange before its time. */
export function controller() {
  return new AbortController();
}

export function abort(controller) {
  controller.abort();
}

/**
 * Posts a body to a server elsewhere, and reads its answer of at most `limit` bytes; `head` has a line for each header.
 * Nothing is posted anywhere else: where it redirects to is an answer as any.
 */
export async function exchange(url, head, body, limit, { signal }) {
  const headers = toPairs(head);
  const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
  let answered = `${answer.status}`;
  answer.headers.forEach((value, name) => {
    // The runtime has undone it.
    if (name !== "content-encoding") answered += `\n${name}:${value}`;
  });
  return [answered, await readAll(answer.body, limit)];
}

export function headOf([head]) {
  return head;
}

export function bodyOf([, body]) {
  return body;
}

async function readAll(stream, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    length += chunk.length;
    if (length > limit) throw new RangeError(`the answer has more than ${limit} bytes`);
    chunks.push(chunk);
  }
  const all = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    all.set(chunk, end);
    end += chunk.length;
  }
  return all;
}
