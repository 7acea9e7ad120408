// The functions that Rust calls. Each does the work of several calls: a crossing between
// WebAssembly and JavaScript costs more than the work itself. wasm-bindgen copies this file.

/**
 * State of the running instance, shared with `wasm_instance.js`: the number of restarts before it,
 * the promises that its futures will resolve, and the handler of exceptions outside of `run`.
 */
const state = { generation: 0, pending: new Map(), onTrap: () => {} };

/** Returns the state. Rust re-exports this function, because an import would be a second copy. */
export function instanceState() {
  return state;
}

/** The instance's memory. */
let memory;

export function setMemory(instanceMemory) {
  memory = instanceMemory;
}

/**
 * Copies bytes out of the instance's memory, where they are soon overwritten. A view, as
 * wasm-bindgen creates for `&[u8]`, costs more than the copy.
 */
export function copyMemory(start, length) {
  return memory.buffer.slice(start, start + length);
}

/** Copies an `ArrayBuffer` into the instance's memory. */
export function toBytes(buffer) {
  return new Uint8Array(buffer);
}

/** Returns an event's time of arrival and request head: see `readHead` in `request.js`. */
export function eventHead({ head }) {
  return head;
}

/** Returns the body if it was read eagerly, and drops it: background tasks may keep the event. */
export function eagerBody(event) {
  const { body } = event;
  event.body = undefined;
  return body && new Uint8Array(body);
}

/** Returns true if reading the body has begun. */
export function isBodyTaken({ isBodyTaken }) {
  return isBodyTaken;
}

/** Reads a whole body that was not read eagerly. */
export function readBody({ request }) {
  return request.arrayBuffer();
}

export function eventRequest({ request }) {
  return request;
}

export function eventContext({ context }) {
  return context;
}

export function abortSignal({ request }) {
  return request.signal;
}

/** Prepared response heads, by the index that Rust gave them. */
const heads = [];

/**
 * Prepares a response head; `lines` has a line per header. Throws if a header is invalid. Copying
 * prepared `Headers` for each response costs a fraction of creating them.
 */
export function setResponseHead(index, status, lines) {
  const pairs = parseHeaders(lines);
  // The body of an encoded response is encoded already.
  const isEncoded = pairs.some(([name]) => name === "content-encoding");
  const encodeBody = isEncoded ? "manual" : "automatic";
  heads[index] = { status, headers: new Headers(pairs), encodeBody };
}

/** Creates a response from a prepared head and a body in the instance's memory. */
export function createResponse(index, start, length) {
  return new Response(length === 0 ? null : copyMemory(start, length), heads[index]);
}

/** Parses a line per header to pairs of name and value. */
function parseHeaders(lines) {
  return lines === "" ? [] : lines.split("\n").map(parseHeader);
}

function parseHeader(line) {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1)];
}

/** Calls `settle` with the slot and the outcome of a promise. */
export function observePromise(promise, slot, settle) {
  const { generation } = state;
  promise.then(
    (value) => notify(generation, settle, slot, true, value),
    (error) => notify(generation, settle, slot, false, error),
  );
}

/** Calls `settle` with the slot after a delay. Returns the timer. */
export function startTimer(milliseconds, slot, settle) {
  return setTimeout(notify, milliseconds, state.generation, settle, slot, true, undefined);
}

/** Calls `settle`, unless the instance that waited has been replaced. */
function notify(generation, settle, slot, ok, value) {
  if (generation !== state.generation) return;
  try {
    settle(slot, ok, value);
  } catch (error) {
    state.onTrap(error);
  }
}

export function stopTimer(timer) {
  clearTimeout(timer);
}

/** Creates the promise of a task's result. It extends the life of `context`, if there is one. */
export function createPromise(task, context) {
  const promise = new Promise((resolve, reject) => state.pending.set(task, { resolve, reject }));
  context?.waitUntil(promise);
  return promise;
}

/** Resolves the promise of a task. */
export function resolvePromise(task, value) {
  const { resolve } = state.pending.get(task);
  state.pending.delete(task);
  resolve(value);
}

/** Calls the Durable Object of that name with a message in the instance's memory. */
export function callObject(namespace, name, start, length) {
  return namespace.getByName(name).call(copyMemory(start, length));
}

export function createAbortController() {
  return new AbortController();
}

export function abort(controller) {
  controller.abort();
}

/**
 * Posts a body to a URL and reads a response of at most `limit` bytes; `lines` has a line per
 * header. A redirect is returned, not followed: the body goes to no other server.
 */
export async function postRequest(url, lines, body, limit, { signal }) {
  const headers = parseHeaders(lines);
  const init = { method: "POST", headers, body, redirect: "manual", signal };
  const response = await fetch(url, init);
  let head = `${response.status}`;
  response.headers.forEach((value, name) => {
    // The runtime has decoded the body.
    if (name !== "content-encoding") head += `\n${name}:${value}`;
  });
  return { head, body: await readAll(response.body, limit) };
}

export function postedHead({ head }) {
  return head;
}

export function postedBody({ body }) {
  return body;
}

/** Reads a stream, and throws if it has more than `limit` bytes. */
async function readAll(stream, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    length += chunk.length;
    if (length > limit) throw new RangeError(`the response has more than ${limit} bytes`);
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
