//! Numbers: one, several in one chart, histograms, any tensor.
//!
//! The keys: value, scalars, histogram, buckets, tensor.

use serde_json::Value;

use super::keys::{Keys, Reason, a_number, count, list, name_fits, named, number, numbers, text};
use super::line::{Content, one};
use super::nested::leaves;
use crate::summary::{Element, Histogram, Tensor};

pub(super) fn value(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    Ok(Content::Scalars(vec![(tag, a_number("value", value)?)]))
}

pub(super) fn scalars(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let scalars = named("scalars", value, |name, value| {
        name_fits("scalars", name.to_owned())?;
        a_number(name, value)
    })?;
    if scalars.is_empty() {
        return Err("'scalars' holds no numbers".to_owned());
    }
    Ok(Content::Chart { tag, scalars })
}

pub(super) fn histogram(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let values = match value {
        Value::Object(keys) if keys.contains_key("buckets") => {
            let mut keys = Keys(keys);
            let ready = keys.need("buckets", "histogram")?;
            keys.none_left("buckets")?;
            return buckets(tag, ready, &mut keys);
        }
        values => numbers("histogram", &values)?,
    };
    let histogram = Histogram::of(&values);
    let counts = histogram.nonfinite_counts();
    let counts = counts.map(|(kind, count)| (format!("{tag}/{kind}"), (count as f64).into()));
    let mut values: Vec<_> = counts.collect();
    values.push((tag, histogram.into()));
    Ok(Content::Values(values))
}

pub(super) fn buckets(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    const FORM: &str =
        "'buckets' is not [[left, right, count], …], ascending, with counts from 0 on";
    let bucket = |bucket: &Value| numbers("buckets", bucket).ok()?.try_into().ok();
    let buckets: Option<Vec<[f64; 3]>> = value
        .as_array()
        .and_then(|buckets| buckets.iter().map(bucket).collect());
    let buckets = buckets.ok_or(FORM)?;
    match Histogram::from_buckets(buckets) {
        Ok(histogram) => Ok(one(tag, histogram)),
        Err(_) => Err(FORM.to_owned()),
    }
}

/// Any tensor for any plugin: nested arrays, or a flat one and its "shape".
pub(super) fn tensor(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let shape = keys.or("shape", None, |key, value| {
        list(key, value, |size| count::<usize>(key, size)).map(Some)
    })?;
    let plugin = text("plugin", keys.need("plugin", "tensor")?)?;
    let content = keys.or("content", String::new(), |_, value| {
        Ok(match value {
            Value::String(content) => content,
            settings => settings.to_string(),
        })
    })?;
    let title = keys.or("display_name", String::new(), text)?;
    let dtype = keys.or("dtype", String::new(), text)?;
    let tensor = elements(&dtype, &plugin, shape, &value)?;
    Ok(one(tag, tensor.content(content).display_name(title)))
}

fn elements(
    dtype: &str,
    plugin: &str,
    shape: Option<Vec<usize>>,
    value: &Value,
) -> Result<Tensor, Reason> {
    match dtype {
        "" | "float32" => typed(
            plugin,
            shape,
            value,
            |it| Some(number(it).ok()? as f32),
            "numbers",
        ),
        "float64" => typed(plugin, shape, value, |it| number(it).ok(), "numbers"),
        "int64" => typed(
            plugin,
            shape,
            value,
            Value::as_i64,
            "whole numbers of 64 bits",
        ),
        "int32" => {
            let read = |it: &Value| i32::try_from(it.as_i64()?).ok();
            typed(plugin, shape, value, read, "whole numbers of 32 bits")
        }
        "uint8" => {
            let read = |it: &Value| u8::try_from(it.as_u64()?).ok();
            typed(plugin, shape, value, read, "whole numbers from 0 to 255")
        }
        "bool" => typed(plugin, shape, value, Value::as_bool, "true and false"),
        "string" => {
            let read = |it: &Value| it.as_str().map(str::to_owned);
            typed(plugin, shape, value, read, "texts")
        }
        other => Err(format!(
            "'dtype' is \"{other}\", not one of float32, float64, int32, int64, uint8, bool, string"
        )),
    }
}

fn typed<T: Element>(
    plugin: &str,
    shape: Option<Vec<usize>>,
    value: &Value,
    read: impl Fn(&Value) -> Option<T>,
    what: &str,
) -> Result<Tensor, Reason> {
    let (nested, leaves) = leaves("tensor", value)?;
    let element =
        |leaf: &&Value| read(leaf).ok_or_else(|| format!("'tensor' holds {leaf}, not only {what}"));
    let elements = leaves.iter().map(element).collect::<Result<Vec<T>, _>>()?;
    Tensor::new(plugin, &shape.unwrap_or(nested), &elements)
        .map_err(|error| format!("'tensor': {error}"))
}
