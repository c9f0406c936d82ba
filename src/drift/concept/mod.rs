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
