//! What is shown among the images: pictures, grids of them, pictures with boxes, animations.
//!
//! The keys: image, images, grid, animation.

use serde_json::Value;

use super::keys::{Keys, Reason, a_number, count, is, list, text};
use super::line::{Content, one};
use super::nested::Nested;
use super::picture::{Picture, batch};
use crate::figure::{LabelledBox, labelled_boxes};
use crate::summary::{Animation, Image, ImageFormat, ImageGrid, Images, PixelLayout};

pub(super) fn image(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let picture = Picture::read("image", value)?;
    let Some(boxes) = keys.take("boxes") else {
        return Ok(one(tag, picture.image("image")?));
    };
    let boxes = list("boxes", boxes, labelled_box)?;
    let pixels = picture.pixels()?;
    let drawn = labelled_boxes(&pixels.rgb(), pixels.width, pixels.height, &boxes);
    let drawn = drawn.map_err(|error| error.to_string())?;
    let image = Image::rgb(drawn.width(), drawn.height(), drawn.rgb());
    Ok(one(tag, image.map_err(|error| error.to_string())?))
}

pub(super) fn images(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let pictures = Picture::list("images", value)?.into_iter();
    let images: Result<Vec<Image>, Reason> = pictures.map(|it| it.image("images")).collect();
    let images = Images::new(images?).map_err(|error| format!("'images': {error}"))?;
    Ok(one(tag, images))
}

pub(super) fn grid(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let pictures = Picture::list("grid", value)?.into_iter();
    let tiles = pictures
        .map(Picture::pixels)
        .collect::<Result<Vec<_>, _>>()?;
    let [height, width, channels] = batch("grid", &tiles)?;
    let grid = ImageGrid::new()
        .columns(keys.or("columns", 8, count)?)
        .padding(keys.or("padding", 2, count)?)
        .background(keys.or("background", 0, count)?);
    let bytes: Vec<u8> = tiles.iter().flat_map(|tile| &tile.bytes).copied().collect();
    let shape = [tiles.len(), height, width, channels];
    let image = grid.draw(&bytes, shape, PixelLayout::Hwc);
    Ok(one(tag, image.map_err(|error| format!("'grid': {error}"))?))
}

/// Frames, or a ready GIF file.
pub(super) fn animation(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    let Value::Array(_) = value else {
        let image = Picture::read("animation", value)?.image("animation")?;
        return match image.format() {
            Some(ImageFormat::Gif) => Ok(one(tag, image)),
            _ => Err("'animation' is no GIF: give a GIF file, or an array of frames".to_owned()),
        };
    };
    let frames = Picture::list("animation", value)?.into_iter();
    let frames = frames.map(Picture::pixels).collect::<Result<Vec<_>, _>>()?;
    let [height, width, _] = batch("animation", &frames)?;
    let size = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
    let fps = keys.or("fps", 4.0, a_number)?;
    let frames = frames.iter().map(|frame| frame.rgb());
    let animation = Animation::rgb(size(width), size(height), fps, frames);
    Ok(one(
        tag,
        animation.map_err(|error| format!("'animation': {error}"))?,
    ))
}

/// `{"box": [x_min, y_min, x_max, y_max], "label": …, "score": …, "color": [r, g, b]}`, of which only the
/// box must be there.
fn labelled_box(value: Value) -> Result<LabelledBox, Reason> {
    let Value::Object(keys) = value else {
        return Err(format!("'boxes' holds {}, not only objects", is(&value)));
    };
    let mut keys = Keys(keys);
    let place = Nested::read("box", &keys.need("box", "boxes")?)?;
    let corners: [f64; 4] = (place.numbers.try_into())
        .map_err(|_| "'box' is not [x_min, y_min, x_max, y_max]".to_owned())?;
    let label = keys.or("label", String::new(), text)?;
    let mut labelled = LabelledBox::new(corners.map(|corner| corner as f32), label);
    if let Some(score) = keys.take("score") {
        labelled = labelled.score(a_number("score", score)? as f32);
    }
    if let Some(color) = keys.take("color") {
        let color = list("color", color, |level| count("color", level))?;
        let color = color
            .try_into()
            .map_err(|_| "'color' is not [red, green, blue]".to_owned());
        labelled = labelled.colour(color?);
    }
    keys.none_left("box")?;
    Ok(labelled)
}
