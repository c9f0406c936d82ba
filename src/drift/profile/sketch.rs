//! The values of one feature in little memory: as they are while few are different, and else thinned out.
//!
//! Values wait until there are [`KEPT`] of them; then, in order, every second one goes on to the next level, where it
//! stands for two, and so on (J. I. Munro and M. S. Paterson, 1980, doi 10.1016/0304-3975(80)90061-4). Each time it is
//! in turn the first or the second of each pair that stays, so that what one step adds to a rank, the next one takes
//! away. How far a rank may be off at most is thus counted, not estimated; nothing is drawn by chance.

use crate::metrics::radix;

/// So many different values are kept as they are, and of so many a level is made.
pub(super) const KEPT: usize = 4096;

/// What is known of values by their [keys](radix::key).
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    /// The newest, in no order.
    waiting: Vec<u64>,
    kept: Kept,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kept {
    /// All different values, in order, with how often each is there.
    All(Vec<(u64, u64)>),
    /// Those that stand for 1, 2, 4 …
    Levels(Vec<Level>),
}

/// Values of which each stands for as many.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Level {
    pub(super) keys: Vec<u64>,
    /// How often the first of each pair stayed, so that ranks may be too large, and how often the second.
    pub(super) above: u64,
    pub(super) below: u64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self::of(Kept::All(Vec::new()))
    }
}

impl Sketch {
    pub(super) fn of(kept: Kept) -> Self {
        Self {
            waiting: Vec::new(),
            kept,
        }
    }

    /// Takes numbers that are not NaN.
    pub(super) fn take(&mut self, values: &[f64]) {
        let mut rest = values;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(KEPT - self.waiting.len()));
            // -0.0 is 0.0.
            self.waiting
                .extend(now.iter().map(|value| radix::key(value + 0.0)));
            rest = later;
            if self.waiting.len() == KEPT {
                self.settle();
            }
        }
    }

    /// All that waits takes its place.
    pub(super) fn settle(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.sort_unstable();
        match &mut self.kept {
            Kept::All(_) => {
                let runs = self.waiting.chunk_by(|a, b| a == b);
                let runs: Vec<(u64, u64)> = runs.map(|run| (run[0], run.len() as u64)).collect();
                self.add(&runs);
            }
            Kept::Levels(levels) => {
                lift(levels, 0).keys.append(&mut self.waiting);
                thin(levels);
            }
        }
        self.waiting.clear();
    }

    /// Takes values in order, each with how often it is there.
    fn add(&mut self, counts: &[(u64, u64)]) {
        if let Kept::All(all) = &mut self.kept {
            *all = merged(all, counts);
            if all.len() > KEPT {
                self.spill();
            }
        } else {
            self.spread(counts);
        }
    }

    /// From now on values are thinned out.
    fn spill(&mut self) {
        if let Kept::All(all) = &mut self.kept {
            let all = std::mem::take(all);
            self.kept = Kept::Levels(Vec::new());
            self.spread(&all);
        }
    }

    /// Onto the levels: a count is a sum of powers of two, so that nothing is lost.
    fn spread(&mut self, counts: &[(u64, u64)]) {
        let Kept::Levels(levels) = &mut self.kept else {
            return;
        };
        for &(key, count) in counts {
            for at in (0..u64::BITS as usize).filter(|at| count >> at & 1 == 1) {
                lift(levels, at).keys.push(key);
            }
        }
        thin(levels);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        other.settle();
        self.settle();
        match other.kept {
            Kept::All(all) => self.add(&all),
            Kept::Levels(theirs) => {
                self.spill();
                let Kept::Levels(levels) = &mut self.kept else {
                    return;
                };
                for (at, theirs) in theirs.into_iter().enumerate() {
                    let level = lift(levels, at);
                    level.keys.extend(theirs.keys);
                    level.above += theirs.above;
                    level.below += theirs.below;
                }
                thin(levels);
            }
        }
    }

    /// What is kept, once nothing waits.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Different values in order, each with how many it stands for; once nothing waits.
    pub(super) fn counts(&self) -> Vec<(u64, u64)> {
        match &self.kept {
            Kept::All(all) => all.clone(),
            Kept::Levels(levels) => {
                let mut counts = Vec::new();
                for (at, level) in levels.iter().enumerate() {
                    counts.extend(level.keys.iter().map(|&key| (key, 1_u64 << at)));
                }
                counts.sort_unstable();
                counts.dedup_by(|next, kept| {
                    let same = next.0 == kept.0;
                    if same {
                        kept.1 = kept.1.saturating_add(next.1);
                    }
                    same
                });
                counts
            }
        }
    }

    /// By how many a rank may be off.
    pub(super) fn error(&self) -> u64 {
        let Kept::Levels(levels) = &self.kept else {
            return 0;
        };
        let sum = |of: fn(&Level) -> u64| {
            let weighted = levels.iter().enumerate();
            weighted.fold(0_u64, |sum, (at, level)| {
                sum.saturating_add(of(level).saturating_mul(1 << at))
            })
        };
        sum(|level| level.above).max(sum(|level| level.below))
    }
}

fn lift(levels: &mut Vec<Level>, at: usize) -> &mut Level {
    if levels.len() <= at {
        levels.resize_with(at + 1, Level::default);
    }
    &mut levels[at]
}

/// Brings each level below [`KEPT`].
fn thin(levels: &mut Vec<Level>) {
    // Above the last, one stands for more values than can be counted.
    for at in 0..u64::BITS as usize - 1 {
        let Some(level) = levels.get_mut(at) else {
            return;
        };
        if level.keys.len() < KEPT {
            continue;
        }
        // Mostly two parts that are in order: they are found and merged.
        level.keys.sort();
        let odd = level.keys.len() % 2;
        let alone = if odd == 1 { level.keys.pop() } else { None };
        let first = level.above <= level.below;
        if first {
            level.above += 1;
        } else {
            level.below += 1;
        }
        let keys = std::mem::take(&mut level.keys);
        level.keys.extend(alone);
        let half = keys.into_iter().skip(usize::from(!first)).step_by(2);
        lift(levels, at + 1).keys.extend(half);
    }
}

/// Two lists in order as one.
fn merged(a: &[(u64, u64)], b: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut all = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(&&left), Some(&&right)) = (a.peek(), b.peek()) {
        let order = left.0.cmp(&right.0);
        if order.is_le() {
            a.next();
        }
        if order.is_ge() {
            b.next();
        }
        all.push(match order {
            std::cmp::Ordering::Less => left,
            std::cmp::Ordering::Equal => (left.0, left.1 + right.1),
            std::cmp::Ordering::Greater => right,
        });
    }
    all.extend(a.chain(b));
    all
}
