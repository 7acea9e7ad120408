//! What an isolate remembers between requests: plain data, never a promise of a request.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use connect::{Error, Host as _};
use worker::Env;

use crate::config::Config;
use crate::platform::WorkerHost;

/// The memory of an isolate.
#[derive(Debug)]
pub struct Isolate {
    /// The configuration: it cannot change while the isolate lives.
    pub config: Config,
    /// When the isolate served its first request. Before that its clock stands still.
    pub started_at_ms: i64,
    /// The number of colonies that was counted last.
    pub colonies: Cell<Option<Counted>>,
}

/// A number of colonies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many there were.
    pub colonies: i64,
    /// When that was asked.
    pub at_ms: i64,
}

thread_local! {
    static ISOLATE: OnceCell<Result<Rc<Isolate>, Error>> = const { OnceCell::new() };
}

/// The isolate's memory; the first call reads the configuration.
///
/// # Errors
/// `internal` when a variable is wrong, the same for every call.
pub fn isolate(env: &Env) -> Result<Rc<Isolate>, Error> {
    ISOLATE.with(|isolate| isolate.get_or_init(|| start(env)).clone())
}

fn start(env: &Env) -> Result<Rc<Isolate>, Error> {
    let config = Config::from_vars(|name| env.var(name).ok().map(|var| var.to_string()))?;
    Ok(Rc::new(Isolate {
        config,
        started_at_ms: WorkerHost.now_ms(),
        colonies: Cell::new(None),
    }))
}
