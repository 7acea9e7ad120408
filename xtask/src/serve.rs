//! The built Worker on plain workerd, without wrangler: for tests and benchmarks.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;
use crate::project::{self, Wrangler};

/// What the Worker is made of, as `worker::build` leaves it.
const MODULES: [&str; 2] = ["index.js", "index_bg.wasm"];

/// Turns this process into workerd, so that whoever started it can signal workerd itself.
///
/// Below `storage` it keeps a copy of the Worker, which a later build does not change, and the
/// objects. workerd tells on its output in one line of JSON, `{"event":"listen","port":...}`,
/// when it listens; the Worker's log follows.
pub(crate) fn exec(folder: &Path, port: u16, storage: &Path, vars: &[String]) -> Result<()> {
    let mut wrangler = project::wrangler(folder)?;
    for var in vars {
        let (name, value) = var.split_once('=').context("--var needs NAME=VALUE")?;
        wrangler.vars.insert(name.to_owned(), value.into());
    }
    let error = command(&wrangler, &folder.join("build"), port, storage)?.exec();
    Err(error).context("workerd: run `cargo xtask setup` first")
}

/// workerd on the Worker in `modules`, with its objects and a copy of the Worker below `storage`.
pub(crate) fn command(
    wrangler: &Wrangler,
    modules: &Path,
    port: u16,
    storage: &Path,
) -> Result<Command> {
    let folder = storage.join("worker");
    let objects = storage.join("objects");
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(&objects)?;
    for module in MODULES {
        let built = modules.join(module);
        fs::copy(&built, folder.join(module))
            .with_context(|| format!("{}: run `cargo xtask build` first", built.display()))?;
    }
    let config = folder.join("config.capnp");
    fs::write(
        &config,
        capnp(wrangler, port, &std::path::absolute(objects)?),
    )?;
    let mut workerd = process::command(project::npm_bin("workerd"))?;
    workerd
        .args(["serve", "--control-fd=1"])
        .arg(std::path::absolute(config)?);
    Ok(workerd)
}

/// workerd's configuration: what wrangler makes of `wrangler.toml`, as far as workerd alone can
/// (it has no KV).
fn capnp(wrangler: &Wrangler, port: u16, objects: &Path) -> String {
    let mut bindings = String::new();
    let mut namespaces = String::new();
    for object in &wrangler.durable_objects.bindings {
        let (name, class) = (&object.name, &object.class_name);
        let _ = writeln!(
            bindings,
            "    (name = {name:?}, durableObjectNamespace = {class:?}),"
        );
        let key = format!("{}-{class}", wrangler.name);
        let _ = writeln!(
            namespaces,
            "    (className = {class:?}, uniqueKey = {key:?}, enableSql = true),"
        );
    }
    for (name, value) in &wrangler.vars {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned);
        let _ = writeln!(bindings, "    (name = {name:?}, text = {value:?}),");
    }
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "objects", disk = (path = {objects:?}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  compatibilityDate = {date:?},
  modules = [
    (name = "index.js", esModule = embed "index.js"),
    (name = "index_bg.wasm", wasm = embed "index_bg.wasm"),
  ],
  bindings = [
{bindings}  ],
  durableObjectNamespaces = [
{namespaces}  ],
  durableObjectStorage = (localDisk = "objects"),
);
"#,
        date = wrangler.compatibility_date,
    )
}
