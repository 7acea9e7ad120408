// Entry point of a Worker that only serves requests: passes each to the `fetch` that Rust exports.
import { receive } from "./request.js";
import { WasmInstance } from "./wasm_instance.js";
import * as module from "worker:module";

const instance = new WasmInstance(module);

export default {
  fetch: (request, env, context) =>
    receive(request, context, (event) => instance.run(() => module.fetch(event, env))),
};
