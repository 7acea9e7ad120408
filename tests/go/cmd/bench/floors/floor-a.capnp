# Floor A, see floor-a.js.
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
    (name = "floor-a.js", esModule = embed "floor-a.js"),
    (name = "responses.js", esModule = embed "responses.js"),
  ],
);
