//! Which detector watches which series.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::DetectorKind;
use crate::drift::concept::Detector;
use crate::health::SeriesPattern;

/// A detector and the series that it watches; of a pattern, each series on its own.
///
/// ```
/// use modelpulse::health::drift::{DetectorKind, Watched};
/// let watched = Watched::new(DetectorKind::Adwin, "eval/epoch_loss").set("delta", 0.01)?;
/// assert_eq!(watched.name(), "adwin");
/// assert_eq!(watched, "adwin,delta=0.01:eval/epoch_loss".parse()?);
/// # Ok::<(), modelpulse::health::drift::ParseWatchedError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    pub(super) name: Arc<str>,
    pub(super) kind: DetectorKind,
    settings: BTreeMap<String, f64>,
    pub(super) series: SeriesPattern,
}

/// Why a text names no detector and series.
///
/// ```
/// use modelpulse::health::drift::Watched;
/// let error = "edwin:loss".parse::<Watched>().unwrap_err();
/// assert!(error.to_string().starts_with("no detector is called 'edwin': there are adwin, cusum, "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseWatchedError {
    problem: String,
}

impl ParseWatchedError {
    fn new(problem: String) -> Self {
        Self { problem }
    }
}

impl Watched {
    /// A detector with its own settings, under its own name.
    pub fn new(kind: DetectorKind, series: impl Into<String>) -> Self {
        Self {
            name: kind.name().into(),
            kind,
            settings: BTreeMap::new(),
            series: SeriesPattern::new(series),
        }
    }

    /// Under another name: a part of the tags that it logs to.
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// With a setting of the detector.
    ///
    /// # Errors
    /// Where it has none of this name, or the value is out of its range.
    pub fn set(self, name: impl Into<String>, value: f64) -> Result<Self, ParseWatchedError> {
        self.set_all([(name.into(), value)])
    }

    /// With several settings, some of which may only be together.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_all(
        mut self,
        settings: impl IntoIterator<Item = (String, f64)>,
    ) -> Result<Self, ParseWatchedError> {
        self.settings.extend(settings);
        let made = self.kind.make(&self.settings);
        made.map(|_| self).map_err(ParseWatchedError::new)
    }

    /// Whether each can be told from the others by what it logs under.
    ///
    /// # Errors
    /// Where two of one name watch the same series.
    pub fn check(all: &[Self]) -> Result<(), ParseWatchedError> {
        for (at, one) in all.iter().enumerate() {
            let alike = |other: &&Self| (&other.name, &other.series) == (&one.name, &one.series);
            if all.iter().take(at).any(|other| alike(&other)) {
                return Err(ParseWatchedError::new(format!(
                    "two detectors '{}' watch the series {}: give one of them a name of its own in a rule file",
                    one.name,
                    one.series.as_str()
                )));
            }
        }
        Ok(())
    }

    /// The name that it logs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The detector.
    pub fn kind(&self) -> DetectorKind {
        self.kind
    }

    /// The series.
    pub fn series(&self) -> &SeriesPattern {
        &self.series
    }

    /// A detector that has seen nothing; that there is one was found out when it was set.
    pub(super) fn detector(&self) -> Option<Box<dyn Detector + Send>> {
        self.kind.make(&self.settings).ok()
    }
}

/// `KIND:SERIES`, or `KIND,SETTING=NUMBER,…:SERIES`.
impl FromStr for Watched {
    type Err = ParseWatchedError;

    fn from_str(text: &str) -> Result<Self, ParseWatchedError> {
        let form = || {
            let text = format!("'{text}' is not DETECTOR:SERIES, such as adwin:eval/epoch_loss");
            ParseWatchedError::new(text)
        };
        let (detector, series) = text.split_once(':').ok_or_else(form)?;
        let mut parts = detector.split(',').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let series = series.trim();
        if kind.is_empty() || series.is_empty() {
            return Err(form());
        }
        let watched = Self::new(kind_named(kind)?, series);
        let settings: Result<Vec<(String, f64)>, _> = parts
            .map(|part| {
                let (name, value) = part.split_once('=')?;
                Some((name.trim().to_owned(), value.trim().parse().ok()?))
            })
            .map(|setting| {
                let problem = || format!("'{text}': a setting is NAME=NUMBER");
                setting.ok_or_else(|| ParseWatchedError::new(problem()))
            })
            .collect();
        watched.set_all(settings?)
    }
}

/// The detector of a name.
pub(super) fn kind_named(name: &str) -> Result<DetectorKind, ParseWatchedError> {
    DetectorKind::named(name).ok_or_else(|| {
        let all = DetectorKind::ALL.map(DetectorKind::name).join(", ");
        ParseWatchedError::new(format!("no detector is called '{name}': there are {all}"))
    })
}

/// As it is parsed; without a name of its own.
impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        for (name, value) in &self.settings {
            write!(f, ",{name}={value}")?;
        }
        write!(f, ":{}", self.series.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "ddm:live/error",
            "kswin,alpha=0.01,newest=20,window=60:*loss",
            "ddm,drift=3,warning=2:x:y",
        ] {
            assert_eq!(text.parse::<Watched>().unwrap().to_string(), text);
        }
        for (text, said) in [
            ("loss", "is not DETECTOR:SERIES"),
            ("adwin:", "is not DETECTOR:SERIES"),
            (":loss", "is not DETECTOR:SERIES"),
            ("adwin,delta:loss", "a setting is NAME=NUMBER"),
            ("adwin,delta=x:loss", "a setting is NAME=NUMBER"),
            (
                "adwin,delta=2:loss",
                "delta of adwin must be between 0 and 1, not 2",
            ),
        ] {
            let error = text.parse::<Watched>().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
