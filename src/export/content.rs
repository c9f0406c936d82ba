//! What a value says, for a cell of a table or for a line of JSON.
//!
//! A number stays a number; a text stays as it is; what is larger is JSON, or files.

use prost::bytes::Bytes;
use serde_json::{Value as Json, json};

use super::json_lines::nonfinite;
use crate::flow::Event;
use crate::summary::{HParam, HParams, Histogram, ImageFormat, Tensor, Value};

/// What a value says.
pub(super) enum Content {
    Number(f64),
    Text(String),
    /// Named as in a line of JSON.
    Json(&'static str, Json),
    /// Ready files, with the extensions of their names.
    Files(Vec<(Bytes, &'static str)>),
}

/// What `value` says.
pub(super) fn content(value: &Value) -> Content {
    if let Some(number) = value.number() {
        return Content::Number(number);
    }
    let Some(tensor) = value.tensor() else {
        return Content::Json("tensor", Json::Null);
    };
    if tensor.plugin() == "hparams"
        && let Ok(hparams) = HParams::try_from(value)
    {
        return Content::Json("hparams", named(&hparams));
    }
    if let Ok(histogram) = Histogram::try_from(value) {
        let buckets = histogram.buckets().iter();
        let buckets = buckets.map(|bucket| bucket.map(number).to_vec().into());
        return Content::Json("buckets", Json::Array(buckets.collect()));
    }
    match tensor.as_strings() {
        Ok(strings) => of_strings(tensor, &strings),
        Err(_) => {
            let data = tensor.as_f64s().unwrap_or_default();
            Content::Json("tensor", shaped(tensor, data.into_iter().map(number)))
        }
    }
}

fn of_strings(tensor: &Tensor, strings: &[Bytes]) -> Content {
    let wav = |bytes: &Bytes| bytes.starts_with(b"RIFF").then_some("wav");
    let image = |bytes: &Bytes| {
        ImageFormat::of(bytes).map(|format| match format {
            ImageFormat::Png => "png",
            ImageFormat::Jpeg => "jpg",
            ImageFormat::Gif => "gif",
        })
    };
    let file = |bytes: &Bytes, extension: Option<&'static str>| {
        (bytes.clone(), extension.unwrap_or("bin"))
    };
    match tensor.plugin() {
        // Width and height come first.
        "images" if strings.len() > 2 => {
            let images = strings[2..].iter();
            Content::Files(images.map(|bytes| file(bytes, image(bytes))).collect())
        }
        // TensorFlow puts a label behind each clip.
        "audio" => {
            let labelled = tensor
                .shape()
                .is_ok_and(|shape| shape.len() == 2 && shape[1] == 2);
            let clips = strings.iter().step_by(if labelled { 2 } else { 1 });
            Content::Files(clips.map(|bytes| file(bytes, wav(bytes))).collect())
        }
        "graphs" | "graph_tagged_run_metadata" | "graph_run_metadata" | "graph_keras_model" => {
            let messages = strings.iter();
            Content::Files(messages.map(|bytes| file(bytes, Some("pb"))).collect())
        }
        _ => {
            let texts: Option<Vec<&str>> = strings
                .iter()
                .map(|bytes| std::str::from_utf8(bytes).ok())
                .collect();
            match texts.as_deref() {
                Some([text]) => Content::Text((*text).to_owned()),
                Some(texts) => {
                    let texts = texts.iter().map(|&text| text.into());
                    Content::Json("tensor", shaped(tensor, texts))
                }
                None => {
                    let files = strings.iter().map(|bytes| file(bytes, image(bytes)));
                    Content::Files(files.collect())
                }
            }
        }
    }
}

/// A tensor with its elements in row-major order.
fn shaped(tensor: &Tensor, data: impl Iterator<Item = Json>) -> Json {
    let name = tensor.tensor.dtype().as_str_name();
    json!({
        "dtype": name.trim_start_matches("DT_").to_ascii_lowercase(),
        "shape": tensor.shape().unwrap_or_default(),
        "data": data.collect::<Vec<_>>(),
    })
}

fn named(hparams: &HParams) -> Json {
    let value = |value: &HParam| match value {
        HParam::Number(value) => number(*value),
        HParam::Text(value) => value.as_str().into(),
        HParam::Bool(value) => (*value).into(),
    };
    let values = hparams.values();
    Json::Object(
        values
            .map(|(name, it)| (name.to_owned(), value(it)))
            .collect(),
    )
}

/// A number, or the name of one that JSON does not have.
pub(crate) fn number(number: f64) -> Json {
    nonfinite(number).map_or_else(|| number.into(), Json::from)
}

/// An event as an object, as `modelpulse log` reads it as far as it knows the kind: `run`, `tag`, `step`, `wall_time`,
/// and one of `value`, `text`, `buckets`, `hparams`, `tensor` and `files`, with the plugin beside the last two.
///
/// ```
/// use modelpulse::{export::event_as_json, flow::Event};
/// let json = event_as_json(&Event::new("train", "loss", 3, 1.5, f64::NAN));
/// let expected = r#"{"run":"train","tag":"loss","step":3,"wall_time":1.5,"value":"NaN"}"#;
/// assert_eq!(json.to_string(), expected);
/// ```
pub fn event_as_json(event: &Event) -> Json {
    let mut json = json!({
        "run": event.run.as_str(),
        "tag": event.tag.as_str(),
        "step": event.step.as_i64(),
        "wall_time": number(event.wall_time),
    });
    let (name, value) = match content(&event.value) {
        Content::Number(value) => ("value", number(value)),
        Content::Text(text) => ("text", text.into()),
        Content::Json(name, value) => (name, value),
        Content::Files(files) => {
            let file = |(bytes, extension): &(Bytes, &str)| json!({ "format": extension, "bytes": bytes.len() });
            ("files", files.iter().map(file).collect())
        }
    };
    if name == "tensor" || name == "files" {
        json["plugin"] = event.value.plugin().into();
    }
    json[name] = value;
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::{Image, Images, Text};

    fn json(value: impl Into<Value>) -> String {
        let json = event_as_json(&Event::new("r", "t", 0, 0.0, value));
        let text = json.to_string();
        text.trim_start_matches(r#"{"run":"r","tag":"t","step":0,"wall_time":0.0,"#)
            .to_owned()
    }

    #[test]
    fn each_kind_has_its_own_form() {
        assert_eq!(json(0.5), r#""value":0.5}"#);
        assert_eq!(json(f32::NEG_INFINITY), r#""value":"-Infinity"}"#);
        assert_eq!(json(Text::new("é\n")), r#""text":"é\n"}"#);
        let buckets = Histogram::from_buckets(vec![[0.0, 1.0, 2.0]]).unwrap();
        assert_eq!(json(buckets), r#""buckets":[[0.0,1.0,2.0]]}"#);
        let image = Image::grey(1, 1, &[7]).unwrap();
        let bytes = image.png().len();
        let images = Images::new(vec![image.clone(), image]).unwrap();
        assert_eq!(
            json(images),
            format!(
                r#""plugin":"images","files":[{{"format":"png","bytes":{bytes}}},{{"format":"png","bytes":{bytes}}}]}}"#
            )
        );
        let tensor = Tensor::new("mine", &[1, 2], &[1.0_f32, f32::NAN]).unwrap();
        assert_eq!(
            json(tensor),
            r#""plugin":"mine","tensor":{"dtype":"float","shape":[1,2],"data":[1.0,"NaN"]}}"#
        );
        let texts = Tensor::new("text", &[2], &["a", "b"]).unwrap();
        assert_eq!(
            json(texts),
            r#""plugin":"text","tensor":{"dtype":"string","shape":[2],"data":["a","b"]}}"#
        );
        let hparams = HParams::new()
            .set("lr", 0.5)
            .set("name", "x")
            .set("on", true);
        let (_, start) = hparams.session_start("s", crate::WallTime::now());
        assert_eq!(json(start), r#""hparams":{"lr":0.5,"name":"x","on":true}}"#);
    }
}
