//! What TensorBoard's pages show of the log, in a browser: every tab, with no word of anything wrong, and a screenshot
//! of each.
//!
//! A page is ready when it shows what it must; what it shows is looked at where the browser draws it.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::support::Loader;
use crate::{audio, graphs, histograms, images, meshes, pr_curves, projector, scalars, text};

/// A tab: its name in the address, a filter of tags, and what must be on its page.
type Tab = (&'static str, &'static str, fn(&Browser));

const TABS: [Tab; 13] = [
    ("scalars", scalars::LOSS, scalars_are_drawn),
    ("images", images::SERIES, images_are_drawn),
    ("audio", audio::TONE, sounds_can_be_played),
    ("text", "", texts_are_rendered),
    ("histograms", histograms::WEIGHTS, histograms_are_drawn),
    (
        "distributions",
        histograms::WEIGHTS,
        distributions_are_drawn,
    ),
    ("pr_curves", pr_curves::SERIES, pr_curves_are_drawn),
    ("custom_scalars", "", charts_are_drawn),
    ("hparams", "", sessions_are_compared),
    ("graphs", "", graphs_are_drawn),
    ("mesh", meshes::RING, meshes_are_drawn),
    ("projector", "", points_are_drawn),
    ("timeseries", "", cards_are_shown),
];

#[test]
fn the_page_shows_what_was_logged() {
    let log = crate::log();
    let board = crate::board(log.path(), Loader::Fast);
    // A page that comes before the data stays empty.
    crate::assert_answered(&board);
    let browser = Browser::start();
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tensorboard");
    fs::create_dir_all(&pictures).unwrap();
    // Past the test's own capture: somebody may want to look.
    let _ = writeln!(
        std::io::stderr(),
        "screenshots of TensorBoard: {}",
        pictures.display()
    );
    for (tab, filter, shows) in TABS {
        browser.open(&format!("{}/#{tab}", board.url));
        let look = || {
            if !filter.is_empty() {
                select(&browser, filter);
            }
            shows(&browser);
        };
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look));
        let picture = pictures.join(format!("{tab}.png"));
        fs::write(&picture, browser.screenshot().png()).unwrap();
        if let Err(panic) = shown {
            eprintln!("the page '{tab}' is wrong: see {}", picture.display());
            std::panic::resume_unwind(panic);
        }
        assert_eq!(browser.run("return warnings()"), json!([]), "{tab}");
        let complaints = browser.complaints();
        assert!(complaints.is_empty(), "{tab}: {complaints:?}");
    }
}

#[test]
fn the_page_of_an_empty_log_warns() {
    // Else the test above would see no warning that there is.
    let log = tempfile::tempdir().unwrap();
    let board = crate::support::Board::start(log.path(), Loader::Fast, &[]);
    let browser = Browser::start();
    for tab in ["scalars", "graphs"] {
        browser.open(&format!("{}/#{tab}", board.url));
        browser.until("a warning", "return warnings().length > 0");
    }
    browser.run("fetch('/data/no/such/route'); return null");
    let since = std::time::Instant::now();
    while browser.complaints().is_empty() {
        assert!(since.elapsed().as_secs() < 30, "no complaint");
    }
}

/// Filters by a tag, as one does who types: else a page shows its first tags.
fn select(browser: &Browser, tag: &str) {
    let script = format!(
        "const filter = all('tf-tag-filterer')[0]; filter?.set('_tagFilter', '^{tag}$'); return !!filter;"
    );
    browser.until("a filter of tags", &script);
}

/// The first card of a kind with a title that draws lines, areas or outlines; each with its size and points.
#[track_caller]
fn drawn(browser: &Browser, kind: &str, title: &str, class: &str, least: usize) -> Vec<Value> {
    let script = format!(
        "const found = card('{kind}', '{title}'); const drawn = found && paths(found, '{class}');
        return drawn && drawn.length >= {least} && drawn;"
    );
    let drawn = browser.until(&format!("{least} of {class} of {title}"), &script);
    drawn.as_array().unwrap().clone()
}

/// Holds a line or an area to be seen, with all its points.
#[track_caller]
fn assert_drawn(drawn: &Value, points: u64) {
    let size = |side: &str| drawn[side].as_f64().unwrap();
    assert!(size("width") > 80.0 && size("height") > 20.0, "{drawn}");
    assert_eq!(drawn["points"], points, "{drawn}");
}

fn scalars_are_drawn(browser: &Browser) {
    let lines = drawn(browser, "tf-scalar-card", scalars::LOSS, "line", 1);
    assert_drawn(&lines[0], scalars::STEPS.into());
    // The description stands behind a button of the heading.
    browser.run("all('tf-card-heading').flatMap(it => all('paper-icon-button', it))[0].click()");
    browser.until(
        "the description",
        "return all('em').some(it => it.textContent === 'nats')",
    );
}

fn images_are_drawn(browser: &Browser) {
    // What the browser decoded, as it draws it.
    let script = format!(
        "const found = card('tf-image-loader', '{}');
        const image = found && all('img', found)[0];
        if (!image || !image.complete || !image.naturalWidth) return null;
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        return {{
            size: [canvas.width, canvas.height],
            pixels: [...context.getImageData(0, 0, canvas.width, canvas.height).data],
            texts: texts(found),
        }};",
        images::SERIES,
    );
    let image = browser.until("an image", &script);
    assert_eq!(image["size"], json!([images::WIDTH, images::HEIGHT]));
    let opaque = images::samples(3, images::STEPS - 1)
        .chunks(3)
        .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255])
        .collect::<Vec<u8>>();
    assert_eq!(image["pixels"], json!(opaque));
    assert!(
        image["texts"]
            .as_array()
            .unwrap()
            .contains(&json!(images::RUN)),
        "{image}"
    );
}

fn sounds_can_be_played(browser: &Browser) {
    let script = format!(
        "const found = card('tf-audio-loader', '{}');
        const sound = found && all('audio', found)[0];
        return sound && sound.readyState > 0 && {{duration: sound.duration, error: sound.error}};",
        audio::TONE,
    );
    let sound = browser.until("a sound", &script);
    assert_eq!(sound, json!({"duration": audio::SECONDS, "error": null}));
}

fn texts_are_rendered(browser: &Browser) {
    let cells = "const cells = all('tf-markdown-view').flatMap(view => all('td', view)).map(cell => cell.textContent);
        return cells.length > 0 && cells;";
    let shown = browser.until("a table", cells);
    let shown = shown.as_array().unwrap();
    for cell in text::CELLS.as_flattened() {
        assert!(shown.contains(&json!(cell)), "no {cell}: {shown:?}");
    }
    let heading = browser.until("a heading", "return all('tf-markdown-view').flatMap(view => all('h1', view)).map(it => it.textContent)[0]");
    assert_eq!(heading, text::HEADING);
    assert_eq!(browser.run("return all('tf-markdown-view').flatMap(view => elements(view)).filter(it => it.tagName === 'SCRIPT').length"), 0);
}

fn histograms_are_drawn(browser: &Browser) {
    let outlines = drawn(
        browser,
        "tf-histogram-loader",
        histograms::WEIGHTS,
        "outline",
        histograms::STEPS,
    );
    assert_eq!(outlines.len(), histograms::STEPS);
    let wide = |outline: &Value| {
        outline["width"].as_f64() > Some(50.0) && outline["height"].as_f64() > Some(10.0)
    };
    assert!(outlines.iter().all(wide), "{outlines:?}");
}

fn distributions_are_drawn(browser: &Browser) {
    // Nine percentiles, between which there are eight areas, and a line for each of these.
    let areas = drawn(
        browser,
        "tf-distribution-loader",
        histograms::WEIGHTS,
        "area",
        8,
    );
    assert_eq!(areas.len(), 8);
    assert!(
        areas.iter().all(|area| area["width"].as_f64() > Some(80.0)),
        "{areas:?}"
    );
}

fn pr_curves_are_drawn(browser: &Browser) {
    let lines = drawn(browser, "tf-pr-curve-card", pr_curves::SERIES, "line", 1);
    let points = lines[0]["points"].as_u64().unwrap();
    assert!(
        points > 127 && points <= pr_curves::THRESHOLDS as u64,
        "{lines:?}"
    );
    assert_drawn(&lines[0], points);
}

fn charts_are_drawn(browser: &Browser) {
    let [(first, curves), (second, band)] = scalars::SECTIONS;
    // With each curve's smoothed form.
    let lines = drawn(
        browser,
        "tf-custom-scalar-multi-line-chart-card",
        curves,
        "line",
        2 * scalars::CURVES.len(),
    );
    lines
        .iter()
        .for_each(|line| assert_drawn(line, scalars::STEPS.into()));
    let kind = "tf-custom-scalar-margin-chart-card";
    assert_drawn(
        &drawn(browser, kind, band, "line", 1)[0],
        scalars::STEPS.into(),
    );
    let area = &drawn(browser, kind, band, "area", 1)[0];
    assert!(area["width"].as_f64() > Some(80.0), "{area}");
    let texts = browser.run("return texts(document.body)");
    for section in [first, second] {
        assert!(
            texts.as_array().unwrap().contains(&json!(section)),
            "{section}: {texts}"
        );
    }
}

fn sessions_are_compared(browser: &Browser) {
    let expected = [
        [
            "Trial ID",
            "Show Metrics",
            "nesterov",
            "optimizer",
            "step size",
            "seed",
            "Accuracy",
            "loss",
        ],
        [
            "a", "", "false", "adamw", "0.010000", "42.000", "0.87500", "0.12500",
        ],
        [
            "b", "", "true", "sgd", "0.10000", "42.000", "0.62500", "0.37500",
        ],
        [
            "c",
            "",
            "false",
            "sgd",
            "0.0010000",
            "42.000",
            "0.75000",
            "0.25000",
        ],
    ];
    let cells = browser.until(
        "the table of sessions",
        "const cells = all('vaadin-grid-cell-content').map(cell => cell.textContent.trim());
        return cells.length >= 32 && cells.at(-1) && cells;",
    );
    assert_eq!(cells, json!(expected.as_flattened()));
}

fn graphs_are_drawn(browser: &Browser) {
    let nodes = "const names = all('g.node').map(node => node.getAttribute('data-name')).sort();";
    let of_candle = format!("{nodes} return names.join() === 'layer0,layer1'");
    browser.until("the layers of a candle model", &of_candle);
    // Chooses the other run, opens its box, and makes it fill the page.
    browser.run(&format!("elements(document).find(it => it.tagName === 'PAPER-ITEM' && it.textContent.trim() === '{}').click()", graphs::RUN));
    browser.until(
        "the user's graph",
        "const box = all('g.node').find(node => node.getAttribute('data-name') === 'fc1');
        box?.querySelector('.nodeshape').dispatchEvent(new MouseEvent('dblclick', {bubbles: true}));
        return box !== undefined",
    );
    let names = browser.until(
        "what is in the box",
        &format!("{nodes} return names.length > 3 && names"),
    );
    assert_eq!(
        names,
        json!([
            "fc1",
            "fc1/matmul",
            "fc1/relu",
            "fc1/weight",
            "input",
            "loss"
        ])
    );
    // The page moves and grows the graph for a while.
    browser.until(
        "the graph at its place",
        "elements(document).find(it => it.tagName === 'TF-GRAPH-BOARD').set('selectedNode', null);
        all('paper-button').find(button => /Fit to screen/.test(button.textContent)).click();
        const now = JSON.stringify(all('g.node').map(place));
        const still = now === window.before;
        window.before = now;
        return still;",
    );
    let texts = browser.run("return all('tf-graph-scene').flatMap(texts)");
    for text in [
        "matmul", "weight", "relu", "input", "fc1", "loss", "128×784",
    ] {
        assert!(
            texts.as_array().unwrap().contains(&json!(text)),
            "no {text}: {texts}"
        );
    }
    browser.until("edges", "return all('path.edgeline').length >= 4");
}

fn meshes_are_drawn(browser: &Browser) {
    // This page names a mesh by its category alone.
    let script = format!(
        "const found = all('tf-category-paginated-view').find(it => texts(it).includes('^{}$'));
        const canvas = found && all('canvas', found);
        return canvas && canvas.length === 1 && place(canvas[0]);",
        meshes::RING,
    );
    let canvas = browser.until("a mesh", &script);
    // The colours of the vertices run into each other between them.
    browser.until_coloured(&canvas, 100);
}

fn points_are_drawn(browser: &Browser) {
    let shown = browser.until(
        "the embedding",
        "const found = texts(document.body).concat(all('input').map(input => input.value));
        return found.some(text => text.startsWith('Total variance described')) && found;",
    );
    // The number of points and of dimensions, the embedding, and the labels' first column.
    for text in ["2 tensors found", projector::DIGITS, "90", "4", "class"] {
        assert!(
            shown.as_array().unwrap().contains(&json!(text)),
            "no {text}: {shown}"
        );
    }
    let canvas = browser.until(
        "a canvas",
        "return all('canvas').length > 0 && place(all('canvas')[0])",
    );
    // The thumbnails of each point are of two greys, of which one is the point's own.
    browser.until_coloured(&canvas, 30);
}

fn cards_are_shown(browser: &Browser) {
    let filter = format!(
        "^({}|{}|{})$",
        histograms::WEIGHTS,
        images::SERIES,
        scalars::LOSS
    );
    let script = format!(
        "const filter = all('metrics-tag-filter input')[0];
        if (filter) filter.value = '{filter}';
        filter?.dispatchEvent(new Event('input', {{bubbles: true}}));
        return filter !== undefined;"
    );
    browser.until("a filter of tags", &script);
    browser.until(
        "a card of an image",
        "return all('image-card img').some(image => image.complete && image.naturalWidth > 0)",
    );
    browser.until(
        "a card of a histogram",
        "return all('histogram-card path').length >= 3",
    );
    let curve = "const canvas = all('scalar-card canvas')[0]; return canvas !== undefined && place(canvas);";
    let curve = browser.until("a card of scalars", curve);
    // Axes and grid alone have fewer: the curve has soft edges.
    browser.until_coloured(&curve, 20);
    let titles =
        browser.run("return all('card-view tb-truncated-path').map(path => texts(path).join(''))");
    let mut titles: Vec<&str> = titles
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    titles.sort_unstable();
    assert_eq!(titles, [histograms::WEIGHTS, images::SERIES, scalars::LOSS]);
}
