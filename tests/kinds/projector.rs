//! Embeddings: labels and thumbnails, coordinates as text and as bytes, and settings that are written again.

use std::fs;

use modelpulse::log::{Embedding, Projector, Writer};
use serde_json::{Value, json};

use crate::support::{Board, decode, route};

pub const RUN: &str = "points";
/// The embedding that the page shows first.
pub const DIGITS: &str = "digits";
const RAW: &str = "raw";
pub const POINTS: usize = 90;
const DIMS: usize = 4;
/// Of a thumbnail.
const WIDTH: usize = 6;
const HEIGHT: usize = 5;

/// Three clouds in a space of four dimensions.
fn coordinates() -> Vec<f32> {
    let coordinate = |index: usize| {
        let (point, axis) = (index / DIMS, index % DIMS);
        let noise = ((index * index) as f32 * 0.618_034).fract() - 0.5;
        noise + if point % 3 == axis { 4.0 } else { 0.0 }
    };
    (0..POINTS * DIMS).map(coordinate).collect()
}

fn class(point: usize) -> String {
    ["zero", "one", "two"][point % 3].to_owned()
}

/// A bar at another place for each class.
fn thumbnails() -> Vec<u8> {
    let pixel = |point: usize, index: usize| {
        let bar = index % WIDTH / 2 == point % 3;
        if bar { 250 } else { 60 + point as u8 }
    };
    (0..POINTS)
        .flat_map(|point| (0..WIDTH * HEIGHT).map(move |index| pixel(point, index)))
        .collect()
}

pub fn log(writer: &Writer) {
    // The page finds settings beside the events of a run.
    writer.run(RUN).scalar("count", 0, POINTS as f64);
    let projector = Projector::new(writer.dir().join(RUN));
    // Which the next one of this name replaces.
    projector
        .write(&Embedding::new(DIGITS, 1, &[0.5, 1.5]).unwrap())
        .unwrap();
    // What others wrote is kept.
    let config = writer.dir().join(RUN).join("projector_config.pbtxt");
    let before = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("# by hand\n{before}")).unwrap();
    let digits = Embedding::new(DIGITS, DIMS, &coordinates()).unwrap();
    let digits = digits.column("class", (0..POINTS).map(class)).unwrap();
    let digits = digits
        .column("index", (0..POINTS).map(|point| point.to_string()))
        .unwrap();
    let [width, height] = [WIDTH, HEIGHT].map(|size| size as u32);
    projector
        .write(
            &digits
                .grey_thumbnails(width, height, &thumbnails())
                .unwrap(),
        )
        .unwrap();
    projector
        .write(&Embedding::new(RAW, DIMS, &coordinates()).unwrap().raw())
        .unwrap();
    assert!(
        fs::read_to_string(&config)
            .unwrap()
            .starts_with("# by hand\n")
    );
}

pub fn is_answered(board: &Board) {
    board.until("/data/plugin/projector/runs", None, |runs| {
        *runs == json!([RUN])
    });
    let info = board.get(&route("projector", "info", &[("run", RUN)]));
    let embeddings = info["embeddings"].as_array().unwrap();
    let named = |name: &str| {
        embeddings
            .iter()
            .find(|info| info["tensorName"] == name)
            .unwrap()
    };
    assert_eq!(embeddings.len(), 2, "{info}");
    let shape = json!([POINTS, DIMS]);
    assert_eq!(
        (&named(DIGITS)["tensorShape"], &named(RAW)["tensorShape"]),
        (&shape, &shape)
    );
    let sprite = &named(DIGITS)["sprite"];
    assert_eq!(sprite["singleImageDim"], json!([WIDTH, HEIGHT]));
    assert_eq!(
        named(RAW)
            .get("metadataPath")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        ""
    );

    let file = |call: &str, name: &str| {
        board.bytes(&route("projector", call, &[("run", RUN), ("name", name)]))
    };
    let bytes: Vec<u8> = coordinates()
        .iter()
        .flat_map(|it| it.to_le_bytes())
        .collect();
    assert_eq!(file("tensor", DIGITS), bytes);
    assert_eq!(file("tensor", RAW), bytes);
    let lines = (0..POINTS).map(|point| format!("{}\t{point}\n", class(point)));
    let expected = format!("class\tindex\n{}", lines.collect::<String>());
    assert_eq!(
        String::from_utf8(file("metadata", DIGITS)).unwrap(),
        expected
    );

    let decoded = decode(&[file("sprite_image", DIGITS)]).remove(0);
    // Ten by ten thumbnails, of which the last ten are blank.
    let row = 10 * WIDTH;
    assert_eq!(decoded.facts["size"], json!([row, 10 * HEIGHT]));
    for (index, expected) in thumbnails().chunks(WIDTH).enumerate() {
        let (point, line) = (index / HEIGHT, index % HEIGHT);
        let start = (point / 10 * HEIGHT + line) * row + point % 10 * WIDTH;
        assert_eq!(
            decoded.content[0][start..start + WIDTH],
            *expected,
            "point {point}"
        );
    }
}
