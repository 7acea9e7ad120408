// The built Worker with injected faults, for tests. serve.mjs runs it in place of the Worker.
//
// POST /__faults replaces all faults and resets the counters. A member that is missing, or a value
// "ok", means no fault:
//
//   {
//     "objects": {               the next calls of objects throw
//       "times": 2,              number of calls that throw
//       "retryable": true,       with the platform's marks on the error
//       "overloaded": true,
//       "after": true            only after the object has handled the call
//     },
//     "kv": "throws",            "absent": not bound; "slow": writes become visible later;
//                                "lossy": writes are dropped
//     "limiter": "throws",       "absent": not bound; "deny": every call is over the limit
//     "expired_lookups": true    objects handle lookups with a clock that is an hour behind, so
//                                that lookups find expired leases
//   }
//
// The variable FAULTS has the faults that the Worker starts with, in the same form. They survive a
// restart.
//
// GET /__faults returns how often requests have used bindings since the last POST:
//
//   {"kv": {"gets": 0, "puts": 0, "deletes": 0}, "objects": 0}
//
// The request header Fault-Trap makes the WebAssembly instance trap once, for that request:
//
//   handler         as soon as the handler reads the clock
//   after_object    when the handler reads the clock after an object has responded
//   object          when an object reads the clock while it handles a call of the request
//
// Objects' own use of bindings has no faults and is not counted: it happens in the background, and
// a test could not attribute it to an object.

import { AsyncLocalStorage } from "node:async_hooks";
import { env } from "cloudflare:workers";
import Worker, { RegistryDurableObject as Registry } from "./index.js";

const PATH = "/__faults";
const TRAP_HEADER = "fault-trap";

/** Delay of writes to a slow KV. */
const SLOW_MS = 1500;

/** Offset of the clock of lookups that find expired leases. */
const CLOCK_OFFSET_MS = -3_600_000;

const KV = ["ok", "throws", "absent", "slow", "lossy"];
const LIMITER = ["ok", "throws", "absent", "deny"];
const TRAPS = ["handler", "after_object", "object"];

// Process-wide: Miniflare runs all requests and objects in one isolate.
let faults;
let used;
reset(JSON.parse(env.FAULTS ?? "{}"));

function reset({ objects, kv = "ok", limiter = "ok", expired_lookups: expiredLookups = false }) {
  if (!KV.includes(kv) || !LIMITER.includes(limiter)) {
    throw new Error(`unknown fault: ${kv}, ${limiter}`);
  }
  faults = { objects: { times: 0, ...objects }, kv, limiter, expiredLookups };
  used = { kv: { gets: 0, puts: 0, deletes: 0 }, objects: 0 };
}

async function control(request) {
  if (request.method === "POST") {
    reset(await request.json());
  }
  return Response.json(used);
}

/**
 * The clock's faults while a request or a call of an object is handled: `traps` once, `offsetMs`
 * always. `trap` is where the request wants its trap.
 */
const current = new AsyncLocalStorage();

// The module reads the clock through this function, which JavaScript looks up at each call.
const readClock = Date.now;
Date.now = () => {
  const fault = current.getStore();
  if (fault?.traps && isCalledFromWasm()) {
    fault.traps = false;
    throw new WebAssembly.RuntimeError("unreachable: injected by a test");
  }
  return readClock() + (fault?.offsetMs ?? 0);
};

function isCalledFromWasm() {
  return /wasm-function\[|wasm:\/\//.test(new Error().stack);
}

/** Runs `handle` with the fault that the request's header names. */
function withTrap(request, handle) {
  const trap = request.headers.get(TRAP_HEADER);
  if (trap === null) {
    return handle();
  }
  if (!TRAPS.includes(trap)) {
    throw new Error(`unknown trap: ${trap}`);
  }
  return current.run({ trap, traps: trap === "handler" }, handle);
}

/** Messages to objects that trap on them. */
const trapping = [];

function isBytes(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

function isEqual(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** Removes the message from those that trap, and returns true if it was one. */
function takeTrapping(message) {
  const index = trapping.findIndex((other) => isEqual(other, message));
  return index >= 0 && trapping.splice(index, 1).length > 0;
}

/** A message is an envelope that has the method's name in it as plain text. */
function isLookup(message) {
  return new TextDecoder().decode(message).includes("Lookup");
}

export class RegistryDurableObject extends Registry {
  call(message) {
    const bytes = new Uint8Array(message);
    const fault = {
      traps: takeTrapping(bytes),
      offsetMs: faults.expiredLookups && isLookup(bytes) ? CLOCK_OFFSET_MS : 0,
    };
    return current.run(fault, () => super.call(message));
  }
}

/**
 * Returns a proxy of `real` with other methods: `methodOf(name, method)` returns the replacement,
 * or `undefined` to keep the method. The proxy's class stays the same, because the Worker checks
 * its name.
 */
function withMethods(real, methodOf) {
  return new Proxy(real, {
    get(_, name) {
      const value = real[name];
      if (typeof value !== "function" || name === "constructor") {
        return value;
      }
      // The runtime's methods accept only their own object as `this`.
      const method = (...args) => real[name](...args);
      return methodOf(name, method) ?? method;
    },
  });
}

function objects(namespace) {
  const stub = (_, method) => (...args) => callObject(args, () => method(...args));
  return withMethods(namespace, (name, method) => {
    if (name === "get" || name === "getByName") {
      return (...args) => withMethods(method(...args), stub);
    }
  });
}

async function callObject([message], call) {
  used.objects += 1;
  const fault = current.getStore();
  if (fault?.trap === "object" && isBytes(message)) {
    fault.trap = undefined;
    // A copy: the buffer may be transferred.
    trapping.push(new Uint8Array(message).slice());
  }
  const { times, retryable = false, overloaded = false, after = false } = faults.objects;
  if (times === 0) {
    const response = await call();
    if (fault?.trap === "after_object") {
      fault.trap = undefined;
      fault.traps = true;
    }
    return response;
  }
  faults.objects.times -= 1;
  if (after) {
    await call();
  }
  // The platform sets these marks on its errors.
  throw Object.assign(new Error("injected by a test: the object fails"), { retryable, overloaded });
}

function kv(namespace, context) {
  return withMethods(namespace, (name, method) => {
    const isWrite = name === "put" || name === "delete";
    if (name === "getWithMetadata") {
      name = "get";
    }
    return async (...args) => {
      if (`${name}s` in used.kv) {
        used.kv[`${name}s`] += 1;
      }
      if (faults.kv === "throws") {
        throw new Error("injected by a test: KV fails");
      }
      if (isWrite && faults.kv === "slow") {
        const delay = new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        context.waitUntil(delay.then(() => method(...args)));
        return;
      }
      if (isWrite && faults.kv === "lossy") {
        return;
      }
      return method(...args);
    };
  });
}

function limiter(real) {
  return withMethods(real, (_, method) => async (...args) => {
    if (faults.limiter === "throws") {
      throw new Error("injected by a test: the limiter fails");
    }
    return faults.limiter === "deny" ? { success: false } : method(...args);
  });
}

/** Miniflare's Analytics Engine keeps nothing: the data points go to the log. */
const metrics = { writeDataPoint: (point) => console.log(JSON.stringify({ point })) };

function bindings(env, context) {
  return new Proxy(env, {
    get(_, name) {
      const binding = env[name];
      if (binding === undefined) {
        return binding;
      }
      if (name === "REGISTRY") {
        return objects(binding);
      }
      if (name === "CACHE") {
        return faults.kv === "absent" ? undefined : kv(binding, context);
      }
      if (name.startsWith("LIMIT_")) {
        return faults.limiter === "absent" ? undefined : limiter(binding);
      }
      return name === "METRICS" && env.PRINT_POINTS ? metrics : binding;
    },
  });
}

export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === PATH) {
      return control(request);
    }
    return withTrap(request, () => Worker.fetch(request, bindings(env, context), context));
  },
};
