//! What the nodes of a graph took in one run: time and memory.
//!
//! The page of graphs offers a run by its tag, and colours the run's graph by it. In a log it is a
//! `RunMetadata` (TensorFlow, `step_stats.proto`) in an event's own field; in memory it is a blob
//! sequence, as in TensorBoard.

use std::time::Duration;

use prost::Message;

use super::field::{RUN_METADATA, blob};
use super::{Value, WrongKind, shape};
use crate::proto::{
    AllocatorMemoryUsed, DataType, DeviceStepStats, NodeExecStats, NodeOutput, RunMetadata,
    StepStats, TensorDescription,
};

/// Times and memory of one run of a [`Graph`](super::Graph), by device and node.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use std::time::Duration;
/// use modelpulse::{log::Writer, summary::{Graph, NodeStats, RunStats}};
/// let writer = Writer::create(dir.path())?;
/// let run = writer.run("train");
/// run.log(Graph::TAG, 0, Graph::of_parameters([("fc1.weight", [128, 784])])?);
/// let forward = NodeStats::new("fc1/Layer", Duration::ZERO, Duration::from_micros(120)).memory("cpu", 401_408);
/// run.log("batch 100", 100, RunStats::new().node("/device:CPU:0", forward));
/// assert_eq!(writer.finish()?.written, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunStats(StepStats);

/// What one execution of a node took.
///
/// ```
/// use std::time::Duration;
/// use modelpulse::{proto::DataType, summary::NodeStats};
/// let stats = NodeStats::new("fc1/Layer", Duration::from_micros(15), Duration::from_micros(120))
///     .memory("cpu", 4096)
///     .output(DataType::DtFloat, &[32, 128]);
/// assert_eq!(stats.name(), "fc1/Layer");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NodeStats(NodeExecStats);

impl RunStats {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an execution on a device, which is named as `/device:CPU:0`: the page shows the devices of
    /// this form alone. A node that the graph does not have is not shown.
    pub fn node(mut self, device: impl Into<String>, NodeStats(stats): NodeStats) -> Self {
        let (device, devices) = (device.into(), &mut self.0.dev_stats);
        match devices.iter_mut().find(|stats| stats.device == device) {
            Some(device) => device.node_stats.push(stats),
            None => devices.push(DeviceStepStats {
                device,
                node_stats: vec![stats],
            }),
        }
        self
    }

    /// Devices and what the nodes took there, as the log stores it.
    pub fn devices(&self) -> &[DeviceStepStats] {
        &self.0.dev_stats
    }
}

impl NodeStats {
    /// An execution of the node `name`, `started` after the run's beginning. Both are kept in whole
    /// microseconds; less than one counts as one, for the page takes 0 for not measured.
    pub fn new(name: impl Into<String>, started: Duration, took: Duration) -> Self {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Self(NodeExecStats {
            node_name: name.into(),
            all_start_micros: micros(started).max(1),
            op_end_rel_micros: micros(took).max(1),
            all_end_rel_micros: micros(took).max(1),
            ..NodeExecStats::default()
        })
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.0.node_name
    }

    /// Adds bytes that it took from an allocator, such as `cpu`.
    pub fn memory(mut self, allocator: impl Into<String>, bytes: u64) -> Self {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.memory.push(AllocatorMemoryUsed {
            allocator_name: allocator.into(),
            total_bytes: bytes,
            peak_bytes: bytes,
            live_bytes: 0,
        });
        self
    }

    /// Adds an output.
    pub fn output(mut self, dtype: DataType, sizes: &[usize]) -> Self {
        let slot = self.0.output.len() as i32;
        self.0.output.push(NodeOutput {
            slot,
            tensor_description: Some(TensorDescription {
                dtype: dtype.into(),
                shape: shape(sizes),
            }),
        });
        self
    }
}

impl From<RunStats> for Value {
    fn from(RunStats(stats): RunStats) -> Self {
        let message = RunMetadata {
            step_stats: Some(stats),
        };
        blob(RUN_METADATA, message.encode_to_vec())
    }
}

impl TryFrom<&Value> for RunStats {
    type Error = WrongKind;

    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let message = value.blob(RUN_METADATA);
        let message = message.and_then(|message| RunMetadata::decode(message).ok());
        match message {
            Some(message) => Ok(Self(message.step_stats.unwrap_or_default())),
            None => Err(WrongKind::new("timings of a graph", value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_comes_back() {
        let took = |name| NodeStats::new(name, Duration::from_secs(1), Duration::from_nanos(10));
        let stats = RunStats::new()
            .node("/device:CPU:0", took("a").memory("cpu", u64::MAX))
            .node("/device:GPU:0", took("b").output(DataType::DtFloat, &[]))
            .node("/device:CPU:0", took("c"));
        let nodes: Vec<_> = stats
            .devices()
            .iter()
            .map(|device| device.node_stats.len())
            .collect();
        assert_eq!(nodes, [2, 1]);
        let first = &stats.devices()[0].node_stats[0];
        assert_eq!(
            (first.all_start_micros, first.all_end_rel_micros),
            (1_000_000, 1)
        );
        let NodeStats(at_once) = NodeStats::new("d", Duration::ZERO, Duration::ZERO);
        assert_eq!(
            (at_once.all_start_micros, at_once.all_end_rel_micros),
            (1, 1)
        );
        let value = Value::from(stats.clone());
        assert_eq!(RunStats::try_from(&value), Ok(stats));
        let field = value.own_field("step 1").unwrap();
        assert_eq!(Value::of_field(field), Some(("step 1".to_owned(), value)));
        assert!(RunStats::try_from(&Value::Scalar(0.0)).is_err());
    }
}
