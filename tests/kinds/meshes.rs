//! Meshes: one with faces, colours and a camera, over two steps; a point cloud; a batch.

use modelpulse::log::Writer;
use modelpulse::summary::Mesh;
use serde_json::{Value, json};

use crate::support::{Board, route};

pub const RUN: &str = "shapes";
pub const CUBE: &str = "cube";
const CLOUD: &str = "cloud";
const BATCH: &str = "batch";
const CONFIG: &str = r#"{"camera": {"cls": "PerspectiveCamera", "fov": 75}}"#;
const STEPS: usize = 2;
const POINTS: usize = 200;

/// A corner of a cube around the middle for each of three bits.
fn corners(step: usize) -> Vec<[f32; 3]> {
    let half = 1.0 + step as f32;
    let corner =
        |number: usize| [0, 1, 2].map(|axis| if number >> axis & 1 == 1 { half } else { -half });
    (0..8).map(corner).collect()
}

/// Two triangles a side.
const FACES: [[i32; 3]; 12] = [
    [0, 2, 1],
    [1, 2, 3],
    [4, 5, 6],
    [5, 7, 6],
    [0, 1, 4],
    [1, 5, 4],
    [2, 6, 3],
    [3, 6, 7],
    [0, 4, 2],
    [2, 4, 6],
    [1, 3, 5],
    [3, 7, 5],
];

fn colours() -> Vec<[u8; 3]> {
    (0..8)
        .map(|corner| [0, 1, 2].map(|axis| if corner >> axis & 1 == 1 { 255 } else { 40 }))
        .collect()
}

/// Points on a ball.
fn ball(radius: f32) -> Vec<[f32; 3]> {
    let point = |index: usize| {
        let z = 1.0 - (2 * index + 1) as f32 / POINTS as f32;
        let (angle, side) = (index as f32 * 2.4, (1.0 - z * z).sqrt());
        [angle.cos() * side, angle.sin() * side, z].map(|place| place * radius)
    };
    (0..POINTS).map(point).collect()
}

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    for step in 0..STEPS {
        let cube = Mesh::new(&corners(step)).unwrap();
        let cube = cube
            .faces(&FACES)
            .and_then(|cube| cube.colours(&colours()))
            .unwrap();
        let cube = cube.config(CONFIG).unwrap().description("a *cube*");
        for (tag, value) in cube.values(CUBE) {
            run.log(tag, step as i64, value);
        }
    }
    let cloud = Mesh::new(&ball(1.0)).unwrap();
    let batch = Mesh::batch([1.0, 3.0].map(|radius| Mesh::new(&ball(radius)).unwrap())).unwrap();
    for (tag, value) in cloud.values(CLOUD).into_iter().chain(batch.values(BATCH)) {
        run.log(tag, 0, value);
    }
}

pub fn are_answered(board: &Board) {
    let parts = |tag: &str, count: usize| {
        let query = [("run", RUN), ("tag", tag), ("sample", "0")];
        let mut parts = board.list(&route("mesh", "meshes", &query), count);
        assert_eq!(parts.len(), count, "{tag}: {parts:?}");
        parts
            .iter_mut()
            .for_each(|part| part["wall_time"] = Value::Null);
        parts.sort_by_key(|part| (part["step"].as_u64(), part["content_type"].as_u64()));
        parts
    };
    let part = |step: usize, kind: usize, parts: usize, shape: [usize; 3], config: &str| {
        json!({
            "wall_time": null, "step": step, "content_type": kind, "components": parts,
            "config": config, "data_shape": shape,
        })
    };
    let expected = [0, 1].map(|step| {
        [(1, 8), (2, 12), (3, 8)]
            .map(|(kind, items)| part(step, kind, 0b1110, [1, items, 3], CONFIG))
    });
    assert_eq!(parts(CUBE, 3 * STEPS), expected.as_flattened());
    assert_eq!(parts(CLOUD, 1), [part(0, 1, 0b10, [1, POINTS, 3], "{}")]);
    assert_eq!(parts(BATCH, 1), [part(0, 1, 0b10, [2, POINTS, 3], "{}")]);

    let data = |tag: &str, sample: &str, step: usize, part: &str| {
        let step = step.to_string();
        let query = [
            ("run", RUN),
            ("tag", tag),
            ("sample", sample),
            ("content_type", part),
            ("step", &step),
        ];
        board.bytes(&route("mesh", "data", &query))
    };
    let floats = |points: &[[f32; 3]]| {
        points
            .as_flattened()
            .iter()
            .flat_map(|it| it.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    for step in 0..STEPS {
        assert_eq!(data(CUBE, "0", step, "VERTEX"), floats(&corners(step)));
        let faces: Vec<u8> = FACES
            .as_flattened()
            .iter()
            .flat_map(|it| it.to_le_bytes())
            .collect();
        assert_eq!(data(CUBE, "0", step, "FACE"), faces);
        assert_eq!(data(CUBE, "0", step, "COLOR"), colours().as_flattened());
    }
    assert_eq!(data(CLOUD, "0", 0, "VERTEX"), floats(&ball(1.0)));
    assert_eq!(data(BATCH, "0", 0, "VERTEX"), floats(&ball(1.0)));
    assert_eq!(data(BATCH, "1", 0, "VERTEX"), floats(&ball(3.0)));
    let tags = board.get("/data/plugin/mesh/tags");
    assert_eq!(
        tags[RUN],
        json!({CUBE: {"samples": 1}, CLOUD: {"samples": 1}, BATCH: {"samples": 2}})
    );
}
