//! Memory: an allocator that counts, and the resident memory of this process.
//!
//! While nothing is counted the allocator only looks at a flag that nobody writes.
#![allow(
    unsafe_code,
    reason = "an allocator; every call goes to that of the system as it came"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The verb under which this program measures the resident memory of a writer in a process of its own.
pub(crate) const CHILD_VERB: &str = "memory-child";

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ON: AtomicBool = AtomicBool::new(false);
static ALL_THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static THIS_THREAD: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    if ON.load(Ordering::Relaxed) {
        ALL_THREADS.fetch_add(1, Ordering::Relaxed);
        // A thread that is ending has no counter any more.
        let _ = THIS_THREAD.try_with(|counter| counter.set(counter.get() + 1));
    }
}

// SAFETY: each method hands its arguments on to `System`, whose contract is the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Allocations while something ran.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allocations {
    /// By the calling thread.
    pub(crate) caller: u64,
    /// By all threads.
    pub(crate) all: u64,
}

/// Counts the allocations of all threads while `work` runs.
pub(crate) fn allocations(work: impl FnOnce()) -> Allocations {
    let now = || (THIS_THREAD.get(), ALL_THREADS.load(Ordering::Relaxed));
    let before = now();
    ON.store(true, Ordering::SeqCst);
    work();
    ON.store(false, Ordering::SeqCst);
    let after = now();
    Allocations {
        caller: after.0 - before.0,
        all: after.1 - before.1,
    }
}

/// Resident memory, in MiB: now, and the most since [`forget_peak`]. `None` where the system does not say.
pub(crate) fn resident_mib() -> Option<(f64, f64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib / 1024.0)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}

/// Has the system forget how much memory this process held before. Where it cannot, the peak is that of
/// the whole process, which is no smaller.
pub(crate) fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
