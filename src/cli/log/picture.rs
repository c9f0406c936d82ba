//! Pictures as lines give them: files, Base64, or pixels in nested arrays.
//!
//! A file is logged as it is; its pixels are read only where something is drawn from them.

use serde_json::Value;

use super::bytes;
use super::keys::{Keys, Reason, list, text};
use super::nested::Nested;
use crate::summary::{Image, PixelLayout};

/// A picture that can be logged.
#[derive(Debug)]
pub(super) enum Picture {
    /// Its file's bytes, and where they came from.
    Ready(String, Image),
    Pixels(Pixels),
}

/// Interleaved bytes of one to four channels.
#[derive(Debug)]
pub(super) struct Pixels {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) bytes: Vec<u8>,
}

impl Picture {
    pub(super) fn read(key: &str, value: Value) -> Result<Self, Reason> {
        match value {
            Value::Array(_) => Ok(Self::Pixels(Pixels::read(key, &value, None, None)?)),
            Value::Object(keys) if keys.contains_key("pixels") => {
                let mut keys = Keys(keys);
                let pixels = keys.need("pixels", key)?;
                let layout = keys.or("layout", None, |key, value| layout(key, value).map(Some))?;
                let max = keys.or("max", None, |key, value| max(key, &value).map(Some))?;
                keys.none_left("pixels")?;
                Ok(Self::Pixels(Pixels::read("pixels", &pixels, layout, max)?))
            }
            value => {
                let (name, bytes) = bytes::read(key, value)?;
                let image = Image::from_encoded(bytes);
                let image = image.map_err(|error| format!("{name}: {error}"))?;
                Ok(Self::Ready(name, image))
            }
        }
    }

    /// Several under one key.
    pub(super) fn list(key: &str, value: Value) -> Result<Vec<Self>, Reason> {
        list(key, value, |value| Self::read(key, value))
    }

    pub(super) fn image(self, key: &str) -> Result<Image, Reason> {
        match self {
            Self::Ready(_, image) => Ok(image),
            Self::Pixels(pixels) => pixels.image(key),
        }
    }

    pub(super) fn pixels(self) -> Result<Pixels, Reason> {
        match self {
            Self::Pixels(pixels) => Ok(pixels),
            Self::Ready(name, image) => {
                let (channels, bytes) = image.decode().map_err(|_| {
                    format!("{name}: its pixels cannot be read: give a whole PNG, or pixels")
                })?;
                Ok(Pixels {
                    width: image.width() as usize,
                    height: image.height() as usize,
                    channels,
                    bytes,
                })
            }
        }
    }
}

impl Pixels {
    fn read(
        key: &str,
        value: &Value,
        layout: Option<PixelLayout>,
        max: Option<f64>,
    ) -> Result<Self, Reason> {
        let Nested {
            shape,
            numbers,
            whole,
        } = Nested::read(key, value)?;
        let (height, width, channels) = match (&shape[..], layout) {
            (&[height, width], None) => (height, width, 1),
            (&[height, width, channels], None | Some(PixelLayout::Hwc)) => {
                (height, width, channels)
            }
            (&[channels, height, width], Some(PixelLayout::Chw)) => (height, width, channels),
            _ => {
                return Err(format!(
                    "'{key}' is of shape {shape:?}: pixels are height × width, or that × channels, or \
                     with \"layout\": \"chw\" channels × height × width"
                ));
            }
        };
        let max = max.unwrap_or(if whole { 255.0 } else { 1.0 });
        let wrong = numbers.iter().find(|level| !(0.0..=max).contains(*level));
        if let Some(level) = wrong {
            return Err(format!(
                "'{key}' holds {level}, not only levels from 0 to {max}"
            ));
        }
        let byte = |level: &f64| (level / max * 255.0).round() as u8;
        let bytes = match layout {
            Some(PixelLayout::Chw) => {
                let plane = height * width;
                let at = |index: usize| numbers.get(index % channels * plane + index / channels);
                (0..numbers.len()).filter_map(at).map(byte).collect()
            }
            _ => numbers.iter().map(byte).collect(),
        };
        Ok(Self {
            width,
            height,
            channels,
            bytes,
        })
    }

    pub(super) fn image(&self, key: &str) -> Result<Image, Reason> {
        let shape = [self.height, self.width, self.channels];
        Image::from_pixels(&self.bytes, shape, PixelLayout::Hwc)
            .map_err(|error| format!("'{key}': {error}"))
    }

    /// Red, green and blue; what is transparent is white.
    pub(super) fn rgb(&self) -> Vec<u8> {
        let over = |level: u8, alpha: u8| {
            let (level, alpha) = (u32::from(level), u32::from(alpha));
            ((level * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        let pixel = |pixel: &[u8]| match *pixel {
            [grey] => [grey; 3],
            [grey, alpha] => [over(grey, alpha); 3],
            [r, g, b] => [r, g, b],
            [r, g, b, alpha] => [r, g, b].map(|level| over(level, alpha)),
            _ => [0; 3],
        };
        let pixels = self.bytes.chunks_exact(self.channels.max(1));
        pixels.flat_map(pixel).collect()
    }
}

/// The size and channels that all have, one behind the other.
pub(super) fn batch(key: &str, all: &[Pixels]) -> Result<[usize; 3], Reason> {
    let size = |it: &Pixels| [it.height, it.width, it.channels];
    let first = all.first().map(size);
    let first = first.ok_or_else(|| format!("'{key}' holds no pictures"))?;
    match all.iter().position(|it| size(it) != first) {
        None => Ok(first),
        Some(index) => {
            let got = size(&all[index]);
            Err(format!(
                "picture {index} of '{key}' is {got:?} (height, width, channels), the first one {first:?}"
            ))
        }
    }
}

fn layout(key: &str, value: Value) -> Result<PixelLayout, Reason> {
    match &*text(key, value)? {
        "hwc" => Ok(PixelLayout::Hwc),
        "chw" => Ok(PixelLayout::Chw),
        other => Err(format!("'{key}' is \"{other}\", not \"hwc\" or \"chw\"")),
    }
}

fn max(key: &str, value: &Value) -> Result<f64, Reason> {
    let max = value.as_f64().filter(|max| *max > 0.0);
    max.ok_or_else(|| format!("'{key}' is {value}, not a positive number"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pixels(value: Value) -> Result<(usize, Vec<u8>), Reason> {
        let pixels = Picture::read("image", value)?.pixels()?;
        Ok((pixels.channels, pixels.bytes))
    }

    #[test]
    fn whole_levels_go_to_255_others_to_1() {
        assert_eq!(
            pixels(json!([[0, 255], [7, 1]])),
            Ok((1, vec![0, 255, 7, 1]))
        );
        assert_eq!(pixels(json!([[0, 0.5, 1]])), Ok((1, vec![0, 128, 255])));
        let sixteenths = json!({"pixels": [[0, 8, 16]], "max": 16});
        assert_eq!(pixels(sixteenths), Ok((1, vec![0, 128, 255])));
        let planes = json!({"pixels": [[[1, 2]], [[3, 4]], [[5, 6]]], "layout": "chw"});
        assert_eq!(pixels(planes), Ok((3, vec![1, 3, 5, 2, 4, 6])));
    }

    #[test]
    fn what_is_no_level_is_said() {
        for (value, said) in [
            (
                json!([[256]]),
                "'image' holds 256, not only levels from 0 to 255",
            ),
            (
                json!([[0.5, 1.5]]),
                "'image' holds 1.5, not only levels from 0 to 1",
            ),
            (json!([[0.5, "NaN"]]), "'image' holds NaN, not only levels"),
            (json!([1, 2]), "'image' is of shape [2]: pixels are"),
            (
                json!({"pixels": [[1]], "max": 0}),
                "'max' is 0, not a positive",
            ),
            (
                json!({"pixels": [[[1]]], "layout": "x"}),
                "'layout' is \"x\", not",
            ),
            (json!({"base64": "?"}), "'image' is no Base64"),
            (json!({"base64": "AAAA"}), "'image': no PNG"),
            (json!({"url": "x"}), "'image' needs 'base64' too"),
        ] {
            let error = pixels(value).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn transparent_is_white() {
        let pixels = Pixels {
            width: 2,
            height: 1,
            channels: 2,
            bytes: vec![10, 0, 10, 255],
        };
        assert_eq!(pixels.rgb(), [255, 255, 255, 10, 10, 10]);
    }
}
