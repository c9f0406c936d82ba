//! Graphs: a model's operations with what they took, and a graph made of a list of parameters.
//!
//! `cargo run --example kinds_graphs --no-default-features`, then `tensorboard --logdir runs`: the page Graphs. There
//! choose the run, and below it the tag `batch 100` to colour the graph by time or memory.

use std::time::Duration;

use modelpulse::Session;
use modelpulse::summary::{Graph, Node, NodeStats, RunStats};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_graphs")?;

    // Slashes in names make boxes; -1 is any size.
    let run = session.run("operations");
    let mut nodes = vec![Node::new("input", "Placeholder").output_shape(&[-1, 784])];
    let mut before = "input".to_owned();
    for (layer, [inputs, outputs]) in [("fc1", [784, 128]), ("fc2", [128, 10])] {
        let name = |part: &str| format!("{layer}/{part}");
        nodes.push(Node::new(name("weight"), "Parameter").output_shape(&[outputs, inputs]));
        let matmul = Node::new(name("matmul"), "MatMul").inputs([before, name("weight")]);
        nodes.push(
            matmul
                .attr("transpose_b", true)
                .output_shape(&[-1, outputs]),
        );
        let relu = Node::new(name("relu"), "Relu").input(name("matmul"));
        nodes.push(relu.output_shape(&[-1, outputs]).device("/device:CPU:0"));
        before = name("relu");
    }
    nodes.push(Node::new("loss", "CrossEntropy").input(before));
    run.log(Graph::TAG, 0, Graph::new(nodes)?);

    // What the nodes took in one batch.
    let took = [
        ("fc1/matmul", 0, 420, 65_536),
        ("fc1/relu", 420, 35, 16_384),
        ("fc2/matmul", 455, 90, 1_280),
    ];
    let stats = took
        .iter()
        .fold(RunStats::new(), |stats, &(node, start, time, bytes)| {
            let (start, time) = (Duration::from_micros(start), Duration::from_micros(time));
            stats.node(
                "/device:CPU:0",
                NodeStats::new(node, start, time).memory("cpu", bytes),
            )
        });
    run.log("batch 100", 100, stats);

    // Of names and shapes alone, as any framework lists them.
    let parameters = [
        ("encoder.fc.weight", [64, 784]),
        ("encoder.norm.weight", [64, 1]),
        ("head.weight", [10, 64]),
    ];
    session
        .run("parameters")
        .log(Graph::TAG, 0, Graph::of_parameters(parameters)?);

    let report = session.finish()?;
    println!("{} values in runs/kinds_graphs", report.written);
    Ok(())
}
