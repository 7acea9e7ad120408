import wasm from "./index_bg.wasm";

/**
 * Running instance of the WebAssembly module. Rust never panics on purpose: an exception means that
 * the instance is out of memory or stack, and its memory may be in any state. A new instance then
 * takes its place.
 */
export class WasmInstance {
  #module;
  #state;

  /** Starts the instance. `module` is the output of wasm-bindgen's `--target web`. */
  constructor(module) {
    this.#module = module;
    module.initSync({ module: wasm });
    this.#state = module.instanceState();
    this.#state.onTrap = (error) => this.#restart(error);
  }

  /** Calls `fn`, which may call into the instance. */
  run(fn) {
    try {
      return fn();
    } catch (error) {
      this.#restart(error);
      throw error;
    }
  }

  /**
   * Returns a getter of an object in the instance's memory. `make` creates that object now, and
   * again after each restart.
   */
  object(make) {
    let object = this.run(make);
    let { generation } = this.#state;
    return () => {
      if (generation !== this.#state.generation) {
        object = this.run(make);
        ({ generation } = this.#state);
      }
      return object;
    };
  }

  /** Starts a new instance. The exception has left the old one, so no call is inside it. */
  #restart(error) {
    console.error("the WebAssembly instance trapped; starting a new one", error);
    const state = this.#state;
    state.generation += 1;
    const pending = [...state.pending.values()];
    state.pending.clear();
    for (const { reject } of pending) reject(new Error("the WebAssembly instance trapped"));
    this.#module.__wbg_reset_state();
  }
}
