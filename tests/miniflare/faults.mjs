// The shipped Worker with bindings that fail when a test says so.
//
// POST /__faults replaces what fails; what it leaves out works:
//
//   {
//     "objects": {            the next calls of objects throw
//       "times": 2,           so many of them
//       "retryable": true,    with the platform's marks on the error
//       "overloaded": true,
//       "after": true         only after the object has done what it was asked to
//     },
//     "kv": "throws"          or "absent": not bound, "slow": writes are visible only later,
//                             "lossy": writes do nothing
//     "limiter": "throws"     or "absent", "deny"
//   }
//
// GET /__faults tells how often requests have used bindings since then:
//
//   {"kv": {"gets": 0, "puts": 0, "deletes": 0}, "objects": 0}
//
// What objects use on their own neither fails nor counts: they do it in the background, and a test
// could not tell whose use it saw.

import Worker from "./index.js";

export { RegistryDurableObject } from "./index.js";

const PATH = "/__faults";

// How long KV keeps to itself what it was told, when it is slow.
const SLOW_MS = 1500;

const KV = ["ok", "throws", "absent", "slow", "lossy"];
const LIMITER = ["ok", "throws", "absent", "deny"];

// All requests of a process share one isolate, so what one of them sets holds for all.
let faults;
let used;
reset({});

function reset({ objects, kv = "ok", limiter = "ok" }) {
  if (!KV.includes(kv) || !LIMITER.includes(limiter)) {
    throw new Error(`no such fault: ${kv}, ${limiter}`);
  }
  faults = { objects: { times: 0, ...objects }, kv, limiter };
  used = { kv: { gets: 0, puts: 0, deletes: 0 }, objects: 0 };
}

async function control(request) {
  if (request.method === "POST") {
    reset(await request.json());
  }
  return Response.json(used);
}

/** `real`, but for some methods. It stays of the same class, as the Worker looks at its name. */
function like(real, methodOf) {
  return new Proxy(real, {
    get(_, name) {
      const value = real[name];
      if (typeof value !== "function" || name === "constructor") {
        return value;
      }
      // Methods of the runtime insist on their own object as `this`.
      const method = (...args) => real[name](...args);
      return methodOf(name, method) ?? method;
    },
  });
}

function objects(namespace) {
  const stub = (_, call) => (...args) => callObject(() => call(...args));
  return like(namespace, (name, method) => {
    if (name === "get" || name === "getByName") {
      return (...args) => like(method(...args), stub);
    }
  });
}

async function callObject(call) {
  used.objects += 1;
  const { times, retryable = false, overloaded = false, after = false } = faults.objects;
  if (times === 0) {
    return call();
  }
  faults.objects.times -= 1;
  if (after) {
    await call();
  }
  // The platform marks its errors like this.
  throw Object.assign(new Error("the object was made to fail"), { retryable, overloaded });
}

function kv(namespace, context) {
  return like(namespace, (name, method) => {
    const isWrite = name === "put" || name === "delete";
    if (name === "getWithMetadata") {
      name = "get";
    }
    return async (...args) => {
      if (`${name}s` in used.kv) {
        used.kv[`${name}s`] += 1;
      }
      if (faults.kv === "throws") {
        throw new Error("KV was made to fail");
      }
      if (isWrite && faults.kv === "slow") {
        const later = new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        context.waitUntil(later.then(() => method(...args)));
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
  return like(real, (name, method) => async (...args) => {
    if (faults.limiter === "throws") {
      throw new Error("the limiter was made to fail");
    }
    return faults.limiter === "deny" ? { success: false } : method(...args);
  });
}

// Analytics Engine keeps nothing on one's own machine.
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
    return Worker.fetch(request, bindings(env, context), context);
  },
};
