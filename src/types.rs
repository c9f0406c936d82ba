//! The words that every room speaks: [`Step`], [`Tag`], [`RunName`], [`WallTime`].
//!
//! A name is cheap to clone; a [`WallTime`] is finite, so that it can be sorted and never ends a
//! log for a reader (TensorBoard's data server drops the rest of a file behind a non-finite one).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The position of a value on its run's own axis: an epoch, or a global step; never both in one run.
///
/// ```
/// use modelpulse::Step;
/// assert_eq!(Step::from(3_usize), Step::from(3_i64));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(i64);

impl Step {
    /// The first step.
    pub const ZERO: Self = Self(0);

    /// The step as the log stores it.
    pub fn as_i64(self) -> i64 {
        self.0
    }
}

impl From<i64> for Step {
    fn from(step: i64) -> Self {
        Self(step)
    }
}

impl From<i32> for Step {
    fn from(step: i32) -> Self {
        Self(step.into())
    }
}

impl From<u32> for Step {
    fn from(step: u32) -> Self {
        Self(step.into())
    }
}

/// Saturates at `i64::MAX`, the largest step that a log can hold.
impl From<u64> for Step {
    fn from(step: u64) -> Self {
        Self(i64::try_from(step).unwrap_or(i64::MAX))
    }
}

/// Saturates at `i64::MAX`, the largest step that a log can hold.
impl From<usize> for Step {
    fn from(step: usize) -> Self {
        Self(i64::try_from(step).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[inline]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(name: T) -> Self {
                Self(name.into())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The name of a series in a run, such as `epoch_loss`. Any text that TensorBoard groups at `/`.
    ///
    /// ```
    /// let tag = modelpulse::Tag::from("epoch_loss");
    /// assert_eq!(tag.as_str(), "epoch_loss");
    /// ```
    Tag
}

name! {
    /// The name of a run: its directory relative to the log directory, parts joined by `/`; `.` is
    /// the log directory itself.
    ///
    /// ```
    /// let run = modelpulse::RunName::from("train");
    /// assert_eq!(run.path_of("epoch_loss"), "train/epoch_loss");
    /// assert_eq!(modelpulse::RunName::root().path_of("model_card"), "model_card");
    /// ```
    RunName
}

impl RunName {
    /// The log directory itself.
    pub fn root() -> Self {
        Self::from(".")
    }

    /// Whether this is the log directory itself.
    pub fn is_root(&self) -> bool {
        self.as_str() == "."
    }

    /// Whether this is the log directory itself or a directory below it, and none that readers take for a file.
    pub(crate) fn is_path(&self) -> bool {
        let fine = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        self.is_root()
            || (self.as_str().split('/').all(fine) && !self.as_str().contains("tfevents"))
    }

    /// The run's directory in the log directory `dir`.
    pub(crate) fn dir_in(&self, dir: &Path) -> PathBuf {
        if self.is_root() {
            dir.to_owned()
        } else {
            dir.join(self.as_str())
        }
    }

    /// A tag's full path, `run/tag`: the way that rules and people name a series.
    pub fn path_of(&self, tag: &str) -> String {
        if self.is_root() {
            tag.to_owned()
        } else {
            format!("{self}/{tag}")
        }
    }
}

/// Seconds since the Unix epoch; finite.
///
/// ```
/// use modelpulse::WallTime;
/// assert!(WallTime::new(f64::NAN).is_none());
/// assert!(WallTime::now() > WallTime::new(0.0).unwrap());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct WallTime(f64);

impl WallTime {
    /// A wall time of `seconds` since the Unix epoch; `None` where that is not finite.
    pub fn new(seconds: f64) -> Option<Self> {
        seconds.is_finite().then_some(Self(seconds))
    }

    /// The time that the system clock shows. A clock before 1970 reads as 0.
    #[inline]
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(since.as_secs() as f64 + f64::from(since.subsec_nanos()) * 1e-9)
    }

    /// Seconds since the Unix epoch.
    #[inline]
    pub fn as_secs_f64(self) -> f64 {
        self.0
    }

    /// This time, or the smallest one after `last` where the clock has not moved beyond it.
    pub(crate) fn after(self, last: f64) -> Self {
        Self(if self.0 > last {
            self.0
        } else {
            last.next_up()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_still_still_advances() {
        let time = WallTime::new(1.7e9).unwrap();
        let next = time.after(time.as_secs_f64());
        assert!(next > time && next.as_secs_f64() - 1.7e9 < 1e-6);
        assert_eq!(time.after(1.6e9), time);
    }

    #[test]
    fn a_step_beyond_i64_saturates() {
        assert_eq!(Step::from(u64::MAX).as_i64(), i64::MAX);
    }
}
