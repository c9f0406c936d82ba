//! Graphs, and what a run of one took.

use std::time::Duration;

use serde_json::Value;

use super::keys::{Keys, Reason, a_number, count, is, list, named, text};
use super::line::{Content, one};
use crate::proto::DataType;
use crate::summary::{Attr, Graph, Node, NodeStats, RunStats};

/// Nodes; or `{"parameters": {"fc1.weight": [128, 784], …}}`.
pub(super) fn graph(value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let graph = match value {
        Value::Object(keys) => {
            let mut keys = Keys(keys);
            let parameters = keys.need("parameters", "graph")?;
            keys.none_left("parameters")?;
            Graph::of_parameters(named("parameters", parameters, |key, sizes| {
                list(key, sizes, |size| count::<usize>(key, size))
            })?)
        }
        nodes => Graph::new(list("graph", nodes, node)?),
    };
    let graph = graph.map_err(|error| format!("'graph': {error}"))?;
    Ok(Content::Graph(graph.into()))
}

/// `{"name": …, "op": …, "inputs": […], "device": …, "attrs": {…}, "shape": […]}`, of which only the name must be
/// there.
fn node(value: Value) -> Result<Node, Reason> {
    let mut keys = Keys::of("graph", value)?;
    let name = text("name", keys.need("name", "graph")?)?;
    let inputs = keys.or("inputs", Vec::new(), |key, value| {
        list(key, value, |input| text(key, input))
    })?;
    let op = keys.or("op", String::new(), text)?;
    let device = keys.or("device", String::new(), text)?;
    let mut node = Node::new(name, op).inputs(inputs).device(device);
    for (name, attr) in keys.or("attrs", Vec::new(), |key, value| named(key, value, attr))? {
        node = node.attr(name, attr);
    }
    if let Some(shape) = keys.take("shape") {
        node = node.output_shape(&list("shape", shape, |size| whole("shape", &size))?);
    }
    keys.none_left("name")?;
    Ok(node)
}

fn attr(name: &str, value: Value) -> Result<Attr, Reason> {
    match value {
        Value::Bool(switch) => Ok(switch.into()),
        Value::String(text) => Ok(text.into()),
        Value::Number(ref number) => match number.as_i64() {
            Some(whole) => Ok(whole.into()),
            None => Ok(a_number(name, value)?.into()),
        },
        Value::Array(_) => {
            let numbers = list(name, value, |number| whole(name, &number))?;
            Ok(Attr::integers(&numbers))
        }
        other => Err(format!("attribute '{name}' is {}", is(&other))),
    }
}

fn whole(key: &str, value: &Value) -> Result<i64, Reason> {
    let whole = value.as_i64();
    whole.ok_or_else(|| format!("'{key}' holds {value}, not only whole numbers"))
}

/// Executions of nodes: `{"node": …, "device": …, "start": seconds, "time": seconds, "memory": {allocator: bytes},
/// "outputs": [{"dtype": …, "shape": […]}]}`, of which node and time must be there.
pub(super) fn run_metadata(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let executions = list("run_metadata", value, execution)?;
    if executions.is_empty() {
        return Err("'run_metadata' holds no nodes".to_owned());
    }
    let executions = executions.into_iter();
    let stats = executions.fold(RunStats::new(), |stats, (device, node)| {
        stats.node(device, node)
    });
    Ok(one(tag, stats))
}

fn execution(value: Value) -> Result<(String, NodeStats), Reason> {
    let mut keys = Keys::of("run_metadata", value)?;
    let node = text("node", keys.need("node", "run_metadata")?)?;
    let device = keys.or("device", "/device:CPU:0".to_owned(), text)?;
    let time = seconds("time", keys.need("time", "run_metadata")?)?;
    let start = keys.or("start", Duration::ZERO, seconds)?;
    let mut stats = NodeStats::new(node, start, time);
    let memory = keys.or("memory", Vec::new(), |key, value| {
        named(key, value, count::<u64>)
    })?;
    for (allocator, bytes) in memory {
        stats = stats.memory(allocator, bytes);
    }
    for (dtype, shape) in keys.or("outputs", Vec::new(), |key, value| list(key, value, output))? {
        stats = stats.output(dtype, &shape);
    }
    keys.none_left("node")?;
    Ok((device, stats))
}

fn output(value: Value) -> Result<(DataType, Vec<usize>), Reason> {
    let mut keys = Keys::of("outputs", value)?;
    let dtype = keys.or("dtype", DataType::DtFloat, |key, value| {
        match &*text(key, value)? {
            "float16" => Ok(DataType::DtHalf),
            "bfloat16" => Ok(DataType::DtBfloat16),
            "float32" => Ok(DataType::DtFloat),
            "float64" => Ok(DataType::DtDouble),
            "int32" => Ok(DataType::DtInt32),
            "int64" => Ok(DataType::DtInt64),
            "uint8" => Ok(DataType::DtUint8),
            "bool" => Ok(DataType::DtBool),
            other => Err(format!(
                "'{key}' is \"{other}\", which is none of a tensor's"
            )),
        }
    })?;
    let shape = keys.need("shape", "outputs")?;
    let shape = list("shape", shape, |size| count("shape", size))?;
    keys.none_left("shape")?;
    Ok((dtype, shape))
}

fn seconds(key: &str, value: Value) -> Result<Duration, Reason> {
    let seconds = a_number(key, value)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("'{key}' is {seconds}, not a time in seconds"))
}
