//! The pages of reports, as a browser shows them.

use std::path::Path;

use serde_json::Value;

use super::browser::Browser;

/// The charts, with how many marks each has; what sticks out of its card; small histograms; what was fetched.
const LOOK: &str = "
    const charts = [...document.querySelectorAll('figure.chart')].map(chart => {
        const svg = chart.querySelector('svg');
        const frame = chart.getBoundingClientRect();
        const out = [...svg.querySelectorAll('text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom;
        });
        return {
            title: chart.querySelector('h3').textContent,
            marks: svg.querySelectorAll('polyline, rect, circle').length,
            out: out.map(text => text.textContent),
        };
    });
    return {
        charts,
        small: [...document.querySelectorAll('td svg path')].filter(it => it.getBBox().width > 0).length,
        wide: document.documentElement.scrollWidth > window.innerWidth,
        fetched: performance.getEntriesByType('resource').map(it => it.name),
    };";

/// What is on a page, once it is all there.
pub fn look(browser: &Browser, page: &Path) -> Value {
    browser.open(&format!("file://{}", page.display()));
    browser.until(
        "the whole page",
        "return document.readyState === 'complete'",
    );
    browser.run(LOOK)
}
