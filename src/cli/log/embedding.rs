//! Embeddings for the projector, which are files and no events.

use serde_json::Value;

use super::keys::{Keys, Reason, cell, list, named};
use super::line::Content;
use super::nested::Nested;
use super::picture::{Picture, batch};
use crate::log::{Embedding, EmbeddingError};

/// Points; beside them may stand "metadata", labels by column, and "sprite", a picture a point.
pub(super) fn embedding(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let why = |error: EmbeddingError| format!("'embedding': {error}");
    let Nested { shape, numbers, .. } = Nested::read("embedding", &value)?;
    let [points, dims] = shape[..] else {
        return Err(format!(
            "'embedding' is of shape {shape:?}, not points × dimensions"
        ));
    };
    let coordinates: Vec<f32> = numbers.iter().map(|&number| number as f32).collect();
    let mut embedding = Embedding::new(tag, dims, &coordinates).map_err(why)?;
    if let Some(metadata) = keys.take("metadata") {
        let labels = |key: &str, value| list(key, value, |label| cell(key, label));
        let columns = match metadata {
            Value::Object(_) => named("metadata", metadata, labels)?,
            labelling => vec![("label".to_owned(), labels("metadata", labelling)?)],
        };
        for (title, labels) in columns {
            embedding = embedding.column(title, labels).map_err(why)?;
        }
    }
    if let Some(sprite) = keys.take("sprite") {
        let pictures = Picture::list("sprite", sprite)?.into_iter();
        let pictures = pictures
            .map(Picture::pixels)
            .collect::<Result<Vec<_>, _>>()?;
        let [height, width, channels] = batch("sprite", &pictures)?;
        if pictures.len() != points {
            let got = pictures.len();
            return Err(format!("'sprite' holds {got} pictures for {points} points"));
        }
        let [width, height] = [width, height].map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let grey = || {
            pictures
                .iter()
                .flat_map(|it| &it.bytes)
                .copied()
                .collect::<Vec<_>>()
        };
        let rgb = || pictures.iter().flat_map(|it| it.rgb()).collect::<Vec<_>>();
        embedding = match channels {
            1 => embedding.grey_thumbnails(width, height, &grey()),
            _ => embedding.rgb_thumbnails(width, height, &rgb()),
        }
        .map_err(why)?;
    }
    Ok(Content::Embedding(embedding))
}
