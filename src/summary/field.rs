//! Values that a log holds in a field of their own and not in a summary: graphs and their timings.
//!
//! In memory they are what TensorBoard's readers make of them (`dataclass_compat.py`): a blob sequence
//! of one message, for a plugin that is named nowhere in the log.

use prost::bytes::Bytes;

use super::{Graph, Tensor, Value, metadata, strings};
use crate::proto::{DataClass, TaggedRunMetadata, event::What};

pub(super) const GRAPHS: &str = "graphs";
pub(super) const RUN_METADATA: &str = "graph_tagged_run_metadata";

/// One message as a blob sequence for `plugin`.
pub(super) fn blob(plugin: &str, message: impl Into<Bytes>) -> Value {
    Tensor {
        metadata: metadata(plugin, DataClass::BlobSequence, Bytes::new()),
        tensor: strings(&[1], vec![message.into()]),
    }
    .into()
}

impl Value {
    /// The one message of a blob sequence for `plugin`.
    pub(super) fn blob(&self, plugin: &str) -> Option<Bytes> {
        let tensor = self.tensor().filter(|tensor| tensor.plugin() == plugin)?;
        match &tensor.as_strings().ok()?[..] {
            [message] => Some(message.clone()),
            _ => None,
        }
    }

    /// The field of an event that holds this value under `tag`, where that is not a summary.
    pub(crate) fn own_field(&self, tag: &str) -> Option<What> {
        match self.plugin() {
            GRAPHS => self.blob(GRAPHS).map(What::GraphDef),
            RUN_METADATA => Some(What::TaggedRunMetadata(TaggedRunMetadata {
                tag: tag.to_owned(),
                run_metadata: self.blob(RUN_METADATA)?,
            })),
            _ => None,
        }
    }

    /// The tag and value of a field that is not a summary.
    pub(crate) fn of_field(field: What) -> Option<(String, Self)> {
        match field {
            What::GraphDef(graph) => Some((Graph::TAG.to_owned(), blob(GRAPHS, graph))),
            What::TaggedRunMetadata(run) => Some((run.tag, blob(RUN_METADATA, run.run_metadata))),
            _ => None,
        }
    }

    /// The tag that readers give to this value, whatever it was logged under.
    pub(crate) fn fixed_tag(&self) -> Option<&'static str> {
        (self.plugin() == GRAPHS).then_some(Graph::TAG)
    }
}
