import wasm from "./index_bg.wasm";

/** See `runtime.js`. */
const shared = (globalThis[Symbol.for("connect-worker")] ??= {
  instance: 0,
  waiting: new Map(),
  failed: () => {},
});

/**
 * The module's instance, and another one after it has thrown, which it never does on purpose: out of memory or of stack, its
 * memory may be in any state, and what else it would answer cannot be trusted.
 */
export class Instance {
  #module;

  /** `module` is what wasm-bindgen made for `--target web`. */
  constructor(module) {
    this.#module = module;
    module.initSync({ module: wasm });
    shared.failed = (error) => this.#startAnew(error);
  }

  /** Calls into the instance. */
  run(call) {
    try {
      return call();
    } catch (error) {
      this.#startAnew(error);
      throw error;
    }
  }

  /** Something in the instance's memory: a function that returns it, made again when the instance is another. */
  object(make) {
    let object = this.run(make);
    let number = shared.instance;
    return () => {
      if (number !== shared.instance) {
        object = this.run(make);
        number = shared.instance;
      }
      return object;
    };
  }

  /** Nobody is in the instance now: whoever threw has left it. What others wait for it will not answer any more. */
  #startAnew(error) {
    console.error("the module trapped and is started anew", error);
    shared.instance += 1;
    const waiting = [...shared.waiting.values()];
    shared.waiting.clear();
    for (const { reject } of waiting) reject(new Error("the module trapped"));
    this.#module.__wbg_reset_state();
  }
}
