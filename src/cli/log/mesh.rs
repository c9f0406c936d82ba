//! Meshes and point clouds.

use serde_json::Value;

use super::keys::{Keys, Reason, is};
use super::line::Content;
use super::nested::Nested;
use crate::summary::Mesh;

/// Vertices; beside them may stand "faces", "colors" and the scene's "config".
pub(super) fn mesh(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let why = |error| format!("'mesh': {error}");
    let mut mesh = Mesh::new(&Nested::read("mesh", &value)?.rows("mesh")?).map_err(why)?;
    if let Some(faces) = keys.take("faces") {
        let faces = Nested::read("faces", &faces)?.whole_rows("faces")?;
        mesh = mesh.faces(&faces).map_err(why)?;
    }
    if let Some(colors) = keys.take("colors") {
        let colors = Nested::read("colors", &colors)?.whole_rows("colors")?;
        mesh = mesh.colours(&colors).map_err(why)?;
    }
    if let Some(config) = keys.take("config") {
        if !config.is_object() {
            return Err(format!("'config' is {}, not an object", is(&config)));
        }
        mesh = mesh.config(&config.to_string()).map_err(why)?;
    }
    Ok(Content::Values(mesh.values(&tag)))
}
