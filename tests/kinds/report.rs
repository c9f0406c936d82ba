//! The page of `modelpulse evaluate`: charts, without a script, an error or a request.

use modelpulse::health::evaluation::{Evaluator, page};
use serde_json::{Value, json};

use crate::browser::Browser;

/// Predictions of a model that is right more often than not, and worse on one of three devices.
fn predictions(shift: f64) -> String {
    let mut table = "device,label,score\n".to_owned();
    for row in 0..600_u32 {
        let device = ["web <b>", "ios", "android"][row as usize % 3];
        let label = row * row % 7 < 3;
        let noise = f64::from(row * 37 % 101) / 101.0;
        let right = if row % 3 == 0 { 0.1 } else { 0.45 };
        let score = (noise * 0.5 + if label { right } else { 0.05 } + shift).clamp(0.0, 1.0);
        table += &format!("{device},{},{score}\n", u8::from(label));
    }
    table
}

#[test]
fn the_report_shows_its_charts_and_fetches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let [new, old] = [("new.csv", 0.0), ("old.csv", 0.1)].map(|(name, shift)| {
        let path = dir.path().join(name);
        std::fs::write(&path, predictions(shift)).unwrap();
        path
    });
    let evaluator = Evaluator::new().slices(["device"], 20).label_errors(5);
    let (evaluation, comparison) = evaluator.compare(&new, &old, |_, _| ()).unwrap();
    let file = dir.path().join("report.html");
    std::fs::write(&file, page::html(&evaluation, Some(&comparison))).unwrap();

    let browser = Browser::start();
    browser.open(&format!("file://{}", file.display()));
    let charts =
        browser.run("return all('figure.chart svg').map((svg) => svg.getAttribute('aria-label'))");
    let expected = [
        "ROC curve",
        "Precision and recall",
        "Confusion matrix",
        "Reliability diagram",
        "Scores by class",
        "Worst slices",
    ];
    assert_eq!(charts, json!(expected));
    for at in 0..expected.len() {
        let place = browser.run(&format!(
            "const svg = all('figure.chart svg')[{at}]; svg.scrollIntoView(); \
             const {{ x, y, width, height }} = svg.getBoundingClientRect(); return {{ x, y, width, height }}"
        ));
        browser.until_coloured(&place, 8);
    }
    // What comes from data is text.
    let shown = browser.run("return texts(document.body).includes('device = web <b>')");
    assert_eq!(shown, true);
    let fetched =
        browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)");
    assert_eq!(fetched, json!([]));
    assert_eq!(browser.run("return document.scripts.length"), 0);
    // Nothing stands out to the right.
    let wide = browser
        .run("return document.documentElement.scrollWidth > document.documentElement.clientWidth");
    assert_eq!(wide, Value::Bool(false));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
