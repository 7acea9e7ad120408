// The Worker as the runtime sees it: its fetch event, and the class of its objects. Both pass on to Rust.
import { DurableObject } from "cloudflare:workers";
import { receive } from "../connect-worker/js/event.js";
import { Instance } from "../connect-worker/js/instance.js";
import { answerWait } from "./mailboxes.js";
import * as module from "worker:module";

const instance = new Instance(module);

export default {
  fetch: (request, env, context) =>
    receive(request, context, (event) => instance.run(() => module.fetch(event, env))),
};

export class RegistryDurableObject extends DurableObject {
  #object;

  constructor(context, env) {
    super(context, env);
    this.#object = instance.object(
      () => new module.RegistryDurableObject(context, context.storage, context.id.name, env),
    );
  }

  /** A call of the registry's internal service: see `object.rs` of connect-worker. */
  ask(message) {
    const object = this.#object();
    return instance.run(() => object.ask(new Uint8Array(message)));
  }

  /** Somebody waits for the messages of a mesh. While nobody else calls, the object need not stay in memory. */
  fetch(request) {
    const meshId = decodeURIComponent(request.headers.get("mesh-id"));
    const object = this.#object();
    return answerWait(this.ctx, meshId, instance.run(() => object.messages(meshId)));
  }

  /** Whoever waited has gone. */
  webSocketClose(socket) {
    socket.close();
  }

  async alarm() {
    const object = this.#object();
    const failure = await instance.run(() => object.alarm());
    if (failure !== undefined) throw new Error(failure);
  }
}
