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
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let wait = move || {
            for signal in &mut signals {
                all().iter().for_each(|last| last());
                let _ = emulate_default_handler(signal);
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
