# Floor B, see floor-b.js.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "objects", disk = (path = "objects", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [
    (name = "floor-b.js", esModule = embed "floor-b.js"),
    (name = "responses.js", esModule = embed "responses.js"),
  ],
  bindings = [(name = "FLOOR", durableObjectNamespace = "Floor")],
  durableObjectNamespaces = [(className = "Floor", uniqueKey = "floor", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
);
