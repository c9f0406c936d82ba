//! Text, which TensorBoard renders as Markdown.
//!
//! Stored as a string tensor of rank 0.

use prost::bytes::Bytes;

use super::{Tensor, Value, WrongKind, metadata, strings};
use crate::proto::{DataClass, DataType};

/// A text in Markdown.
///
/// ```
/// use modelpulse::summary::Text;
/// let text = Text::table(&["name", "shape"], &[["w", "64 | 10"]]);
/// assert_eq!(text.markdown(), "| name | shape |\n|---|---|\n| w | 64 \\| 10 |\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// A text in Markdown.
    pub fn new(markdown: impl Into<String>) -> Self {
        Self(markdown.into())
    }

    /// A table with a heading row. `|` and line ends in a cell are escaped.
    pub fn table<C: AsRef<str>, R: AsRef<[C]>>(heading: &[&str], rows: &[R]) -> Self {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', "<br>");
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut table = line(heading.iter().map(|text| cell(text)).collect());
        table += &format!("|{}\n", "---|".repeat(heading.len()));
        for row in rows {
            table += &line(
                row.as_ref()
                    .iter()
                    .map(|text| cell(text.as_ref()))
                    .collect(),
            );
        }
        Self(table)
    }

    /// The text as it was given.
    pub fn markdown(&self) -> &str {
        &self.0
    }
}

impl From<Text> for Value {
    fn from(Text(markdown): Text) -> Self {
        let tensor = strings(&[], vec![markdown.into_bytes().into()]);
        Tensor {
            metadata: metadata("text", DataClass::Tensor, Bytes::new()),
            tensor,
        }
        .into()
    }
}

impl TryFrom<&Value> for Text {
    type Error = WrongKind;

    /// A text of several strings comes back as their lines.
    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        match value {
            Value::Tensor(tensor)
                if tensor.plugin() == "text" && tensor.tensor.dtype() == DataType::DtString =>
            {
                let lines = tensor
                    .tensor
                    .string_val
                    .iter()
                    .map(|line| String::from_utf8_lossy(line));
                Ok(Self(lines.collect::<Vec<_>>().join("\n")))
            }
            other => Err(WrongKind::new("a text", other)),
        }
    }
}
