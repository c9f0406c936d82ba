//! Graphs: nodes of the user's own with the times of a run, and the layers of a candle model.

use std::time::Duration;

use candle_core::{DType, Device};
use modelpulse::log::Writer;
use modelpulse::proto::DataType;
use modelpulse::summary::{Graph, Node, NodeStats, RunStats};
use modelpulse::train::candle::{Mlp, Parameters};
use serde_json::json;

use crate::support::{Board, route};

pub const RUN: &str = "model";
const CANDLE: &str = "candle_model";
const STATS: &str = "batch 100";

pub fn log(writer: &Writer) {
    let graph = Graph::new([
        Node::new("input", "Placeholder").output_shape(&[-1, 784]),
        Node::new("fc1/weight", "Parameter").output_shape(&[128, 784]),
        Node::new("fc1/matmul", "MatMul")
            .inputs(["input", "fc1/weight"])
            .attr("transpose_b", true)
            .device("/device:CPU:0"),
        Node::new("fc1/relu", "Relu").input("fc1/matmul"),
        Node::new("loss", "CrossEntropy")
            .input("fc1/relu")
            .output_shape(&[]),
    ]);
    let run = writer.run(RUN);
    run.log(Graph::TAG, 0, graph.unwrap());
    let took = NodeStats::new(
        "fc1/matmul",
        Duration::from_micros(15),
        Duration::from_micros(120),
    );
    let took = took
        .memory("cpu", 4_096)
        .output(DataType::DtFloat, &[32, 128]);
    run.log(STATS, 100, RunStats::new().node("/device:CPU:0", took));

    let parameters = Parameters::seeded(1);
    Mlp::new(&[64, 32, 10], parameters.builder(DType::F32, &Device::Cpu)).unwrap();
    writer
        .run(CANDLE)
        .log(Graph::TAG, 0, parameters.graph().unwrap());
}

pub fn are_answered(board: &Board) {
    let info = board.until("/data/plugin/graphs/info", None, |info| {
        info[RUN]["tags"].get(STATS).is_some() && info[CANDLE]["run_graph"] == true
    });
    let tag = json!({"tag": STATS, "conceptual_graph": false, "op_graph": false, "profile": true});
    assert_eq!(
        info[RUN],
        json!({"run": RUN, "run_graph": true, "tags": {STATS: tag}})
    );
    assert_eq!(
        info[CANDLE],
        json!({"run": CANDLE, "run_graph": true, "tags": {}})
    );

    let graph = |run: &str| {
        let path = route("graphs", "graph", &[("run", run), ("conceptual", "false")]);
        String::from_utf8(board.bytes(&path)).unwrap()
    };
    assert_eq!(graph(RUN).trim_end(), GRAPH.trim());
    let candle = graph(CANDLE);
    for (name, inputs, attributes) in [
        ("layer0/weight", &[][..], &[("elements", 2_048)]),
        (
            "layer0/Layer",
            &["layer0/weight", "layer0/bias"],
            &[("parameters", 2_080)],
        ),
        (
            "layer1/Layer",
            &["layer0/Layer", "layer1/weight", "layer1/bias"],
            &[("parameters", 330)],
        ),
    ] {
        let start = candle
            .find(&format!("name: \"{name}\""))
            .unwrap_or_else(|| panic!("no {name}: {candle}"));
        let node = candle[start..].split("\nnode {").next().unwrap();
        let found: Vec<&str> = node
            .lines()
            .filter_map(|line| line.trim().strip_prefix("input: "))
            .collect();
        let inputs: Vec<String> = inputs.iter().map(|input| format!("{input:?}")).collect();
        assert_eq!(found, inputs, "{name}");
        for (attribute, value) in attributes {
            assert!(node.contains(&format!("key: \"{attribute}\"")), "{node}");
            assert!(node.contains(&format!("i: {value}\n")), "{node}");
        }
    }
    let path = route("graphs", "run_metadata", &[("run", RUN), ("tag", STATS)]);
    let stats = String::from_utf8(board.bytes(&path)).unwrap();
    assert_eq!(stats.trim_end(), TIMES.trim());
}

/// As protobuf writes messages as text.
const GRAPH: &str = r#"
node {
  name: "input"
  op: "Placeholder"
  attr {
    key: "_output_shapes"
    value {
      list {
        shape {
          dim {
            size: -1
          }
          dim {
            size: 784
          }
        }
      }
    }
  }
}
node {
  name: "fc1/weight"
  op: "Parameter"
  attr {
    key: "_output_shapes"
    value {
      list {
        shape {
          dim {
            size: 128
          }
          dim {
            size: 784
          }
        }
      }
    }
  }
}
node {
  name: "fc1/matmul"
  op: "MatMul"
  input: "input"
  input: "fc1/weight"
  device: "/device:CPU:0"
  attr {
    key: "transpose_b"
    value {
      b: true
    }
  }
}
node {
  name: "fc1/relu"
  op: "Relu"
  input: "fc1/matmul"
}
node {
  name: "loss"
  op: "CrossEntropy"
  input: "fc1/relu"
  attr {
    key: "_output_shapes"
    value {
      list {
        shape {
        }
      }
    }
  }
}
"#;

const TIMES: &str = r#"
step_stats {
  dev_stats {
    device: "/device:CPU:0"
    node_stats {
      node_name: "fc1/matmul"
      all_start_micros: 15
      op_end_rel_micros: 120
      all_end_rel_micros: 120
      memory {
        allocator_name: "cpu"
        total_bytes: 4096
        peak_bytes: 4096
      }
      output {
        tensor_description {
          dtype: DT_FLOAT
          shape {
            dim {
              size: 32
            }
            dim {
              size: 128
            }
          }
        }
      }
    }
  }
}
"#;
