//! Hyperparameters of a session, the metrics they are judged by, and how the session ended.
//!
//! Three values under fixed tags in the session's own directory; names are kept in the order in
//! which they were given, so that the page's columns never move.

use prost::{Message, bytes::Bytes};

use super::{Tensor, Value, metadata, shape};
use crate::proto::hparams::{
    DataType as HParamType, Experiment, HParamInfo, HParamsPluginData, MetricInfo, MetricName,
    SessionEndInfo, SessionStartInfo, Status, h_params_plugin_data::Data,
};
use crate::proto::{DataClass, DataType, TensorProto, wkt};
use crate::types::WallTime;

/// The value of a hyperparameter.
///
/// ```
/// use modelpulse::summary::HParam;
/// assert_eq!(HParam::from(32), HParam::Number(32.0));
/// assert_eq!(HParam::from("adamw"), HParam::Text("adamw".into()));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HParam {
    /// A number.
    Number(f64),
    /// A text, such as an optimizer's name.
    Text(String),
    /// A switch.
    Bool(bool),
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for HParam {
            fn from(value: $number) -> Self {
                Self::Number(value as f64)
            }
        }
    )*};
}

numbers!(f64, f32, i32, u32, i64, u64, usize);

impl From<bool> for HParam {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for HParam {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for HParam {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// It reached its end.
    Success,
    /// It failed, diverged or panicked.
    Failure,
    /// It went away without a word on how it ended.
    Unknown,
}

/// The hyperparameters of a session and the metrics that it is judged by.
///
/// ```
/// use modelpulse::summary::HParams;
/// let hparams = HParams::new()
///     .set("learning_rate", 1e-3)
///     .set("optimizer", "adamw")
///     .metric("eval", "epoch_accuracy");
/// assert_eq!(hparams.values().count(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HParams {
    values: Vec<(String, HParam)>,
    metrics: Vec<(String, String)>,
}

impl HParams {
    /// No hyperparameters yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one, in the place of an earlier one of that name.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<HParam>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.values.retain(|(earlier, _)| *earlier != name);
        self.values.push((name, value));
        self
    }

    /// Names a metric: a scalar `tag` in the run `group` below the session's directory.
    pub fn metric(mut self, group: impl Into<String>, tag: impl Into<String>) -> Self {
        self.metrics.push((group.into(), tag.into()));
        self
    }

    /// Names and values, in the order in which they were set.
    pub fn values(&self) -> impl Iterator<Item = (&str, &HParam)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// The tag and value that describe the experiment: names, types and metrics.
    pub(crate) fn experiment(&self, created: WallTime) -> (&'static str, Value) {
        let hparam_info = |(name, value): &(String, HParam)| HParamInfo {
            name: name.clone(),
            r#type: match value {
                HParam::Number(_) => HParamType::Float64,
                HParam::Text(_) => HParamType::String,
                HParam::Bool(_) => HParamType::Bool,
            }
            .into(),
            ..HParamInfo::default()
        };
        let metric_info = |(group, tag): &(String, String)| MetricInfo {
            name: Some(MetricName {
                group: group.clone(),
                tag: tag.clone(),
            }),
            ..MetricInfo::default()
        };
        let experiment = Experiment {
            time_created_secs: created.as_secs_f64(),
            hparam_infos: self.values.iter().map(hparam_info).collect(),
            metric_infos: self.metrics.iter().map(metric_info).collect(),
            ..Experiment::default()
        };
        ("_hparams_/experiment", value(Data::Experiment(experiment)))
    }

    /// The tag and value that say with which hyperparameters the session `name` started.
    pub(crate) fn session_start(&self, name: &str, started: WallTime) -> (&'static str, Value) {
        let kind = |value: &HParam| match value {
            HParam::Number(number) => wkt::value::Kind::NumberValue(*number),
            HParam::Text(text) => wkt::value::Kind::StringValue(text.clone()),
            HParam::Bool(bool) => wkt::value::Kind::BoolValue(*bool),
        };
        let value_of = |value| wkt::Value {
            kind: Some(kind(value)),
        };
        let start = SessionStartInfo {
            hparams: self
                .values
                .iter()
                .map(|(name, value)| (name.clone(), value_of(value)))
                .collect(),
            group_name: name.to_owned(),
            start_time_secs: started.as_secs_f64(),
            ..SessionStartInfo::default()
        };
        (
            "_hparams_/session_start_info",
            value(Data::SessionStartInfo(start)),
        )
    }

    /// The tag and value that say how the session ended.
    pub(crate) fn session_end(status: SessionStatus, ended: WallTime) -> (&'static str, Value) {
        let status = match status {
            SessionStatus::Success => Status::Success,
            SessionStatus::Failure => Status::Failure,
            SessionStatus::Unknown => Status::Unknown,
        };
        let end = SessionEndInfo {
            status: status.into(),
            end_time_secs: ended.as_secs_f64(),
        };
        (
            "_hparams_/session_end_info",
            value(Data::SessionEndInfo(end)),
        )
    }
}

/// The message travels in the metadata; the tensor is empty.
fn value(data: Data) -> Value {
    let message = HParamsPluginData {
        version: 0,
        data: Some(data),
    };
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: shape(&[0]),
        ..TensorProto::default()
    };
    Tensor {
        metadata: metadata(
            "hparams",
            DataClass::Tensor,
            Bytes::from(message.encode_to_vec()),
        ),
        tensor,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_value_takes_the_place_of_an_earlier_one() {
        let hparams = HParams::new().set("a", 1).set("b", true).set("a", "x");
        assert_eq!(
            hparams.values().collect::<Vec<_>>(),
            [("b", &true.into()), ("a", &"x".into())]
        );
    }
}
