//! Where a command pushes its metrics.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::export::{Notifier, Pushed, Pusher, Target};
use crate::health::{Registry, Span};

const HEADING: &str = "Pushing metrics";

/// Who is sent the metrics.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct PushArgs {
    /// Push all series to this address by Prometheus' remote write, such as http://localhost:9090; without a path,
    /// /api/v1/write is meant. May be given several times
    #[arg(long, help_heading = HEADING, value_name = "URL")]
    remote_write: Vec<String>,

    /// Push all series to this collector as OTLP metrics over HTTP, such as http://localhost:4318. May be given several
    /// times
    #[arg(long, help_heading = HEADING, value_name = "URL")]
    otlp: Vec<String>,

    /// How often to push; also at the end
    #[arg(long, help_heading = HEADING, value_name = "TIME", default_value = "15s", value_parser = interval)]
    push_interval: Interval,

    /// A file with the token that is sent with each push
    #[arg(long, help_heading = HEADING, value_name = "FILE", conflicts_with = "push_user")]
    push_token_file: Option<PathBuf>,

    /// The name that is sent with each push
    #[arg(long, help_heading = HEADING, value_name = "NAME", requires = "push_password_file")]
    push_user: Option<String>,

    /// A file with the password of --push-user
    #[arg(long, help_heading = HEADING, value_name = "FILE", requires = "push_user")]
    push_password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
struct Interval(Duration);

impl Default for Interval {
    fn default() -> Self {
        Self(Duration::from_secs(15))
    }
}

fn interval(text: &str) -> Result<Interval, String> {
    positive_time(text).map(Interval)
}

/// A time that is more than none.
pub(super) fn positive_time(text: &str) -> Result<Duration, String> {
    match text.parse()? {
        Span::Time(micros) if micros > 0 => Ok(Duration::from_micros(micros.unsigned_abs())),
        _ => Err("write a time such as 60s or 5m".to_owned()),
    }
}

/// The token or the password that a file holds, without the line's end.
pub(super) fn secret(path: &Path, what: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    match text.trim() {
        "" => bail!("{}: there is no {what} in it", path.display()),
        secret => Ok(secret.to_owned()),
    }
}

impl PushArgs {
    /// The targets. Files are read, so that what is wrong with them is said before anything is done.
    pub(super) fn targets(&self) -> anyhow::Result<Vec<Target>> {
        let writes = self.remote_write.iter().map(Target::remote_write);
        let otlp = self.otlp.iter().map(|url| {
            let version = env!("CARGO_PKG_VERSION");
            Target::otlp(url).attribute("service.version", version)
        });
        let read = |path: &Option<PathBuf>, what| path.as_deref().map(|it| secret(it, what));
        let token = read(&self.push_token_file, "token").transpose()?;
        let password = read(&self.push_password_file, "password").transpose()?;
        let targets = writes
            .chain(otlp)
            .map(|target| match (&token, &self.push_user, &password) {
                (Some(token), ..) => target.bearer_token(token),
                (None, Some(user), Some(password)) => target.basic_auth(user, password),
                _ => target,
            });
        Ok(targets.collect())
    }

    /// Pushes `registry`, which is that of the run in `dir`, from now on; nothing where there is no target.
    pub(super) fn start(
        &self,
        targets: Vec<Target>,
        registry: &Registry,
        dir: &Path,
        series_end: bool,
    ) -> anyhow::Result<Option<Pusher>> {
        if targets.is_empty() {
            return Ok(None);
        }
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let builder = Pusher::builder(registry)
            .label("logdir", dir.to_string_lossy())
            .interval(self.push_interval.0)
            .series_end(series_end);
        let builder = targets
            .into_iter()
            .fold(builder, |builder, target| builder.to(target));
        Ok(Some(builder.start()?))
    }
}

/// How the pushes are, for who asks how the service is: whether they are well, and what became of them.
pub(super) fn health(pushed: &[Pushed]) -> (bool, Value) {
    let well = pushed.iter().all(|target| target.problem.is_none());
    let targets = pushed.iter().map(|it| {
        let told = json!({
            "samples": it.samples,
            "requests": it.requests,
            "failures": it.failures,
            "dropped": it.dropped,
            "waiting": it.waiting,
            "problem": it.problem,
        });
        (it.target.clone(), told)
    });
    (well, targets.collect::<serde_json::Map<_, _>>().into())
}

/// The same of alerts on their way.
pub(super) fn notifying(notifier: &Notifier) -> (bool, Value) {
    let (told, problems) = (notifier.notified(), notifier.problems());
    let details = json!({
        "delivered": told.delivered,
        "failures": told.failures,
        "dropped": told.dropped,
        "waiting": told.waiting,
        "problems": problems,
    });
    (problems.is_empty(), details)
}

/// Makes the last push, and says what was not sent.
pub(super) fn finish(pusher: Option<&Pusher>) {
    let pushed = pusher.map(Pusher::finish).unwrap_or_default();
    for it in pushed.iter().filter(|it| it.dropped > 0) {
        eprintln!(
            "warning: {}: {} samples were dropped, {} were sent",
            it.target, it.dropped, it.samples
        );
    }
}
