// Runs the built Worker with all bindings of wrangler.toml in Miniflare: plain workerd, with KV,
// rate limits and Analytics Engine beside it as far as Miniflare simulates them.
//
// Prints one line of JSON, {"event":"listen","socket":"http","port":...}, when it listens, as plain
// workerd does. The Worker's log follows.

import { copyFileSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

const root = resolve(import.meta.dirname, "../..");

const { values: options } = parseArgs({
  options: {
    // Folder of the objects, KV and a copy of the Worker.
    storage: { type: "string" },
    // Folder of the built Worker, from the top of the checkout.
    build: { type: "string", default: "build" },
    // 0 chooses a free port.
    port: { type: "string", default: "0" },
    // NAME=VALUE replaces a variable of wrangler.toml.
    var: { type: "string", multiple: true, default: [] },
    // Lets tests inject faults: see faults.mjs.
    faults: { type: "boolean", default: false },
    // Prints the data points that the Worker writes to METRICS.
    analytics: { type: "boolean", default: false },
  },
});
if (!options.storage) {
  throw new Error("--storage DIR is missing");
}
const storage = resolve(options.storage);
const isWrapped = options.faults || options.analytics;

/** Copies the Worker, so that later builds do not change it. Miniflare runs the first module. */
function modules() {
  const folder = join(storage, "worker");
  mkdirSync(folder, { recursive: true });
  const built = resolve(root, options.build);
  const files = [
    [built, "index.js", "ESModule"],
    [built, "index_bg.wasm", "CompiledWasm"],
  ];
  if (isWrapped) {
    files.unshift([import.meta.dirname, "faults.mjs", "ESModule"]);
  }
  return files.map(([source, name, type]) => {
    const path = join(folder, name);
    copyFileSync(join(source, name), path);
    return { type, path };
  });
}

/** Stores objects in "objects", as plain workerd does. Miniflare calls the folder "do". */
function linkObjects() {
  mkdirSync(join(storage, "objects"), { recursive: true });
  const link = join(storage, "do");
  if (!existsSync(link)) {
    symlinkSync("objects", link);
  }
}

function variables(config) {
  const variables = { ...config.vars };
  for (const variable of options.var) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(variable) ?? [];
    if (name === undefined) {
      throw new Error(`--var ${variable}: must be NAME=VALUE`);
    }
    variables[name] = value;
  }
  if (options.analytics) {
    variables.PRINT_POINTS = "true";
  }
  return variables;
}

// Set before Miniflare starts, which would report the signal as a failure. Miniflare ends workerd
// whenever this process exits.
process.once("SIGTERM", () => process.exit(0));

linkObjects();
// Temporary files go with the storage, also when this process is killed.
process.env.TMPDIR = storage;
process.env.WRANGLER_WRITE_LOGS = "false";

const config = unstable_readConfig({ config: join(root, "wrangler.toml") });
// The rules find modules by name. Here they are listed.
const { modulesRules, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions;
const flags = worker.compatibilityFlags ?? [];
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...worker,
    // faults.mjs follows a request with AsyncLocalStorage.
    compatibilityFlags: isWrapped ? [...flags, "nodejs_als"] : flags,
    name: config.name,
    rootPath: root,
    modules: modules(),
    modulesRoot: join(storage, "worker"),
    // Replaces the variables that wrangler found: those include the developer's .dev.vars.
    bindings: variables(config),
    resourcePersistencePath: storage,
    host: "127.0.0.1",
    port: Number(options.port),
    // Miniflare would fetch the properties of requests from Cloudflare.
    cf: false,
    // Only the Worker's log, and Miniflare's own warnings.
    log: new Log(LogLevel.WARN),
    logRequests: false,
    handleStructuredLogs: ({ message }) => process.stdout.write(`${message}\n`),
  }),
);

const { port } = await miniflare.ready;
console.log(JSON.stringify({ event: "listen", socket: "http", port: Number(port) }));
