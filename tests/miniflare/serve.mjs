// The built Worker with all bindings of wrangler.toml, in Miniflare: workerd as plain, with KV, rate
// limiting and Analytics Engine beside it, as far as one's own machine can have them.
//
// It says on its output in one line of JSON, {"event":"listen","socket":"http","port":...}, when it
// listens, as plain workerd does; the Worker's log follows.

import { copyFileSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

const root = resolve(import.meta.dirname, "../..");

const { values: told } = parseArgs({
  options: {
    // Where the objects, KV and a copy of the Worker are kept.
    storage: { type: "string" },
    // 0 is one that is free.
    port: { type: "string", default: "0" },
    // NAME=VALUE replaces a variable of wrangler.toml.
    var: { type: "string", multiple: true, default: [] },
    // Lets tests make bindings fail, see faults.mjs.
    faults: { type: "boolean", default: false },
    // Prints what is written to METRICS.
    analytics: { type: "boolean", default: false },
  },
});
if (!told.storage) {
  throw new Error("--storage DIR is missing");
}
const storage = resolve(told.storage);

/** A copy, which later builds do not change; the first module is the one that runs. */
function modules() {
  const folder = join(storage, "worker");
  mkdirSync(folder, { recursive: true });
  const built = join(root, "build");
  const files = [
    [built, "index.js", "ESModule"],
    [built, "index_bg.wasm", "CompiledWasm"],
  ];
  if (told.faults || told.analytics) {
    files.unshift([import.meta.dirname, "faults.mjs", "ESModule"]);
  }
  return files.map(([from, name, type]) => {
    const path = join(folder, name);
    copyFileSync(join(from, name), path);
    return { type, path };
  });
}

/** Objects are kept where plain workerd has them too. Miniflare has a name of its own for that. */
function keepObjects() {
  mkdirSync(join(storage, "objects"), { recursive: true });
  const link = join(storage, "do");
  if (!existsSync(link)) {
    symlinkSync("objects", link);
  }
}

function variables(config) {
  const variables = { ...config.vars };
  for (const variable of told.var) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(variable) ?? [];
    if (name === undefined) {
      throw new Error(`--var ${variable}: must be NAME=VALUE`);
    }
    variables[name] = value;
  }
  if (told.analytics) {
    variables.PRINT_POINTS = "true";
  }
  return variables;
}

// Before Miniflare, which would call it a failure. It ends workerd whenever this process exits.
process.once("SIGTERM", () => process.exit(0));

keepObjects();
// Whoever kills this process leaves nothing behind elsewhere.
process.env.TMPDIR = storage;
process.env.WRANGLER_WRITE_LOGS = "false";

const config = unstable_readConfig({ config: join(root, "wrangler.toml") });
// The rules are for who does not list the modules, as here.
const { modulesRules, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...worker,
    name: config.name,
    rootPath: root,
    modules: modules(),
    modulesRoot: join(storage, "worker"),
    // Not what wrangler found: that has the developer's .dev.vars.
    bindings: variables(config),
    resourcePersistencePath: storage,
    host: "127.0.0.1",
    port: Number(told.port),
    // By default it is asked of Cloudflare.
    cf: false,
    // Only what the Worker logs, and what is wrong with Miniflare.
    log: new Log(LogLevel.WARN),
    logRequests: false,
    handleStructuredLogs: ({ message }) => process.stdout.write(`${message}\n`),
  }),
);

const { port } = await miniflare.ready;
console.log(JSON.stringify({ event: "listen", socket: "http", port: Number(port) }));
