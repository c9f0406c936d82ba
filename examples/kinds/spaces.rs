//! Spaces: a torus as a mesh that one can turn, and points with labels and pictures in the projector.
//!
//! `cargo run --example kinds_spaces --no-default-features`, then `tensorboard --logdir runs`: the pages Mesh and
//! Projector.

use modelpulse::Session;
use modelpulse::log::Embedding;
use modelpulse::summary::Mesh;
use std::f32::consts::TAU;

const AROUND: i32 = 48;
const TUBE: i32 = 24;

/// A torus: vertices, triangles between them, and colours that go round with it.
fn torus() -> Result<Mesh, Box<dyn std::error::Error>> {
    let places = (0..AROUND).flat_map(|i| (0..TUBE).map(move |j| (i, j)));
    let angle = |i: i32, of: i32| i as f32 / of as f32 * TAU;
    let vertex = |(i, j): (i32, i32)| {
        let (a, b) = (angle(i, AROUND), angle(j, TUBE));
        let wide = 2.0 + 0.8 * b.cos();
        [wide * a.cos(), wide * a.sin(), 0.8 * b.sin()]
    };
    let at = |i: i32, j: i32| i % AROUND * TUBE + j % TUBE;
    let square = |(i, j): (i32, i32)| {
        let [a, b, c, d] = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
        [[a, b, c], [a, c, d]]
    };
    let colour = |(i, j): (i32, i32)| {
        let wave = |shift: f32| (128.0 + 127.0 * (angle(i, AROUND) + shift).sin()) as u8;
        [wave(0.0), wave(TAU / 3.0), (j * 255 / TUBE) as u8]
    };
    let vertices: Vec<_> = places.clone().map(vertex).collect();
    let faces: Vec<_> = places.clone().flat_map(square).collect();
    let colours: Vec<_> = places.map(colour).collect();
    Ok(Mesh::new(&vertices)?.faces(&faces)?.colours(&colours)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_spaces")?;
    let run = session.run("model");
    run.mesh("torus", 0, &torus()?);

    // Three clouds in eight dimensions, each point with its class and a small picture.
    let point = |i: usize| {
        let near = move |dim: usize| f32::from(u8::from(dim % 3 == i % 3)) * 3.0;
        let noise = move |dim: usize| ((i * 31 + dim * 17) % 23) as f32 / 23.0;
        (0..8).map(move |dim| near(dim) + noise(dim))
    };
    let points: Vec<f32> = (0..150).flat_map(point).collect();
    let class = |i: usize| ["circle", "square", "cross"][i % 3];
    let picture = |i: usize| {
        (0..256_usize).map(move |at| {
            let (x, y) = ((at % 16) as i32 - 8, (at / 16) as i32 - 8);
            let inside = match i % 3 {
                0 => x * x + y * y < 40,
                1 => x.abs().max(y.abs()) < 6,
                _ => x.abs().min(y.abs()) < 2,
            };
            if inside { 40 } else { 235 }
        })
    };
    let pictures: Vec<u8> = (0..150).flat_map(picture).collect();
    let embedding = Embedding::new("shapes", 8, &points)?
        .column("class", (0..150).map(class))?
        .column("number", (0..150).map(|i| i.to_string()))?
        .grey_thumbnails(16, 16, &pictures)?;
    run.embedding(&embedding)?;

    let report = session.finish()?;
    println!("{} values in runs/kinds_spaces", report.written);
    Ok(())
}
