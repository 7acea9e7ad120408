// Entry point of the Worker: its fetch event, and the class of its objects. Both call into Rust.
import { DurableObject } from "cloudflare:workers";
import { receive } from "../../connect-worker/js/request.js";
import { WasmInstance } from "../../connect-worker/js/wasm_instance.js";
import { respondToWait } from "./mailbox.js";
import * as module from "worker:module";

const instance = new WasmInstance(module);

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

  /** Handles an encoded call of the registry's internal service. */
  call(message) {
    const object = this.#object();
    return instance.run(() => object.call(new Uint8Array(message)));
  }

  /**
   * Starts a wait for the rendezvous records of a mesh. While no other call arrives, the object
   * need not stay in memory.
   */
  fetch(request) {
    const meshId = decodeURIComponent(request.headers.get("mesh-id"));
    const object = this.#object();
    return respondToWait(this.ctx, meshId, instance.run(() => object.mailbox(meshId)));
  }

  /** Closes the object's end of a wait that has ended. */
  webSocketClose(socket) {
    socket.close();
  }

  async alarm() {
    const object = this.#object();
    const failure = await instance.run(() => object.alarm());
    if (failure !== undefined) throw new Error(failure);
  }
}
