//! What is done before a signal ends the process.
//!
//! The signal still ends it, in the way it would have without us.

use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::Writer;

/// What is to be done; it must not hold alive what it is done for.
type Last = Box<dyn Fn() + Send>;

fn all() -> MutexGuard<'static, Vec<Last>> {
    static ALL: Mutex<Vec<Last>> = Mutex::new(Vec::new());
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has `last` called when SIGINT, SIGTERM or SIGHUP ends the process.
pub(crate) fn before_end(last: impl Fn() + Send + 'static) -> io::Result<()> {
    /// Whether the thread that waits for signals runs.
    static STARTED: OnceLock<()> = OnceLock::new();
    all().push(Box::new(last));
    if STARTED.get().is_none() {
        let mut signals = Signals::new(ending())?;
        let wait = move || {
            let mut asked = false;
            for signal in &mut signals {
                let end = move || {
                    all().iter().for_each(|last| last());
                    let _ = emulate_default_handler(signal);
                };
                // Apart, so that a second signal ends at once what hangs on a disk.
                let apart = std::thread::Builder::new();
                if asked || apart.spawn(end).is_err() {
                    let _ = emulate_default_handler(signal);
                }
                asked = true;
            }
        };
        if STARTED.set(()).is_ok() {
            std::thread::Builder::new()
                .name("modelpulse-signals".to_owned())
                .spawn(wait)?;
        }
    }
    Ok(())
}

/// The signals that end this process. One that it was started to ignore, as `nohup` does with SIGHUP,
/// is none of them.
fn ending() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let is_ignored = |signal: &i32| ignored.unwrap_or(0) & (1 << (signal - 1)) != 0;
    let all = [SIGINT, SIGTERM, SIGHUP];
    all.into_iter()
        .filter(|signal| !is_ignored(signal))
        .collect()
}

impl Writer {
    /// Has everything written, and on the disk, before SIGINT, SIGTERM or SIGHUP ends the process.
    ///
    /// ```no_run
    /// let writer = modelpulse::log::Writer::create("runs/demo")?;
    /// writer.flush_on_signal()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the process cannot listen to signals.
    pub fn flush_on_signal(&self) -> io::Result<()> {
        let writer = self.downgrade();
        before_end(move || {
            if let Some(writer) = writer.upgrade() {
                writer.sync();
            }
        })
    }
}
