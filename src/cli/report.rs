//! What a command that measures tables leaves behind: words or JSON on standard output, a page, a run for TensorBoard;
//! and the bar that says how far it is.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::rundir;
use crate::Session;
use crate::train::Ranks;

#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,

    /// Write a report with charts: one page that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Log what was found as a run in this directory, for TensorBoard
    #[arg(long, value_name = "DIR")]
    logdir: Option<PathBuf>,

    /// The run's directory in the log directory [default: the command and a number]
    #[arg(long, requires = "logdir")]
    name: Option<String>,

    /// The step that the run's values belong to
    #[arg(long, requires = "logdir", default_value_t = 0)]
    step: i64,

    /// No progress, and no word of where files went
    #[arg(long, short)]
    quiet: bool,
}

/// What a command has found, in the forms that it can leave.
pub(super) trait Found {
    /// The command; its runs are named by it.
    const COMMAND: &'static str;

    fn json(&self) -> serde_json::Value;

    fn text(&self, out: &mut dyn Write) -> io::Result<()>;

    fn page(&self) -> String;

    fn log_to(&self, session: &Session, step: i64);
}

impl ReportArgs {
    pub(super) fn bar(&self) -> Bar {
        Bar::new(self.quiet)
    }

    /// Leaves what was asked for.
    pub(super) fn leave<F: Found>(&self, found: &F) -> anyhow::Result<()> {
        if let Some(file) = &self.html {
            write_whole(file, found.page().as_bytes())?;
        }
        let logdir = self.logdir.as_deref();
        let logged = logdir.map(|logdir| self.log(logdir, found)).transpose()?;
        let mut out = io::BufWriter::new(io::stdout());
        if self.json {
            writeln!(out, "{}", found.json())?;
        } else {
            found.text(&mut out)?;
        }
        out.flush()?;
        if !self.quiet {
            if let Some(file) = &self.html {
                eprintln!("report written to {}", file.display());
            }
            if let (Some(run), Some(logdir)) = (logged, logdir) {
                let (run, logdir) = (run.display(), logdir.display());
                eprintln!("logged to {run}; see: tensorboard --logdir {logdir}");
            }
        }
        Ok(())
    }

    fn log<F: Found>(&self, logdir: &Path, found: &F) -> anyhow::Result<PathBuf> {
        let dir = rundir::claim(logdir, self.name.as_deref(), F::COMMAND)?;
        let session = Session::builder(&dir).ranks(Ranks::Any).start()?;
        found.log_to(&session, self.step);
        session.finish().context("the log is not whole")?;
        Ok(dir)
    }
}

/// A file is whole or as it was.
pub(super) fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    let written = || -> anyhow::Result<()> {
        let mut whole = tempfile::Builder::new()
            .permissions(readable())
            .tempfile_in(dir.unwrap_or(Path::new(".")))?;
        whole.write_all(bytes)?;
        whole.persist(file)?;
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", file.display()))
}

/// As other files are made, and not for oneself alone.
fn readable() -> std::fs::Permissions {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::from_mode(0o644);
    #[cfg(not(unix))]
    tempfile::tempfile()
        .and_then(|file| file.metadata())
        .map(|it| it.permissions())
        .expect("a temporary file")
}

/// A bar on a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(quiet: bool) -> Self {
        let bar = ProgressBar::no_length();
        if quiet || !io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self(bar)
    }

    /// So much is `done`, of how much where that is known.
    pub(super) fn at(&self, done: u64, of: Option<u64>, what: &'static str) {
        if self.0.is_hidden() {
            return;
        }
        if self.0.length() != of || self.0.message() != what {
            let form = match of {
                Some(of) => {
                    self.0.set_length(of);
                    "{bar:40} {percent:>3} %  {human_pos} of {human_len} {msg}  {eta} left"
                }
                None => {
                    self.0.unset_length();
                    "{spinner} {human_pos} {msg}  {per_sec}"
                }
            };
            self.0.reset_eta();
            self.0.set_message(what);
            if let Ok(style) = ProgressStyle::with_template(form) {
                self.0.set_style(style);
            }
        }
        self.0.set_position(done);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
