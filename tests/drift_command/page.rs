//! The report in a headless browser: every chart is drawn, no script complains, and nothing is fetched.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::browser::Browser;
use super::report_pages::look;
use super::{modelpulse, tables};

#[test]
fn the_report_is_drawn_in_a_browser_and_fetches_nothing() {
    let dir = tables();
    let dir = dir.path();
    let hostile = "a\"<b>,kind\n".to_owned() + &"1,<script>alert(1)</script>\n2,x&y\n".repeat(40);
    fs::write(dir.join("names.csv"), hostile).unwrap();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift_reports");
    fs::create_dir_all(&pictures).unwrap();
    let browser = Browser::start();
    for (name, reference, current, code, columns, charts) in [
        ("wide", "wide_a.parquet", "wide_b.parquet", 1, 20, 20),
        ("mixed", "mixed_a.csv", "mixed_b.csv", 1, 5, 5),
        ("scored", "scored_a.parquet", "scored_b.parquet", 1, 7, 10),
        ("names", "names.csv", "names.csv", 0, 2, 2),
    ] {
        let file = format!("{name}.html");
        let line =
            format!("drift --reference {reference} --current {current} --html {file} --quiet");
        let (got, _, err) = modelpulse(dir, &line);
        assert_eq!((got, err.as_str()), (code, ""), "{name}");
        let size = fs::metadata(dir.join(&file)).unwrap().len();
        assert!(size <= 500_000, "{name}: {size} bytes");
        println!("{name}: {size} bytes");
        let seen = look(&browser, &dir.join(&file));
        let drawn = seen["charts"].as_array().unwrap();
        assert_eq!(drawn.len(), charts, "{name}");
        for (at, chart) in drawn.iter().enumerate() {
            assert!(chart["marks"].as_u64() > Some(0), "{name}: {chart}");
            assert_eq!(chart["out"], json!([]), "{name}: {chart}");
            if at < 4 {
                let place = browser.run(&format!(
                    "const chart = document.querySelectorAll('figure.chart svg')[{at}];
                    chart.scrollIntoView();
                    return chart.getBoundingClientRect().toJSON();"
                ));
                browser.until_coloured(&place, 5);
            }
        }
        assert_eq!(seen["small"], 2 * columns, "{name}");
        assert_eq!(
            (&seen["fetched"], &seen["wide"]),
            (&json!([]), &json!(false)),
            "{name}"
        );
        assert_eq!(browser.complaints(), [""; 0], "{name}");
        browser.run("window.scrollTo(0, 0)");
        let picture = pictures.join(format!("{name}.png"));
        fs::write(picture, browser.screenshot().png()).unwrap();
        browser.run("document.querySelector('figure.chart').scrollIntoView()");
        let picture = pictures.join(format!("{name}-charts.png"));
        fs::write(picture, browser.screenshot().png()).unwrap();
    }
    println!("screenshots of reports: {}", pictures.display());
    let title = browser.run("return document.querySelector('h3').textContent");
    assert!(
        title
            .as_str()
            .is_some_and(|title| title == "a\"<b>" || title == "kind"),
        "{title}"
    );

    // Else what is asserted above could not fail.
    let page = fs::read_to_string(dir.join("mixed.html")).unwrap();
    assert!(!page.contains("<script"));
    let other = "<img src=\"http://127.0.0.1:1/nothing.png\"><script>nothing();</script></main>";
    fs::write(dir.join("other.html"), page.replace("</main>", other)).unwrap();
    let seen = look(&browser, &dir.join("other.html"));
    assert_eq!(seen["fetched"].as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!(browser.complaints().len(), 2);
}
