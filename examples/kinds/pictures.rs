//! Pictures: pixels, a batch as a grid, boxes on an image, an animation, a chart drawn with plotters.
//!
//! `cargo run --example kinds_pictures --features figures,media`, then `tensorboard --logdir runs`: the page Images.

use modelpulse::Session;
use modelpulse::figure::{LabelledBox, PlottersBackend, draw, labelled_boxes};
use modelpulse::summary::{Animation, Image, ImageGrid, PixelLayout};
use plotters::{coord::Shift, prelude::*};

/// A disc at `x`, `y` on a dark ground: red, green and blue of 64 × 64 pixels.
fn disc(x: f64, y: f64) -> Vec<u8> {
    let pixel = |at: i32| {
        let (dx, dy) = (f64::from(at % 64) - x, f64::from(at / 64) - y);
        let light = (1.0 - (dx * dx + dy * dy) / 150.0).clamp(0.0, 1.0);
        [30.0, 40.0, 60.0].map(|ground| (ground + light * 180.0) as u8)
    };
    (0..64 * 64).flat_map(pixel).collect()
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A damped swing, drawn by plotters as into any file.
fn swing(area: &DrawingArea<PlottersBackend<'_>, Shift>) -> Result<(), Failed> {
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .caption("swing", ("sans-serif", 16))
        .x_label_area_size(24)
        .y_label_area_size(36)
        .build_cartesian_2d(0.0..10.0, -1.0..1.0)?;
    chart.configure_mesh().y_labels(5).draw()?;
    let points = (0..=200).map(|i| f64::from(i) / 20.0);
    let curve = points.map(|t| (t, (3.0 * t).cos() * (-0.3 * t).exp()));
    chart.draw_series(LineSeries::new(curve, &BLUE))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_pictures")?;
    let run = session.run("eval");

    // Floats from 0 to 1, channels first, as tensors have them: red grows to the right, green downwards.
    let level = |i: i16| match (i / 1024, i % 1024) {
        (0, at) => f32::from(at % 32) / 31.0,
        (1, at) => f32::from(at / 32) / 31.0,
        _ => 0.5,
    };
    let gradient: Vec<f32> = (0..3 * 32 * 32).map(level).collect();
    run.log(
        "gradient",
        0,
        Image::from_pixels(&gradient, [3, 32, 32], PixelLayout::Chw)?,
    );

    let discs: Vec<u8> = (0..8)
        .flat_map(|i| disc(12.0 + 5.0 * f64::from(i), 32.0))
        .collect();
    let grid = ImageGrid::new().columns(4).background(255);
    run.log(
        "batch",
        0,
        grid.draw(&discs, [8, 64, 64, 3], PixelLayout::Hwc)?,
    );

    let boxes = [
        LabelledBox::new([18.0, 18.0, 46.0, 46.0], "disc").score(0.97),
        LabelledBox::new([2.0, 40.0, 14.0, 60.0], "ghost").score(0.31),
    ];
    run.figure(
        "detections",
        0,
        labelled_boxes(&disc(32.0, 32.0), 64, 64, &boxes)?,
    );

    let angle = |i: i32| f64::from(i) * std::f64::consts::TAU / 24.0;
    let frames = (0..24).map(|i| disc(32.0 + 18.0 * angle(i).cos(), 32.0 + 18.0 * angle(i).sin()));
    run.log("orbit", 0, Animation::rgb(64, 64, 12.0, frames)?);

    run.figure("swing", 0, draw(320, 200, swing)?);

    let report = session.finish()?;
    println!("{} values in runs/kinds_pictures", report.written);
    Ok(())
}
