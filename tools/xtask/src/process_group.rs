//! Group of processes: a program and all that it starts, which end together.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use wait_timeout::ChildExt as _;

use crate::command::show;

/// Time for a program to end by itself after a signal. wrangler waits for open requests.
const GRACE: Duration = Duration::from_secs(5);

/// Exit status of a process that Ctrl-C ended, as shells report it.
const INTERRUPTED: i32 = 130;

/// Interval in which a signal is noticed.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Signal to end this process: Ctrl-C, `kill`, or the end of its terminal.
#[derive(Debug)]
pub(crate) struct Interruption {
    is_deferred: Arc<AtomicBool>,
    has_come: Arc<AtomicBool>,
}

impl Interruption {
    /// Catches the signal from now on. Until [`defer`](Self::defer), it ends this process at once;
    /// the terminal sends Ctrl-C to the programs that were started, too.
    pub(crate) fn catch() -> Result<Self> {
        let interruption = Self {
            is_deferred: Arc::default(),
            has_come: Arc::default(),
        };
        let is_deferred = Arc::clone(&interruption.is_deferred);
        let has_come = Arc::clone(&interruption.has_come);
        ctrlc::set_handler(move || {
            has_come.store(true, Ordering::SeqCst);
            if !is_deferred.load(Ordering::SeqCst) {
                exit(INTERRUPTED);
            }
        })?;
        Ok(interruption)
    }

    /// Leaves it to [`ProcessGroup::wait_or_end_on`] what the signal ends.
    pub(crate) fn defer(&self) {
        self.is_deferred.store(true, Ordering::SeqCst);
    }
}

/// A program in a process group of its own: signals of the terminal do not reach it.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    name: String,
    leader: Child,
    id: Pid,
}

impl ProcessGroup {
    /// Starts a program.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let name = show(command);
        let leader = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name}: cannot be started"))?;
        let id = Pid::from_raw(i32::try_from(leader.id())?);
        Ok(Self { name, leader, id })
    }

    /// Waits until the program ends by itself. Ends it, and all that it started, at a signal.
    ///
    /// # Errors
    /// Fails if the program fails by itself.
    pub(crate) fn wait_or_end_on(mut self, interruption: &Interruption) -> Result<()> {
        loop {
            if let Some(status) = self.leader.wait_timeout(POLL_INTERVAL)? {
                // Ends processes that the program left running.
                self.signal(Signal::SIGKILL);
                ensure!(status.success(), "{}: {status}", self.name);
                return Ok(());
            }
            if interruption.has_come.load(Ordering::SeqCst) {
                self.end();
                return Ok(());
            }
        }
    }

    /// Ends all processes of the group: asks them, then kills them.
    pub(crate) fn end(mut self) {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            let _ = self.leader.try_wait();
            if killpg(self.id, None) == Err(Errno::ESRCH) {
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
        self.signal(Signal::SIGKILL);
        let _ = self.leader.wait();
    }

    /// Sends a signal to the group. It may be gone already.
    fn signal(&self, signal: Signal) {
        let _ = killpg(self.id, signal);
    }
}
