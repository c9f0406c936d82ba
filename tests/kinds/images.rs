//! Images: all colour types, layouts and types of pixels, candle tensors, ready bytes, several side by side, a series,
//! a grid; and an animation.

use candle_core::{DType, Device, Tensor};
use modelpulse::log::Writer;
use modelpulse::summary::{Animation, Image, ImageGrid, Images, PixelLayout};
use serde_json::json;

use crate::support::{Board, Decoded, decode, route};

pub const RUN: &str = "pictures";
pub const SERIES: &str = "series";
const ANIMATION: &str = "animation";
const SEVERAL: &str = "several";
const READY: &str = "ready";
const GRID: &str = "grid";
const CANDLE_GRID: &str = "candle/grid";
pub const STEPS: usize = 3;
/// Small, and not square, so that width, height and channels are never mistaken.
pub const WIDTH: usize = 7;
pub const HEIGHT: usize = 5;
/// Of the animation.
const SIDE: u32 = 16;
const FRAMES: usize = 4;
/// Pillow's names of the colour types of 1 to 4 channels.
const MODES: [&str; 4] = ["L", "LA", "RGB", "RGBA"];

/// The samples of an image, pixel by pixel; `seed` makes another one.
pub fn samples(channels: usize, seed: usize) -> Vec<u8> {
    let sample = |index: usize| ((index + 1) * (37 + 2 * seed) + 11 * seed) as u8;
    (0..WIDTH * HEIGHT * channels).map(sample).collect()
}

/// The same, channel by channel.
fn planes(channels: usize, seed: usize) -> Vec<u8> {
    let samples = samples(channels, seed);
    let plane = |channel| samples.iter().skip(channel).step_by(channels).copied();
    (0..channels).flat_map(plane).collect()
}

fn floats(samples: &[u8]) -> Vec<f32> {
    samples
        .iter()
        .map(|&sample| f32::from(sample) / 255.0)
        .collect()
}

/// One image, made in every way in which it can be.
fn ways(channels: usize) -> Vec<(&'static str, Image)> {
    let (hwc, chw) = (samples(channels, 0), planes(channels, 0));
    let (by_pixel, by_channel) = ([HEIGHT, WIDTH, channels], [channels, HEIGHT, WIDTH]);
    let tensor = Tensor::from_vec(chw.clone(), (channels, HEIGHT, WIDTH), &Device::Cpu).unwrap();
    let float_tensor = (tensor.to_dtype(DType::F32).unwrap() / 255.0).unwrap();
    let [width, height] = [WIDTH, HEIGHT].map(|size| size as u32);
    let named = [Image::grey, Image::grey_alpha, Image::rgb, Image::rgba][channels - 1];
    vec![
        ("named", named(width, height, &hwc).unwrap()),
        (
            "hwc/u8",
            Image::from_pixels(&hwc, by_pixel, PixelLayout::Hwc).unwrap(),
        ),
        (
            "hwc/f32",
            Image::from_pixels(&floats(&hwc), by_pixel, PixelLayout::Hwc).unwrap(),
        ),
        (
            "chw/u8",
            Image::from_pixels(&chw, by_channel, PixelLayout::Chw).unwrap(),
        ),
        (
            "chw/f32",
            Image::from_pixels(&floats(&chw), by_channel, PixelLayout::Chw).unwrap(),
        ),
        (
            "candle/u8",
            Image::from_tensor(&tensor, PixelLayout::Chw).unwrap(),
        ),
        (
            "candle/f32",
            Image::from_tensor(&float_tensor, PixelLayout::Chw).unwrap(),
        ),
    ]
}

fn rgb(seed: usize) -> Image {
    Image::rgb(WIDTH as u32, HEIGHT as u32, &samples(3, seed)).unwrap()
}

/// Three grey images of 2 × 1 pixels.
const TILES: [u8; 6] = [1, 2, 3, 4, 5, 6];

fn grid() -> ImageGrid {
    ImageGrid::new().columns(2).padding(1).background(9)
}

/// A square that wanders over a ground of another colour.
fn frames() -> [Vec<u8>; FRAMES] {
    std::array::from_fn(|frame| {
        let pixel = |index: u32| {
            let [x, y] = [index % SIDE, index / SIDE].map(|place| place / 4);
            let square = x == frame as u32 && y == frame as u32;
            if square {
                [250, 200, 20]
            } else {
                [20, 40, 120]
            }
        };
        (0..SIDE * SIDE).flat_map(pixel).collect()
    })
}

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    for (channels, mode) in (1..).zip(MODES) {
        for (way, image) in ways(channels) {
            run.log(format!("{mode}/{way}"), 0, image);
        }
    }
    for step in 0..STEPS {
        run.log(SERIES, 10 * step as i64, rgb(step));
    }
    run.log(READY, 0, Image::from_encoded(rgb(0).png().clone()).unwrap());
    run.log(SEVERAL, 0, Images::new((0..3).map(rgb).collect()).unwrap());
    run.log(
        GRID,
        0,
        grid().draw(&TILES, [3, 1, 2, 1], PixelLayout::Hwc).unwrap(),
    );
    let tiles = Tensor::from_slice(&TILES, (3, 1, 1, 2), &Device::Cpu).unwrap();
    run.log(
        CANDLE_GRID,
        0,
        grid().draw_tensor(&tiles, PixelLayout::Chw).unwrap(),
    );
    run.log(
        ANIMATION,
        0,
        Animation::rgb(SIDE, SIDE, 4.0, frames()).unwrap(),
    );
}

/// The bytes and steps of the images of a series, which has `steps` of them.
pub fn bytes(
    board: &Board,
    run: &str,
    tag: &str,
    sample: usize,
    steps: usize,
) -> Vec<(u64, Vec<u8>)> {
    let query = [
        ("run", run),
        ("tag", tag),
        ("sample", &sample.to_string()[..]),
    ];
    let entries = board.list(&route("images", "images", &query), steps);
    assert_eq!(entries.len(), steps, "{run} {tag}");
    let bytes = |entry: &serde_json::Value| {
        let query = entry["query"].as_str().unwrap();
        let image = board.bytes(&format!("/data/plugin/images/individualImage?{query}"));
        (entry["step"].as_u64().unwrap(), image)
    };
    entries.iter().map(bytes).collect()
}

/// A file that TensorBoard gave, and what it must decode to.
struct File {
    name: String,
    bytes: Vec<u8>,
    mode: &'static str,
    pixels: Vec<u8>,
}

pub fn are_answered(board: &Board) {
    let one = |tag: &str, sample| bytes(board, RUN, tag, sample, 1).remove(0).1;
    let mut files = Vec::new();
    let mut file = |name: String, bytes, mode, pixels| {
        files.push(File {
            name,
            bytes,
            mode,
            pixels,
        });
    };
    for (channels, mode) in (1..).zip(MODES) {
        for (way, _) in ways(channels) {
            let tag = format!("{mode}/{way}");
            let bytes = one(&tag, 0);
            file(tag, bytes, mode, samples(channels, 0));
        }
    }
    for (step, (shown, bytes)) in bytes(board, RUN, SERIES, 0, STEPS).into_iter().enumerate() {
        assert_eq!(shown, 10 * step as u64);
        file(format!("{SERIES} {step}"), bytes, "RGB", samples(3, step));
    }
    file(READY.to_owned(), one(READY, 0), "RGB", samples(3, 0));
    for sample in 0..3 {
        let bytes = one(SEVERAL, sample);
        file(
            format!("{SEVERAL} {sample}"),
            bytes,
            "RGB",
            samples(3, sample),
        );
    }
    // As large as the other images, as it happens.
    let rows = [
        [9, 9, 9, 9, 9, 9, 9],
        [9, 1, 2, 9, 3, 4, 9],
        [9, 9, 9, 9, 9, 9, 9],
        [9, 5, 6, 9, 9, 9, 9],
        [9, 9, 9, 9, 9, 9, 9],
    ];
    for tag in [GRID, CANDLE_GRID] {
        file(tag.to_owned(), one(tag, 0), "L", rows.concat());
    }
    let encoded: Vec<_> = files.iter().map(|file| file.bytes.clone()).collect();
    for (Decoded { facts, content }, file) in decode(&encoded).into_iter().zip(files) {
        let all = json!({
            "format": "PNG", "size": [WIDTH, HEIGHT], "mode": file.mode, "frames": 1,
        });
        assert_eq!(facts, all, "{}", file.name);
        assert_eq!(content[0], file.pixels, "{}", file.name);
    }
    let tags = board.get("/data/plugin/images/tags");
    assert_eq!(tags[RUN][SEVERAL]["samples"], 3);
    assert_eq!(tags[RUN][SERIES]["samples"], 1);

    let Decoded { facts, content } = decode(&[one(ANIMATION, 0)]).remove(0);
    assert_eq!(facts["size"], json!([SIDE, SIDE]));
    assert_eq!(
        (&facts["frames"], &facts["loop"]),
        (&json!(FRAMES), &json!(0))
    );
    assert_eq!(facts["milliseconds"], json!(vec![250; FRAMES]));
    assert!(content.iter().eq(&frames()), "the frames of the animation");
}
