//! Bytes that a line names by a file, or holds as Base64.
//!
//! Of a file as many are read as a picture or a sound may have.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::keys::{Keys, Reason, is, text};

/// The bytes that a file may have.
const MAX_FILE: u64 = 64 << 20;

/// Where bytes come from, for messages, and they themselves.
pub(super) fn read(key: &str, value: Value) -> Result<(String, Vec<u8>), Reason> {
    match value {
        Value::String(path) => {
            let name = format!("{key} {path}");
            let bytes = file(Path::new(&path)).map_err(|why| format!("{name}: {why}"))?;
            Ok((name, bytes))
        }
        Value::Object(keys) => {
            let mut keys = Keys(keys);
            let base64 = text("base64", keys.need("base64", key)?)?;
            keys.none_left("base64")?;
            let bytes = BASE64_STANDARD
                .decode(base64.trim_ascii())
                .map_err(|error| format!("'{key}' is no Base64: {error}"))?;
            Ok((format!("'{key}'"), bytes))
        }
        other => Err(format!("'{key}' is {}, not the path of a file", is(&other))),
    }
}

fn file(path: &Path) -> Result<Vec<u8>, Reason> {
    // Asked first: opening a pipe waits for whoever writes to it.
    let about = path.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("not a file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("larger than {} MiB", MAX_FILE >> 20));
    }
    Ok(bytes)
}
