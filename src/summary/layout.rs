//! The layout of the page of custom scalars: several curves in one chart, and bands around curves.
//!
//! A layout only names scalars that are logged as ever, in the same run; so a chart of several curves
//! needs neither a run nor a file for each. TensorBoard merges the layouts of all runs, and of one run
//! takes the last (`plugins/custom_scalar/custom_scalars_plugin.py`).

use prost::{Message, bytes::Bytes};

use super::{Tensor, Value, WrongKind, metadata, strings};
use crate::proto::{self, DataClass, MarginChartContent, MultilineChartContent, chart};

/// Charts of several scalars, in sections. Log it once, under [`Layout::TAG`].
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{log::Writer, summary::{Chart, Layout}};
/// let writer = Writer::create(dir.path())?;
/// let run = writer.run("train");
/// for step in 0..10_u32 {
///     run.scalar("loss/train", step, 0.5);
///     run.scalar("loss/eval", step, 0.6);
/// }
/// let layout = Layout::new()
///     .section("losses", [Chart::tags("both", ["loss/train", "loss/eval"])])
///     .section("gradients", [Chart::matching("norms", ["grad/.*/norm"])]);
/// run.log(Layout::TAG, 0, layout);
/// assert_eq!(writer.finish()?.written, 21);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout(proto::Layout);

/// A chart of a [`Layout`].
///
/// ```
/// use modelpulse::summary::{Band, Chart};
/// let chart = Chart::bands("loss", [Band {
///     value: "loss/mean".into(),
///     lower: "loss/min".into(),
///     upper: "loss/max".into(),
/// }]);
/// assert_eq!(chart.title(), "loss");
/// assert_eq!(Chart::tags("t", ["a.b", "c"]).patterns(), [r"^a\.b$", "^c$"]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chart(proto::Chart);

/// A curve with a band around it: the tags of three scalars.
///
/// ```
/// use modelpulse::summary::Band;
/// let band = Band { value: "loss".into(), lower: "loss/min".into(), upper: "loss/max".into() };
/// assert_eq!(band.value, "loss");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The curve.
    pub value: String,
    /// The band's lower edge.
    pub lower: String,
    /// The band's upper edge.
    pub upper: String,
}

impl Layout {
    /// The tag under which TensorBoard looks for a layout.
    pub const TAG: &'static str = "custom_scalars__config__";

    /// No charts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One chart that shows the scalars `tags` together.
    ///
    /// ```
    /// use modelpulse::summary::Layout;
    /// let layout = Layout::scalars("loss", ["loss/train", "loss/eval"]);
    /// assert_eq!(layout.sections().count(), 1);
    /// ```
    pub fn scalars<T: AsRef<str>>(
        title: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> Self {
        let title = title.into();
        Self::new().section(title.clone(), [Chart::tags(title, tags)])
    }

    /// Adds a section of charts. Sections of one title are shown as one.
    pub fn section(
        self,
        title: impl Into<String>,
        charts: impl IntoIterator<Item = Chart>,
    ) -> Self {
        self.with_section(title.into(), charts.into_iter(), false)
    }

    /// As [`section`](Self::section), but folded at first.
    pub fn folded_section(
        self,
        title: impl Into<String>,
        charts: impl IntoIterator<Item = Chart>,
    ) -> Self {
        self.with_section(title.into(), charts.into_iter(), true)
    }

    /// Titles and charts of the sections, in order.
    pub fn sections(&self) -> impl Iterator<Item = (&str, Vec<Chart>)> {
        self.0.category.iter().map(|section| {
            let charts = section.chart.iter().cloned().map(Chart);
            (section.title.as_str(), charts.collect())
        })
    }

    fn with_section(
        mut self,
        title: String,
        charts: impl Iterator<Item = Chart>,
        closed: bool,
    ) -> Self {
        let charts = charts.map(|Chart(chart)| chart);
        let sections = &mut self.0.category;
        match sections.iter_mut().find(|section| section.title == title) {
            Some(section) => section.chart.extend(charts),
            None => sections.push(proto::Category {
                title,
                chart: charts.collect(),
                closed,
            }),
        }
        self
    }
}

impl Chart {
    /// A chart of exactly these tags.
    pub fn tags<T: AsRef<str>>(
        title: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> Self {
        let exactly = |tag: T| format!("^{}$", escaped(tag.as_ref()));
        Self::matching(title, tags.into_iter().map(exactly))
    }

    /// A chart of all tags that one of the regular expressions matches from the tag's beginning; end
    /// one in `$` where it shall match to the end. They are Python's (`re.match`); the page says
    /// where one is wrong.
    pub fn matching<P: Into<String>>(
        title: impl Into<String>,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        Self(proto::Chart {
            title: title.into(),
            content: Some(chart::Content::Multiline(MultilineChartContent {
                tag: patterns.into_iter().map(Into::into).collect(),
            })),
        })
    }

    /// A chart of curves with a band around each.
    pub fn bands(title: impl Into<String>, bands: impl IntoIterator<Item = Band>) -> Self {
        let series = |band: Band| proto::margin_chart_content::Series {
            value: band.value,
            lower: band.lower,
            upper: band.upper,
        };
        Self(proto::Chart {
            title: title.into(),
            content: Some(chart::Content::Margin(MarginChartContent {
                series: bands.into_iter().map(series).collect(),
            })),
        })
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// The regular expressions; none for a chart of bands.
    pub fn patterns(&self) -> &[String] {
        match &self.0.content {
            Some(chart::Content::Multiline(lines)) => &lines.tag,
            _ => &[],
        }
    }

    /// The bands; none for a chart of plain curves.
    pub fn margins(&self) -> Vec<Band> {
        let band = |series: &proto::margin_chart_content::Series| Band {
            value: series.value.clone(),
            lower: series.lower.clone(),
            upper: series.upper.clone(),
        };
        match &self.0.content {
            Some(chart::Content::Margin(margin)) => margin.series.iter().map(band).collect(),
            _ => Vec::new(),
        }
    }
}

/// A regular expression that matches just `text`, in Python.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.^$*+?{}[]|()".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

impl From<Layout> for Value {
    fn from(Layout(layout): Layout) -> Self {
        Tensor {
            metadata: metadata("custom_scalars", DataClass::Tensor, Bytes::new()),
            tensor: strings(&[], vec![layout.encode_to_vec().into()]),
        }
        .into()
    }
}

impl TryFrom<&Value> for Layout {
    type Error = WrongKind;

    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let read = || {
            let tensor = value.tensor();
            let tensor = tensor.filter(|tensor| tensor.plugin() == "custom_scalars")?;
            let message = tensor.as_strings().ok()?.into_iter().next()?;
            proto::Layout::decode(message).ok().map(Self)
        };
        read().ok_or_else(|| WrongKind::new("a layout of custom scalars", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band() -> Band {
        Band {
            value: "v".into(),
            lower: "l".into(),
            upper: "u".into(),
        }
    }

    #[test]
    fn the_wire_form_comes_back() {
        let layout = Layout::new()
            .section("a", [Chart::tags("x", ["p", "q"])])
            .folded_section("b", [Chart::bands("m", [band()])])
            .section("a", [Chart::matching("y", ["r/.*"])]);
        let titles: Vec<_> = layout
            .sections()
            .map(|(title, charts)| (title, charts.len()))
            .collect();
        assert_eq!(titles, [("a", 2), ("b", 1)]);
        assert_eq!(layout.0.category[1].chart[0].title, "m");
        assert_eq!(
            Chart(layout.0.category[1].chart[0].clone()).margins(),
            [band()]
        );
        assert_eq!(Layout::try_from(&Value::from(layout.clone())), Ok(layout));
        assert!(Layout::try_from(&Value::Scalar(0.0)).is_err());
    }

    #[test]
    fn a_tag_is_matched_as_it_stands() {
        assert_eq!(
            escaped(r"a.b[0]/{c}(d)|e^f$g*h+i?\ü -"),
            r"a\.b\[0\]/\{c\}\(d\)\|e\^f\$g\*h\+i\?\\ü -"
        );
    }
}
