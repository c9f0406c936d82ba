//! `modelpulse profile`: what is kept of tables, to compare others with.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::Verdict;
use super::drift::{RoleArgs, show};
use super::inspect::{escape, short, write_table};
use super::json::number;
use super::report::{Bar, write_whole};
use crate::drift::profile::{Feature, Profile};
use crate::health::drift_report::DriftCheck;

/// Sum up tables in a profile, to compare later data with: 'modelpulse drift --reference PROFILE'
///
/// Several tables are shards of one: the profile is that of all their rows. A profile may be one of them, so that
/// profiles are merged, and one that grows takes in each day. It takes one pass and little memory, however many
/// rows there are.
///
/// Without -o the profile is printed, not written: of each column what is kept.
///
/// Exit code: 0 if it was made, 2 if a file could not be read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Tables (CSV, JSON lines, Parquet) or profiles, all of the same columns
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Where the profile goes
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only these columns
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,

    #[command(flatten)]
    roles: RoleArgs,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Print nothing when the profile is written
    #[arg(long, short)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse profile train.parquet -o reference.profile
  modelpulse profile shard-*.csv -o reference.profile
  modelpulse profile reference.profile today.csv -o reference.profile
  modelpulse profile reference.profile
  modelpulse drift --reference reference.profile --current today.csv";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut check = args.roles.set(DriftCheck::new());
    for column in &args.columns {
        check = check.column(column);
    }
    let bar = Bar::new(args.quiet);
    let profile = check.profile(&args.files, |progress| show(&bar, progress))?;
    bar.end();
    if let Some(output) = &args.output {
        write_whole(output, &profile.to_bytes())?;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout());
    if args.json {
        writeln!(out, "{}", as_json(&profile))?;
    } else if args.output.is_none() {
        print(&mut out, &profile)?;
    }
    out.flush()?;
    if let (Some(output), false) = (&args.output, args.quiet) {
        let (rows, columns) = (profile.rows(), profile.features().len());
        eprintln!(
            "profile of {rows} rows, {columns} columns written to {}",
            output.display()
        );
    }
    Ok(Verdict::Well)
}

fn print(out: &mut impl Write, profile: &Profile) -> std::io::Result<()> {
    writeln!(out, "{} rows", profile.rows())?;
    for (name, note) in profile.notes() {
        writeln!(out, "{}: {}", escape(name), escape(note))?;
    }
    writeln!(out)?;
    let heading = ["COLUMN", "KIND", "ROLE", "MISSING", "VALUES", "KEPT"].map(str::to_owned);
    let lines = profile.features().iter().map(|feature| {
        let (values, kept) = told(feature);
        let missing = match feature.missing() {
            0 => String::new(),
            missing => format!("{:.2}%", 100.0 * missing as f64 / profile.rows() as f64),
        };
        let field = feature.field();
        [
            escape(feature.name()),
            field.kind().to_string(),
            field.role().to_string(),
            missing,
            values,
            kept,
        ]
    });
    let lines: Vec<[String; 6]> = [heading].into_iter().chain(lines).collect();
    write_table(out, &lines)
}

fn told(feature: &Feature) -> (String, String) {
    use crate::drift::data::Distribution;
    if let Some(numbers) = feature.numbers() {
        let kept = numbers.distribution();
        let quantile = |share| kept.quantile(share).unwrap_or(f64::NAN);
        let values = [0.0, 0.5, 1.0]
            .map(|share| short(quantile(share)))
            .join(" … ");
        let kept = match kept.error() {
            0.0 => "all values".to_owned(),
            error => format!("shares to {}%", short(100.0 * error)),
        };
        return (values, kept);
    }
    let Some(categories) = feature.categories() else {
        return (String::new(), String::new());
    };
    let names: Vec<String> = categories
        .iter()
        .take(3)
        .map(|(name, _)| escape(name))
        .collect();
    let more = if categories.iter().len() > 3 {
        " …"
    } else {
        ""
    };
    let kept = match categories.lost() {
        0 => format!("all {} categories", categories.iter().len()),
        lost => format!("counts to {lost}"),
    };
    (names.join(", ") + more, kept)
}

fn as_json(profile: &Profile) -> serde_json::Value {
    use crate::drift::data::Distribution;
    let feature = |feature: &Feature| {
        let numbers = feature.numbers().map(|numbers| {
            let kept = numbers.distribution();
            let quantiles =
                [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| kept.quantile(share).map(number));
            json!({
                "mean": number(numbers.mean()),
                "variance": number(numbers.variance()),
                "quartiles": quantiles,
                "infinite": numbers.infinite(),
                "error": kept.error(),
            })
        });
        let categories = feature.categories().map(|categories| {
            let counts: serde_json::Map<String, serde_json::Value> = categories
                .iter()
                .map(|(name, count)| (name.to_owned(), json!(count)))
                .collect();
            json!({ "counts": counts, "others": categories.others(), "lost": categories.lost() })
        });
        json!({
            "column": feature.name(),
            "kind": feature.field().kind().to_string(),
            "role": feature.field().role().to_string(),
            "count": feature.count(),
            "missing": feature.missing(),
            "numbers": numbers,
            "categories": categories,
        })
    };
    json!({
        "rows": profile.rows(),
        "notes": profile.notes(),
        "columns": profile.features().iter().map(feature).collect::<Vec<_>>(),
    })
}
