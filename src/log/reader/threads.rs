//! Work on many files, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Runs `work` for each item. Items are taken by turns, so that a long one keeps no other waiting.
pub(super) fn on_all_cores<T: Send>(items: Vec<&mut T>, work: impl Fn(&mut T) + Sync) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(items.len());
    if threads <= 1 {
        items.into_iter().for_each(work);
        return;
    }
    let next = AtomicUsize::new(0);
    let items: Vec<Mutex<&mut T>> = items.into_iter().map(Mutex::new).collect();
    std::thread::scope(|scope| {
        let run = || {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                work(&mut item.lock().unwrap_or_else(PoisonError::into_inner));
            }
        };
        (1..threads).for_each(|_| drop(scope.spawn(run)));
        run();
    });
}
