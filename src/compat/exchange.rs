//! Graphs of other tools: ONNX files and OpenVINO's XML.
//!
//! Only what a picture of the graph needs is read; weights are passed over.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use prost::Message;

use crate::flow::SinkError;
use crate::summary::{Graph, Node};

/// The graph of an ONNX model (onnx.proto: ModelProto, GraphProto, NodeProto, ValueInfoProto, TensorProto).
pub(super) fn onnx(path: &Path) -> Result<Graph, SinkError> {
    #[derive(Clone, PartialEq, Message)]
    struct ModelProto {
        #[prost(message, optional, tag = "7")]
        graph: Option<GraphProto>,
    }
    #[derive(Clone, PartialEq, Message)]
    struct GraphProto {
        #[prost(message, repeated, tag = "1")]
        node: Vec<NodeProto>,
        #[prost(message, repeated, tag = "5")]
        initializer: Vec<TensorProto>,
        #[prost(message, repeated, tag = "11")]
        input: Vec<ValueInfoProto>,
    }
    #[derive(Clone, PartialEq, Message)]
    struct NodeProto {
        #[prost(string, repeated, tag = "1")]
        input: Vec<String>,
        #[prost(string, repeated, tag = "2")]
        output: Vec<String>,
        #[prost(string, tag = "3")]
        name: String,
        #[prost(string, tag = "4")]
        op_type: String,
    }
    #[derive(Clone, PartialEq, Message)]
    struct TensorProto {
        #[prost(int64, repeated, tag = "1")]
        dims: Vec<i64>,
        #[prost(string, tag = "8")]
        name: String,
    }
    #[derive(Clone, PartialEq, Message)]
    struct ValueInfoProto {
        #[prost(string, tag = "1")]
        name: String,
    }

    let model = ModelProto::decode(&*std::fs::read(path)?)?;
    let graph = model.graph.ok_or("the file holds no ONNX graph")?;
    let mut parts = Parts::default();
    for tensor in &graph.initializer {
        let name = parts.name(&tensor.name, &tensor.name);
        parts
            .nodes
            .push(Node::new(name, "Initializer").output_shape(&tensor.dims));
    }
    for input in &graph.input {
        if !parts.sources.contains_key(&input.name) {
            let name = parts.name(&input.name, &input.name);
            parts.nodes.push(Node::new(name, "Input"));
        }
    }
    // Outputs first: a node may stand before the one that it reads.
    let mut named = Vec::new();
    for (number, node) in graph.node.iter().enumerate() {
        let wanted = if node.name.is_empty() {
            format!("{}_{number}", node.op_type)
        } else {
            node.name.clone()
        };
        let name = parts.unique(&wanted);
        for output in &node.output {
            parts.sources.insert(output.clone(), name.clone());
        }
        named.push((name, node));
    }
    for (name, node) in named {
        let inputs = node
            .input
            .iter()
            .filter_map(|input| parts.sources.get(input));
        let op = if node.op_type.is_empty() {
            "Node"
        } else {
            &node.op_type
        };
        let drawn = inputs.fold(Node::new(name, op), |node, input| node.input(input));
        parts.nodes.push(drawn);
    }
    Ok(Graph::new(parts.nodes)?)
}

/// The graph of an OpenVINO model in its intermediate representation: `layer` and `edge` elements.
pub(super) fn openvino(path: &Path) -> Result<Graph, SinkError> {
    let text = std::fs::read_to_string(path)?;
    let document = roxmltree::Document::parse(&text)?;
    let elements = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.has_tag_name(name))
    };
    let mut parts = Parts::default();
    let mut layers = Vec::new();
    for layer in elements("layer") {
        let attribute = |name| {
            layer
                .attribute(name)
                .ok_or("a layer has no id, name or type")
        };
        let (id, name, op) = (attribute("id")?, attribute("name")?, attribute("type")?);
        layers.push((id, parts.name(id, name), op));
    }
    let mut inputs: HashMap<&str, Vec<&String>> = HashMap::new();
    for edge in elements("edge") {
        let attribute = |name| {
            edge.attribute(name)
                .ok_or("an edge lacks from-layer or to-layer")
        };
        let source = parts
            .sources
            .get(attribute("from-layer")?)
            .ok_or("an edge comes from no layer")?;
        inputs
            .entry(attribute("to-layer")?)
            .or_default()
            .push(source);
    }
    if layers.is_empty() {
        return Err("the file holds no OpenVINO layers".into());
    }
    let node = |(id, name, op): &(&str, String, &str)| {
        let inputs = inputs.get(id).into_iter().flatten();
        inputs.fold(Node::new(name.clone(), *op), |node, input| {
            node.input(input.as_str())
        })
    };
    Ok(Graph::new(layers.iter().map(node))?)
}

/// Nodes, and which of them each value comes from.
#[derive(Default)]
struct Parts {
    nodes: Vec<Node>,
    sources: HashMap<String, String>,
    taken: HashSet<String>,
}

impl Parts {
    /// A name for the node that gives the value `value`.
    fn name(&mut self, value: &str, wanted: &str) -> String {
        let name = self.unique(wanted);
        self.sources.insert(value.to_owned(), name.clone());
        name
    }

    /// A name that TensorBoard can show and no other node has.
    fn unique(&mut self, wanted: &str) -> String {
        let parts = wanted.split('/').filter(|part| !part.is_empty());
        let clean = parts
            .map(|part| part.replace([':', '^', '\n', '\r'], "_"))
            .collect::<Vec<_>>()
            .join("/");
        let clean = if clean.is_empty() {
            "node".to_owned()
        } else {
            clean
        };
        let mut name = clean.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            name = format!("{clean}_{number}");
            number += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(graph: &Graph) -> Vec<String> {
        graph
            .nodes()
            .map(|node| format!("{}:{}<{}", node.name, node.op, node.input.join(",")))
            .collect()
    }

    #[test]
    fn an_openvino_graph_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.xml");
        let xml = r#"<net name="m"><layers>
            <layer id="0" name="in" type="Parameter"/><layer id="1" name="in" type="ReLU"/>
            <layer id="2" name="/out/" type="Result"/></layers>
            <edges><edge from-layer="0" to-layer="1"/><edge from-layer="1" to-layer="2"/></edges></net>"#;
        std::fs::write(&path, xml).unwrap();
        assert_eq!(
            shown(&openvino(&path).unwrap()),
            ["in:Parameter<", "in_1:ReLU<in", "out:Result<in_1"]
        );
        std::fs::write(&path, "<net/>").unwrap();
        assert!(openvino(&path).is_err());
    }

    #[test]
    fn an_onnx_graph_is_read() {
        /// Field `number` with the bytes `content`.
        fn field(number: u8, content: &[u8]) -> Vec<u8> {
            [&[number << 3 | 2, content.len() as u8], content].concat()
        }
        let relu = [field(1, b"x"), field(2, b"y"), field(4, b"Relu")].concat();
        let add = [
            field(1, b"y"),
            field(1, b"w"),
            field(2, b"z"),
            field(3, b"sum"),
            field(4, b"Add"),
        ]
        .concat();
        let weight = [vec![1 << 3, 3], field(8, b"w")].concat();
        let graph = [
            field(1, &relu),
            field(1, &add),
            field(5, &weight),
            field(11, &field(1, b"x")),
        ]
        .concat();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.onnx");
        std::fs::write(&path, field(7, &graph)).unwrap();
        let expected = [
            "w:Initializer<",
            "x:Input<",
            "Relu_0:Relu<x",
            "sum:Add<Relu_0,w",
        ];
        assert_eq!(shown(&onnx(&path).unwrap()), expected);
    }
}
