import wasm from "./index_bg.wasm";

/**
 * The module's instance, and another one after it has trapped: out of memory or of stack, its memory may be
 * in any state, and what else it would answer cannot be trusted.
 */
export class Instance {
  #module;
  #number = 0;
  #trapped = false;

  /** `module` is what wasm-bindgen made for `--target web`. */
  constructor(module) {
    this.#module = module;
    module.initSync({ module: wasm });
    // A trap behind a promise has nobody who catches it.
    const note = (event) => this.#note(event.error ?? event.reason);
    addEventListener("error", note);
    addEventListener("unhandledrejection", note);
  }

  /** Calls into the instance. */
  run(call) {
    if (this.#trapped) {
      this.#trapped = false;
      this.#number += 1;
      this.#module.__wbg_reset_state();
    }
    try {
      return call();
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  /** Something in the instance's memory: a function that returns it, made anew after a trap. */
  object(make) {
    let number = this.#number;
    let object = this.run(make);
    return () => {
      if (number !== this.#number) {
        number = this.#number;
        object = make();
      }
      return object;
    };
  }

  #note(error) {
    if (error instanceof WebAssembly.RuntimeError) {
      console.error("the module trapped and is started anew", error);
      this.#trapped = true;
    }
  }
}
