//! `modelpulse doctor`: what is wrong with the trainings of a log, in plain language.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use serde_json::{Value, json};

use super::inspect::escape;
use super::progress::{Progress, Shown};
use super::select::Resumed;
use super::{Verdict, json as as_json};
use crate::flow::Source;
use crate::health::{Diagnosis, Doctor, Place};
use crate::log::PurgedReader;

/// Say what is wrong with the trainings of a log, what shows it, and what to try
///
/// Any TensorBoard log will do: losses and accuracies are known by the names that Keras, Lightning, PyTorch's examples,
/// transformers and modelpulse give them; gradients, dead units and classes are looked at where they were logged. The same
/// detectors watch a training live.
///
/// It finds: a learning rate that is too high or too low, a loss that is NaN, diverges or stands, overfitting, wrong labels,
/// data that is not shuffled, a class that is missing, gradients that explode or vanish, dead units.
///
/// Exit code: 0 if nothing was found, 1 if something was, 2 if a log cannot be read or holds no training.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directories: of one run, or one above many; any TensorBoard log will do
    #[arg(required = true)]
    logdirs: Vec<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    resumed: Resumed,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse doctor runs
  modelpulse doctor runs/digits-001 lightning_logs/version_3
  modelpulse doctor runs --json | jq -r '.trainings[] | select(.findings != []) | .training'";

/// A training of a log directory.
struct Seen<'a> {
    logdir: &'a Path,
    diagnosis: Diagnosis,
}

impl Seen<'_> {
    fn name(&self) -> String {
        let path = match &self.diagnosis.training[..] {
            "." => self.logdir.to_owned(),
            training => self.logdir.join(training),
        };
        escape(&path.to_string_lossy())
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut all = Vec::new();
    let progress = Progress::new("reading", &args.logdirs, |_| true)?;
    for logdir in &args.logdirs {
        let log = PurgedReader::open_runs(logdir, args.resumed.policy(), |_| true)?;
        let mut source = Shown::new(log, progress.clone());
        let mut doctor = Doctor::default();
        source
            .drain_into(&mut doctor)
            .map_err(|error| anyhow!(error))?;
        source.warn(PurgedReader::problems);
        let seen = doctor.diagnose().into_iter();
        let seen = seen.map(|diagnosis| Seen { logdir, diagnosis });
        all.extend(
            seen.filter(|it| {
                !it.diagnosis.looked_at.is_empty() || !it.diagnosis.findings.is_empty()
            }),
        );
    }
    progress.end();
    let mut out = std::io::BufWriter::new(std::io::stdout());
    if args.json {
        let trainings: Vec<Value> = all.iter().map(object).collect();
        let healthy = !all.is_empty() && all.iter().all(|it| it.diagnosis.findings.is_empty());
        writeln!(
            out,
            "{}",
            json!({ "healthy": healthy, "trainings": trainings })
        )?;
    } else {
        for seen in &all {
            write_text(&mut out, seen)?;
        }
    }
    out.flush()?;
    if all.is_empty() {
        bail!(
            "no training in {}: no loss, gradient or recall is known by its name; `modelpulse inspect` shows what there is",
            list(&args.logdirs)
        );
    }
    let ill = all.iter().any(|it| !it.diagnosis.findings.is_empty());
    Ok(if ill { Verdict::Unwell } else { Verdict::Well })
}

fn list(dirs: &[PathBuf]) -> String {
    let dirs: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    dirs.join(", ")
}

fn write_text(out: &mut impl Write, seen: &Seen<'_>) -> std::io::Result<()> {
    let Diagnosis {
        findings,
        looked_at,
        ..
    } = &seen.diagnosis;
    let looked_at = match looked_at.is_empty() {
        true => "what the run found itself".to_owned(),
        false => looked_at.join(", "),
    };
    let verdict = match findings.len() {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    writeln!(out, "{}: {verdict} ({looked_at})", seen.name())?;
    for finding in findings {
        let kind = finding.kind.name().replace('_', " ");
        let severity = finding.kind.severity().name();
        writeln!(
            out,
            "\n  {} ({severity}), {}\n    {}.",
            kind.to_uppercase(),
            finding.place,
            escape(&finding.sentence)
        )?;
        let width = finding
            .evidence
            .iter()
            .map(|(what, _)| what.chars().count());
        let width = width.max().unwrap_or(0).min(60);
        writeln!(out, "    what shows it:")?;
        for (what, value) in &finding.evidence {
            writeln!(out, "      {:<width$}  {}", escape(what), escape(value))?;
        }
        writeln!(out, "    what to try:")?;
        for advice in &finding.advice {
            writeln!(out, "      - {}", escape(advice))?;
        }
    }
    if !findings.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

fn object(seen: &Seen<'_>) -> Value {
    let finding = |finding: &crate::health::Finding| {
        let mut object = as_json::finding(finding);
        if let Some(object) = object.as_object_mut() {
            // The run is that of our own trainings.
            object.shift_remove("run");
            let axis = match finding.place {
                Place::Epoch(_) => "epoch",
                Place::Step(_) => "step",
            };
            object.insert("axis".to_owned(), axis.into());
            let severity = finding.kind.severity().name();
            object.insert("severity".to_owned(), severity.into());
        }
        object
    };
    json!({
        "logdir": seen.logdir,
        "training": seen.diagnosis.training,
        "looked_at": seen.diagnosis.looked_at,
        "findings": seen.diagnosis.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
