//! Figures: an image with boxes, ROC curves, a reliability diagram, curves, and what `plotters` draws.

use modelpulse::figure::{
    self, LabelledBox, LineChart, Picture, ReliabilityBin, RocCurve, labelled_boxes,
    reliability_diagram, roc_curves,
};
use modelpulse::log::Writer;
use modelpulse::summary::Image;
use plotters::prelude::*;
use serde_json::json;

use crate::images;
use crate::support::{Board, Decoded, decode};

pub const RUN: &str = "figures";
pub const NAMES: [&str; 5] = ["boxes", "roc", "reliability", "curves", "plotters"];

fn pictures() -> [Picture; 5] {
    [boxes(), roc(), reliability(), curves(), plotted()]
}

fn boxes() -> Picture {
    const SIDES: [usize; 2] = [320, 200];
    let shade = |index: usize| {
        let [x, y] = [index % SIDES[0], index / SIDES[0]];
        [60 + x * 120 / SIDES[0], 90 + y * 100 / SIDES[1], 140].map(|level| level as u8)
    };
    let rgb: Vec<u8> = (0..SIDES[0] * SIDES[1]).flat_map(shade).collect();
    let boxes = [
        LabelledBox::new([30.0, 40.0, 140.0, 170.0], "cat").score(0.93),
        LabelledBox::new([160.0, 60.0, 290.0, 180.0], "dog").score(0.71),
    ];
    labelled_boxes(&rgb, SIDES[0], SIDES[1], &boxes).unwrap()
}

fn roc() -> Picture {
    let rates = |power: i32| -> Vec<(f64, f64)> {
        let point = |index: i32| f64::from(index) / 20.0;
        (0..=20)
            .map(|index| (point(index), 1.0 - (1.0 - point(index)).powi(power)))
            .collect()
    };
    let [good, fair] = [rates(6), rates(2)];
    let curves = [
        RocCurve {
            name: "good",
            points: &good,
            auc: 0.857,
        },
        RocCurve {
            name: "fair",
            points: &fair,
            auc: 0.667,
        },
    ];
    roc_curves(&curves).unwrap()
}

fn reliability() -> Picture {
    let bin = |index: u32| {
        let confidence = (f64::from(index) + 0.5) / 10.0;
        ReliabilityBin {
            confidence,
            accuracy: confidence * confidence,
            count: u64::from(100 + 50 * index),
        }
    };
    let bins: Vec<ReliabilityBin> = (0..10).map(bin).collect();
    reliability_diagram(&bins).unwrap()
}

fn curves() -> Picture {
    let points =
        |scale: f64| (0..50).map(move |step| (f64::from(step), scale / (1.0 + f64::from(step))));
    LineChart::new("loss")
        .axes("epoch", "nats")
        .line("train", points(1.0).collect::<Vec<_>>())
        .line("eval", points(1.5).collect::<Vec<_>>())
        .draw()
        .unwrap()
}

fn plotted() -> Picture {
    let plot = figure::draw(360, 240, |root| {
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(root)
            .caption("learning rate", ("sans-serif", 15))
            .margin(10)
            .x_label_area_size(25)
            .y_label_area_size(40)
            .build_cartesian_2d(0.0..10.0, 0.0..1.0)?;
        chart.configure_mesh().draw()?;
        let points = (0..=200)
            .map(|i| f64::from(i) / 20.0)
            .map(|x| (x, 0.5 + 0.4 * (x * 1.5).sin()));
        chart.draw_series(LineSeries::new(points, BLUE.stroke_width(2)))?;
        Ok(())
    });
    plot.unwrap()
}

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    for (name, picture) in NAMES.iter().zip(pictures()) {
        let image = Image::rgb(picture.width(), picture.height(), picture.rgb());
        run.log(name, 0, image.unwrap());
    }
}

pub fn are_answered(board: &Board) {
    let file = |name: &&str| images::bytes(board, RUN, name, 0, 1).remove(0).1;
    let files: Vec<Vec<u8>> = NAMES.iter().map(file).collect();
    let decoded = decode(&files).into_iter().zip(pictures());
    for ((Decoded { facts, content }, picture), name) in decoded.zip(NAMES) {
        let size = [picture.width(), picture.height()];
        assert_eq!(
            facts,
            json!({"format": "PNG", "size": size, "mode": "RGB", "frames": 1}),
            "{name}"
        );
        assert!(content[0] == picture.rgb(), "{name}: other pixels");
    }
}
