//! A finding: something about a training that its owner wants to know, in words.
//!
//! It says what was seen, by which numbers, and what to try; the same from a live run and from its log.

use std::fmt;

use super::Severity;
use crate::summary::Text;
use crate::train::{Session, Split};
use crate::types::Step;

/// What a finding is about.
///
/// ```
/// use modelpulse::health::FindingKind;
/// assert_eq!(FindingKind::DeadUnits.tag(), "health/findings/dead_units");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// A loss, a gradient or a parameter is NaN or infinite.
    NotFinite,
    /// The loss rises.
    Diverging,
    /// The loss falls no more.
    Plateau,
    /// The held-out loss rises while the training loss falls.
    Overfitting,
    /// The gradients of some parameters are next to nothing beside those of others.
    VanishingGradients,
    /// Units get no gradient from any input.
    DeadUnits,
    /// The gradients are far too large.
    ExplodingGradients,
    /// The first steps made the model worse, or the loss leaps about: the steps are too large.
    LearningRateHigh,
    /// The loss hardly falls: the steps are too small.
    LearningRateLow,
    /// The model does worse on what it learns from than on what it has not seen.
    LabelNoise,
    /// A class is never recognised.
    MissingClass,
    /// The data comes in the same order in each epoch.
    Unshuffled,
    /// The loop waits for its data.
    DataLoading,
    /// The log cannot keep up, or logging takes the time.
    Logging,
    /// The process waits for its memory to come from a disk.
    Swapping,
}

impl FindingKind {
    /// Its name: small letters and `_`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::Diverging => "diverging",
            Self::Plateau => "plateau",
            Self::Overfitting => "overfitting",
            Self::VanishingGradients => "vanishing_gradients",
            Self::DeadUnits => "dead_units",
            Self::ExplodingGradients => "exploding_gradients",
            Self::LearningRateHigh => "learning_rate_high",
            Self::LearningRateLow => "learning_rate_low",
            Self::LabelNoise => "label_noise",
            Self::MissingClass => "missing_class",
            Self::Unshuffled => "unshuffled",
            Self::DataLoading => "data_loading",
            Self::Logging => "logging",
            Self::Swapping => "swapping",
        }
    }

    /// All kinds, what tells most of a training first: causes before what they lead to.
    pub const ALL: [Self; 15] = [
        Self::MissingClass,
        Self::Unshuffled,
        Self::ExplodingGradients,
        Self::LearningRateHigh,
        Self::NotFinite,
        Self::Diverging,
        Self::DeadUnits,
        Self::VanishingGradients,
        Self::LabelNoise,
        Self::LearningRateLow,
        Self::Overfitting,
        Self::Plateau,
        Self::Swapping,
        Self::DataLoading,
        Self::Logging,
    ];

    /// How bad it is: critical where nothing good can come of the training any more.
    pub fn severity(self) -> Severity {
        match self {
            Self::NotFinite | Self::Diverging | Self::ExplodingGradients => Severity::Critical,
            _ => Severity::Warning,
        }
    }

    /// The tag that it is logged under.
    pub fn tag(self) -> String {
        format!("health/findings/{}", self.name())
    }
}

/// Where in a training: on the axis of epochs or on that of global steps, both counted from 0.
///
/// ```
/// use modelpulse::health::Place;
/// assert_eq!((Place::Epoch(3).run(), Place::Step(90).run()), ("train", "batch"));
/// assert_eq!(Place::Step(90).to_string(), "step 90");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// At the end of this epoch.
    Epoch(usize),
    /// At this global step.
    Step(usize),
}

impl Place {
    /// The run whose axis it is on.
    pub fn run(self) -> &'static str {
        match self {
            Self::Epoch(_) => Split::Train.run(),
            Self::Step(_) => "batch",
        }
    }

    /// What `count` of them are called.
    pub(super) fn unit(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Epoch(_), 1) => "epoch",
            (Self::Epoch(_), _) => "epochs",
            (Self::Step(_), 1) => "value",
            (Self::Step(_), _) => "values",
        }
    }

    /// The position on that axis.
    pub fn step(self) -> Step {
        match self {
            Self::Epoch(number) | Self::Step(number) => number.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch(epoch) => write!(f, "epoch {epoch}"),
            Self::Step(step) => write!(f, "step {step}"),
        }
    }
}

/// Something about a training that its owner wants to know. Shown, it is one line.
///
/// ```
/// use modelpulse::health::{Detector, Observation, Place, Plateau};
/// let mut plateau = Plateau::default().patience(2);
/// let metrics = |loss| [("loss".to_owned(), loss)].into();
/// let found: Vec<_> = [1.0, 0.7, 0.701, 0.699]
///     .into_iter()
///     .enumerate()
///     .flat_map(|(epoch, loss)| {
///         let place = Place::Epoch(epoch);
///         plateau.observe(&Observation::Epoch { place, train: &metrics(loss), eval: &metrics(loss) })
///     })
///     .collect();
/// assert_eq!(found.len(), 1);
/// assert!(found[0].to_string().starts_with("plateau at epoch 3: the training loss "));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// Where it was found.
    pub place: Place,
    /// What is the matter, as a plain sentence, without a full stop.
    pub sentence: String,
    /// What it was seen by: what a number is, and the number.
    pub evidence: Vec<(String, String)>,
    /// What to try.
    pub advice: Vec<String>,
}

impl Finding {
    pub(super) fn new(kind: FindingKind, place: Place, sentence: String) -> Self {
        Self {
            kind,
            place,
            sentence,
            evidence: Vec::new(),
            advice: Vec::new(),
        }
    }

    pub(super) fn evidence(mut self, what: impl Into<String>, value: impl fmt::Display) -> Self {
        self.evidence.push((what.into(), value.to_string()));
        self
    }

    pub(super) fn advice(mut self, advice: &[&str]) -> Self {
        self.advice
            .extend(advice.iter().map(|&line| line.to_owned()));
        self
    }

    /// As Markdown: the sentence, the evidence as a table, the advice as a list.
    pub fn text(&self) -> Text {
        let mut markdown = format!("**{}: {}.**\n\n", self.place, self.sentence);
        if !self.evidence.is_empty() {
            let rows: Vec<[&str; 2]> = self.evidence.iter().map(|(a, b)| [&a[..], b]).collect();
            markdown += Text::table(&["evidence", "value"], &rows).markdown();
            markdown.push('\n');
        }
        for (index, line) in self.advice.iter().enumerate() {
            markdown += if index == 0 {
                "What to try:\n\n- "
            } else {
                "- "
            };
            markdown += line;
            markdown.push('\n');
        }
        Text::new(markdown)
    }

    /// What [`text`](Self::text) made; `None` where it is no such text.
    pub(super) fn read(kind: FindingKind, on_epochs: bool, step: i64, text: &Text) -> Option<Self> {
        let mut lines = text.markdown().lines();
        let head = lines.next()?.strip_prefix("**")?.strip_suffix(".**")?;
        let (_, sentence) = head.split_once(": ")?;
        let number = usize::try_from(step).ok()?;
        let place = match on_epochs {
            true => Place::Epoch(number),
            false => Place::Step(number),
        };
        let mut finding = Self::new(kind, place, sentence.to_owned());
        for line in lines {
            if let Some(advice) = line.strip_prefix("- ") {
                finding.advice.push(advice.to_owned());
            } else if let Some(row) = line.strip_prefix("| ").and_then(|it| it.strip_suffix(" |"))
                && let Some((what, value)) = row.rsplit_once(" | ")
                && (what, value) != ("evidence", "value")
            {
                finding = finding.evidence(what.replace("\\|", "|"), value.replace("\\|", "|"));
            }
        }
        Some(finding)
    }

    /// Logs it as [text](Self::text).
    pub fn log(&self, session: &Session) {
        let run = session.run(self.place.run());
        run.log(&self.kind.tag(), self.place.step(), self.text());
    }
}

/// Whom a hook shows its findings to, beside the log.
type Report = dyn FnMut(&Finding) + Send;

/// Where the findings of a hook go.
pub(super) struct Findings {
    pub(super) session: Session,
    pub(super) report: Option<Box<Report>>,
}

impl Findings {
    pub(super) fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            report: None,
        }
    }

    pub(super) fn say(&mut self, finding: &Finding) {
        finding.log(&self.session);
        if let Some(report) = &mut self.report {
            report(finding);
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {}: {}",
            self.kind.name(),
            self.place,
            self.sentence
        )
    }
}

/// A number as people read it: four significant digits.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size == 0.0 {
        value.to_string()
    } else if (1e-3..1e5).contains(&size) {
        // Digits before the point, of which 0.05 has -1.
        let digits = size.log10().floor() as i32 + 1;
        let places = usize::try_from(4 - digits).unwrap_or(0);
        let text = format!("{value:.places$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        format!("{value:.3e}")
    }
}

/// Up to three names, and how many more there are.
pub(super) fn list<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match names.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.25, "0.25"),
            (2.345_678, "2.346"),
            (-0.012_345, "-0.01235"),
            (1234.5678, "1235"),
            (20000.0, "20000"),
            (1e-7, "1.000e-7"),
            (1.5e12, "1.500e12"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b, c");
        assert_eq!(list(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }

    #[test]
    fn the_text_holds_sentence_evidence_and_advice() {
        let finding = Finding::new(FindingKind::Plateau, Place::Epoch(3), "it stands".into())
            .evidence("loss", 0.5)
            .advice(&["wait", "stop"]);
        assert_eq!(
            finding.text().markdown(),
            "**epoch 3: it stands.**\n\n| evidence | value |\n|---|---|\n| loss | 0.5 |\n\n\
             What to try:\n\n- wait\n- stop\n"
        );
        let read = Finding::read(FindingKind::Plateau, true, 3, &finding.text());
        assert_eq!(read, Some(finding));
    }
}
