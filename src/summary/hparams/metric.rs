//! A metric by which sessions are compared.
//!
//! It names a series of scalars; the page shows the series' last value.

use crate::proto::hparams::{DatasetType, MetricInfo, MetricName};

/// A metric: a series of scalars, with a title, a description and the data that it is measured on.
///
/// ```
/// use modelpulse::summary::{HParams, Measured, Metric};
/// let accuracy = Metric::new("eval", "epoch_accuracy")
///     .display_name("accuracy")
///     .description("share of images that are named *rightly*")
///     .measured_on(Measured::Validation);
/// assert_eq!((accuracy.group(), accuracy.tag()), ("eval", "epoch_accuracy"));
/// let hparams = HParams::new().set("lr", 1e-3).judged_by(accuracy);
/// assert_eq!(hparams.metrics().count(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    group: String,
    tag: String,
    display_name: String,
    description: String,
    measured: Option<Measured>,
}

/// The data that a metric is measured on.
///
/// ```
/// use modelpulse::summary::{Measured, Metric};
/// let loss = Metric::new("train", "epoch_loss").measured_on(Measured::Training);
/// assert_eq!(loss.tag(), "epoch_loss");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measured {
    /// Data that the model learns from.
    Training,
    /// Data that the model does not learn from.
    Validation,
}

impl Metric {
    /// The scalars `tag` of the run `group` below the session's directory; an empty group is the
    /// session's directory itself.
    pub fn new(group: impl Into<String>, tag: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            tag: tag.into(),
            display_name: String::new(),
            description: String::new(),
            measured: None,
        }
    }

    /// Sets the column's title; without one it is the group and the tag.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = name.into();
        self
    }

    /// Describes the metric.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Says what data it is measured on.
    pub fn measured_on(mut self, data: Measured) -> Self {
        self.measured = Some(data);
        self
    }

    /// The run below the session's directory.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The tag of the scalars.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    pub(super) fn message(&self) -> MetricInfo {
        let dataset = match self.measured {
            None => DatasetType::DatasetUnknown,
            Some(Measured::Training) => DatasetType::DatasetTraining,
            Some(Measured::Validation) => DatasetType::DatasetValidation,
        };
        MetricInfo {
            name: Some(MetricName {
                group: self.group.clone(),
                tag: self.tag.clone(),
            }),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            dataset_type: dataset.into(),
        }
    }

    pub(super) fn of_message(message: MetricInfo) -> Self {
        let measured = match message.dataset_type() {
            DatasetType::DatasetUnknown => None,
            DatasetType::DatasetTraining => Some(Measured::Training),
            DatasetType::DatasetValidation => Some(Measured::Validation),
        };
        let MetricName { group, tag } = message.name.unwrap_or_default();
        Self {
            group,
            tag,
            display_name: message.display_name,
            description: message.description,
            measured,
        }
    }
}
