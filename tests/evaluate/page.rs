//! The report in a headless browser: every chart is drawn, no script complains, and nothing is fetched.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::browser::Browser;
use super::report_pages::look;
use super::{evaluate, python};

/// A report: what is evaluated, and the charts that must be on its page, in order.
type Report = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const REPORTS: [Report; 6] = [
    (
        "binary",
        &["--predictions", "cancer.parquet"],
        &[
            "ROC curve",
            "Precision and recall",
            "Confusion matrix",
            "Reliability",
            "Scores by class",
        ],
    ),
    (
        "compared",
        &[
            "--predictions",
            "cancer.csv",
            "--baseline",
            "old.csv",
            "--slices",
            "site,radius",
            "--label-errors",
        ],
        &[
            "ROC curve",
            "Precision and recall",
            "Confusion matrix",
            "Reliability",
            "Scores by class",
            "Worst slices",
        ],
    ),
    (
        "multiclass",
        &["--predictions", "digits.parquet", "--label-errors"],
        &[
            "ROC curve",
            "Precision and recall",
            "Confusion matrix",
            "Reliability",
        ],
    ),
    (
        "decided",
        &["--predictions", "decided.csv"],
        &["Confusion matrix"],
    ),
    (
        "multilabel",
        &["--predictions", "labels.csv"],
        &["ROC curve", "Precision and recall"],
    ),
    (
        "regression",
        &[
            "--predictions",
            "diabetes.csv",
            "--slices",
            "bmi",
            "--confidence",
        ],
        &[
            "True and predicted",
            "Residuals",
            "Distribution of errors",
            "Worst slices",
        ],
    ),
];

#[test]
fn the_report_is_drawn_in_a_browser_and_fetches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    python("predictions.py", dir);
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports");
    fs::create_dir_all(&pictures).unwrap();
    let browser = Browser::start();
    for (name, arguments, charts) in REPORTS {
        let file = format!("{name}.html");
        let (code, _, err) = evaluate(dir, &[arguments, &["--quiet", "--html", &file]].concat());
        assert_eq!((code, err.as_str()), (Some(0), ""), "{name}");
        let seen = look(&browser, &dir.join(&file));
        let titles: Vec<&str> = seen["charts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|chart| chart["title"].as_str().unwrap())
            .collect();
        assert_eq!(titles, charts, "{name}");
        for (at, chart) in seen["charts"].as_array().unwrap().iter().enumerate() {
            assert!(chart["marks"].as_u64() > Some(0), "{name}: {chart}");
            assert_eq!(chart["out"], json!([]), "{name}: {chart}");
            let place = browser.run(&format!(
                "const chart = document.querySelectorAll('figure.chart svg')[{at}];
                chart.scrollIntoView();
                return chart.getBoundingClientRect().toJSON();"
            ));
            browser.until_coloured(&place, 5);
        }
        assert_eq!(seen["fetched"], json!([]), "{name}");
        assert_eq!(seen["wide"], false, "{name}");
        assert_eq!(browser.complaints(), [""; 0], "{name}");
        browser.run("window.scrollTo(0, 0)");
        let picture = pictures.join(format!("{name}.png"));
        fs::write(picture, browser.screenshot().png()).unwrap();
    }
    // What comes from data is text.
    let table = "device,label,score\nweb <b>,1,0.2\nweb <b>,0,0.9\nios,1,0.8\nios,0,0.1\n";
    fs::write(dir.join("names.csv"), table).unwrap();
    let arguments = "--predictions names.csv --slices device --slice-rows 1 --html names.html";
    evaluate(dir, &arguments.split(' ').collect::<Vec<_>>());
    look(&browser, &dir.join("names.html"));
    let shown = browser.run("return texts(document.body).includes('device = web <b>')");
    assert_eq!(shown, true);
    println!("screenshots of reports: {}", pictures.display());

    // Else what is asserted above could not fail.
    let page = fs::read_to_string(dir.join("binary.html")).unwrap();
    let other = "<img src=\"http://127.0.0.1:1/nothing.png\"><script>nothing();</script></main>";
    fs::write(dir.join("other.html"), page.replace("</main>", other)).unwrap();
    let seen = look(&browser, &dir.join("other.html"));
    assert_eq!(seen["fetched"].as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!(browser.complaints().len(), 2);
}
