//! One line of the pipe: JSON text to what is to be logged.
//!
//! A line is taken whole or not at all; why not is one sentence for whoever wrote the loop.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::hparams::Judge;
use super::keys::{Keys, Reason, name, name_fits, number, text};
use super::{audio, curves, embedding, graphs, hparams, images, layout, mesh, numbers, texts};
use crate::log::Embedding;
use crate::summary::{self, HParams, Layout, Scalar, SessionStatus};
use crate::table::bare;

/// The run that a line belongs to which names none: the directory itself.
pub(super) const ROOT: &str = ".";

/// What a line says.
#[derive(Debug)]
pub(super) struct Line {
    /// The run that it names.
    pub(super) run: Option<String>,
    /// The run that what it says belongs to.
    pub(super) place: String,
    pub(super) step: Option<i64>,
    pub(super) wall_time: Option<f64>,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// Tags and numbers.
    Scalars(Vec<(String, f64)>),
    /// Numbers that share a chart, by their names in it.
    Chart {
        tag: String,
        scalars: Vec<(String, f64)>,
    },
    /// Tags and values of other kinds.
    Values(Vec<(String, summary::Value)>),
    Layout(Layout),
    Graph(summary::Value),
    Embedding(Embedding),
    HParams(Started),
    End(SessionStatus),
}

/// What a session was started with, and what it is judged by.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) hparams: HParams,
    pub(super) metrics: Vec<Judge>,
}

/// Reads a value that stands beside a tag, and its settings beside it.
type Tagged = fn(String, Value, &mut Keys) -> Result<Content, Reason>;
/// Reads a value that a run has once, and its settings beside it.
type Untagged = fn(Value, &mut Keys) -> Result<Content, Reason>;

const TAGGED: [(&str, Tagged); 19] = [
    ("value", numbers::value),
    ("text", texts::text),
    ("histogram", numbers::histogram),
    ("buckets", numbers::buckets),
    ("image", images::image),
    ("scalars", numbers::scalars),
    ("table", texts::table),
    ("images", images::images),
    ("grid", images::grid),
    ("animation", images::animation),
    ("audio", audio::audio),
    ("pr_curve", curves::pr_curve),
    ("roc", curves::roc),
    ("reliability", curves::reliability),
    ("confusion", curves::confusion),
    ("mesh", mesh::mesh),
    ("embedding", embedding::embedding),
    ("run_metadata", graphs::run_metadata),
    ("tensor", numbers::tensor),
];

/// Kinds of which a number is a scalar of that tag all the same.
const UNTAGGED: [(&str, Untagged); 4] = [
    ("hparams", hparams::hparams),
    ("session_end", hparams::session_end),
    ("layout", layout::layout),
    ("graph", graphs::graph),
];

impl Line {
    /// Reads a line that is not blank. With `split`, a tag's first part is its run, unless the line names one.
    pub(super) fn parse(bytes: &[u8], split: bool) -> Result<Self, Reason> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("not UTF-8 text from byte {} on", error.valid_up_to() + 1))?;
        let Value::Object(keys) = json(text)? else {
            return Err("not an object: write {\"step\": 1, \"train/loss\": 0.3}".to_owned());
        };
        let mut keys = Keys(keys);
        let run = keys.or("run", None, |key, run| name(key, run).map(Some))?;
        let step = keys.or("step", None, |_, step| whole(&step).map(Some))?;
        let wall_time = keys.or("wall_time", None, |_, time| seconds(&time).map(Some))?;
        let mut place = run.clone().unwrap_or_else(|| ROOT.to_owned());
        let content = if let Some((kind, read)) = untagged(&keys) {
            let value = keys.take(kind).unwrap_or_default();
            let content = read(value, &mut keys)?;
            if step.is_some() && matches!(content, Content::HParams(_) | Content::End(_)) {
                return Err(format!(
                    "'step' beside '{kind}', which belongs to all of a run"
                ));
            }
            keys.none_left(kind)?;
            content
        } else if let Some(tag) = keys.take("tag") {
            let mut tag = name("tag", tag)?;
            if split && run.is_none() {
                let (first, rest) = first_part(&tag);
                (place, tag) = (first.to_owned(), rest.to_owned());
            }
            tagged(tag, &mut keys)?
        } else {
            scalars(keys.0)?
        };
        Ok(Self {
            run,
            place,
            step,
            wall_time,
            content,
        })
    }
}

/// JSON, or JSON with Python's bare NaN and Infinity.
fn json(text: &str) -> Result<Value, Reason> {
    serde_json::from_str(text)
        .or_else(|error| match bare::quoted(text) {
            Some(text) => serde_json::from_str(&text),
            None => Err(error),
        })
        .map_err(|error| {
            let said = error.to_string();
            let what = said.split(" at line ").next().unwrap_or_default();
            format!("not JSON: {what} (column {})", error.column())
        })
}

fn scalars(keys: Map<String, Value>) -> Result<Content, Reason> {
    if keys.is_empty() {
        return Err("nothing to log: name a number, such as \"train/loss\": 0.3".to_owned());
    }
    let scalar = |(tag, value): (String, Value)| {
        let number = number(&value).map_err(|is| match is {
            "text" => format!(
                "'{tag}' is text, not a number: log text as {{\"tag\": \"{tag}\", \"text\": …}}"
            ),
            "null" => format!("'{tag}' is null, not a number: leave it out, or write NaN"),
            is => format!("'{tag}' is {is}, not a number"),
        })?;
        Ok((name_fits("tag", tag)?, number))
    };
    let scalars: Result<_, Reason> = keys.into_iter().map(scalar).collect();
    Ok(Content::Scalars(scalars?))
}

fn untagged(keys: &Keys) -> Option<(&'static str, Untagged)> {
    let stands = |key: &str| keys.0.get(key).is_some_and(|value| number(value).is_err());
    UNTAGGED.into_iter().find(|(kind, _)| stands(kind))
}

fn tagged(tag: String, keys: &mut Keys) -> Result<Content, Reason> {
    let Some((kind, read)) = TAGGED.into_iter().find(|(kind, _)| keys.has(kind)) else {
        let kinds = TAGGED.map(|(kind, _)| kind).join(", ");
        return Err(format!("'{tag}' has none of {kinds}"));
    };
    let value = keys.take(kind).unwrap_or_default();
    let description = keys.or("description", String::new(), text)?;
    let content = read(tag, value, keys)?;
    keys.none_left(kind)?;
    if description.is_empty() {
        return Ok(content);
    }
    content
        .describe(&description)
        .ok_or_else(|| format!("'description' does not go with '{kind}' on one line"))
}

/// One value under one tag.
pub(super) fn one(tag: String, value: impl Into<summary::Value>) -> Content {
    Content::Values(vec![(tag, value.into())])
}

impl Content {
    /// The same with a description, in Markdown; `None` for a kind that is shown without one.
    fn describe(self, markdown: &str) -> Option<Self> {
        let scalar = |(tag, value): (String, f64)| {
            let value = Scalar::new(value).description(markdown);
            (tag, value.into())
        };
        match self {
            Self::Scalars(scalars) => Some(Self::Values(scalars.into_iter().map(scalar).collect())),
            Self::Values(mut values) => {
                for (_, value) in &mut values {
                    match value {
                        summary::Value::Tensor(_) if value.own_field("").is_some() => return None,
                        summary::Value::Tensor(tensor) => {
                            Arc::make_mut(tensor).metadata.summary_description =
                                markdown.to_owned();
                        }
                        summary::Value::Scalar(_) => {}
                    }
                }
                Some(Self::Values(values))
            }
            _ => None,
        }
    }
}

/// A step: a whole number, also written as 3.0.
fn whole(value: &Value) -> Result<i64, Reason> {
    /// From here on not every whole number is an f64.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = |step: f64| (step.trunc() == step && step.abs() < EXACT).then_some(step as i64);
    let step = value.as_i64().or_else(|| {
        let float = value.as_number().is_some_and(serde_json::Number::is_f64);
        value.as_f64().filter(|_| float).and_then(exact)
    });
    step.ok_or_else(|| format!("'step' is {value}, not a whole number of 64 bits"))
}

fn seconds(value: &Value) -> Result<f64, Reason> {
    let finite = value.as_f64().filter(|seconds| seconds.is_finite());
    finite.ok_or_else(|| format!("'wall_time' is {value}, not a finite number of seconds"))
}

/// Run and tag of `train/loss`; a tag of one part belongs to the directory itself.
pub(super) fn first_part(tag: &str) -> (&str, &str) {
    match tag.split_once('/') {
        Some((run, tag)) if !run.is_empty() && !tag.is_empty() => (run, tag),
        _ => (ROOT, tag),
    }
}
