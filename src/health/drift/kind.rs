//! The concept-drift detectors by name, and their settings.
//!
//! A detector that is made here takes settings of its own only, each within its range.

use std::collections::BTreeMap;

use crate::drift::concept::{
    Adwin, Cusum, Ddm, Detector, EcddWt, Eddm, Fhddm, HddmA, HddmW, Kswin, MovingAverage,
    PageHinkley, Rddm, Stepd,
};

/// A detector of concept drift.
///
/// ```
/// use modelpulse::health::drift::DetectorKind;
/// assert_eq!(DetectorKind::named("page_hinkley"), Some(DetectorKind::PageHinkley));
/// assert_eq!(DetectorKind::Adwin.settings(), ["delta", "clock"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DetectorKind {
    /// [`Adwin`].
    Adwin,
    /// [`Cusum`].
    Cusum,
    /// [`Ddm`].
    Ddm,
    /// [`EcddWt`].
    EcddWt,
    /// [`Eddm`].
    Eddm,
    /// [`Fhddm`], which watches hits: it is given 1 less the value, so that here too 1 is an error.
    Fhddm,
    /// [`HddmA`].
    HddmA,
    /// [`HddmW`].
    HddmW,
    /// [`Kswin`].
    Kswin,
    /// [`MovingAverage`].
    MovingAverage,
    /// [`PageHinkley`].
    PageHinkley,
    /// [`Rddm`].
    Rddm,
    /// [`Stepd`].
    Stepd,
}

impl DetectorKind {
    /// All of them, by name.
    pub const ALL: [Self; 13] = [
        Self::Adwin,
        Self::Cusum,
        Self::Ddm,
        Self::EcddWt,
        Self::Eddm,
        Self::Fhddm,
        Self::HddmA,
        Self::HddmW,
        Self::Kswin,
        Self::MovingAverage,
        Self::PageHinkley,
        Self::Rddm,
        Self::Stepd,
    ];

    /// Its name: small letters and `_`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adwin => "adwin",
            Self::Cusum => "cusum",
            Self::Ddm => "ddm",
            Self::EcddWt => "ecdd_wt",
            Self::Eddm => "eddm",
            Self::Fhddm => "fhddm",
            Self::HddmA => "hddm_a",
            Self::HddmW => "hddm_w",
            Self::Kswin => "kswin",
            Self::MovingAverage => "moving_average",
            Self::PageHinkley => "page_hinkley",
            Self::Rddm => "rddm",
            Self::Stepd => "stepd",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The names of its settings.
    pub fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Adwin => &["delta", "clock"],
            Self::Cusum => &["min_values", "delta", "threshold"],
            Self::Ddm | Self::Eddm => &["warm_start", "warning", "drift"],
            Self::EcddWt => &["min_values", "warning"],
            Self::Fhddm => &["window", "confidence"],
            Self::HddmA => &["warning", "drift"],
            Self::HddmW => &["warning", "drift", "lambda"],
            Self::Kswin => &["window", "newest", "alpha", "seed"],
            Self::MovingAverage => &["min_values", "alpha", "threshold"],
            Self::PageHinkley => &["min_values", "delta", "threshold", "alpha"],
            Self::Rddm => &["min_values", "warning", "drift"],
            Self::Stepd => &["window", "warning", "drift"],
        }
    }

    /// What it is given for a value of a series.
    pub(super) fn input(self, value: f64) -> f64 {
        match self {
            Self::Fhddm => 1.0 - value,
            _ => value,
        }
    }

    /// The detector with these settings; why not, if it has none such.
    pub(super) fn make(
        self,
        settings: &BTreeMap<String, f64>,
    ) -> Result<Box<dyn Detector + Send>, String> {
        let s = Settings::of(self, settings)?;
        Ok(match self {
            Self::Adwin => {
                let made = set(Adwin::default(), s.share("delta")?, Adwin::delta);
                Box::new(set(made, s.count("clock")?, Adwin::clock))
            }
            Self::Cusum => {
                let made = set(Cusum::default(), s.count("min_values")?, Cusum::min_values);
                let made = set(made, s.positive("delta")?, Cusum::delta);
                Box::new(set(made, s.positive("threshold")?, Cusum::threshold))
            }
            Self::Ddm => {
                let made = set(Ddm::default(), s.count("warm_start")?, Ddm::warm_start);
                Box::new(set(made, s.both()?, |it, (a, b)| it.thresholds(a, b)))
            }
            Self::Eddm => {
                let made = set(Eddm::default(), s.count("warm_start")?, Eddm::warm_start);
                Box::new(set(made, s.both()?, |it, (a, b)| it.thresholds(a, b)))
            }
            Self::EcddWt => {
                let made = EcddWt::default();
                let made = set(made, s.count("min_values")?, EcddWt::min_values);
                Box::new(set(made, s.share("warning")?, EcddWt::warning_level))
            }
            Self::Fhddm => {
                let made = set(Fhddm::default(), s.size("window")?, Fhddm::window);
                Box::new(set(made, s.share("confidence")?, Fhddm::confidence))
            }
            Self::HddmA => {
                let made = HddmA::default();
                Box::new(set(made, s.both()?, |it, (a, b)| it.confidence(a, b)))
            }
            Self::HddmW => {
                let made = set(HddmW::default(), s.share("lambda")?, HddmW::lambda);
                Box::new(set(made, s.both()?, |it, (a, b)| it.confidence(a, b)))
            }
            Self::Kswin => {
                let sizes = (s.size("window")?, s.size("newest")?);
                let made = match sizes {
                    (None, None) => Kswin::default(),
                    (window, newest) => {
                        let (window, newest) = (window.unwrap_or(100), newest.unwrap_or(30));
                        Kswin::windows(window, newest).map_err(|error| error.to_string())?
                    }
                };
                let made = set(made, s.share("alpha")?, Kswin::alpha);
                Box::new(set(made, s.count("seed")?, Kswin::seed))
            }
            Self::MovingAverage => {
                let made = MovingAverage::default();
                let made = set(made, s.count("min_values")?, MovingAverage::min_values);
                let made = set(made, s.share("alpha")?, MovingAverage::alpha);
                Box::new(set(
                    made,
                    s.positive("threshold")?,
                    MovingAverage::threshold,
                ))
            }
            Self::PageHinkley => {
                let made = PageHinkley::default();
                let made = set(made, s.count("min_values")?, PageHinkley::min_values);
                let made = set(made, s.positive("delta")?, PageHinkley::delta);
                let made = set(made, s.positive("threshold")?, PageHinkley::threshold);
                Box::new(set(made, s.share("alpha")?, PageHinkley::alpha))
            }
            Self::Rddm => {
                let made = set(Rddm::default(), s.count("min_values")?, Rddm::min_values);
                Box::new(set(made, s.both()?, |it, (a, b)| it.thresholds(a, b)))
            }
            Self::Stepd => {
                let made = set(Stepd::default(), s.size("window")?, Stepd::window);
                Box::new(set(made, s.both()?, |it, (a, b)| it.levels(a, b)))
            }
        })
    }
}

fn set<D, T>(detector: D, value: Option<T>, with: impl FnOnce(D, T) -> D) -> D {
    match value {
        Some(value) => with(detector, value),
        None => detector,
    }
}

/// The settings that are given.
struct Settings<'a> {
    kind: &'static str,
    given: &'a BTreeMap<String, f64>,
}

impl<'a> Settings<'a> {
    fn of(kind: DetectorKind, given: &'a BTreeMap<String, f64>) -> Result<Self, String> {
        let known = kind.settings();
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(format!(
                "{} has no setting '{name}', it has {}",
                kind.name(),
                known.join(", ")
            )),
            None => Ok(Self {
                kind: kind.name(),
                given,
            }),
        }
    }

    fn number(
        &self,
        name: &str,
        must: &str,
        fits: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>, String> {
        match self.given.get(name) {
            Some(&value) if !fits(value) => Err(format!(
                "{name} of {} must be {must}, not {value}",
                self.kind
            )),
            value => Ok(value.copied()),
        }
    }

    fn positive(&self, name: &str) -> Result<Option<f64>, String> {
        self.number(name, "a positive number", |value| {
            value > 0.0 && value.is_finite()
        })
    }

    fn share(&self, name: &str) -> Result<Option<f64>, String> {
        self.number(name, "between 0 and 1", |value| value > 0.0 && value < 1.0)
    }

    fn count(&self, name: &str) -> Result<Option<u64>, String> {
        let whole = |value: f64| value.fract() == 0.0 && (1.0..=1e9).contains(&value);
        let number = self.number(name, "a whole number of 1 to 1000000000", whole)?;
        Ok(number.map(|value| value as u64))
    }

    /// Of what is kept in memory.
    fn size(&self, name: &str) -> Result<Option<usize>, String> {
        let whole = |value: f64| value.fract() == 0.0 && (1.0..=1e6).contains(&value);
        let number = self.number(name, "a whole number of 1 to 1000000", whole)?;
        Ok(number.map(|value| value as usize))
    }

    /// When it warns and when it alarms.
    fn both(&self) -> Result<Option<(f64, f64)>, String> {
        match (self.positive("warning")?, self.positive("drift")?) {
            (None, None) => Ok(None),
            (Some(warning), Some(drift)) => Ok(Some((warning, drift))),
            _ => Err(format!(
                "{} takes 'warning' and 'drift' together",
                self.kind
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::concept::Signal;

    fn made(kind: DetectorKind, settings: &[(&str, f64)]) -> Result<(), String> {
        let settings = settings
            .iter()
            .map(|&(name, value)| (name.to_owned(), value));
        kind.make(&settings.collect()).map(drop)
    }

    #[test]
    fn every_detector_finds_a_model_that_begins_to_err() {
        for kind in DetectorKind::ALL {
            assert_eq!(DetectorKind::named(kind.name()), Some(kind));
            let mut settings = BTreeMap::new();
            if kind == DetectorKind::MovingAverage {
                // Its threshold is for numbers that are larger than an error.
                settings.insert("threshold".to_owned(), 0.5);
            }
            let mut detector = kind.make(&settings).unwrap();
            // One error in ten, then nine, in no order that a window could follow.
            let error = |i: u32| {
                let digit = i.wrapping_mul(2_654_435_761) >> 16 & 0xff;
                f64::from(u8::from(digit < if i < 1500 { 26 } else { 230 }))
            };
            let mut alarm = |i| detector.update(kind.input(error(i))) == Ok(Signal::Drift);
            let found = (0..3000).filter(|&i| alarm(i)).find(|&i| i >= 1500);
            assert!(found.is_some(), "{kind:?}");
        }
    }

    #[test]
    fn every_setting_is_taken_and_none_out_of_its_range() {
        use DetectorKind::{Adwin, Ddm, Kswin};
        for kind in DetectorKind::ALL {
            for &name in kind.settings() {
                let value = match name {
                    "warning" | "drift" => continue,
                    "clock" | "seed" | "min_values" | "warm_start" | "window" => 50.0,
                    "newest" => 5.0,
                    _ => 0.5,
                };
                let settings = match (kind, name) {
                    (Kswin, "window") => vec![(name, 70.0)],
                    _ => vec![(name, value)],
                };
                assert_eq!(made(kind, &settings), Ok(()), "{kind:?} {name}");
                assert!(made(kind, &[(name, f64::NAN)]).is_err(), "{kind:?} {name}");
                assert!(made(kind, &[(name, -1.0)]).is_err(), "{kind:?} {name}");
            }
        }
        assert_eq!(made(Ddm, &[("warning", 1.5), ("drift", 2.5)]), Ok(()));
        for (kind, setting, said) in [
            (
                Adwin,
                ("window", 3.0),
                "adwin has no setting 'window', it has delta, clock",
            ),
            (
                Adwin,
                ("clock", 1.5),
                "clock of adwin must be a whole number",
            ),
            (
                Ddm,
                ("drift", 3.0),
                "ddm takes 'warning' and 'drift' together",
            ),
            (Kswin, ("newest", 51.0), "at most half of the window"),
        ] {
            let error = made(kind, &[setting]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
