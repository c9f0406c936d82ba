//! Scalars: one with a description, values that are not finite, and several curves in one chart by a layout.

use modelpulse::log::Writer;
use modelpulse::summary::{Band, Chart, Layout, Scalar};
use serde_json::{Value, json};

use crate::support::{Board, number, route, series};

pub const RUN: &str = "numbers";
pub const LOSS: &str = "train/loss";
const DESCRIPTION: &str = "cross-entropy, *nats*";
/// The least and the greatest number of single precision, and what no number is.
const ODD: [f32; 6] = [
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    -0.1,
];
const ODD_TAG: &str = "odd";
/// Curves of one chart, in one run.
pub const CURVES: [&str; 2] = ["curves/train", "curves/eval"];
pub const BAND: [&str; 3] = ["band/mean", "band/min", "band/max"];
/// Titles of the sections and charts.
pub const SECTIONS: [(&str, &str); 2] = [
    ("several curves", "train and eval"),
    ("bands", "mean, least, most"),
];
pub const STEPS: u8 = 20;

fn loss(step: u8) -> f64 {
    1.0 / (1.0 + f64::from(step))
}

fn curve(index: usize, step: u8) -> f64 {
    loss(step) * (1.0 + 0.3 * index as f64)
}

fn band(index: usize, step: u8) -> f64 {
    f64::from(step) + [0.0, -2.0, 2.0][index]
}

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    for step in 0..STEPS {
        run.log(
            LOSS,
            u32::from(step),
            Scalar::new(loss(step)).description(DESCRIPTION),
        );
        for (index, tag) in CURVES.iter().enumerate() {
            run.scalar(tag, u32::from(step), curve(index, step));
        }
        for (index, tag) in BAND.iter().enumerate() {
            run.scalar(tag, u32::from(step), band(index, step));
        }
    }
    for (step, value) in ODD.iter().enumerate() {
        run.scalar(ODD_TAG, step as i64, f64::from(*value));
    }
    let [value, lower, upper] = BAND.map(str::to_owned);
    let layout = Layout::new()
        .section(SECTIONS[0].0, [Chart::tags(SECTIONS[0].1, CURVES)])
        .section(
            SECTIONS[1].0,
            [Chart::bands(
                SECTIONS[1].1,
                [Band {
                    value,
                    lower,
                    upper,
                }],
            )],
        );
    run.log(Layout::TAG, 0, layout);
}

pub fn are_answered(board: &Board) {
    let expected =
        |value: fn(u8) -> f64| (0..STEPS).map(move |step| (u64::from(step), value(step) as f32));
    let points = |tag: &str| points(&series(board, "scalars", "scalars", RUN, tag, STEPS.into()));
    assert!(points(LOSS).into_iter().eq(expected(loss)));
    for (index, tag) in CURVES.iter().enumerate() {
        let expected = (0..STEPS).map(|step| (u64::from(step), curve(index, step) as f32));
        assert!(points(tag).into_iter().eq(expected), "{tag}");
    }
    let tags = board.get("/data/plugin/scalars/tags");
    assert_eq!(
        tags[RUN][LOSS]["description"],
        "<p>cross-entropy, <em>nats</em></p>"
    );
    assert_eq!(tags[RUN][CURVES[0]]["description"], "");

    let odd = series(board, "scalars", "scalars", RUN, ODD_TAG, ODD.len());
    let odd: Vec<u32> = odd
        .iter()
        .map(|point| number(&point[2]).to_bits())
        .collect();
    assert_eq!(odd, ODD.map(f32::to_bits));

    charts_are_laid_out(board);
}

fn charts_are_laid_out(board: &Board) {
    let laid_out = |layout: &Value| layout.get("category").is_some();
    let layout = board.until("/data/plugin/custom_scalars/layout", None, laid_out);
    let [curves, bands] = SECTIONS;
    let [value, lower, upper] = BAND;
    let expected = json!({
        "category": [
            {"title": curves.0, "closed": false, "chart": [
                {"title": curves.1, "multiline": {"tag": ["^curves/train$", "^curves/eval$"]}},
            ]},
            {"title": bands.0, "closed": false, "chart": [
                {"title": bands.1, "margin": {"series": [{"value": value, "lower": lower, "upper": upper}]}},
            ]},
        ],
        "version": 0,
    });
    assert_eq!(layout, expected);
    // As the page asks for the curves of each.
    for (pattern, tags) in [
        ("^curves/train$", &CURVES[..1]),
        ("band/mean", &BAND[..1]),
        ("curves/.*", &CURVES),
    ] {
        let path = route(
            "custom_scalars",
            "scalars",
            &[("run", RUN), ("tag", pattern)],
        );
        let answer = board.get(&path);
        assert_eq!(answer["regex_valid"], true, "{pattern}");
        let found = answer["tag_to_events"].as_object().unwrap();
        assert_eq!(found.len(), tags.len(), "{pattern}");
        for &tag in tags {
            let scalars = series(board, "scalars", "scalars", RUN, tag, STEPS.into());
            assert_eq!(
                points(found[tag].as_array().unwrap()),
                points(&scalars),
                "{pattern} {tag}"
            );
        }
    }
}

/// Steps and values.
fn points(points: &[Value]) -> Vec<(u64, f32)> {
    let point = |point: &Value| (point[1].as_u64().unwrap(), number(&point[2]));
    points.iter().map(point).collect()
}
