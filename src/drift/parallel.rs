//! Work on all cores. What comes out does not depend on how many there are.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// About so much cost is taken at once.
const BLOCK: u64 = 50_000;

/// Runs each job as often as it says, some runs at once, and answers for these in the order of jobs and runs. `progress`
/// is told of runs, done and all, and may break off.
pub(super) fn run<J: Copy + Send + Sync, T: Send>(
    jobs: &[(J, u32)],
    cost: impl Fn(&J) -> u64,
    some: impl Fn(&J, Range<u32>) -> T + Sync,
    progress: &(dyn Fn(u64, u64) -> ControlFlow<()> + Sync),
) -> Vec<(J, T)> {
    let mut blocks = Vec::new();
    for &(job, runs) in jobs {
        let size = u32::try_from((BLOCK / cost(&job).max(1)).max(1)).unwrap_or(runs);
        let mut first = 0;
        while first < runs {
            let end = runs.min(first.saturating_add(size));
            blocks.push((job, first..end));
            first = end;
        }
    }
    let all = jobs.iter().map(|(_, runs)| u64::from(*runs)).sum();
    let done = AtomicU64::new(0);
    let block = |at: usize| {
        let (job, runs) = &blocks[at];
        let answer = some(job, runs.clone());
        done.fetch_add(u64::from(runs.end - runs.start), Ordering::Relaxed);
        (*job, answer)
    };
    each(blocks.len(), block, &mut |_| {
        progress(done.load(Ordering::Relaxed), all)
    })
}

/// Answers for each number below `count`, in their order. `told` hears in the calling thread how many are done, at last of
/// all, and may break off: then what was not begun is missing.
pub(crate) fn each<T: Send>(
    count: usize,
    of: impl Fn(usize) -> T + Sync,
    told: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let answers = Mutex::new(Vec::with_capacity(count));
    let work = |told: &mut dyn FnMut(usize) -> ControlFlow<()>| {
        while !stopped.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return;
            }
            let answer = of(at);
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.push((at, answer));
            let done = answers.len();
            drop(answers);
            if told(done).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..threads.min(count) {
            scope.spawn(|| work(&mut |_| ControlFlow::Continue(())));
        }
        work(told);
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    if answers.len() == count {
        // The others may have been behind the last word.
        let _ = told(count);
    }
    answers.sort_unstable_by_key(|&(at, _)| at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
