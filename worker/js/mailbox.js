// Both ends of a wait for rendezvous records: a WebSocket that stays silent until there is a
// record. An object whose only callers wait so is not kept in memory for them.

/**
 * Number of polls that may wait for the records of one mesh: a mesh has one colony, and few polls
 * are left over from before. Beyond it the poll that has waited longest ends, so that a flood of
 * polls cannot keep a colony from waiting.
 */
const MAX_WAITERS = 64;

/**
 * Waits for records at the object of that name. The promise resolves to the first records that are
 * published, encoded; to `undefined` when the time is over or the caller has gone.
 */
export function startWait(namespace, name, meshId, milliseconds, signal) {
  let cancel;
  const cancelled = new Promise((resolve) => {
    cancel = () => resolve(undefined);
  });
  const timer = setTimeout(cancel, milliseconds);
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const promise = wait(namespace.getByName(name), meshId, cancelled).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  });
  return { promise, cancel };
}

export function promiseOf({ promise }) {
  return promise;
}

export function cancelWait({ cancel }) {
  cancel();
}

async function wait(object, meshId, cancelled) {
  const headers = { upgrade: "websocket", "mesh-id": encodeURIComponent(meshId) };
  const response = await object.fetch("http://mailbox/", { headers });
  const socket = response.webSocket;
  if (!socket) {
    const body = new Uint8Array(await response.arrayBuffer());
    if (!response.ok) throw new Error(`the object responded with status ${response.status}`);
    return body;
  }
  socket.binaryType = "arraybuffer";
  const records = new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(new Uint8Array(data)));
    // The object was moved or restarted, or too many polls wait: the caller polls again.
    socket.addEventListener("close", () => resolve(undefined));
    socket.addEventListener("error", () => resolve(undefined));
  });
  socket.accept();
  try {
    return await Promise.race([records, cancelled]);
  } finally {
    socket.close(1000);
  }
}

/**
 * Responds to a wait, at the object's end: with the records, encoded, or with a WebSocket if there
 * are none. `undefined` stands for records that could not be read.
 */
export function respondToWait(context, meshId, records) {
  if (records === undefined) return new Response(null, { status: 500 });
  if (records.length > 0) return new Response(records);
  const waiters = context.getWebSockets(meshId);
  if (waiters.length >= MAX_WAITERS) longestWaiting(waiters).close(1013);
  const { 0: client, 1: server } = new WebSocketPair();
  context.acceptWebSocket(server, [meshId]);
  server.serializeAttachment(Date.now());
  return new Response(null, { status: 101, webSocket: client });
}

/** Returns the socket that has waited longest. */
function longestWaiting(sockets) {
  const since = (socket) => socket.deserializeAttachment() ?? 0;
  return sockets.reduce((one, other) => (since(other) < since(one) ? other : one));
}

/** Returns whether a poll waits for the records of that mesh. */
export function hasWaiters(context, meshId) {
  return context.getWebSockets(meshId).length > 0;
}

/** Sends records to all polls that wait for those of that mesh. */
export function notifyWaiters(context, meshId, records) {
  // A copy: `records` is a view of memory that is soon reused.
  const bytes = records.slice();
  for (const socket of context.getWebSockets(meshId)) {
    try {
      socket.send(bytes);
    } catch {
      // The socket is closed already: its caller polls again.
    }
  }
}
