//! Detectors on streams: how often they alarm where nothing changes, and how soon where something does.

use std::fmt;
use std::ops::{ControlFlow, Range};

use super::generator;
use super::population::normal;
use crate::drift::concept::{
    Adwin, Cusum, Ddm, Detector, EcddWt, Eddm, Fhddm, HddmA, HddmW, Kswin, MovingAverage,
    PageHinkley, Rddm, Signal, Stepd,
};
use crate::drift::parallel;
use crate::metrics::random::SplitMix;

/// What a stream is drawn from. Detectors of errors take 1 for an error, and [`Fhddm`] the same stream as hits.
///
/// ```
/// use modelpulse::drift::power::Stream;
/// assert_eq!(Stream::Errors(0.1, 0.3).to_string(), "errors, 10 % → 30 %");
/// assert!(!Stream::Errors(0.1, 0.3).is_stationary());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Stream {
    /// Independent errors at a rate, and at another after the change.
    Errors(f64, f64),
    /// Independent normal numbers of deviation 1 around a mean, and around another after the change.
    Normal(f64, f64),
    /// Always this.
    Constant(f64),
}

impl Stream {
    /// Whether it does not change.
    #[must_use]
    pub fn is_stationary(self) -> bool {
        match self {
            Self::Errors(before, after) | Self::Normal(before, after) => before == after,
            Self::Constant(_) => true,
        }
    }

    fn draw(self, changed: bool, random: &mut SplitMix) -> f64 {
        match self {
            Self::Errors(before, after) => {
                let rate = if changed { after } else { before };
                f64::from(u8::from(random.unit() < rate))
            }
            Self::Normal(before, after) => normal(random) + if changed { after } else { before },
            Self::Constant(value) => value,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |rate: f64| rate * 100.0;
        match *self {
            Self::Errors(rate, after) if rate == after => {
                write!(f, "errors, {} %", percent(rate))
            }
            Self::Errors(rate, after) => {
                write!(f, "errors, {} % → {} %", percent(rate), percent(after))
            }
            Self::Normal(mean, after) if mean == after => f.write_str("normal"),
            Self::Normal(mean, after) => write!(f, "normal, mean {mean} → {after}"),
            Self::Constant(value) => write!(f, "always {value}"),
        }
    }
}

/// What is measured: every detector, with its defaults, on streams.
///
/// ```
/// use modelpulse::drift::power::{Stream, StreamPlan};
///
/// let plan = StreamPlan::default().streams([Stream::Errors(0.2, 0.2)]).runs(5);
/// let heard = plan.measure(&|_, _| std::ops::ControlFlow::Continue(()));
/// let of = |name: &str| heard.iter().find(|heard| heard.detector == name).unwrap().per_10_000();
/// assert!(of("HDDM-A") < of("EDDM"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StreamPlan {
    /// What streams are drawn from.
    pub streams: Vec<Stream>,
    /// How many values a stream has that does not change.
    pub values: usize,
    /// After how many values the others change.
    pub change: usize,
    /// Within how many values after it an alarm has found the change.
    pub within: usize,
    /// How many streams of each are drawn.
    pub runs: u32,
    /// The seed of what is drawn.
    pub seed: u64,
}

impl Default for StreamPlan {
    /// Errors at 10, 30 and 50 %, normal numbers, always 0, always 1, and two changes: 200 streams of 10,000 values each,
    /// or a change after 1,000 that is to be found within 1,000.
    fn default() -> Self {
        Self {
            streams: vec![
                Stream::Errors(0.1, 0.1),
                Stream::Errors(0.3, 0.3),
                Stream::Errors(0.5, 0.5),
                Stream::Normal(0.0, 0.0),
                Stream::Constant(0.0),
                Stream::Constant(1.0),
                Stream::Errors(0.1, 0.3),
                Stream::Normal(0.0, 1.0),
            ],
            values: 10_000,
            change: 1_000,
            within: 1_000,
            runs: 200,
            seed: 0,
        }
    }
}

/// A detector by its name, as it is by default.
struct Named {
    name: &'static str,
    of_errors: bool,
    hits: bool,
    make: fn() -> Box<dyn Detector>,
}

const fn named(name: &'static str, of_errors: bool, make: fn() -> Box<dyn Detector>) -> Named {
    Named {
        name,
        of_errors,
        hits: false,
        make,
    }
}

const DETECTORS: [Named; 13] = [
    named("ADWIN", false, || Box::new(Adwin::default())),
    named("Page–Hinkley", false, || Box::new(PageHinkley::default())),
    named("KSWIN", false, || Box::new(Kswin::default())),
    named("CUSUM", false, || Box::new(Cusum::default())),
    named("moving average", false, || {
        Box::new(MovingAverage::default())
    }),
    named("DDM", true, || Box::new(Ddm::default())),
    named("RDDM", true, || Box::new(Rddm::default())),
    named("EDDM", true, || Box::new(Eddm::default())),
    named("ECDD-WT", true, || Box::new(EcddWt::default())),
    named("HDDM-A", true, || Box::new(HddmA::default())),
    named("HDDM-W", true, || Box::new(HddmW::default())),
    Named {
        name: "FHDDM",
        of_errors: true,
        hits: true,
        make: || Box::new(Fhddm::default()),
    },
    named("STEPD", true, || Box::new(Stepd::default())),
];

/// What one run heard.
struct Run {
    alarms: u64,
    delay: Option<usize>,
}

impl StreamPlan {
    /// Measures on these.
    #[must_use]
    pub fn streams(mut self, streams: impl IntoIterator<Item = Stream>) -> Self {
        self.streams = streams.into_iter().collect();
        self
    }

    /// So many streams of each, at least 1.
    #[must_use]
    pub fn runs(mut self, runs: u32) -> Self {
        self.runs = runs.max(1);
        self
    }

    /// The seed of what is drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Measures on all cores; `progress` as in [`Plan::measure`](super::Plan::measure).
    #[must_use]
    pub fn measure(&self, progress: &(dyn Fn(u64, u64) -> ControlFlow<()> + Sync)) -> Vec<Heard> {
        let (mut heard, mut jobs) = (Vec::new(), Vec::new());
        for (number, &stream) in self.streams.iter().enumerate() {
            for (detector, named) in DETECTORS.iter().enumerate() {
                if named.of_errors && matches!(stream, Stream::Normal(..)) {
                    continue;
                }
                jobs.push(((heard.len(), number, detector), self.runs));
                heard.push(Heard {
                    detector: named.name,
                    stream,
                    runs: 0,
                    values: 0,
                    alarms: 0,
                    squares: 0,
                    found: 0,
                    waited: 0,
                });
            }
        }
        let cost = |_: &(usize, usize, usize)| 50_000;
        let some = |&(_, number, detector): &(usize, usize, usize), runs: Range<u32>| {
            let once = |run| self.once(number as u64, &DETECTORS[detector], run);
            runs.map(once).collect::<Vec<Run>>()
        };
        for ((place, ..), runs) in parallel::run(&jobs, cost, some, progress) {
            for Run { alarms, delay } in runs {
                let heard = &mut heard[place];
                heard.runs += 1;
                heard.values += self.length(heard.stream) as u64;
                heard.alarms += alarms;
                heard.squares += alarms * alarms;
                heard.found += u32::from(delay.is_some());
                heard.waited += delay.unwrap_or(0) as u64;
            }
        }
        heard
    }

    /// Of a stream that changes, alarms are counted before the change.
    fn length(&self, stream: Stream) -> usize {
        if stream.is_stationary() {
            self.values
        } else {
            self.change
        }
    }

    /// All detectors hear the same streams.
    fn once(&self, number: u64, named: &Named, run: u32) -> Run {
        let stream = self.streams[number as usize];
        let mut random = generator(self.seed, number, run);
        let mut detector = (named.make)();
        let mut heard = Run {
            alarms: 0,
            delay: None,
        };
        let length = self.length(stream);
        for _ in 0..length {
            let value = stream.draw(false, &mut random);
            heard.alarms += u64::from(alarms(&mut *detector, named, value));
        }
        if !stream.is_stationary() {
            heard.delay = (1..=self.within).find(|_| {
                let value = stream.draw(true, &mut random);
                alarms(&mut *detector, named, value)
            });
        }
        heard
    }
}

fn alarms(detector: &mut dyn Detector, named: &Named, value: f64) -> bool {
    let value = if named.hits { 1.0 - value } else { value };
    detector.update(value) == Ok(Signal::Drift)
}

/// How often a detector alarmed on a stream.
///
/// ```
/// # use modelpulse::drift::power::{Stream, StreamPlan};
/// let plan = StreamPlan::default().streams([Stream::Constant(0.0)]).runs(2);
/// let heard = plan.measure(&|_, _| std::ops::ControlFlow::Continue(()));
/// assert!(heard.iter().all(|heard| heard.per_10_000() == 0.0 && heard.values == 20_000));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Heard {
    /// The detector.
    pub detector: &'static str,
    /// The stream.
    pub stream: Stream,
    /// How many streams it heard.
    pub runs: u32,
    /// How many values without a change it heard in all of them.
    pub values: u64,
    /// How often it alarmed at those.
    pub alarms: u64,
    squares: u64,
    /// In how many streams it found the change.
    pub found: u32,
    waited: u64,
}

impl Heard {
    /// False alarms in 10,000 values.
    #[must_use]
    pub fn per_10_000(&self) -> f64 {
        self.alarms as f64 / self.values as f64 * 1e4
    }

    /// How far chance moves that.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let runs = f64::from(self.runs);
        let mean = self.alarms as f64 / runs;
        let variance = (self.squares as f64 / runs - mean * mean).max(0.0);
        (variance / runs).sqrt() / (self.values as f64 / runs) * 1e4
    }

    /// The share of changes that were found in time; none of a stream that does not change.
    #[must_use]
    pub fn power(&self) -> Option<f64> {
        (!self.stream.is_stationary()).then(|| f64::from(self.found) / f64::from(self.runs))
    }

    /// After how many values a change was found, on average of those that were.
    #[must_use]
    pub fn delay(&self) -> Option<f64> {
        (self.found > 0).then(|| self.waited as f64 / f64::from(self.found))
    }
}
