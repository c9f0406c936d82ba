//! Values that are no numbers, as the program prints them for scripts.
//!
//! A tensor of numbers is known by its type, shape, and the checksum of its packed elements; strings are
//! printed, unless they are long or no text: then their length and checksum.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::proto::DataType;
use crate::summary;

/// Longer strings are told by their checksum.
const SHORT: usize = 24;

/// `{"dtype", "shape", "sha"}`, or `{"dtype", "shape", "data"}` for strings, or `"error"` instead where
/// shape and elements differ. A checksum is the first 16 hexadecimal digits of SHA-256.
pub(super) fn json(value: &summary::Value) -> Value {
    let Some(tensor) = value.tensor() else {
        return value.number().map_or(Value::Null, super::json::number);
    };
    let dtype = tensor.tensor.dtype();
    let sizes = tensor.tensor.tensor_shape.as_ref();
    let shape: Vec<i64> = sizes.map_or_else(Vec::new, |shape| {
        shape.dim.iter().map(|dim| dim.size).collect()
    });
    let content = if dtype == DataType::DtString {
        tensor.as_strings().map(|strings| {
            let data: Vec<Value> = strings.iter().map(|string| text(string)).collect();
            ("data", data.into())
        })
    } else {
        tensor.packed().map(|(bytes, times)| {
            let mut hash = Sha256::new();
            (0..times).for_each(|_| hash.update(&bytes));
            ("sha", digits(hash).into())
        })
    };
    let (key, content): (_, Value) = match content {
        Ok(content) => content,
        Err(error) => ("error", error.to_string().into()),
    };
    json!({ "dtype": dtype.as_str_name(), "shape": shape, key: content })
}

fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() <= SHORT => text.into(),
        _ => {
            let mut hash = Sha256::new();
            hash.update(bytes);
            json!({ "len": bytes.len(), "sha": digits(hash) })
        }
    }
}

fn digits(hash: Sha256) -> String {
    let hash = hash.finalize();
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
