//! How often tests and detectors alarm: at nothing, and at a change that is there.
//!
//! Samples are drawn at random, so every rate has a standard error; the same plan gives the same numbers on every
//! machine, however many cores it has.
//!
//! The same for detectors stands with [`concept`](super::concept).
//!
#![doc = include_str!("measured.md")]

mod population;
mod procedures;
mod streams;

use std::ops::{ControlFlow, Range};

pub use population::{Change, Population};
pub use streams::{Heard, Stream, StreamPlan};

use super::parallel;
use crate::metrics::random::SplitMix;
use procedures::Pair;

/// What is measured: every test of a feature on samples of each size, without a change and with some.
///
/// ```
/// use modelpulse::drift::power::{Change, Plan, Population};
///
/// let plan = Plan::default()
///     .scenarios([(Population::Normal, Change::None), (Population::Normal, Change::Shift(1.0))])
///     .sizes([[60, 50]])
///     .runs(200);
/// let rates = plan.measure(&|_, _| std::ops::ControlFlow::Continue(()));
/// let verdicts: Vec<f64> = rates.iter().filter(|r| r.test == "verdict").map(|r| r.rate()).collect();
/// assert!(verdicts[0] < 0.12 && verdicts[1] > 0.9, "{verdicts:?}");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// What samples are drawn from, and what changes.
    pub scenarios: Vec<(Population, Change)>,
    /// The sizes of the reference and of the current sample.
    pub sizes: Vec<[usize; 2]>,
    /// How often samples are drawn where nothing changes.
    pub runs: u32,
    /// The nominal level.
    pub level: f64,
    /// The seed of what is drawn.
    pub seed: u64,
}

impl Default for Plan {
    /// Fourteen scenarios, samples of 50 to 100,000 values, 10,000 runs, a level of 0.05.
    fn default() -> Self {
        use Change::{None, Replaced, Shift, Spread, Untied};
        use Population::{Exponential, Kinds, Normal, Rounded, Together, Two};
        Self {
            scenarios: vec![
                (Normal, None),
                (Exponential, None),
                (Rounded, None),
                (Kinds(6), None),
                (Two(0.1), None),
                (Together(8), None),
                (Normal, Shift(0.25)),
                (Normal, Shift(0.5)),
                (Normal, Spread(1.5)),
                (Exponential, Shift(0.25)),
                (Kinds(6), Replaced(0.1)),
                (Two(0.1), Replaced(0.1)),
                (Together(8), Shift(0.25)),
                (Together(8), Untied),
            ],
            sizes: vec![
                [50, 50],
                [100, 100],
                [200, 200],
                [1_000, 100],
                [1_001, 100],
                [1_000, 1_000],
                [10_000, 500],
                [10_000, 10_000],
                [100_000, 50],
                [100_000, 100_000],
            ],
            runs: 10_000,
            level: 0.05,
            seed: 0,
        }
    }
}

/// So many values are drawn for a size before its runs become fewer.
const VALUES: usize = 20_000_000;

impl Plan {
    /// Measures these.
    #[must_use]
    pub fn scenarios(mut self, scenarios: impl IntoIterator<Item = (Population, Change)>) -> Self {
        self.scenarios = scenarios.into_iter().collect();
        self
    }

    /// At these sizes of reference and current sample.
    #[must_use]
    pub fn sizes(mut self, sizes: impl IntoIterator<Item = [usize; 2]>) -> Self {
        self.sizes = sizes.into_iter().collect();
        self
    }

    /// Draws so many samples where nothing changes, at least 1; down to a tenth of them for large samples, for several
    /// features together, and where something changes, since its rate need not be known as well.
    #[must_use]
    pub fn runs(mut self, runs: u32) -> Self {
        self.runs = runs.max(1);
        self
    }

    /// The nominal level of the tests, of 0..1.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// The seed of what is drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    fn runs_of(&self, population: Population, change: Change, sizes: [usize; 2]) -> u32 {
        let least = (self.runs / 10).max(self.runs.min(100));
        if change != Change::None || population.is_of_several() {
            return least;
        }
        let affordable = VALUES / (sizes[0] + sizes[1]).max(1);
        u32::try_from(affordable).map_or(self.runs, |affordable| affordable.clamp(least, self.runs))
    }

    /// Measures on all cores; `progress` is told how many of how many runs are done, and may break off: then what was
    /// not run is missing.
    #[must_use]
    pub fn measure(&self, progress: &(dyn Fn(u64, u64) -> ControlFlow<()> + Sync)) -> Vec<Rate> {
        let mut rates = Vec::new();
        let mut jobs = Vec::new();
        for &(population, change) in &self.scenarios {
            for &sizes in &self.sizes {
                let first = rates.len();
                let cell = Cell {
                    number: jobs.len() as u64,
                    population,
                    change,
                    sizes,
                    first,
                };
                rates.extend(procedures::of(population).map(|procedure| Rate {
                    test: procedure.name,
                    population,
                    change,
                    sizes,
                    runs: 0,
                    undefined: 0,
                    alarms: 0,
                }));
                jobs.push((cell, self.runs_of(population, change, sizes)));
            }
        }
        let cost = |cell: &Cell| match cell.population {
            // Some of it takes as long for few values.
            Population::Together(_) => 25_000,
            _ => (cell.sizes[0] + cell.sizes[1]) as u64 + 200,
        };
        for (cell, told) in parallel::run(&jobs, cost, |cell, runs| self.some(cell, runs), progress)
        {
            for (rate, [runs, alarms, undefined]) in rates[cell.first..].iter_mut().zip(told) {
                rate.runs += runs;
                rate.alarms += alarms;
                rate.undefined += undefined;
            }
        }
        rates
    }

    /// How many answers each procedure gave, how many alarms, and how often it gave none.
    fn some(&self, cell: &Cell, runs: Range<u32>) -> Vec<[u32; 3]> {
        let mut counted = vec![[0; 3]; procedures::of(cell.population).count()];
        for run in runs {
            let mut random = generator(self.seed, cell.number, run);
            let [n, m] = cell.sizes;
            let reference = cell.population.sample(Change::None, &mut random, n);
            let current = cell.population.sample(cell.change, &mut random, m);
            let pair = Pair::new(cell.population, [reference, current], random.next());
            for (counted, procedure) in counted.iter_mut().zip(procedures::of(cell.population)) {
                let [runs, alarms, undefined] = counted;
                match (procedure.alarms)(&pair, self.level) {
                    Ok(alarmed) => {
                        *runs += 1;
                        *alarms += u32::from(alarmed);
                    }
                    Err(_) => *undefined += 1,
                }
            }
        }
        counted
    }
}

/// Each run has numbers of its own, whoever runs it.
fn generator(seed: u64, cell: u64, run: u32) -> SplitMix {
    let cell = SplitMix::new(seed.wrapping_add(cell)).next();
    SplitMix::new(SplitMix::new(cell.wrapping_add(u64::from(run))).next())
}

/// Samples of one size in one scenario.
#[derive(Debug, Clone, Copy)]
struct Cell {
    number: u64,
    population: Population,
    change: Change,
    sizes: [usize; 2],
    /// Where its rates are.
    first: usize,
}

/// How often a test alarmed.
///
/// ```
/// # use modelpulse::drift::power::{Change, Plan, Population};
/// let plan = Plan::default().scenarios([(Population::Two(0.5), Change::None)]).sizes([[50, 50]]).runs(100);
/// let rates = plan.measure(&|_, _| std::ops::ControlFlow::Continue(()));
/// let fisher = rates.iter().find(|rate| rate.test == "Fisher's exact").unwrap();
/// assert_eq!(fisher.rate(), f64::from(fisher.alarms) / 100.0);
/// assert!(fisher.standard_error() < 0.05);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rate {
    /// The test; a distance stands with the threshold that is usual for it.
    pub test: &'static str,
    /// What both samples were drawn from.
    pub population: Population,
    /// What had changed in the current one.
    pub change: Change,
    /// The sizes of the reference and of the current sample.
    pub sizes: [usize; 2],
    /// How many pairs of samples it answered of.
    pub runs: u32,
    /// How many it was not defined for, or refused.
    pub undefined: u32,
    /// How often it alarmed.
    pub alarms: u32,
}

impl Rate {
    /// The share of alarms, of 0..=1; NaN without runs.
    #[must_use]
    pub fn rate(&self) -> f64 {
        f64::from(self.alarms) / f64::from(self.runs)
    }

    /// How far chance moves that share: the standard deviation of a share of so many runs.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let rate = self.rate();
        (rate * (1.0 - rate) / f64::from(self.runs)).sqrt()
    }
}
