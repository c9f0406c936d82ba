//! Rule files: rules and scenarios in TOML.
//!
//! What cannot be read is reported with its line and column, and with what to write.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::scenario::Scenario;
use super::{Clock, Comparison, Condition, Rule, RuleSet, RuleSetError, Severity, Span, When};
#[cfg(feature = "drift")]
use crate::health::drift::{Entry as DetectorEntry, Watched};

/// Rules, and the scenarios that show what they do.
///
/// ```
/// use modelpulse::health::RuleFile;
/// let file = RuleFile::parse(r#"
///     [[rule]]
///     name = "AccuracyLow"
///     condition = "eval/epoch_accuracy < 0.8"
///     for = "2m"
///     severity = "critical"
///
///     [[test]]
///     name = "a dip is no alert"
///     series = { "eval/epoch_accuracy" = "0.9 0.7x2 0.9" }
///     expect = { AccuracyLow = "inactive pendingx2 inactive" }
/// "#)?;
/// assert_eq!(file.rules.iter().count(), 1);
/// assert_eq!(file.scenarios[0].run(&file.rules), []);
/// let error = RuleFile::parse("[[rule]]\nname = 'x'\ncondition = 'loss'").unwrap_err();
/// assert!(error.to_string().starts_with("line 3, column 13: cannot read the condition 'loss'"));
/// # Ok::<(), modelpulse::health::RuleFileError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RuleFile {
    /// The rules.
    pub rules: RuleSet,
    /// What they are expected to do.
    pub scenarios: Vec<Scenario>,
    /// Who is told of alerts.
    pub notify: Notify,
    /// The detectors of concept drift, each a table `[[detector]]`.
    #[cfg(feature = "drift")]
    pub detectors: Vec<Watched>,
}

/// Who is told of alerts: the table `[notify]` of a rule file.
///
/// ```
/// use modelpulse::health::RuleFile;
/// let file = RuleFile::parse(r#"
///     [notify]
///     alertmanager = "http://localhost:9093"
///     webhook = ["https://example.org/a", "https://example.org/b"]
/// "#)?;
/// assert_eq!(file.notify.alertmanagers, ["http://localhost:9093"]);
/// assert_eq!(file.notify.webhooks.len(), 2);
/// # Ok::<(), modelpulse::health::RuleFileError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notify {
    /// Addresses of Alertmanagers.
    pub alertmanagers: Vec<String>,
    /// Addresses that take an Alertmanager's webhook.
    pub webhooks: Vec<String>,
}

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFileError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What stands there cannot be.
    #[error("line {line}, column {column}: {problem}")]
    Text {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What is wrong, and what to write.
        problem: String,
    },
    /// The rules do not go together.
    #[error(transparent)]
    Rules(#[from] RuleSetError),
}

impl RuleFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`RuleFileError`]; its text says where in the file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RuleFileError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| RuleFileError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads the text of a rule file.
    ///
    /// # Errors
    /// [`RuleFileError`]; its text says where.
    pub fn parse(text: &str) -> Result<Self, RuleFileError> {
        let at = |(span, problem): Problem| {
            let before = text.get(..span.start).unwrap_or(text);
            RuleFileError::Text {
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or("").chars().count() + 1,
                problem,
            }
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let problem = error.message().replace('\n', ", ");
            at((error.span().unwrap_or(0..0), problem))
        })?;
        let mut names = BTreeMap::new();
        let mut rules = Vec::new();
        for entry in file.rule {
            let span = entry.span();
            let name = entry.as_ref().name.clone();
            if names.insert(name.get_ref().clone(), ()).is_some() {
                let problem = format!("there is a rule '{}' already", name.get_ref());
                return Err(at((name.span(), problem)));
            }
            let rule = entry.into_inner().rule().map_err(at)?;
            if let Some(problem) = rule.problem() {
                return Err(at((span, format!("rule '{}': {problem}", name.get_ref()))));
            }
            rules.push(rule);
        }
        let mut rules = RuleSet::new(rules)?;
        let settings = [
            (file.interval, RuleSet::interval as fn(RuleSet, Span) -> _),
            (file.lookback, RuleSet::lookback),
        ];
        for (setting, set) in settings {
            if let Some(length) = setting {
                let here = length.span();
                let span = read_length(length).map_err(at)?;
                rules = set(rules, span).map_err(|error| at((here, error.to_string())))?;
            }
        }
        let mut scenarios = Vec::new();
        for entry in file.test {
            let span = entry.span();
            let scenario = entry
                .into_inner()
                .scenario(&rules)
                .map_err(|problem| at((span, problem)))?;
            scenarios.push(scenario);
        }
        #[cfg(feature = "drift")]
        let detectors = {
            let entries = file.detector.into_iter();
            let detectors: Result<Vec<Watched>, _> = entries.map(DetectorEntry::watched).collect();
            let detectors = detectors.map_err(at)?;
            Watched::check(&detectors).map_err(|error| at((0..0, error.to_string())))?;
            detectors
        };
        let notify = Notify {
            alertmanagers: read_addresses(file.notify.alertmanager).map_err(at)?,
            webhooks: read_addresses(file.notify.webhook).map_err(at)?,
        };
        Ok(Self {
            rules,
            scenarios,
            notify,
            #[cfg(feature = "drift")]
            detectors,
        })
    }
}

/// Where, and what.
type Problem = (Range<usize>, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    interval: Option<Spanned<Length>>,
    lookback: Option<Spanned<Length>>,
    #[serde(default)]
    rule: Vec<Spanned<Entry>>,
    #[serde(default)]
    test: Vec<Spanned<Test>>,
    #[serde(default)]
    notify: Receivers,
    #[cfg(feature = "drift")]
    #[serde(default)]
    detector: Vec<DetectorEntry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Receivers {
    alertmanager: Option<Spanned<Addresses>>,
    webhook: Option<Spanned<Addresses>>,
}

/// One, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Addresses {
    One(String),
    Many(Vec<String>),
}

fn read_addresses(addresses: Option<Spanned<Addresses>>) -> Result<Vec<String>, Problem> {
    let Some(addresses) = addresses else {
        return Ok(Vec::new());
    };
    let span = addresses.span();
    let all = match addresses.into_inner() {
        Addresses::One(address) => vec![address],
        Addresses::Many(addresses) => addresses,
    };
    let begins = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    match all.iter().find(|address| !begins(address)) {
        Some(wrong) => Err((
            span,
            format!("'{wrong}' does not begin with http:// or https://"),
        )),
        None => Ok(all),
    }
}

/// `"5m"`, or a number of steps.
#[derive(Deserialize)]
#[serde(untagged)]
enum Length {
    Steps(u32),
    Text(String),
}

fn read_length(length: Spanned<Length>) -> Result<Span, Problem> {
    let span = length.span();
    match length.into_inner() {
        Length::Steps(steps) => Ok(Span::Steps(steps.into())),
        Length::Text(text) => text.parse().map_err(|problem| (span, problem)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    condition: Spanned<String>,
    #[serde(default)]
    by: By,
    r#for: Option<Spanned<Length>>,
    keep_firing_for: Option<Spanned<Length>>,
    clear: Option<Spanned<String>>,
    times: Option<Spanned<String>>,
    nan: Option<Meaning>,
    missing: Option<Meaning>,
    severity: Option<Level>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    message: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum By {
    #[default]
    Time,
    Step,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Meaning {
    Fire,
    Hold,
    Ignore,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Level {
    Info,
    Warning,
    Critical,
}

impl Entry {
    fn rule(self) -> Result<Rule, Problem> {
        let located = |span: Range<usize>| move |problem: String| (span, problem);
        let here = self.condition.span();
        let condition: Condition = self
            .condition
            .get_ref()
            .parse()
            .map_err(|error: super::ParseConditionError| (here, error.to_string()))?;
        let mut rule = Rule::new(self.name.into_inner(), condition).by(match self.by {
            By::Time => Clock::Time,
            By::Step => Clock::Step,
        });
        if let Some(length) = self.r#for {
            rule = rule.hold_for(read_length(length)?);
        }
        if let Some(length) = self.keep_firing_for {
            rule = rule.keep_firing_for(read_length(length)?);
        }
        if let Some(clear) = self.clear {
            let (comparison, threshold) =
                Comparison::parse_with_number(clear.get_ref()).map_err(located(clear.span()))?;
            rule = rule.clear(comparison, threshold);
        }
        if let Some(times) = self.times {
            let parts = times.get_ref().split_once(" of ");
            let numbers =
                parts.and_then(|(m, n)| Some((m.trim().parse().ok()?, n.trim().parse().ok()?)));
            let problem = || format!("'{}' is not such as \"3 of 5\"", times.get_ref());
            let (m, n) = numbers.ok_or_else(problem).map_err(located(times.span()))?;
            rule = rule.times(m, n);
        }
        let when = |meaning| match meaning {
            Meaning::Fire => When::Fire,
            Meaning::Hold => When::Hold,
            Meaning::Ignore => When::Ignore,
        };
        if let Some(nan) = self.nan {
            rule = rule.nan(when(nan));
        }
        if let Some(missing) = self.missing {
            rule = rule.missing(when(missing));
        }
        if let Some(level) = self.severity {
            rule = rule.severity(match level {
                Level::Info => Severity::Info,
                Level::Warning => Severity::Warning,
                Level::Critical => Severity::Critical,
            });
        }
        for (name, value) in self.labels {
            rule = rule.label(name, value);
        }
        if let Some(message) = self.message {
            rule = rule.message(message);
        }
        Ok(rule)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    step: Option<String>,
    series: BTreeMap<String, String>,
    expect: BTreeMap<String, String>,
}

impl Test {
    fn scenario(self, rules: &RuleSet) -> Result<Scenario, String> {
        let step = self.step.map_or(Ok(rules.interval), |step| step.parse())?;
        Scenario::new(self.name, step, &self.series, &self.expect, rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_said_with_its_place() {
        let rule = "[[rule]]\nname = 'a'\ncondition = 'x < 1'\n";
        for (text, place, problem) in [
            ("rules = 3", "line 1, column 1:", "unknown field `rules`"),
            (
                "[[rule]]\nname = 'a'",
                "line 1, column 1:",
                "missing field `condition`",
            ),
            (
                "[[rule]]\nname = 'a'\ncondition = 'x'",
                "line 3, column 13:",
                "no comparison",
            ),
            (
                &format!("{rule}for = '5 m'"),
                "line 4, column 7:",
                "'5 m' is no length",
            ),
            (
                &format!("{rule}for = 5"),
                "line 1, column 1:",
                "steps in a rule by time",
            ),
            (
                &format!("{rule}by = 'epoch'"),
                "line 4, column 6:",
                "unknown variant `epoch`",
            ),
            (
                &format!("{rule}clear = '1'"),
                "line 4, column 9:",
                "no comparison",
            ),
            (
                &format!("{rule}times = '3/5'"),
                "line 4, column 9:",
                "3 of 5",
            ),
            (
                &format!("{rule}times = '6 of 5'"),
                "line 1, column 1:",
                "6 of 5 cannot be",
            ),
            (
                &format!("{rule}{rule}"),
                "line 5, column 8:",
                "there is a rule 'a' already",
            ),
            (
                &format!("interval = 3\n{rule}"),
                "line 1, column 12:",
                "must be a time",
            ),
            (
                &format!("interval = '0s'\n{rule}"),
                "line 1, column 12:",
                "must be a time",
            ),
            (
                &format!("{rule}nan = 'no'"),
                "line 4, column 7:",
                "unknown variant `no`",
            ),
            (
                &format!("{rule}[[test]]\nname='t'\nseries={{x='1 a'}}\nexpect={{a='inactive'}}"),
                "line 4, column 1:",
                "'a' is no value",
            ),
            (
                &format!("{rule}[[test]]\nname='t'\nseries={{x='1'}}\nexpect={{b='inactive'}}"),
                "line 4, column 1:",
                "no rule 'b'",
            ),
            (
                &format!("{rule}[notify]\nwebhook = ['http://a', 'a:80']"),
                "line 5, column 11:",
                "'a:80' does not begin with http://",
            ),
        ] {
            let error = RuleFile::parse(text).unwrap_err().to_string();
            assert!(
                error.starts_with(place) && error.contains(problem) && !error.contains('\n'),
                "{text}\n{error}"
            );
        }
    }

    #[test]
    #[cfg(feature = "drift")]
    fn detectors_stand_beside_rules() {
        let text = "[[detector]]\nkind = 'adwin'\nseries = 'live/error'\n\
             [[detector]]\nname = 'slow'\nkind = 'adwin'\nseries = 'live/error'\nsettings = { delta = 1e-4, clock = 8 }";
        let file = RuleFile::parse(text).unwrap();
        let detectors = file.detectors.iter();
        let detectors: Vec<String> = detectors.map(|it| format!("{} {it}", it.name())).collect();
        assert_eq!(
            detectors,
            [
                "adwin adwin:live/error",
                "slow adwin,clock=8,delta=0.0001:live/error"
            ]
        );
        for (wrong, place) in [
            (
                text.replace("'adwin'\nseries", "'edwin'\nseries"),
                "line 2, column 8: no detector",
            ),
            (
                text.replace("1e-4", "4"),
                "line 8, column 12: delta of adwin",
            ),
            (
                text.replace("'slow'", "'adwin'"),
                "line 1, column 1: two detectors",
            ),
        ] {
            let error = RuleFile::parse(&wrong).unwrap_err().to_string();
            assert!(error.starts_with(place), "{error}");
        }
    }

    #[test]
    fn a_rule_is_what_its_entry_says() {
        let file = RuleFile::parse(
            "interval = '1m'\nlookback = '10m'\n[[rule]]\nname = 'r'\ncondition = 'avg(x, 5) > 1'\nby = 'step'\nfor = 3\n\
             keep_firing_for = '2'\nclear = '< 0.5'\nnan = 'hold'\nmissing = 'fire'\nseverity = 'critical'\n\
             labels = { team = 'a' }\nmessage = 'm'",
        );
        let expected = Rule::new("r", "avg(x, 5) > 1".parse().unwrap())
            .by(Clock::Step)
            .hold_for(Span::Steps(3))
            .keep_firing_for(Span::Steps(2))
            .clear(Comparison::Less, 0.5)
            .nan(When::Hold)
            .missing(When::Fire)
            .severity(Severity::Critical)
            .label("team", "a")
            .message("m");
        let expected = RuleSet::new(vec![expected]).unwrap();
        let expected = expected
            .interval(Span::seconds(60))
            .unwrap()
            .lookback(Span::seconds(600))
            .unwrap();
        assert_eq!(file.unwrap().rules, expected);
    }
}
