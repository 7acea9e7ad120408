// A Worker that only serves requests: `fetch` is what Rust exports.
import { receive } from "./event.js";
import { Instance } from "./instance.js";
import * as module from "worker:module";

const instance = new Instance(module);

export default {
  fetch: (request, env, context) =>
    receive(request, context, (event) => instance.run(() => module.fetch(event, env))),
};
