//! Hyperparameters of a session, the metrics they are judged by, and how the session ended.
//!
//! Three values under fixed tags; names are kept in the order in which they were given, so that the
//! page's columns never move. The tags stand in the session's own directory; where one experiment has
//! several sessions, its own tag stands in their common directory (TensorBoard,
//! `plugins/hparams/summary_v2.py`).

mod domain;
mod metric;

use prost::Message;

pub use domain::{Domain, DomainError, HParam};
pub use metric::{Measured, Metric};

use super::{Tensor, Value, WrongKind, metadata, shape};
use crate::proto::hparams::{
    DataType as HParamType, Experiment, HParamInfo, HParamsPluginData, SessionEndInfo,
    SessionStartInfo, Status, h_params_plugin_data::Data,
};
use crate::proto::{DataClass, DataType, TensorProto};
use crate::types::WallTime;

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
/// use modelpulse::summary::{Domain, HParams};
/// let hparams = HParams::new()
///     .set("learning_rate", 1e-3)
///     .domain("learning_rate", Domain::interval(1e-4, 1e-1)?)
///     .label("learning_rate", "rate")
///     .set("optimizer", "adamw")
///     .metric("eval", "epoch_accuracy");
/// assert_eq!(hparams.values().count(), 2);
/// # Ok::<(), modelpulse::summary::DomainError>(())
/// ```
///
/// A [`Session`](crate::Session) logs one of its own accord. Several sessions make one experiment
/// when their common directory holds its description:
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{WallTime, log::Writer, summary::{Domain, HParams, SessionStatus}};
/// let writer = Writer::create(dir.path())?;
/// let experiment = HParams::new().domain("rate", Domain::discrete([0.1, 0.01])?).metric("", "accuracy");
/// let (tag, value) = experiment.experiment(WallTime::now());
/// writer.run(".").log(tag, 0, value);
/// for (name, rate) in [("trial_0", 0.1), ("trial_1", 0.01)] {
///     let run = writer.run(name);
///     let (tag, value) = HParams::new().set("rate", rate).session_start(name, WallTime::now());
///     run.log(tag, 0, value);
///     run.scalar("accuracy", 0, 0.9);
///     let (tag, value) = HParams::session_end(SessionStatus::Success, WallTime::now());
///     run.log(tag, 0, value);
/// }
/// assert_eq!(writer.finish()?.written, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HParams {
    values: Vec<(String, HParam)>,
    columns: Vec<(String, Column)>,
    metrics: Vec<Metric>,
    group: Option<String>,
    description: String,
}

/// What is said of a hyperparameter beside its value.
#[derive(Debug, Clone, Default, PartialEq)]
struct Column {
    display_name: String,
    description: String,
    domain: Option<Domain>,
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

    /// Says which values one may take. Where its value is of another kind, both are shown as texts,
    /// without a domain.
    pub fn domain(mut self, name: impl Into<String>, domain: Domain) -> Self {
        self.column(name.into()).domain = Some(domain);
        self
    }

    /// Sets the title of one's column; without one it is the name.
    pub fn label(mut self, name: impl Into<String>, display_name: impl Into<String>) -> Self {
        self.column(name.into()).display_name = display_name.into();
        self
    }

    /// Describes one.
    pub fn describe(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.column(name.into()).description = text.into();
        self
    }

    /// Describes the experiment.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Names a metric: a scalar `tag` in the run `group` below the session's directory.
    pub fn metric(self, group: impl Into<String>, tag: impl Into<String>) -> Self {
        self.judged_by(Metric::new(group, tag))
    }

    /// Names a metric with all that there is to say of it.
    pub fn judged_by(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// Names the session's group: sessions of one group are shown as one row, such as repetitions
    /// with the same values. Without this, each session is a group of its own.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = Some(name.into());
        self
    }

    /// Names and values, in the order in which they were set.
    pub fn values(&self) -> impl Iterator<Item = (&str, &HParam)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// The metrics, in the order in which they were named.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.metrics.iter()
    }

    /// The tag and value that describe the experiment: names, kinds, domains and metrics.
    pub fn experiment(&self, created: WallTime) -> (&'static str, Value) {
        let none = Column::default();
        let info = |name: &str, value: Option<&HParam>| {
            let column = self.columns.iter().find(|(column, _)| column == name);
            let column = column.map_or(&none, |(_, column)| column);
            let kinds = (
                value.map(HParam::data_type),
                column.domain.as_ref().map(Domain::data_type),
            );
            let kind = match kinds {
                (Some(value), Some(domain)) if value != domain => HParamType::String,
                (Some(kind), _) | (None, Some(kind)) => kind,
                (None, None) => HParamType::Unset,
            };
            let domain = column.domain.as_ref();
            HParamInfo {
                name: name.to_owned(),
                display_name: column.display_name.clone(),
                description: column.description.clone(),
                r#type: kind.into(),
                differs: false,
                domain: domain
                    .filter(|domain| domain.data_type() == kind)
                    .map(Domain::message),
            }
        };
        let set = |name: &str| self.values.iter().any(|(set, _)| set == name);
        let described = self.columns.iter().map(|(name, _)| name.as_str());
        let values = self.values().map(|(name, value)| info(name, Some(value)));
        let others = described
            .filter(|name| !set(name))
            .map(|name| info(name, None));
        let experiment = Experiment {
            description: self.description.clone(),
            time_created_secs: created.as_secs_f64(),
            hparam_infos: values.chain(others).collect(),
            metric_infos: self.metrics.iter().map(Metric::message).collect(),
            ..Experiment::default()
        };
        (EXPERIMENT, value(Data::Experiment(experiment)))
    }

    /// The tag and value that say with which hyperparameters the session `name` started. The name is
    /// its group, unless [`group`](Self::group) names another.
    pub fn session_start(&self, name: &str, started: WallTime) -> (&'static str, Value) {
        let start = SessionStartInfo {
            hparams: self
                .values
                .iter()
                .map(|(name, value)| (name.clone(), value.message()))
                .collect(),
            group_name: self.group.as_deref().unwrap_or(name).to_owned(),
            start_time_secs: started.as_secs_f64(),
            ..SessionStartInfo::default()
        };
        (SESSION_START, value(Data::SessionStartInfo(start)))
    }

    /// The tag and value that say how the session ended.
    pub fn session_end(status: SessionStatus, ended: WallTime) -> (&'static str, Value) {
        let status = match status {
            SessionStatus::Success => Status::Success,
            SessionStatus::Failure => Status::Failure,
            SessionStatus::Unknown => Status::Unknown,
        };
        let end = SessionEndInfo {
            status: status.into(),
            end_time_secs: ended.as_secs_f64(),
        };
        (SESSION_END, value(Data::SessionEndInfo(end)))
    }

    fn column(&mut self, name: String) -> &mut Column {
        let index = self.columns.iter().position(|(column, _)| *column == name);
        let index = index.unwrap_or_else(|| {
            self.columns.push((name, Column::default()));
            self.columns.len() - 1
        });
        &mut self.columns[index].1
    }
}

pub(super) const PLUGIN: &str = "hparams";
const EXPERIMENT: &str = "_hparams_/experiment";
const SESSION_START: &str = "_hparams_/session_start_info";
const SESSION_END: &str = "_hparams_/session_end_info";

/// The message travels in the metadata; the tensor is empty.
fn value(data: Data) -> Value {
    let message = HParamsPluginData {
        version: 0,
        data: Some(data),
    };
    Tensor {
        metadata: metadata(PLUGIN, DataClass::Tensor, message.encode_to_vec()),
        tensor: no_numbers(),
    }
    .into()
}

/// The shortest of tensors.
pub(super) fn no_numbers() -> TensorProto {
    TensorProto {
        dtype: DataType::DtFloat.into(),
        tensor_shape: shape(&[0]),
        ..TensorProto::default()
    }
}

impl TryFrom<&Value> for HParams {
    type Error = WrongKind;

    /// What an experiment or the start of a session says; of a start, the values by name.
    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let read = || {
            let tensor = value.tensor().filter(|tensor| tensor.plugin() == PLUGIN)?;
            let content = tensor.metadata.plugin_data.as_ref()?.content.clone();
            match HParamsPluginData::decode(content).ok()?.data? {
                Data::Experiment(experiment) => Some(Self::of_experiment(experiment)),
                Data::SessionStartInfo(start) => Some(Self::of_start(start)),
                Data::SessionEndInfo(_) => None,
            }
        };
        read().ok_or_else(|| WrongKind::new("hyperparameters", value))
    }
}

impl HParams {
    fn of_experiment(experiment: Experiment) -> Self {
        let column = |info: HParamInfo| {
            let column = Column {
                display_name: info.display_name,
                description: info.description,
                domain: info.domain.and_then(Domain::of_message),
            };
            (info.name, column)
        };
        Self {
            columns: experiment.hparam_infos.into_iter().map(column).collect(),
            metrics: experiment
                .metric_infos
                .into_iter()
                .map(Metric::of_message)
                .collect(),
            description: experiment.description,
            ..Self::default()
        }
    }

    fn of_start(start: SessionStartInfo) -> Self {
        let values = start.hparams.into_iter();
        Self {
            values: values
                .filter_map(|(name, value)| Some((name, HParam::of_message(value)?)))
                .collect(),
            group: Some(start.group_name).filter(|group| !group.is_empty()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infos(hparams: &HParams) -> Vec<HParamInfo> {
        let (_, value) = hparams.experiment(WallTime::now());
        let content = value
            .tensor()
            .unwrap()
            .metadata
            .clone()
            .plugin_data
            .unwrap()
            .content;
        match HParamsPluginData::decode(content).unwrap().data {
            Some(Data::Experiment(experiment)) => experiment.hparam_infos,
            _ => panic!(),
        }
    }

    #[test]
    fn a_later_value_takes_the_place_of_an_earlier_one() {
        let hparams = HParams::new().set("a", 1).set("b", true).set("a", "x");
        assert_eq!(
            hparams.values().collect::<Vec<_>>(),
            [("b", &true.into()), ("a", &"x".into())]
        );
    }

    #[test]
    fn columns_keep_the_order_and_kind_of_what_was_set() {
        let interval = || Domain::interval(0.0, 1.0).unwrap();
        let hparams = HParams::new()
            .domain("z", interval())
            .set("b", 1)
            .set("a", "x")
            .domain("a", interval())
            .describe("b", "d")
            .label("y", "why");
        let seen: Vec<_> = infos(&hparams)
            .iter()
            .map(|info| (info.name.clone(), info.r#type(), info.domain.is_some()))
            .collect();
        let expected = [
            ("b", HParamType::Float64, false),
            ("a", HParamType::String, false),
            ("z", HParamType::Float64, true),
            ("y", HParamType::Unset, false),
        ];
        assert_eq!(
            seen,
            expected.map(|(name, kind, domain)| (name.to_owned(), kind, domain))
        );
    }

    #[test]
    fn the_wire_form_comes_back() {
        let experiment = HParams::new()
            .domain("a", Domain::discrete(["x", "y"]).unwrap())
            .label("a", "A")
            .judged_by(
                Metric::new("eval", "acc")
                    .display_name("n")
                    .measured_on(Measured::Training),
            )
            .metric("", "loss")
            .description("d");
        let (_, value) = experiment.experiment(WallTime::now());
        assert_eq!(HParams::try_from(&value), Ok(experiment));
        let start = HParams::new().set("a", 0.5).set("b", false).group("g");
        let (_, value) = start.session_start("s", WallTime::now());
        assert_eq!(HParams::try_from(&value), Ok(start));
        let (_, end) = HParams::session_end(SessionStatus::Failure, WallTime::now());
        assert!(HParams::try_from(&end).is_err());
    }
}
