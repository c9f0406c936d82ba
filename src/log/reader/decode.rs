//! Events with their whole values, in today's form whatever their writer's.
//!
//! A plain scalar, which nearly all are, is read where it lies; all else goes through the generated code.

use std::collections::VecDeque;

use prost::Message;

use super::problem::ProblemKind;
use super::scan::not_an_event;
use super::tags::Tags;
use super::wire::{self, Field, Unusual, What};
use crate::flow::Event;
use crate::proto::{
    self, DataClass, SummaryMetadata, event, summary, summary_metadata::PluginData,
};
use crate::summary::Value;
use crate::types::{RunName, Step, Tag};

/// Decodes the records of one run.
#[derive(Debug)]
pub(super) struct Decoder {
    run: RunName,
    tags: Tags,
    /// By the tags' numbers.
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    tag: Tag,
    /// What the first metadata said; later values may leave it out.
    metadata: Option<SummaryMetadata>,
}

/// A decoded event, and which value of its record it is.
pub(super) type Decoded = (Event, u32);

impl Decoder {
    pub(super) fn new(run: RunName) -> Self {
        Self {
            run,
            tags: Tags::default(),
            series: Vec::new(),
        }
    }

    /// Takes what is said of a series for what its first value says.
    pub(super) fn knows(&mut self, tag: &str, metadata: &SummaryMetadata) {
        if let Ok(series) = self.series_of(tag.as_bytes()) {
            self.series[series].metadata = Some(metadata.clone());
        }
    }

    /// Appends the events of a record to `out`.
    pub(super) fn record(
        &mut self,
        payload: &[u8],
        out: &mut VecDeque<Decoded>,
    ) -> Result<(), ProblemKind> {
        if let Ok(event) = wire::Event::read(payload)
            && let What::Summary(summary) = event.what
            && let Ok(Some(value)) = summary.single()
            && let Field::Simple(number) = value.field
            && value.metadata.is_none()
            && value.node_name.is_empty()
            && let Ok(series) = self.series_of(value.tag)
        {
            let series = &mut self.series[series];
            series.metadata.get_or_insert_with(plain);
            let event = self::event(&self.run, &series.tag, &event, Value::Scalar(number));
            out.push_back((event, 0));
            return Ok(());
        }
        self.any(payload, out)
    }

    /// As `record`, whatever it is.
    pub(super) fn any(
        &mut self,
        payload: &[u8],
        out: &mut VecDeque<Decoded>,
    ) -> Result<(), ProblemKind> {
        let event = proto::Event::decode(payload).map_err(|error| not_an_event(&error))?;
        let lies =
            shape_lies(payload).unwrap_or_else(|| shape_lies(&event.encode_to_vec()) == Some(true));
        let head = wire::Event {
            wall_time: event.wall_time,
            step: event.step,
            what: What::Nothing,
        };
        match event.what {
            Some(event::What::Summary(summary)) => {
                for (nth, value) in (0..).zip(summary.value) {
                    if let Some((tag, value)) = self.value(value) {
                        out.push_back((self::event(&self.run, &tag, &head, value), nth));
                    }
                }
                if lies {
                    return Err(ProblemKind::BadShape);
                }
            }
            Some(field) => {
                if let Some((tag, value)) = Value::of_field(field) {
                    let tag = Tag::from(tag);
                    out.push_back((self::event(&self.run, &tag, &head, value), 0));
                }
            }
            None => {}
        }
        Ok(())
    }

    fn series_of(&mut self, tag: &[u8]) -> Result<usize, Unusual> {
        let number = self.tags.number(tag)?;
        if number == self.series.len() {
            let tag = Tag::from(self.tags.names()[number].to_string());
            self.series.push(Series {
                tag,
                metadata: None,
            });
        }
        Ok(number)
    }

    fn value(&mut self, value: summary::Value) -> Option<(Tag, Value)> {
        let number = self.series_of(value.tag.as_bytes()).ok()?;
        let series = &mut self.series[number];
        let content = match value.value {
            Some(summary::value::Value::Tensor(tensor)) => {
                Value::of_tensor(series.metadata(value.metadata), tensor)
            }
            None => Value::of_metadata(series.metadata(value.metadata))?,
            Some(older) => {
                let said = value.metadata.unwrap_or_default();
                let value = Value::of_older(older, &value.tag, &said)?;
                let metadata = match &value {
                    Value::Scalar(_) => plain(),
                    Value::Tensor(tensor) => tensor.metadata.clone(),
                };
                series.metadata.get_or_insert(metadata);
                value
            }
        };
        // The oldest of all name a node, and have no tag.
        let tag = if value.tag.is_empty() && !value.node_name.is_empty() {
            Tag::from(value.node_name)
        } else {
            series.tag.clone()
        };
        Some((tag, content))
    }
}

impl Series {
    /// What holds for a value that says this.
    fn metadata(&mut self, said: Option<SummaryMetadata>) -> SummaryMetadata {
        match (&self.metadata, said) {
            (Some(first), _) => first.clone(),
            (None, Some(said)) => self.metadata.insert(said).clone(),
            (None, None) => SummaryMetadata::default(),
        }
    }
}

fn event(run: &RunName, tag: &Tag, head: &wire::Event<'_>, value: Value) -> Event {
    Event {
        run: run.clone(),
        tag: tag.clone(),
        step: Step::from(head.step),
        wall_time: head.wall_time,
        value,
    }
}

/// What is said of a plain number.
fn plain() -> SummaryMetadata {
    SummaryMetadata {
        plugin_data: Some(PluginData {
            plugin_name: "scalars".to_owned(),
            ..PluginData::default()
        }),
        data_class: DataClass::Scalar.into(),
        ..SummaryMetadata::default()
    }
}

/// Whether a tensor of the event has not as many elements as its shape says; `None` where it is written in
/// an unusual way.
fn shape_lies(payload: &[u8]) -> Option<bool> {
    let What::Summary(summary) = wire::Event::read(payload).ok()?.what else {
        return Some(false);
    };
    let mut lies = false;
    let each = summary.each(|value| {
        if let Field::Tensor(tensor) = value.field {
            lies |= !tensor.has_its_shape();
        }
        Ok(())
    });
    each.is_ok().then_some(lies)
}
