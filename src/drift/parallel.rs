//! Many runs of many jobs on all cores. What comes out does not depend on how many there are.

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
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let stopped = AtomicBool::new(false);
    let answers = Mutex::new(Vec::new());
    let work = || {
        while !stopped.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((job, runs)) = blocks.get(at) else {
                return;
            };
            let count = u64::from(runs.end - runs.start);
            let answer = some(job, runs.clone());
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.push((at, *job, answer));
            drop(answers);
            let done = done.fetch_add(count, Ordering::Relaxed) + count;
            if progress(done, all).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
        work();
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_unstable_by_key(|&(at, ..)| at);
    let answers = answers.into_iter();
    answers.map(|(_, job, answer)| (job, answer)).collect()
}
