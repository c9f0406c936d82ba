//! Graphs: a model's operations, or its layers and parameters, as boxes with edges between.
//!
//! A graph that is made here has unique names and no edge from nowhere. In a log it is a `GraphDef`
//! (TensorFlow, `graph.proto`) in an event's own field; in memory it has the form into which
//! TensorBoard's readers put it (`dataclass_compat.py`): a blob sequence under [`Graph::TAG`].

mod node;

use std::collections::HashSet;

use prost::Message;

pub use node::{Attr, Node};

use super::field::{GRAPHS, blob};
use super::{Value, WrongKind};
use crate::proto::{GraphDef, NodeDef};

/// A graph of nodes. Each run has one; log it once, under [`Graph::TAG`].
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{log::Writer, summary::{Attr, Graph, Node}};
/// let graph = Graph::new([
///     Node::new("input", "Placeholder").output_shape(&[-1, 784]),
///     Node::new("fc1/weight", "Parameter").output_shape(&[128, 784]),
///     Node::new("fc1/matmul", "MatMul").input("input").input("fc1/weight").attr("transpose_b", true),
///     Node::new("fc1/relu", "Relu").input("fc1/matmul").device("/device:CPU:0"),
/// ])?;
/// let writer = Writer::create(dir.path())?;
/// writer.run("train").log(Graph::TAG, 0, graph);
/// assert_eq!(writer.finish()?.written, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Graph(GraphDef);

/// Why there is no graph.
///
/// ```
/// use modelpulse::summary::{Graph, Node};
/// let error = Graph::new([Node::new("relu", "Relu").input("matmul")]).unwrap_err();
/// assert_eq!(error.to_string(), "node 'relu' takes its input from 'matmul', which is no node");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Two nodes have one name.
    #[error("two nodes are named '{name}'")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// An input is no node of the graph.
    #[error("node '{node}' takes its input from '{input}', which is no node")]
    Input {
        /// The node.
        node: String,
        /// Its input.
        input: String,
    },
    /// A name that the page could not tell from something else.
    #[error(
        "'{name}' cannot name a node: use parts joined by '/', not empty, without ':' or line ends, not beginning with '^'"
    )]
    Name {
        /// The name.
        name: String,
    },
}

impl Graph {
    /// The tag that readers give to a run's graph.
    pub const TAG: &'static str = "__run_graph__";

    /// A graph of `nodes`, in any order.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::Input`] for an input that is no node,
    /// [`GraphError::Name`].
    pub fn new(nodes: impl IntoIterator<Item = Node>) -> Result<Self, GraphError> {
        let node: Vec<NodeDef> = nodes.into_iter().map(|Node(node)| node).collect();
        let mut names = HashSet::with_capacity(node.len());
        for NodeDef { name, .. } in &node {
            if !is_name(name) {
                return Err(GraphError::Name { name: name.clone() });
            }
            if !names.insert(name.as_str()) {
                return Err(GraphError::Duplicate { name: name.clone() });
            }
        }
        for node in &node {
            if let Some(input) = node
                .input
                .iter()
                .find(|input| !names.contains(source(input)))
            {
                return Err(GraphError::Input {
                    node: node.name.clone(),
                    input: input.clone(),
                });
            }
        }
        Ok(Self(GraphDef {
            node,
            versions: None,
        }))
    }

    /// Nodes as somebody else made them, unchecked.
    #[cfg(feature = "compat")]
    pub(crate) fn unchecked(node: Vec<NodeDef>) -> Self {
        Self(GraphDef {
            node,
            versions: None,
        })
    }

    /// A model's layers and parameters, from the names and shapes of its parameters.
    ///
    /// A name's parts, joined by `.` or `/`, become boxes within boxes. What stands directly in one
    /// box is a layer: a node `Layer` that takes its parameters and the layer before. The layers are
    /// joined in the order of the list, for a list of parameters does not tell how data flows.
    ///
    /// ```
    /// use modelpulse::summary::Graph;
    /// let parameters = [("fc1.weight", vec![128, 784]), ("fc1.bias", vec![128]), ("fc2.weight", vec![10, 128])];
    /// let graph = Graph::of_parameters(parameters)?;
    /// let names: Vec<_> = graph.nodes().map(|node| node.name.as_str()).collect();
    /// assert_eq!(names, ["fc1/weight", "fc1/bias", "fc1/Layer", "fc2/weight", "fc2/Layer"]);
    /// # Ok::<(), modelpulse::summary::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// [`GraphError::Duplicate`] for two parameters of one name, [`GraphError::Name`].
    pub fn of_parameters<N: AsRef<str>, S: AsRef<[usize]>>(
        parameters: impl IntoIterator<Item = (N, S)>,
    ) -> Result<Self, GraphError> {
        let mut layers: Vec<(String, Vec<Node>, i64)> = Vec::new();
        for (name, sizes) in parameters {
            let name = name.as_ref().replace('.', "/");
            let sizes: Vec<i64> = sizes.as_ref().iter().map(|&size| size as i64).collect();
            let elements = sizes
                .iter()
                .fold(1, |count: i64, &size| count.saturating_mul(size));
            let scope = name
                .rsplit_once('/')
                .map_or("", |(scope, _)| scope)
                .to_owned();
            let node = Node::new(name, "Parameter")
                .output_shape(&sizes)
                .attr("elements", elements);
            match layers.iter_mut().find(|(layer, ..)| *layer == scope) {
                Some((_, nodes, sum)) => {
                    nodes.push(node);
                    *sum = sum.saturating_add(elements);
                }
                None => layers.push((scope, vec![node], elements)),
            }
        }
        let mut all: Vec<Node> = Vec::new();
        let mut before: Option<String> = None;
        for (scope, nodes, elements) in layers {
            let name = if scope.is_empty() {
                "Layer".to_owned()
            } else {
                format!("{scope}/Layer")
            };
            let inputs = nodes.iter().map(|node| node.name().to_owned());
            let layer = Node::new(&name, "Layer")
                .inputs(before.into_iter().chain(inputs))
                .attr("parameters", elements);
            all.extend(nodes);
            all.push(layer);
            before = Some(name);
        }
        Self::new(all)
    }

    /// The nodes, as the log stores them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &NodeDef> {
        self.0.node.iter()
    }
}

fn is_name(name: &str) -> bool {
    let forbidden = |c: char| c == ':' || c.is_control();
    !name.starts_with('^')
        && !name.contains(forbidden)
        && name.split('/').all(|part| !part.is_empty())
}

/// The node that an input names.
fn source(input: &str) -> &str {
    let input = input.strip_prefix('^').unwrap_or(input);
    input.split_once(':').map_or(input, |(node, _)| node)
}

impl From<Graph> for Value {
    fn from(Graph(graph): Graph) -> Self {
        blob(GRAPHS, graph.encode_to_vec())
    }
}

impl TryFrom<&Value> for Graph {
    type Error = WrongKind;

    /// A graph of anybody's, as it was stored: its names are not checked.
    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let graph = value
            .blob(GRAPHS)
            .and_then(|graph| GraphDef::decode(graph).ok());
        graph
            .map(Self)
            .ok_or_else(|| WrongKind::new("a graph", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::attr_value;

    #[test]
    fn names_and_inputs_are_checked() {
        let node = |name: &str| Node::new(name, "Op");
        let said = |nodes: Vec<Node>| Graph::new(nodes).unwrap_err().to_string();
        assert_eq!(
            said(vec![node("a"), node("b"), node("a")]),
            "two nodes are named 'a'"
        );
        let lost = node("b").input("a").input("^c");
        assert_eq!(
            said(vec![node("a"), lost]),
            "node 'b' takes its input from '^c', which is no node"
        );
        for name in ["", "/a", "a//b", "a/", "a:0", "^a", "a\nb"] {
            assert!(
                matches!(Graph::new([node(name)]), Err(GraphError::Name { .. })),
                "{name}"
            );
        }
        let fine = [
            node("b").inputs(["a", "a:1", "^a"]),
            node("a"),
            node("a/b (x)[0]::".trim_end_matches(':')),
        ];
        assert_eq!(Graph::new(fine).unwrap().nodes().len(), 3);
    }

    #[test]
    fn the_wire_form_comes_back() {
        let graph = Graph::new([Node::new("a", "Op")
            .output_shape(&[2, -1])
            .output_shape(&[])
            .attr("x", 1.5)])
        .unwrap();
        let value = Value::from(graph.clone());
        assert_eq!(Graph::try_from(&value), Ok(graph));
        let field = value.own_field("whatever").unwrap();
        assert_eq!(Value::of_field(field), Some((Graph::TAG.to_owned(), value)));
        assert!(Graph::try_from(&Value::Scalar(0.0)).is_err());
        assert!(Graph::try_from(&blob(GRAPHS, "no graph")).is_err());
        assert_eq!(Value::Scalar(0.0).own_field("x"), None);
    }

    #[test]
    fn parameters_become_layers_in_their_order() {
        let parameters = [
            ("b.w", vec![2, 3]),
            ("scale", vec![]),
            ("a.0.w", vec![4]),
            ("b.x", vec![5]),
        ];
        let graph = Graph::of_parameters(parameters).unwrap();
        let edges: Vec<_> = graph
            .nodes()
            .map(|node| (&node.name[..], node.input.join(" ")))
            .collect();
        let expected = [
            ("b/w", ""),
            ("b/x", ""),
            ("b/Layer", "b/w b/x"),
            ("scale", ""),
            ("Layer", "b/Layer scale"),
            ("a/0/w", ""),
            ("a/0/Layer", "Layer a/0/w"),
        ];
        assert_eq!(
            edges,
            expected.map(|(name, inputs)| (name, inputs.to_owned()))
        );
        let count = graph
            .nodes()
            .find(|node| node.name == "b/Layer")
            .unwrap()
            .attr["parameters"]
            .clone();
        assert_eq!(count.value, Some(attr_value::Value::I(11)));
        let none: [(&str, Vec<usize>); 0] = [];
        assert_eq!(Graph::of_parameters(none).unwrap().nodes().len(), 0);
        let twice = Graph::of_parameters([("a.w", vec![1]), ("a/w", vec![1])]);
        assert_eq!(twice, Err(GraphError::Duplicate { name: "a/w".into() }));
        let hollow = Graph::of_parameters([("a..w", vec![1])]);
        assert!(matches!(hollow, Err(GraphError::Name { .. })));
    }
}
