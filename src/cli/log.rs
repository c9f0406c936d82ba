//! `modelpulse log`: JSON lines on standard input become a run, whatever language the loop is written in.

mod audio;
mod bytes;
mod curves;
mod embedding;
mod graphs;
mod help;
mod hparams;
mod images;
mod job;
mod keys;
mod layout;
mod line;
mod mesh;
mod nested;
mod numbers;
mod picture;
mod texts;

use std::io::{BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::json;

use self::job::{Counts, Job, Settings};
use super::{Verdict, rundir};
use crate::log::{Failed, Overflow, Report, Writer, before_end};
use crate::summary::SessionStatus;
use crate::table::lines::{Lines, MAX_LINE};

/// Log JSON lines from standard input as a run, from a training loop in any language
///
/// A line is one event: {"step": 1, "train/loss": 0.3, "eval/acc": 0.9}. Each key but the reserved ones is
/// a tag, and its number a scalar; NaN and infinity are written bare, as Python writes them, or as the
/// strings "NaN", "Infinity", "-Infinity".
///
/// A line that cannot be logged is reported with its number, and skipped. Logging ends with the input, or
/// with SIGINT or SIGTERM, which also have everything written that was read.
///
/// Exit code: 0 if something was logged, even if lines were skipped; 2 if nothing was, if the log is not
/// whole, or at the first bad line with --strict.
#[derive(Debug, clap::Args)]
#[command(after_help = help::SHORT, after_long_help = help::LONG)]
pub(super) struct Args {
    /// Where runs go
    #[arg(long, value_name = "DIR", default_value = "runs")]
    logdir: PathBuf,

    /// The run's directory in the log directory; must not exist yet, but with --resume [default: log and a number]
    #[arg(long)]
    name: Option<String>,

    /// Go on in the run --name from the first step given: what it has there and later is void. Where there
    /// is no such run, begin it
    #[arg(long, visible_alias = "append", requires = "name")]
    resume: bool,

    /// Take the first part of a tag for its run: train/loss is tag loss of the run train
    #[arg(long)]
    split_runs: bool,

    /// How long a value may wait before it is written
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    flush_interval: Duration,

    /// Stop at the first bad line, with exit code 2
    #[arg(long)]
    strict: bool,

    /// Print neither where the run goes nor what was logged; bad lines are still reported
    #[arg(long, short)]
    quiet: bool,

    /// Print what was logged as one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// So many bad lines are reported one by one; the rest is counted.
const SAID: u64 = 100;

fn interval(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 => {
            Duration::try_from_secs_f64(seconds).map_err(|_| "too long".to_owned())
        }
        Ok(_) => Err("must be a positive number of seconds".to_owned()),
        Err(_) => Err("not a number of seconds".to_owned()),
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let (dir, made) = directory(&args)?;
    let writer = Writer::builder(&dir)
        .flush_interval(args.flush_interval)
        // Whoever writes to the pipe waits, as for any program that reads one.
        .overflow(Overflow::Wait)
        .on_warning(warn)
        .start()?;
    let job = Arc::new(Mutex::new(Job::new(
        writer,
        Settings {
            split_runs: args.split_runs,
            resume: args.resume,
        },
    )));
    end_on_signal(&job, &dir, &args)?;
    if !args.quiet && !args.json {
        say(&format!("logging to {}", dir.display()));
    }
    if std::io::stdin().is_terminal() && !args.quiet {
        say("reading JSON lines from the terminal; Ctrl-D ends them");
    }

    let read = read(&job, args.strict);
    let mut job = lock(&job);
    if job.has_ended() {
        // The signal is about to end the process.
        drop(job);
        std::thread::sleep(Duration::from_secs(10));
        return Ok(Verdict::Well);
    }
    let status = match &read {
        // Whether the loop reached its end, a pipe does not say.
        Ok(()) => SessionStatus::Unknown,
        Err(_) => SessionStatus::Failure,
    };
    let written = job.end(status).unwrap_or_else(|| Ok(Report::default()));
    let counts = job.counts;
    if counts.logged == 0 && made {
        // Only if nothing is in it.
        let _ = std::fs::remove_dir(&dir);
    }
    if counts.logged > 0 || args.json {
        print_result(&args, &dir, counts, &written)?;
    }
    read?;
    written.context("the log is not whole")?;
    match counts {
        Counts {
            logged: 0,
            skipped: 0,
        } => bail!("nothing came on standard input"),
        Counts { logged: 0, skipped } => bail!("no line could be logged; {skipped} skipped"),
        _ => Ok(Verdict::Well),
    }
}

/// The run's directory, and whether it was made.
fn directory(args: &Args) -> anyhow::Result<(PathBuf, bool)> {
    let name = args.name.as_deref();
    if let Some(name) = name.filter(|_| args.resume) {
        let dir = args.logdir.join(name);
        if dir.is_dir() {
            return Ok((dir, false));
        }
    }
    Ok((rundir::claim(&args.logdir, name, "log")?, true))
}

/// Takes all lines, or with `strict` those before the first bad one.
fn read(job: &Mutex<Job>, strict: bool) -> anyhow::Result<()> {
    let stdin = std::io::stdin().lock();
    let mut lines = Lines::new(BufReader::with_capacity(256 << 10, stdin));
    while let Some((number, line)) = lines.next().context("cannot read standard input")? {
        let line = match (number, line) {
            (1, Some(line)) => Some(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)),
            (_, line) => line,
        };
        if line.is_some_and(|line| line.trim_ascii().is_empty()) {
            continue;
        }
        let mut job = lock(job);
        if job.has_ended() {
            return Ok(());
        }
        let taken = match line {
            Some(line) => job.take(line),
            None => {
                job.counts.skipped += 1;
                let limit = MAX_LINE >> 20;
                Err(format!(
                    "longer than {limit} MiB: log so many values as buckets, pictures and sounds as files"
                ))
            }
        };
        if let Err(reason) = taken {
            let reason = format!("line {number}: {}", printable(&reason));
            if strict {
                return Err(anyhow!(reason));
            }
            match job.counts.skipped {
                ..=SAID => warn(&format!("{reason}; skipped")),
                skipped if skipped == SAID + 1 => {
                    warn("more bad lines: they are skipped, and counted")
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Has everything written before SIGINT, SIGTERM or SIGHUP ends the process, and says so.
fn end_on_signal(job: &Arc<Mutex<Job>>, dir: &Path, args: &Args) -> anyhow::Result<()> {
    let (job, dir) = (Arc::downgrade(job), dir.to_owned());
    let (quiet, json) = (args.quiet, args.json);
    before_end(move || {
        let Some(job) = job.upgrade() else {
            return;
        };
        let mut job = lock(&job);
        if let Some(written) = job.end(SessionStatus::Failure) {
            if let Err(failed) = &written {
                warn(&format!("the log is not whole: {failed}"));
            }
            // The process ends, whoever reads.
            let _ = result(quiet, json, &dir, job.counts, &written);
        }
    })
    .context("cannot listen to signals")
}

fn print_result(
    args: &Args,
    dir: &Path,
    counts: Counts,
    written: &Result<Report, Failed>,
) -> anyhow::Result<()> {
    Ok(result(args.quiet, args.json, dir, counts, written)?)
}

fn result(
    quiet: bool,
    json: bool,
    dir: &Path,
    Counts { logged, skipped }: Counts,
    written: &Result<Report, Failed>,
) -> std::io::Result<()> {
    let report = match written {
        Ok(report) => *report,
        Err(failed) => failed.report,
    };
    if json {
        let object = json!({
            "run": dir,
            "lines": { "logged": logged, "skipped": skipped },
            "log": { "written": report.written, "dropped": report.dropped, "bytes": report.bytes },
        });
        return writeln!(std::io::stdout(), "{object}");
    }
    if !quiet {
        let lines = |count| if count == 1 { "line" } else { "lines" };
        let mut line = format!(
            "{} values from {logged} {} logged to {}",
            report.written,
            lines(logged),
            dir.display()
        );
        if skipped > 0 {
            line += &format!("; {skipped} {} skipped", lines(skipped));
        }
        say(&line);
    }
    Ok(())
}

fn lock(job: &Mutex<Job>) -> MutexGuard<'_, Job> {
    job.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nobody may be reading any more; the logging goes on.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn warn(line: &str) {
    say(&format!("warning: {line}"));
}

/// What a line says as far as it is no more than a line, and cannot steer a terminal.
fn printable(reason: &str) -> String {
    const LENGTH: usize = 240;
    let mut text = String::new();
    for (at, character) in reason.chars().enumerate() {
        match character {
            _ if at == LENGTH => {
                text.push('…');
                break;
            }
            character if character.is_control() => text.extend(character.escape_default()),
            character => text.push(character),
        }
    }
    text
}
