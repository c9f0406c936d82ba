//! Meshes: a ring with faces, colours and a camera, over two steps; a point cloud; a batch.

use modelpulse::log::Writer;
use modelpulse::summary::Mesh;
use serde_json::{Value, json};

use crate::support::{Board, route};

pub const RUN: &str = "shapes";
pub const RING: &str = "ring";
const CLOUD: &str = "cloud";
const BATCH: &str = "batch";
const CONFIG: &str = r#"{"camera": {"cls": "PerspectiveCamera", "fov": 75}}"#;
const STEPS: usize = 2;
const POINTS: usize = 200;

/// Vertices around the ring, and around its tube.
const AROUND: [usize; 2] = [36, 16];
const VERTICES: usize = AROUND[0] * AROUND[1];

/// A ring that leans back, thicker at the later step.
fn ring(step: usize) -> Vec<[f32; 3]> {
    let tube = 0.3 + 0.1 * step as f32;
    let vertex = |index: usize| {
        let turns = [index / AROUND[1], index % AROUND[1]];
        let [(up, out), (high, far)] = [0, 1]
            .map(|way| (turns[way] as f32 / AROUND[way] as f32 * std::f32::consts::TAU).sin_cos());
        let [x, y, z] = [
            (1.0 + tube * far) * out,
            (1.0 + tube * far) * up,
            tube * high,
        ];
        [x, 0.7 * y - 0.7 * z, 0.7 * y + 0.7 * z]
    };
    (0..VERTICES).map(vertex).collect()
}

/// Two triangles between each vertex and the next ones both ways.
fn faces() -> Vec<[i32; 3]> {
    let corner =
        |ring: usize, tube: usize| (ring % AROUND[0] * AROUND[1] + tube % AROUND[1]) as i32;
    let pair = |index: usize| {
        let (ring, tube) = (index / AROUND[1], index % AROUND[1]);
        let [a, b, c, d] =
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(r, t)| corner(ring + r, tube + t));
        [[a, b, c], [b, d, c]]
    };
    (0..VERTICES).flat_map(pair).collect()
}

fn colours() -> Vec<[u8; 3]> {
    let colour = |index: usize| {
        let [ring, tube] = [
            index / AROUND[1] * 255 / AROUND[0],
            index % AROUND[1] * 255 / AROUND[1],
        ];
        [ring, 255 - ring, tube].map(|level| level as u8)
    };
    (0..VERTICES).map(colour).collect()
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
        let ring = Mesh::new(&ring(step)).unwrap();
        let ring = ring
            .faces(&faces())
            .and_then(|ring| ring.colours(&colours()))
            .unwrap();
        let ring = ring.config(CONFIG).unwrap().description("a *ring*");
        for (tag, value) in ring.values(RING) {
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
        [(1, VERTICES), (2, 2 * VERTICES), (3, VERTICES)]
            .map(|(kind, items)| part(step, kind, 0b1110, [1, items, 3], CONFIG))
    });
    assert_eq!(parts(RING, 3 * STEPS), expected.as_flattened());
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
        assert_eq!(data(RING, "0", step, "VERTEX"), floats(&ring(step)));
        let faces: Vec<u8> = faces()
            .as_flattened()
            .iter()
            .flat_map(|it| it.to_le_bytes())
            .collect();
        assert_eq!(data(RING, "0", step, "FACE"), faces);
        assert_eq!(data(RING, "0", step, "COLOR"), colours().as_flattened());
    }
    assert_eq!(data(CLOUD, "0", 0, "VERTEX"), floats(&ball(1.0)));
    assert_eq!(data(BATCH, "0", 0, "VERTEX"), floats(&ball(1.0)));
    assert_eq!(data(BATCH, "1", 0, "VERTEX"), floats(&ball(3.0)));
    let tags = board.get("/data/plugin/mesh/tags");
    assert_eq!(
        tags[RUN],
        json!({RING: {"samples": 1}, CLOUD: {"samples": 1}, BATCH: {"samples": 2}})
    );
}
