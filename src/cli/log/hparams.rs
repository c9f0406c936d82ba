//! Hyperparameters, what they are judged by, and how a session ended.

use serde_json::Value;

use super::keys::{Keys, Reason, is, list, name, name_fits, named, number, text};
use super::line::{Content, Started};
use crate::summary::{Domain, HParam, HParams, Measured, SessionStatus};

/// Names and values; beside them may stand "metrics", "domains", "group" and "description".
pub(super) fn hparams(value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    if !value.is_object() {
        return Err("'hparams' is not an object of names and values".to_owned());
    }
    let mut hparams = HParams::new();
    for (name, value) in named("hparams", value, hparam)? {
        hparams = hparams.set(name_fits("hparams", name)?, value);
    }
    let domains = keys.or("domains", Vec::new(), |key, value| {
        named(key, value, domain)
    })?;
    for (name, domain) in domains {
        hparams = hparams.domain(name, domain);
    }
    if let Some(group) = keys.take("group") {
        hparams = hparams.group(text("group", group)?);
    }
    if let Some(description) = keys.take("description") {
        hparams = hparams.description(text("description", description)?);
    }
    let metrics = keys.or("metrics", Vec::new(), |key, value| match value {
        Value::Array(_) => list(key, value, metric),
        _ => Err("'metrics' is not an array of tags".to_owned()),
    })?;
    Ok(Content::HParams(Started { hparams, metrics }))
}

/// "success", "failure" or "unknown".
pub(super) fn session_end(value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let status = match &*text("session_end", value)? {
        "success" => SessionStatus::Success,
        "failure" => SessionStatus::Failure,
        "unknown" => SessionStatus::Unknown,
        other => {
            return Err(format!(
                "'session_end' is \"{other}\", not \"success\", \"failure\" or \"unknown\""
            ));
        }
    };
    Ok(Content::End(status))
}

/// A metric as a line names it: where its tag leads, only the job knows.
#[derive(Debug, PartialEq)]
pub(super) struct Judge {
    pub(super) tag: String,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) measured: Option<Measured>,
}

fn metric(value: Value) -> Result<Judge, Reason> {
    let mut judge = Judge {
        tag: String::new(),
        display_name: String::new(),
        description: String::new(),
        measured: None,
    };
    let Value::Object(keys) = value else {
        judge.tag = name("metrics", value)?;
        return Ok(judge);
    };
    let mut keys = Keys(keys);
    judge.tag = name("tag", keys.need("tag", "metrics")?)?;
    judge.display_name = keys.or("display_name", String::new(), text)?;
    judge.description = keys.or("description", String::new(), text)?;
    judge.measured = keys.or("measured_on", None, |key, value| {
        match &*text(key, value)? {
            "training" => Ok(Some(Measured::Training)),
            "validation" => Ok(Some(Measured::Validation)),
            other => Err(format!(
                "'{key}' is \"{other}\", not \"training\" or \"validation\""
            )),
        }
    })?;
    keys.none_left("tag")?;
    Ok(judge)
}

fn hparam(name: &str, value: Value) -> Result<HParam, Reason> {
    match value {
        Value::Bool(switch) => Ok(HParam::Bool(switch)),
        Value::String(text) => Ok(HParam::Text(text)),
        Value::Number(number) => Ok(HParam::Number(number.as_f64().unwrap_or(f64::NAN))),
        other => Err(format!(
            "'{name}' is {}: a hyperparameter is a number, text or true or false",
            is(&other)
        )),
    }
}

/// All values, or `{"min": …, "max": …}`.
fn domain(of: &str, value: Value) -> Result<Domain, Reason> {
    let domain = match value {
        Value::Object(keys) => {
            let mut keys = Keys(keys);
            let mut bound = |key: &str| {
                let bound = keys.need(key, of)?;
                number(&bound).map_err(|is| format!("'{key}' is {is}, not a number"))
            };
            let (min, max) = (bound("min")?, bound("max")?);
            keys.none_left("min")?;
            Domain::interval(min, max)
        }
        values => Domain::discrete(list("domains", values, |value| hparam(of, value))?),
    };
    domain.map_err(|error| format!("domain of '{of}': {error}"))
}
