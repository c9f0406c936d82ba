//! Concept drift: detectors that watch a stream and say when it changes.
//!
//! All are a [`Detector`]: `update` takes one value and answers with a [`Signal`]; after a drift the next value starts
//! anew. A [`snapshot`](Detector::snapshot) restored goes on exactly as if it had never stopped. Memory is bounded for each.
//!
//! | detector | watches | alarms on | as in |
//! |---|---|---|---|
//! | [`Adwin`] | any number | a change of the mean | river |
//! | [`PageHinkley`] | any number | a change of the mean | river |
//! | [`Kswin`] | any number | a change of the distribution | river |
//! | [`Cusum`], [`MovingAverage`] | any number | a rise of the mean | frouros |
//! | [`Ddm`], [`Rddm`], [`EcddWt`] | errors, 1 or 0 | a rise of the error rate | river, frouros |
//! | [`Eddm`] | errors, 1 or 0 | errors that come closer | river |
//! | [`HddmA`], [`HddmW`] | numbers of 0..=1 | a rise, or any change, of the mean | river |
//! | [`Fhddm`] | hits, 1 or 0 | a fall of the hit rate | river |
//! | [`Stepd`] | errors, 1 or 0 | a change of the error rate | frouros |
//!
//! Settings default to those of the program named in the table, and so do the values at which an alarm is raised.
//!
//! # False alarms
//!
//! Measured by `modelpulse power --only detectors --runs 5000`: 100 streams of each kind.
//!
//! ```text
//! Detectors on streams that do not change: alarms in 10,000 values, ± standard error
//!                   errors, 10 %  errors, 30 %  errors, 50 %      normal   always 0   always 1
//!   ADWIN              0.00±0.00     0.00±0.00     0.00±0.00   0.00±0.00  0.00±0.00  0.00±0.00
//!   Page–Hinkley       0.03±0.02     0.57±0.07     0.78±0.06   5.82±0.15  0.00±0.00  0.00±0.00
//!   KSWIN              0.00±0.00     0.81±0.09     2.44±0.16  13.00±0.38  0.00±0.00  0.00±0.00
//!   CUSUM              0.01±0.01     0.23±0.05     0.38±0.06   2.94±0.15  0.00±0.00  0.00±0.00
//!   moving average     0.00±0.00     0.00±0.00     0.00±0.00   0.00±0.00  0.00±0.00  0.00±0.00
//!   DDM                0.94±0.15     0.32±0.06     0.19±0.04           –  0.00±0.00  0.00±0.00
//!   RDDM               2.96±0.29     1.61±0.17     1.63±0.17           –  0.00±0.00  0.00±0.00
//!   EDDM              17.29±0.87    19.16±1.60    10.18±1.00           –  0.00±0.00  0.00±0.00
//!   ECDD-WT           27.86±0.42    26.23±0.39     0.13±0.03           –  0.00±0.00  0.00±0.00
//!   HDDM-A             0.02±0.01     0.23±0.05     0.17±0.04           –  0.00±0.00  0.00±0.00
//!   HDDM-W             0.00±0.00     3.83±0.17     7.70±0.20           –  0.00±0.00  0.00±0.00
//!   FHDDM              0.00±0.00     0.97±0.08     2.07±0.10           –  0.00±0.00  0.00±0.00
//!   STEPD              5.07±0.22     5.59±0.24     6.23±0.22           –  0.00±0.00  0.00±0.00
//!
//! Detectors on streams that change after 1000 values: % found within 1000 values, after how many on average
//!                   errors, 10 % → 30 %  normal, mean 0 → 1
//!   ADWIN                      100, 142             100, 52
//!   Page–Hinkley               100, 267              99, 42
//!   KSWIN                       15, 363              98, 65
//!   CUSUM                      100, 265              99, 36
//!   moving average                    0              1, 211
//!   DDM                         98, 124                   –
//!   RDDM                         98, 62                   –
//!   EDDM                        100, 54                   –
//!   ECDD-WT                     100, 66                   –
//!   HDDM-A                     100, 119                   –
//!   HDDM-W                     100, 217                   –
//!   FHDDM                      100, 138                   –
//!   STEPD                        99, 34                   –
//! ```
//!
//! A detector alarms at each value or, as [`Adwin`], at each few; so a rate that seems small alarms often on a long stream.
//! [`Eddm`] compares with a maximum that chance reaches, and does so in every implementation: take [`HddmA`] or [`Adwin`].

mod adwin;
mod archive;
mod cusum;
mod ddm;
mod ecdd;
mod eddm;
mod fhddm;
mod hddm_a;
mod hddm_w;
mod kswin;
mod mean;
mod moving_average;
mod page_hinkley;
mod rddm;
mod stepd;

pub use adwin::Adwin;
pub use cusum::Cusum;
pub use ddm::Ddm;
pub use ecdd::{EcddWt, RunLength};
pub use eddm::Eddm;
pub use fhddm::Fhddm;
pub use hddm_a::HddmA;
pub use hddm_w::HddmW;
pub use kswin::Kswin;
pub use moving_average::MovingAverage;
pub use page_hinkley::{Direction, PageHinkley};
pub use rddm::Rddm;
pub use stepd::Stepd;

use super::DriftError;
use archive::{Archive, Watch};

/// What a detector says of the stream after a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Signal {
    /// Nothing has changed, as far as can be told.
    #[default]
    Stable,
    /// Something may be changing. Only detectors of errors say so.
    Warning,
    /// The stream has changed; the next value starts anew.
    Drift,
}

/// A detector of concept drift over a stream.
///
/// ```
/// use modelpulse::drift::concept::{Adwin, Detector, Signal};
///
/// let mut detector = Adwin::default();
/// let mut alarms = Vec::new();
/// for i in 0..2000 {
///     let value = f64::from(i % 2) + if i < 1000 { 0.0 } else { 1.0 };
///     if detector.update(value)? == Signal::Drift {
///         alarms.push(i);
///     }
/// }
/// assert_eq!(alarms, [1023]);
///
/// let saved = detector.snapshot();
/// let mut restored = Adwin::restore(&saved)?;
/// assert_eq!(restored.update(0.5), detector.update(0.5));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
pub trait Detector {
    /// Takes a value, and says what it thinks of the stream now.
    ///
    /// # Errors
    ///
    /// [`DriftError::Value`] for a value that the detector does not take: none takes NaN or ±Inf, and those of errors
    /// only numbers of 0..=1. The detector is as it was before.
    fn update(&mut self, value: f64) -> Result<Signal, DriftError>;

    /// What it said last.
    fn signal(&self) -> Signal;

    /// Forgets all values; settings stay.
    fn reset(&mut self);

    /// Its settings and all that it knows, in bytes that [`restore`](Self::restore) takes on any machine.
    fn snapshot(&self) -> Vec<u8>;

    /// The detector of a snapshot.
    ///
    /// # Errors
    ///
    /// [`DriftError::Snapshot`] if the bytes are damaged, of another detector, or of a newer version.
    fn restore(snapshot: &[u8]) -> Result<Self, DriftError>
    where
        Self: Sized;
}

impl<T: Watch> Detector for T {
    #[inline]
    fn update(&mut self, value: f64) -> Result<Signal, DriftError> {
        if !T::TAKES.contains(value) {
            return Err(T::TAKES.refuse(T::NAME, value));
        }
        if *self.state() == Signal::Drift {
            self.restart();
            *self.state() = Signal::Stable;
        }
        let signal = self.take(value);
        *self.state() = signal;
        Ok(signal)
    }

    fn signal(&self) -> Signal {
        *self.clone().state()
    }

    fn reset(&mut self) {
        self.clear();
        *self.state() = Signal::Stable;
    }

    fn snapshot(&self) -> Vec<u8> {
        Archive::write(self.clone())
    }

    fn restore(snapshot: &[u8]) -> Result<Self, DriftError> {
        Archive::read(snapshot)
    }
}
