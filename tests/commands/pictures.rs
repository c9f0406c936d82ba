//! Plots, as files and on the terminal.

use modelpulse::flow::Event;
use modelpulse::summary::Image;
use serde_json::Value;

use crate::{log, modelpulse};

#[test]
fn curves_are_drawn_as_png_as_svg_and_as_characters() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("log");
    let mut events = Vec::new();
    for step in 0..5000_i64 {
        let value = if step == 100 {
            f64::NAN
        } else {
            1.0 / (1 + step % 100) as f64
        };
        events.push(Event::new("train", "loss", step, step as f64, value));
        events.push(Event::new("eval", "loss", step, step as f64, 0.5));
        events.push(Event::new("eval", "accuracy", step, step as f64, 0.5));
    }
    log(&logdir, &events);
    let path = logdir.to_str().unwrap();

    let png = dir.path().join("plot.png");
    let arguments = ["plot", path, "--smooth", "0.9", "--size", "640x300", "-o"];
    modelpulse(arguments.into_iter().chain([png.to_str().unwrap()]), 0);
    let image = Image::from_png(std::fs::read(&png).unwrap()).unwrap();
    assert_eq!((image.width(), image.height()), (640, 600));
    assert!(image.decode().is_ok());

    let svg = dir.path().join("plot.svg");
    let arguments = ["plot", path, "--tag", "loss", "--x", "time", "-o"];
    modelpulse(arguments.into_iter().chain([svg.to_str().unwrap()]), 0);
    let text = std::fs::read_to_string(&svg).unwrap();
    assert!(
        text.starts_with("<svg") && text.contains("train (1 not finite)"),
        "{text:.200}"
    );
    // As many points as can be seen, not as many as there are.
    assert!(text.len() < 500_000, "{}", text.len());

    let (out, _) = modelpulse(["plot", path, "--tag", "loss", "--size", "60x8"], 0);
    assert!(
        out.contains('×') && out.contains("━━ train (1 not finite)"),
        "{out}"
    );

    let (out, _) = modelpulse(["plot", path, "--json", "--smooth", "0.5"], 0);
    let report: Value = serde_json::from_str(&out).unwrap();
    let line = &report["charts"][1]["lines"][1];
    assert_eq!(
        (&line["run"], &line["count"], &line["nonfinite"]),
        (&"train".into(), &5000.into(), &1.into())
    );

    let (_, err) = modelpulse(["plot", path, "--tag", "nothing"], 2);
    assert_eq!(err.lines().count(), 1, "{err}");
    let (_, err) = modelpulse(["plot", path, "-o", "x.jpg"], 2);
    assert!(err.contains(".png or .svg"), "{err}");
}
