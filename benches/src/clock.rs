//! Time: the processor's own counter for single calls, the wall clock for events, the time that threads ran.
//!
//! Reading the counter costs a few nanoseconds, so that it can stand around a call of thirty.
#![allow(
    unsafe_code,
    reason = "the time stamp counter, as reading an Instant costs as much as a logged scalar; processor time"
)]

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The counter now.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// The counter now.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// What one tick of the counter lasts, in nanoseconds.
pub(crate) fn tick_ns() -> f64 {
    static TICK: OnceLock<f64> = OnceLock::new();
    *TICK.get_or_init(|| {
        let (first, since) = (ticks(), Instant::now());
        std::thread::sleep(Duration::from_millis(100));
        since.elapsed().as_nanos() as f64 / (ticks() - first) as f64
    })
}

/// Seconds since the Unix epoch.
#[inline]
pub(crate) fn wall_time() -> f64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs() as f64 + f64::from(since.subsec_nanos()) * 1e-9
}

/// Seconds that all threads of this process, also ended ones, ran so far. `None` where nobody says.
pub(crate) fn processor_seconds() -> Option<f64> {
    #[cfg(unix)]
    return ran(libc::CLOCK_PROCESS_CPUTIME_ID);
    #[cfg(not(unix))]
    None
}

/// Seconds that this thread ran so far. `None` where nobody says.
pub(crate) fn thread_seconds() -> Option<f64> {
    #[cfg(unix)]
    return ran(libc::CLOCK_THREAD_CPUTIME_ID);
    #[cfg(not(unix))]
    None
}

#[cfg(unix)]
fn ran(clock: libc::clockid_t) -> Option<f64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes to `time` alone, which outlives it.
    let failed = unsafe { libc::clock_gettime(clock, &mut time) };
    (failed == 0).then_some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}
