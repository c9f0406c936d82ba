//! The settings of the page of embeddings, `projector_config.pbtxt`.
//!
//! One embedding's entry is set; every other byte of the file stays, also what this crate does not
//! know. A file that cannot be understood is not touched.

use super::pbtxt::{self, Field, Message, SyntaxError, Value, quoted};
use crate::proto::projector::{EmbeddingInfo, ProjectorConfig, SpriteMetadata};

/// What the file says.
pub(super) fn read(text: &str) -> Result<ProjectorConfig, SyntaxError> {
    let reader = Reader { text };
    let mut config = ProjectorConfig::default();
    for field in &pbtxt::parse(text)?.fields {
        match &field.name[..] {
            "model_checkpoint_path" => config.model_checkpoint_path = reader.text(field)?,
            "embeddings" => {
                for value in field.value.each() {
                    config
                        .embeddings
                        .push(reader.embedding(reader.message(field, value)?)?);
                }
            }
            _ => (),
        }
    }
    Ok(config)
}

/// The file with `entry` in the place of the entry of that name, or behind all others.
pub(super) fn with_entry(text: &str, entry: &EmbeddingInfo) -> Result<String, SyntaxError> {
    // Also where the text can be parsed, what it says may be nonsense.
    read(text)?;
    let file = pbtxt::parse(text)?;
    let embeddings = file
        .fields
        .iter()
        .filter(|field| field.name == "embeddings");
    let messages = embeddings.flat_map(|field| field.value.each());
    let mut out = String::with_capacity(text.len() + 256);
    let mut copied = 0;
    for value in messages {
        let Value::Message(message) = value else {
            continue;
        };
        if !is_named(message, &entry.tensor_name) {
            continue;
        }
        out += &text[copied..message.body.start];
        out += "\n";
        out += &fields_of(entry);
        for field in &message.fields {
            if !WRITTEN.contains(&&field.name[..]) {
                out += &format!("  {}\n", &text[field.span.clone()]);
            }
        }
        copied = message.body.end;
    }
    out += &text[copied..];
    if copied == 0 {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out += &format!("embeddings {{\n{}}}\n", fields_of(entry));
    }
    Ok(out)
}

/// The fields that an entry of ours has; others of an old entry are kept.
const WRITTEN: [&str; 5] = [
    "tensor_name",
    "metadata_path",
    "tensor_shape",
    "sprite",
    "tensor_path",
];

/// TensorBoard takes `x` and `x:0` for one name.
fn is_named(message: &Message, name: &str) -> bool {
    let plain = |name: &str| name.strip_suffix(":0").unwrap_or(name).to_owned();
    let names = message
        .fields
        .iter()
        .rfind(|field| field.name == "tensor_name");
    names.is_some_and(
        |field| matches!(&field.value, Value::Text(text) if plain(text) == plain(name)),
    )
}

/// An entry's fields, a line each.
fn fields_of(entry: &EmbeddingInfo) -> String {
    let mut out = format!("  tensor_name: {}\n", quoted(&entry.tensor_name));
    if !entry.metadata_path.is_empty() {
        out += &format!("  metadata_path: {}\n", quoted(&entry.metadata_path));
    }
    for size in &entry.tensor_shape {
        out += &format!("  tensor_shape: {size}\n");
    }
    if let Some(sprite) = &entry.sprite {
        out += &format!(
            "  sprite {{\n    image_path: {}\n",
            quoted(&sprite.image_path)
        );
        for size in &sprite.single_image_dim {
            out += &format!("    single_image_dim: {size}\n");
        }
        out += "  }\n";
    }
    out += &format!("  tensor_path: {}\n", quoted(&entry.tensor_path));
    out
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn fail<T>(&self, field: &Field, what: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError {
            line: pbtxt::line_of(self.text, field.span.start),
            what,
        })
    }

    fn text(&self, field: &Field) -> Result<String, SyntaxError> {
        match &field.value {
            Value::Text(text) => Ok(text.clone()),
            _ => self.fail(field, "a text is expected here"),
        }
    }

    fn message<'v>(&self, field: &Field, value: &'v Value) -> Result<&'v Message, SyntaxError> {
        match value {
            Value::Message(message) => Ok(message),
            _ => self.fail(field, "a message in braces is expected here"),
        }
    }

    fn numbers(&self, field: &Field, out: &mut Vec<u32>) -> Result<(), SyntaxError> {
        for value in field.value.each() {
            let number = match value {
                Value::Word(word) => word.parse().ok(),
                _ => None,
            };
            match number {
                Some(number) => out.push(number),
                None => return self.fail(field, "a whole number is expected here"),
            }
        }
        Ok(())
    }

    fn embedding(&self, message: &Message) -> Result<EmbeddingInfo, SyntaxError> {
        let mut info = EmbeddingInfo::default();
        for field in &message.fields {
            match &field.name[..] {
                "tensor_name" => info.tensor_name = self.text(field)?,
                "metadata_path" => info.metadata_path = self.text(field)?,
                "bookmarks_path" => info.bookmarks_path = self.text(field)?,
                "tensor_path" => info.tensor_path = self.text(field)?,
                "tensor_shape" => self.numbers(field, &mut info.tensor_shape)?,
                "sprite" => {
                    let message = self.message(field, &field.value)?;
                    let sprite = info.sprite.get_or_insert_default();
                    self.sprite(message, sprite)?;
                }
                _ => (),
            }
        }
        Ok(info)
    }

    fn sprite(&self, message: &Message, sprite: &mut SpriteMetadata) -> Result<(), SyntaxError> {
        for field in &message.fields {
            match &field.name[..] {
                "image_path" => sprite.image_path = self.text(field)?,
                "single_image_dim" => self.numbers(field, &mut sprite.single_image_dim)?,
                _ => (),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // As torch 2.9 and tensorboardX 2.6.5 write it.
    const TORCH: &str = "embeddings {\n  tensor_name: \"emb:00001\"\n  metadata_path: \"00001/emb/metadata.tsv\"\n  tensor_path: \"00001/emb/tensors.tsv\"\n}\n";
    const TENSORBOARDX: &str = "embeddings {\ntensor_name: \"emb:00001\"\ntensor_path: \"00001/emb/tensors.tsv\"\nmetadata_path: \"00001/emb/metadata.tsv\"\n}\n";

    fn entry(name: &str) -> EmbeddingInfo {
        EmbeddingInfo {
            tensor_name: name.to_owned(),
            tensor_path: "p \"q\"".to_owned(),
            tensor_shape: vec![3, 2],
            sprite: Some(SpriteMetadata {
                image_path: "s.png".to_owned(),
                single_image_dim: vec![8, 9],
            }),
            ..EmbeddingInfo::default()
        }
    }

    #[test]
    fn others_entries_stay_as_they_are() {
        for theirs in [TORCH, TENSORBOARDX] {
            let both = with_entry(theirs, &entry("mine")).unwrap();
            assert!(both.starts_with(theirs));
            let config = read(&both).unwrap();
            assert_eq!(config.embeddings[0].metadata_path, "00001/emb/metadata.tsv");
            assert_eq!(config.embeddings[1], entry("mine"));
            assert_eq!(with_entry(&both, &entry("mine")).unwrap(), both);
        }
    }

    #[test]
    fn an_entry_is_replaced_and_what_is_unknown_is_kept() {
        let text = "# a comment\nnew_field: 7 model_checkpoint_path: \"c\"\nembeddings: [{tensor_name: 'x:0' bookmarks_path: \"b\" extra { y: 1 }}, <tensor_name: 'z'>] # end";
        let updated = with_entry(text, &entry("x")).unwrap();
        assert!(
            updated.starts_with(
                "# a comment\nnew_field: 7 model_checkpoint_path: \"c\"\nembeddings: [{"
            )
        );
        assert!(updated.ends_with("}, <tensor_name: 'z'>] # end"));
        assert!(updated.contains("  bookmarks_path: \"b\"\n  extra { y: 1 }\n"));
        let config = read(&updated).unwrap();
        assert_eq!(config.model_checkpoint_path, "c");
        let expected = EmbeddingInfo {
            bookmarks_path: "b".to_owned(),
            ..entry("x")
        };
        assert_eq!(config.embeddings[0], expected);
        assert_eq!(config.embeddings[1].tensor_name, "z");
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for (text, line) in [
            ("embeddings {", 1),
            ("embeddings: 5", 1),
            ("embeddings {\n tensor_name: 5 }", 2),
            ("embeddings {\n\n tensor_shape: -1 }", 3),
            ("embeddings { sprite: 'x' }", 1),
            ("embeddings { sprite { single_image_dim: [1, 'x'] } }", 1),
            ("hello world", 1),
        ] {
            let error = with_entry(text, &entry("x")).unwrap_err();
            assert_eq!(error.line, line, "{text}: {}", error.what);
        }
    }
}
