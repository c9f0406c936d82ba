//! The doctor: what is wrong with the trainings of a log, whoever wrote it.
//!
//! It shows the series of a log to the same detectors that watch a training live.

mod record;
mod role;

use std::collections::{BTreeMap, HashMap};

use self::record::Record;
use self::role::Role;
use super::finding::figure;
use super::naming::words;
use super::{Detector, Diverging, Finding, FindingKind, NotFinite, detectors};
use crate::flow::{Event, Sink, SinkError};
use crate::summary::{Histogram, PrCurve, Text};
use crate::types::{RunName, Tag};

/// Takes the events of a log, and says what is wrong with the trainings in it.
///
/// Series are known by the names that Keras, Lightning, PyTorch's examples, transformers and this crate give them:
/// losses and accuracies of both splits, of batches and of epochs; norms or histograms of gradients; shares of dead units;
/// recalls or precision–recall curves of classes. What a run found itself (`health/findings/…`) is told too.
///
/// ```
/// use modelpulse::flow::{Event, Sink};
/// use modelpulse::health::{Doctor, FindingKind};
/// let mut doctor = Doctor::default();
/// for epoch in 0..20 {
///     let loss = if epoch < 9 { 0.5 } else { f64::NAN };
///     doctor.accept(&[Event::new("a/train", "epoch_loss", epoch, epoch as f64, loss)])?;
/// }
/// let trainings = doctor.diagnose();
/// assert_eq!(trainings[0].training, "a");
/// assert_eq!(trainings[0].findings[0].kind, FindingKind::NotFinite);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug, Default)]
pub struct Doctor {
    trainings: BTreeMap<String, Record>,
    /// What each series is, so that its name is read once.
    roles: HashMap<(RunName, Tag), Option<(String, Part)>>,
    events: u64,
}

/// What a series gives the record of a training.
#[derive(Debug, Clone)]
enum Part {
    Number(Role),
    Finding(FindingKind),
    /// Of the gradient of this parameter.
    Histogram(String),
    /// Of this class.
    Curve(String),
}

/// What is wrong with one training, if something is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Its directory in the log; `.` for the log directory itself.
    pub training: String,
    /// What was found, causes before what they lead to.
    pub findings: Vec<Finding>,
    /// What there was to judge by, in words; where that is nothing, no findings mean nothing.
    pub looked_at: Vec<String>,
}

/// What follows from what: where the first is found, the others are its signs.
const SIGNS: &[(FindingKind, &[FindingKind])] = {
    use FindingKind::{
        DeadUnits, Diverging, ExplodingGradients, LabelNoise, LearningRateHigh, LearningRateLow,
        MissingClass, NotFinite, Overfitting, Plateau, Unshuffled, VanishingGradients,
    };
    &[
        (
            Unshuffled,
            &[
                Diverging,
                LearningRateHigh,
                Overfitting,
                Plateau,
                LabelNoise,
                ExplodingGradients,
                MissingClass,
            ],
        ),
        (MissingClass, &[Overfitting]),
        (LearningRateHigh, &[Diverging, Plateau, VanishingGradients]),
        (
            NotFinite,
            &[
                Plateau,
                Diverging,
                DeadUnits,
                VanishingGradients,
                LearningRateLow,
                LabelNoise,
            ],
        ),
        (
            ExplodingGradients,
            &[Plateau, Diverging, VanishingGradients],
        ),
        (DeadUnits, &[Plateau, LearningRateLow, VanishingGradients]),
        (VanishingGradients, &[Plateau, LearningRateLow]),
        (LabelNoise, &[Plateau]),
    ]
};

impl Doctor {
    /// What is wrong with each training, by its directory.
    pub fn diagnose(&self) -> Vec<Diagnosis> {
        let all = self.trainings.iter();
        all.map(|(training, record)| Diagnosis {
            training: training.clone(),
            findings: findings(record),
            looked_at: record.looked_at(),
        })
        .collect()
    }

    fn part(run: &RunName, tag: &Tag, event: &Event) -> Option<(String, Part)> {
        let (run, tag) = (run.as_str(), tag.as_str());
        if event.value.scalar().is_some() || event.value.number().is_some() {
            let (training, role) = role::of(run, tag)?;
            return Some((training, Part::Number(role)));
        }
        let (training, _) = role::training(run, tag);
        match event.value.plugin() {
            "text" => {
                let (training, Role::Finding(kind)) = role::of(run, tag)? else {
                    return None;
                };
                let kind = FindingKind::ALL.into_iter().find(|it| it.name() == kind)?;
                Some((training, Part::Finding(kind)))
            }
            "histograms" => {
                let is_gradient = words(tag)
                    .iter()
                    .any(|word| matches!(&word[..], "grad" | "grads" | "gradient" | "gradients"));
                is_gradient.then(|| (training, Part::Histogram(role::below(tag).to_owned())))
            }
            "pr_curves" => {
                let class = tag.rsplit('/').next().unwrap_or(tag);
                Some((training, Part::Curve(class.to_owned())))
            }
            _ => None,
        }
    }
}

impl Sink for Doctor {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        for event in instant {
            self.events += 1;
            let key = (event.run.clone(), event.tag.clone());
            let part = self
                .roles
                .entry(key)
                .or_insert_with_key(|(run, tag)| Self::part(run, tag, event));
            let Some((training, part)) = part else {
                continue;
            };
            let record = self.trainings.entry(training.clone()).or_default();
            let (at, step) = (self.events, event.step.as_i64());
            match part {
                Part::Number(role) => {
                    if let Some(value) = event.value.number() {
                        record.push(event.path(), role.clone(), at, step, value);
                    }
                }
                Part::Finding(kind) => {
                    if let Ok(text) = Text::try_from(&event.value) {
                        let on_epochs = event.run.as_str().ends_with("train");
                        record
                            .said
                            .extend(Finding::read(*kind, on_epochs, step, &text));
                    }
                }
                Part::Histogram(name) => {
                    if let Ok(histogram) = Histogram::try_from(&event.value) {
                        record.push_histogram(name, at, step, norm(&histogram));
                    }
                }
                Part::Curve(class) => {
                    if let Ok(curve) = PrCurve::try_from(&event.value)
                        && let Some((recall, items)) = recall(&curve)
                    {
                        record.push_recall(class, at, step, recall, items);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The Euclidean norm of what was counted, about: each value lies in the middle of its bucket.
fn norm(histogram: &Histogram) -> f64 {
    let squares = histogram.buckets().iter().map(|[left, right, count]| {
        let middle = left / 2.0 + right / 2.0;
        count * middle * middle
    });
    squares.sum::<f64>().sqrt()
}

/// Which part of the positives has a score of a half and more, and how many there are; nothing for none. It is 0 only
/// where none has a tenth: a class that the model is unsure of is no class that it does not know.
fn recall(curve: &PrCurve) -> Option<(f64, usize)> {
    let positives = f64::from(*curve.true_positives().first()?);
    let last = curve.recall().len().checked_sub(1)?;
    let at = |share: usize| Some(f64::from(*curve.recall().get(last.div_ceil(share))?));
    let recall = match at(10)? {
        0.0 => 0.0,
        _ => at(2)?.max(f64::MIN_POSITIVE),
    };
    (positives > 0.0).then_some((recall, positives as usize))
}

fn findings(record: &Record) -> Vec<Finding> {
    let mut all: Vec<Box<dyn Detector>> = vec![Box::new(NotFinite::default())];
    all.extend(detectors());
    if !record.has_batches() {
        // Losses of epochs take the place of batches.
        all.retain(|detector| detector.name() != FindingKind::Diverging.name());
        all.push(Box::new(Diverging::default().window(3)));
    }
    let mut found: Vec<Option<Finding>> = all.iter().map(|_| None).collect();
    record.show(&mut all, |index, finding| found[index] = Some(finding));
    let standing = all.iter().zip(found);
    let standing = standing.filter(|(detector, _)| detector.holds());
    let mut findings: Vec<Finding> = standing.filter_map(|(_, finding)| finding).collect();
    for said in &record.said {
        let needs_a_look = matches!(
            said.kind,
            FindingKind::NotFinite
                | FindingKind::DeadUnits
                | FindingKind::VanishingGradients
                | FindingKind::ExplodingGradients
                // A clock, or the system.
                | FindingKind::DataLoading
                | FindingKind::Logging
                | FindingKind::Swapping
        );
        let own = findings
            .iter()
            .position(|finding| finding.kind == said.kind);
        match own {
            // Live, a guard saw which parameters were concerned.
            Some(own) if said.kind == FindingKind::NotFinite => findings[own] = said.clone(),
            None if needs_a_look => findings.push(said.clone()),
            _ => {}
        }
    }
    let kinds: Vec<FindingKind> = findings.iter().map(|finding| finding.kind).collect();
    let explained = |kind: FindingKind| {
        let causes = SIGNS.iter().filter(|(_, signs)| signs.contains(&kind));
        causes.into_iter().any(|(cause, _)| kinds.contains(cause))
    };
    findings.retain(|finding| !explained(finding.kind));
    findings.sort_by_key(|finding| {
        FindingKind::ALL
            .iter()
            .position(|kind| *kind == finding.kind)
    });
    for finding in &mut findings {
        if let FindingKind::LearningRateHigh | FindingKind::LearningRateLow = finding.kind
            && let Some((first, last)) = record.learning_rate
        {
            let rate = match first == last {
                true => figure(first),
                false => format!("{}, at last {}", figure(first), figure(last)),
            };
            finding
                .evidence
                .push(("the learning rate".to_owned(), rate));
        }
    }
    findings
}
