// Both ends of a wait for messages: a socket, over which nothing goes until there is one. An object whose only callers
// wait so is not kept in memory for them.

/**
 * How many may wait for the messages of one mesh: its colony is one, and few are left over from before. Beyond that the one goes
 * that has waited longest, so that nobody can keep a colony from waiting.
 */
const WAITING = 64;

/**
 * Waits for messages at the object of that name. The promise is for the first that come, encoded; `undefined` when the time is
 * over or the caller has gone.
 */
export function startWait(namespace, name, meshId, milliseconds, signal) {
  let cancel;
  const over = new Promise((resolve) => {
    cancel = () => resolve(undefined);
  });
  const timer = setTimeout(cancel, milliseconds);
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const promise = wait(namespace.getByName(name), meshId, over).finally(() => {
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

async function wait(object, meshId, over) {
  const headers = { upgrade: "websocket", "mesh-id": encodeURIComponent(meshId) };
  const answer = await object.fetch("http://mailbox/", { headers });
  const socket = answer.webSocket;
  if (!socket) {
    const body = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`the object answers ${answer.status}`);
    return body;
  }
  socket.binaryType = "arraybuffer";
  const message = new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(new Uint8Array(data)));
    // The object was moved or restarted, or too many wait: the caller comes again.
    socket.addEventListener("close", () => resolve(undefined));
    socket.addEventListener("error", () => resolve(undefined));
  });
  socket.accept();
  try {
    return await Promise.race([message, over]);
  } finally {
    socket.close(1000);
  }
}

/** The object's end: what is there, encoded, or a socket. `undefined` is for what could not be read. */
export function answerWait(context, meshId, messages) {
  if (messages === undefined) return new Response(null, { status: 500 });
  if (messages.length > 0) return new Response(messages);
  const waiting = context.getWebSockets(meshId);
  if (waiting.length >= WAITING) longest(waiting).close(1013);
  const { 0: theirs, 1: ours } = new WebSocketPair();
  context.acceptWebSocket(ours, [meshId]);
  ours.serializeAttachment(Date.now());
  return new Response(null, { status: 101, webSocket: theirs });
}

/** The socket that has waited longest. */
function longest(sockets) {
  const since = (socket) => socket.deserializeAttachment() ?? 0;
  return sockets.reduce((one, other) => (since(other) < since(one) ? other : one));
}

/** Whether somebody waits for the messages of that mesh. */
export function isAwaited(context, meshId) {
  return context.getWebSockets(meshId).length > 0;
}

/** Sends messages to all who wait for those of that mesh. */
export function deliver(context, meshId, messages) {
  // A copy: the view is of memory that is soon used otherwise.
  const bytes = messages.slice();
  for (const socket of context.getWebSockets(meshId)) {
    try {
      socket.send(bytes);
    } catch {
      // It is closed already: whoever waited there comes again.
    }
  }
}
