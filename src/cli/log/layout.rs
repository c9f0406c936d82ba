//! Layouts of the page of custom scalars: which scalars share a chart.

use serde_json::Value;

use super::keys::{Keys, Reason, is, list, named, text};
use super::line::Content;
use crate::summary::{Band, Chart, Layout};

/// Sections, charts and what each shows: `{"section": {"chart": ["tag", …]}}`.
pub(super) fn layout(value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let mut layout = Layout::new();
    for (section, charts) in named("layout", value, |section, charts| {
        named(section, charts, chart)
    })? {
        let charts: Vec<Chart> = charts.into_iter().map(|(_, chart)| chart).collect();
        if charts.is_empty() {
            return Err(format!("section '{section}' of 'layout' has no charts"));
        }
        layout = layout.section(section, charts);
    }
    Ok(Content::Layout(layout))
}

/// Tags; or `{"matching": [regular expressions]}`; or a band, or an array of them:
/// `{"value": tag, "lower": tag, "upper": tag}`.
fn chart(title: &str, value: Value) -> Result<Chart, Reason> {
    match value {
        Value::Array(values) if values.iter().all(Value::is_object) && !values.is_empty() => {
            let bands = values.into_iter().map(|it| band(title, it));
            Ok(Chart::bands(title, bands.collect::<Result<Vec<_>, _>>()?))
        }
        Value::Array(_) => Ok(Chart::tags(
            title,
            list(title, value, |tag| text(title, tag))?,
        )),
        Value::Object(mut keys) if keys.contains_key("matching") => {
            let patterns = keys.shift_remove("matching").unwrap_or_default();
            Keys(keys).none_left("matching")?;
            let patterns = list("matching", patterns, |it| text("matching", it))?;
            Ok(Chart::matching(title, patterns))
        }
        Value::Object(_) => Ok(Chart::bands(title, [band(title, value)?])),
        other => Err(format!(
            "chart '{title}' is {}, not an array of tags",
            is(&other)
        )),
    }
}

fn band(title: &str, value: Value) -> Result<Band, Reason> {
    let mut keys = Keys::of(title, value)?;
    let mut tag = |key: &str| text(key, keys.need(key, title)?);
    let band = Band {
        value: tag("value")?,
        lower: tag("lower")?,
        upper: tag("upper")?,
    };
    keys.none_left("value")?;
    Ok(band)
}
