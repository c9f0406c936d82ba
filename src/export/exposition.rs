//! A registry as a page that Prometheus scrapes: its text format 0.0.4, or OpenMetrics 1.0.
//!
//! Families stand together, in the order of their names; every escape, `+Inf` bucket and end that the formats ask for
//! is there. Sources: <https://prometheus.io/docs/instrumenting/exposition_formats/> and
//! <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>.
//!
//! A page is no [`Table`](super::Table): it has no rows of columns, and is made whole or not at all.

use std::fmt::Write;

use super::samples::{Samples, Shape};
use crate::health::{Family, Registry};

/// The format of a page.
///
/// ```
/// use modelpulse::{export::Exposition, health::Registry};
/// let registry = Registry::new();
/// registry.gauge("model.accuracy", "Accuracy of the model").set(0.9375);
/// let page = "# HELP model_accuracy Accuracy of the model\n# TYPE model_accuracy gauge\nmodel_accuracy 0.9375\n";
/// assert_eq!(Exposition::Prometheus.page(&registry), page);
/// assert_eq!(Exposition::OpenMetrics.page(&registry), format!("{page}# EOF\n"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exposition {
    /// The text format of Prometheus, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    /// What a reader wants that sends this `Accept` header: the one with the higher weight; 0.0.4 where nothing
    /// is said, and where neither is asked for.
    ///
    /// ```
    /// use modelpulse::export::Exposition;
    /// let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    /// assert_eq!(Exposition::negotiate(prometheus), Exposition::OpenMetrics);
    /// assert_eq!(Exposition::negotiate("text/html,*/*"), Exposition::Prometheus);
    /// ```
    pub fn negotiate(accept: &str) -> Self {
        let (mut open, mut text) = (0.0, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut weight, mut version) = (1.0_f64, None);
            for (key, value) in parts.filter_map(|part| part.split_once('=')) {
                match key.trim().to_ascii_lowercase().as_str() {
                    "q" => weight = value.trim().parse().unwrap_or(0.0),
                    "version" => version = Some(value.trim().trim_matches('"')),
                    _ => {}
                }
            }
            match name.as_str() {
                // 0.0.1 is a draft that asks for nothing else.
                "application/openmetrics-text"
                    if version.is_none_or(|version| version.starts_with(['0', '1'])) =>
                {
                    open = weight.max(open);
                }
                "text/plain" if version.is_none_or(|version| version == "0.0.4") => {
                    text = weight.max(text);
                }
                "text/*" | "*/*" => text = weight.max(text),
                _ => {}
            }
        }
        match open > 0.0 && open >= text {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    /// The media type of a page.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// All meters of a registry as they are now.
    pub fn page(self, registry: &Registry) -> String {
        self.page_of(registry, |_| true)
    }

    /// As [`page`](Self::page), but of the families alone that `wanted` is true for.
    pub fn page_of(self, registry: &Registry, wanted: impl Fn(&Family) -> bool) -> String {
        let families = registry.families();
        let meters: usize = families.iter().map(|it| it.meters().count()).sum();
        let mut page = Page {
            format: self,
            // About the length of a sample with its labels.
            text: String::with_capacity(meters * 80 + 1_000),
        };
        for family in families.iter().filter(|family| wanted(family)) {
            page.family(family);
        }
        if self == Self::OpenMetrics {
            page.text += "# EOF\n";
        }
        page.text
    }
}

struct Page {
    format: Exposition,
    text: String,
}

impl Page {
    fn is_open(&self) -> bool {
        self.format == Exposition::OpenMetrics
    }

    fn family(&mut self, family: &Family) {
        let base = family.prometheus_name();
        let samples = Samples::of(family);
        let kind = match samples.shape {
            Shape::Counter => "counter",
            Shape::Info if self.is_open() => "info",
            Shape::States if self.is_open() => "stateset",
            Shape::Gauge | Shape::Info | Shape::States => "gauge",
            Shape::Histogram => "histogram",
            Shape::Summary => "summary",
        };
        // In 0.0.4 the family has the name of its samples.
        let head = if self.is_open() { "" } else { samples.suffix() };
        self.head(base, head, family, kind);
        if self.is_open() && !family.unit().is_empty() && base.ends_with(family.unit()) {
            self.line(&["# UNIT ", base, " ", family.unit()]);
        }
        for (meter, reading) in &samples.meters {
            samples.each(reading, |sample| match sample.label {
                None => self.sample(base, sample.suffix, meter.labels(), sample.value),
                Some((name, value)) => {
                    let labels = and(meter.labels(), name, &escaped(value, true));
                    self.sample(base, sample.suffix, &labels, sample.value);
                }
            });
            if self.is_open() && matches!(kind, "counter" | "histogram" | "summary") {
                self.sample(base, "_created", meter.labels(), meter.created());
            }
        }
        self.nans(base, &samples);
    }

    /// How many NaN were recorded, once there was one: a family of its own.
    fn nans(&mut self, base: &str, samples: &Samples<'_>) {
        let mut nans = samples.nans().peekable();
        if nans.peek().is_none() {
            return;
        }
        let name = format!("{base}_nan");
        let total = if self.is_open() { "" } else { "_total" };
        self.line(&["# HELP ", &name, total, " How many of them were NaN"]);
        self.line(&["# TYPE ", &name, total, " counter"]);
        for (meter, count) in nans {
            self.sample(&name, "_total", meter.labels(), count as f64);
        }
    }

    fn head(&mut self, base: &str, suffix: &str, family: &Family, kind: &str) {
        // Every family is explained; what it is called is better than nothing.
        let texts = [family.description(), family.name()];
        let help = texts.into_iter().find(|text| !text.trim().is_empty());
        let help = help.unwrap_or(base);
        let help = escaped(help, self.is_open());
        self.line(&["# HELP ", base, suffix, " ", &help]);
        self.line(&["# TYPE ", base, suffix, " ", kind]);
    }

    fn line(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.text.push_str(part));
        self.text.push('\n');
    }

    fn sample(&mut self, base: &str, suffix: &str, labels: &str, value: f64) {
        let text = &mut self.text;
        text.push_str(base);
        text.push_str(suffix);
        if !labels.is_empty() {
            text.push('{');
            text.push_str(labels);
            text.push('}');
        }
        text.push(' ');
        number(value, text);
        text.push('\n');
    }
}

/// Labels with one more.
fn and(labels: &str, name: &str, value: &str) -> String {
    let comma = if labels.is_empty() { "" } else { "," };
    format!("{labels}{comma}{name}=\"{value}\"")
}

/// The shortest text that reads as this number.
pub(super) fn number(value: f64, text: &mut String) {
    // Of these sizes, the faster crate writes it without an exponent, as Rust does.
    const ALIKE: std::ops::Range<f64> = 1e-4..1e15;
    match value {
        _ if ALIKE.contains(&value.abs()) || value == 0.0 => {
            text.push_str(zmij::Buffer::new().format_finite(value));
        }
        _ if value.is_nan() => text.push_str("NaN"),
        f64::INFINITY => text.push_str("+Inf"),
        f64::NEG_INFINITY => text.push_str("-Inf"),
        // Writing to a string does not fail.
        _ => drop(write!(text, "{value:?}")),
    }
}

/// A text in one line; in OpenMetrics, and in labels, quotes are escaped too.
fn escaped(text: &str, quotes: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped += "\\\\",
            '\n' => escaped += "\\n",
            '"' if quotes => escaped += "\\\"",
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavier_format_is_sent() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, expected) in [
            (prometheus, Exposition::OpenMetrics),
            ("", Exposition::Prometheus),
            ("*/*", Exposition::Prometheus),
            ("text/plain", Exposition::Prometheus),
            ("Application/OpenMetrics-Text", Exposition::OpenMetrics),
            (
                "application/openmetrics-text;q=0.2,text/plain;q=0.9",
                Exposition::Prometheus,
            ),
            ("application/openmetrics-text;q=0", Exposition::Prometheus),
            (
                "application/openmetrics-text; version=2.0.0",
                Exposition::Prometheus,
            ),
            ("application/openmetrics-text;q=x", Exposition::Prometheus),
            (",;=,;q,\u{0}", Exposition::Prometheus),
        ] {
            assert_eq!(Exposition::negotiate(accept), expected, "{accept}");
        }
    }

    #[test]
    fn the_text_of_a_number_is_the_shortest_that_reads_as_it() {
        let mut random = fastrand::Rng::with_seed(1);
        let sizes = (-310..309).flat_map(|power| [1.0, 1.25, 9.999_999].map(|it| (power, it)));
        let edges = sizes.map(|(power, digits)| format!("{digits}e{power}").parse().unwrap());
        let bits = (0..10_000).map(|_| f64::from_bits(random.u64(..)));
        let mut all: Vec<f64> = edges.chain(bits).collect();
        all.extend((0..10_000).map(|_| f64::from(random.f32())));
        for value in all.into_iter().chain([0.0, 5e-324]) {
            for value in [value, -value].into_iter().filter(|it| it.is_finite()) {
                let (mut text, usual) = (String::new(), format!("{value:?}"));
                number(value, &mut text);
                assert_eq!(text.parse(), Ok(value));
                // Where two are as near, either may be written.
                let form = |text: &str| (text.len(), text.find('.'), text.find('e'));
                assert_eq!(form(&text), form(&usual), "{text} {usual}");
            }
        }
    }

    #[test]
    fn nan_is_counted_and_hides_no_sum() {
        let registry = Registry::new();
        let scores = registry.meter("score").buckets([0.5]).distribution();
        [0.25, f64::NAN, 1.0]
            .iter()
            .for_each(|score| scores.record(*score));
        let page = Exposition::Prometheus.page(&registry);
        let expected = "# HELP score score\n# TYPE score histogram\nscore_bucket{le=\"0.5\"} 1.0\n\
             score_bucket{le=\"+Inf\"} 2.0\nscore_count 2.0\nscore_sum 1.25\n\
             # HELP score_nan_total How many of them were NaN\n# TYPE score_nan_total counter\nscore_nan_total 1.0\n";
        assert_eq!(page, expected);
    }
}
