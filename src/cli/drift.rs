//! `modelpulse drift`: has the data changed, and does that matter?

mod json;
mod text;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::Verdict;
use super::report::{Bar, Found, ReportArgs};
use crate::Session;
use crate::drift::verdict::Policy;
use crate::drift::{Method, evidently, verdict};
use crate::health::drift_report::{Compat, DriftCheck, Progress, Report, page};

/// Compare data with a reference, column by column: has it drifted, and does that matter?
///
/// Either side is a table (CSV, JSON lines, both also gzipped, or Parquet) or a profile, as 'modelpulse profile' makes
/// one and 'modelpulse train' leaves one in its run. What columns are for is told by their names (label, score,
/// prediction, id, timestamp …); options say otherwise. Where the reference has labels and scores, performance is
/// estimated without new labels.
///
/// A column has drifted if chance does not explain the change and the change is large enough to matter. The test
/// is chosen by type and size; over all columns false alarms are held at --alpha.
///
/// Exit code: 0 if nothing has drifted, 1 if a column has, 2 if there is not enough data to say, or the input is bad.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// What the data were: a table or a profile
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,

    /// What they are: a table or a profile
    #[arg(long, value_name = "FILE")]
    current: PathBuf,

    /// Compare only these columns
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,

    #[command(flatten)]
    roles: RoleArgs,

    /// The label that a model of two classes looks for [default: 1, true, yes …, else the last in order]
    #[arg(long, value_name = "LABEL")]
    positive: Option<String>,

    /// The score from which on a row is predicted positive
    #[arg(long, value_name = "SCORE", default_value_t = 0.5)]
    threshold: f64,

    /// The level of false alarms, over all columns
    #[arg(long, value_name = "LEVEL", default_value_t = Policy::default().level, value_parser = share)]
    alpha: f64,

    /// The least change of a distribution that matters, of 0 to 1
    #[arg(long, value_name = "EFFECT", default_value_t = Policy::default().min_effect, value_parser = share)]
    min_effect: f64,

    /// Below so many values on a side nothing is said
    #[arg(long, value_name = "N", default_value_t = Policy::default().min_values)]
    min_values: usize,

    /// Compare by this test or distance, a column or all others: ks, anderson, cvm, mannwhitney, t, z, chi2, g, fisher,
    /// psi, kl, js, hellinger, tvd, wasserstein; of distances also from where on it is drift
    #[arg(long, value_name = "[COLUMN=]TEST[:FROM]")]
    test: Vec<String>,

    /// Say what another tool would say, its false alarms included: evidently or nannyml
    #[arg(long, value_name = "TOOL")]
    compat: Option<Compat>,

    /// Keep a profile of each table instead of all values: memory stays small however many rows there are
    #[arg(long)]
    bounded: bool,

    #[command(flatten)]
    report: ReportArgs,
}

/// What columns are for, and how they are compared.
#[derive(Debug, clap::Args)]
pub(super) struct RoleArgs {
    /// The column of the truth
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,

    /// The column of the score; of more than two classes one a class
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    score: Vec<String>,

    /// The column of what the model decided on
    #[arg(long, value_name = "COLUMN")]
    prediction: Option<String>,

    /// Columns that are categories, whatever they hold
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    categorical: Vec<String>,

    /// Columns that are numbers
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    numeric: Vec<String>,
}

impl RoleArgs {
    pub(super) fn set(&self, mut check: DriftCheck) -> DriftCheck {
        if let Some(label) = &self.label {
            check = check.label(label);
        }
        if let Some(prediction) = &self.prediction {
            check = check.prediction(prediction);
        }
        for column in &self.score {
            check = check.score(column);
        }
        for column in &self.categorical {
            check = check.categorical(column);
        }
        for column in &self.numeric {
            check = check.numeric(column);
        }
        check
    }
}

const EXAMPLES: &str = "\
Examples:
  modelpulse drift --reference train.parquet --current today.parquet
  modelpulse drift --reference train.csv --current today.csv --html drift.html
  modelpulse drift --reference runs/digits-001/reference.profile --current today.csv
  modelpulse drift --reference a.csv --current b.csv --columns age,income --test income=wasserstein:0.2
  modelpulse drift --reference a.csv --current b.csv --categorical zip --alpha 0.01
  modelpulse drift --reference a.csv --current b.csv --compat evidently
  modelpulse drift --reference a.csv --current b.csv --json | jq '.columns[] | select(.verdict == \"drift\").column'
  modelpulse drift --reference a.csv --current b.csv --logdir runs; tensorboard --logdir runs";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let check = check(&args)?;
    let bar = args.report.bar();
    let told = |progress| show(&bar, progress);
    let report = check.compare_watched(&args.reference, &args.current, told)?;
    bar.end();
    args.report.leave(&report)?;
    Ok(match report.verdict() {
        verdict::Verdict::Drift => Verdict::Unwell,
        verdict::Verdict::NoDrift => Verdict::Well,
        verdict::Verdict::NotEnoughData => Verdict::Unknown,
    })
}

fn check(args: &Args) -> anyhow::Result<DriftCheck> {
    let policy = Policy {
        level: args.alpha,
        min_effect: args.min_effect,
        min_values: args.min_values.max(1),
        ..Policy::default()
    };
    let mut check = DriftCheck::new().policy(policy).threshold(args.threshold);
    check = args.roles.set(check);
    for column in &args.columns {
        check = check.column(column);
    }
    if let Some(positive) = &args.positive {
        check = check.positive(positive);
    }
    if args.bounded {
        check = check.bounded();
    }
    if let Some(compat) = args.compat {
        if args.bounded {
            bail!("--compat needs all values: leave --bounded out");
        }
        check = check.compat(compat);
    }
    for test in &args.test {
        check = asked(check, test, args.compat)?;
    }
    Ok(check)
}

/// `[COLUMN=]TEST[:FROM]`.
fn asked(check: DriftCheck, text: &str, compat: Option<Compat>) -> anyhow::Result<DriftCheck> {
    let (column, rest) = match text.rsplit_once('=') {
        Some((column, rest)) => (Some(column.to_owned()), rest),
        None => (None, text),
    };
    let (name, from) = match rest.split_once(':') {
        Some((name, from)) => (name, Some(from)),
        None => (rest, None),
    };
    match compat {
        Some(Compat::Evidently) => {
            let method = evidently::Method::named(name);
            let known = || {
                evidently::Method::ALL
                    .map(evidently::Method::name)
                    .join(", ")
            };
            let method = method
                .with_context(|| format!("--test '{text}': Evidently's tests are {}", known()))?;
            if from.is_some() {
                bail!("--test '{text}': thresholds are Evidently's own");
            }
            Ok(check.evidently(column, method))
        }
        Some(Compat::NannyMl) => {
            bail!("--compat nannyml compares by its own default only: leave --test out")
        }
        None => {
            let known = || Method::ALL.map(Method::name).join(", ");
            let method = Method::named(name);
            let method =
                method.with_context(|| format!("--test '{text}': the tests are {}", known()))?;
            let from = from.map(|from| match from.parse::<f64>() {
                Ok(from) if from.is_finite() && from >= 0.0 => Ok(from),
                _ => Err(anyhow::anyhow!(
                    "--test '{text}': '{from}' is not a number from 0 on"
                )),
            });
            let from = from.transpose()?;
            if from.is_some() && !method.is_distance() {
                bail!("--test '{text}': {name} has a p-value, whose level is --alpha");
            }
            Ok(check.method(column, method, from))
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok();
    let share = share.filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "a number from 0 up to 1, as 0.05".to_owned())
}

impl Found for Report {
    const COMMAND: &'static str = "drift";

    fn json(&self) -> serde_json::Value {
        json::report(self)
    }

    fn text(&self, mut out: &mut dyn Write) -> std::io::Result<()> {
        text::report(&mut out, self)
    }

    fn page(&self) -> String {
        page::html(self)
    }

    fn log_to(&self, session: &Session, step: i64) {
        self.log_to(session, step);
    }
}

pub(super) fn show(bar: &Bar, progress: Progress) {
    match progress {
        Progress::Rows { done, of } => bar.at(done, of, "rows read"),
        Progress::Columns { done, of } => bar.at(done as u64, Some(of as u64), "columns compared"),
    }
}
