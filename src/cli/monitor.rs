//! `modelpulse monitor`: watches a model that `train` made, and serves what there is to know of it.
//!
//! It goes on whatever happens to the model, its data or its readers, and says what is wrong.

mod data;
mod inputs;
mod memory;
mod model;
mod stamp;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use self::data::Labelled;
use self::inputs::Inputs;
use self::model::Live;
use super::Verdict;
use super::alerting::{NotifyArgs, RuleArgs};
use super::pushing::{self, PushArgs, positive_time, secret};
use super::train::{REFERENCE, RunFile};
use crate::Session;
use crate::datasets::Dataset;
use crate::flow::{Event, Sink, SinkError};
use crate::health::drift::Chunking;
use crate::health::{AlertBoard, Alerts, Monitor, Observations, Registry, Rows, Transition, Usage};
use crate::serve::Server;

/// Watch a model that `modelpulse train` made: evaluate it at an interval, and serve what there is to know of it
///
/// Answers Prometheus (/metrics), Spring's tools (/actuator/health, /actuator/metrics …), and whoever asks for an
/// evaluation (/evaluate) or a prediction (POST /predict). Takes what a model said elsewhere (POST /observations) and
/// labels that come late (POST /labels), and judges that too. All of it is logged for TensorBoard. A checkpoint that
/// replaces the one that is watched is taken over at the next evaluation.
///
/// Inputs are held against those of the training: the features of observations, the rows of predictions, and the data of
/// evaluations, each feature of each chunk. live/drift/data_drift_detected is 1 where one has drifted. Before labels come,
/// live/estimated/performance/accuracy says how the model is likely to do.
///
/// Exit code: 0 when it was told to end (SIGINT, SIGTERM), 2 if the input was bad.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The run: a directory that `modelpulse train` made
    #[arg(long, value_name = "RUN")]
    model: PathBuf,

    /// What to judge it by: a directory with IDX files; a table (CSV, JSON lines, Parquet) with a column 'label' and one for
    /// each input of the model; or a directory of such tables (*.csv, *.tsv, *.jsonl, *.ndjson, *.parquet), taken together.
    /// New files are found, and those that changed are read again; a name that begins with a dot is passed over, so a file
    /// can be written under one and renamed [default: the held-out split of the run's data]
    #[arg(long, value_name = "DIR|FILE")]
    data: Option<PathBuf>,

    /// How often to evaluate
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = positive_time)]
    interval: Duration,

    /// Where to serve; port 0 is one that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,

    /// Where to log [default: the directory 'monitor' of the run]
    #[arg(long, value_name = "DIR")]
    logdir: Option<PathBuf>,

    #[command(flatten)]
    rules: RuleArgs,

    #[command(flatten)]
    notify: NotifyArgs,

    #[command(flatten)]
    push: PushArgs,

    /// Wait that long for the label of an observation
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = positive_time)]
    label_wait: Duration,

    /// How many MiB of observations and labels are kept beside those that are still needed
    #[arg(long, value_name = "MIB", default_value = "64")]
    journal_growth: f64,

    /// What the inputs are held against: a profile, a directory with IDX files, of which the training split is taken, or a
    /// table as for --data [default: the run's own profile, or the training split of its data]
    #[arg(long, value_name = "FILE|DIR")]
    reference: Option<PathBuf>,

    /// How many inputs are held against the reference at a time, such as 200, or those of how much time, such as 5m
    #[arg(long, value_name = "ROWS|TIME", default_value = "200", value_parser = inputs::chunking)]
    chunk: Chunking,

    /// Features of observations that are hidden before anything is written, by name or by place
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    redact: Vec<String>,

    /// A file with the token that /evaluate, /observations and /labels need; without one, they are served on loopback
    /// addresses alone
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Print alerts, and nothing else
    #[arg(long, short)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse monitor --model runs/digits-001
  modelpulse monitor --model runs/digits-001 --interval 10s --rule 'eval/accuracy < 0.9'
  modelpulse monitor --model runs/digits-001 --data labelled.csv --rules rules.toml
  modelpulse monitor --model runs/digits-001 --rules rules.toml --alertmanager http://localhost:9093
  modelpulse monitor --model runs/digits-001 --remote-write http://localhost:9090
  modelpulse monitor --model runs/digits-001 --detect adwin:live/accuracy --listen 0.0.0.0:8000 --token-file token

Then: curl localhost:8000/metrics
      curl localhost:8000/evaluate
      curl localhost:8000/actuator/health
      tensorboard --logdir runs";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    memory::share_arenas();
    let trained = RunFile::trained(&args.model)?;
    let data = match &trained.data {
        Some(dir) => Dataset::from_dir(dir)?,
        None => Dataset::digits(),
    };
    let crc32 = format!("{:08x}", data.crc32());
    if args.data.is_none() && crc32 != trained.crc32 {
        bail!(
            "{} was trained on {} with CRC-32 {}, the data that are there now have {crc32}; say --data",
            args.model.display(),
            trained.name,
            trained.crc32
        );
    }
    let pixels = data.eval().height() * data.eval().width();
    let sizes = [&[pixels], &trained.hidden[..], &[data.classes()]].concat();
    let model = Arc::new(Live::open(&args.model, sizes, trained.seed)?);
    let labelled = match &args.data {
        Some(path) => Labelled::open(path, pixels, data.classes())?,
        None => Labelled::fixed(data.eval())?,
    };
    // What is there now may be other data than those that it was trained on.
    let is_same = crc32 == trained.crc32;
    let stored = args.model.join(REFERENCE);
    let stored = stored.exists().then_some(stored);
    let reference = args.reference.or(stored);
    let reference = match is_same || reference.is_some() {
        true => {
            let shape = (pixels, data.classes());
            Some(inputs::reference(
                reference.as_deref(),
                data.train(),
                shape,
            )?)
        }
        false => None,
    };
    let token = args.token_file.as_deref();
    let token = token.map(|path| secret(path, "token")).transpose()?;
    let targets = args.push.targets()?;

    let registry = Registry::new();
    registry.process();
    registry.machine();
    let board = AlertBoard::default();
    let logdir = args.logdir.unwrap_or_else(|| args.model.join("monitor"));
    let mut builder = Session::builder(&logdir).sink(registry.sink());
    if !args.quiet {
        builder = builder.sink(Lines);
    }
    let watching = args.rules.watch(&args.notify)?;
    let errors_are_watched = inputs::errors_are_watched(&watching.detectors);
    if !watching.detectors.is_empty() {
        builder = builder.detectors_with(watching.detectors, |detected| {
            // Nobody may be reading any more; the model is watched on.
            let _ = writeln!(std::io::stdout(), "{detected}");
        });
    }
    let mut told = None;
    if let Some((rules, notify)) = watching.alerts {
        let notifier = notify.notifier(&logdir)?;
        told = Some(notifier.clone());
        let board = board.clone();
        builder = builder.sink_with(move |dir| {
            let (shown, told) = (board.clone(), notifier.clone());
            let mut alerts = Alerts::new(rules, move |transition: &Transition| {
                shown.note(transition);
                told.tell(transition);
                // Nobody may be reading any more; the model is watched on.
                let _ = writeln!(std::io::stdout(), "{transition}");
            });
            // One that fired when the monitor was stopped fires.
            alerts.resume(dir)?;
            for transition in alerts.firing() {
                board.note(transition);
                notifier.tell(transition);
            }
            Ok(alerts)
        });
    }
    let session = builder.start()?;
    // The series of a monitor that was stopped have ended.
    let pusher = args.push.start(targets, &registry, &logdir, true)?;
    let live = Observations::new(data.classes()).max_age(args.label_wait);
    let inputs =
        reference.map(|reference| Inputs::start(&reference, args.chunk, &args.redact, &session));
    let (evaluated, predicted) = (inputs.clone(), inputs.clone());
    let (asked, mut usage) = (model.clone(), Usage::new().disk_of(&logdir));
    let refreshed = model.clone();
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen to signals")?;
    let watch = Monitor::new(move |rows| asked.current().predict(rows))
        .task(data.classes())
        .features(pixels)
        .ranges(data::ranges(data.train()))
        .redact(args.redact.clone())
        .data_from(move || {
            refreshed.refresh()?;
            let rows = labelled.rows()?;
            if let Some(inputs) = &evaluated {
                inputs.evaluate(&rows);
            }
            Ok(rows)
        })
        .on_predict(move |rows| {
            if let Some(inputs) = &predicted {
                inputs.predicted.rows(rows);
            }
        })
        .each(move |session, step| {
            let mut instant = session.instant();
            for (name, value) in usage.read() {
                instant.scalar("serve", &format!("resource/{name}"), step, value);
            }
        })
        .observations(&live)
        .interval(args.interval)
        .registry(&registry)
        .start(&session)
        .context("cannot start")?;
    let (loaded, run) = (model.current(), args.model.clone());
    let mut server = Server::new(&registry)
        .watch(&watch)
        .alerts(&board)
        .class_names(data.class_names())
        .observations(&live, &logdir)
        .redact(args.redact)
        .journal_growth((args.journal_growth * f64::from(1 << 20)) as u64)
        .info_of("model", move || {
            let loaded = model.current();
            json!({
                "run": run,
                "epochs": loaded.info.epochs,
                "steps": loaded.info.steps,
                "seed": trained.seed,
                "version": loaded.info.version,
                "sha256": loaded.sha256,
            })
        })
        .info(
            "data",
            json!({ "name": trained.name, "crc32": trained.crc32 }),
        );
    if let Some(notifier) = told {
        server = server.health_of("notifications", move || pushing::notifying(&notifier));
    }
    if let Some(inputs) = inputs.clone() {
        server = server.health_of("drift", move || (true, inputs.health()));
    }
    if let Some(pusher) = pusher.clone() {
        server = server.health_of("push", move || pushing::health(&pusher.pushed()));
    }
    if let Some(token) = token {
        server = server.token(token);
    }
    let serving = server
        .listen(args.listen)
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    // What comes from here on is looked at; what came before is known from the file of observations.
    if let Some(inputs) = &inputs {
        inputs.listen(&live);
    }
    if errors_are_watched {
        live.log_wrong(&session);
    }
    let predict = |rows: Rows<'_>| loaded.predict(rows);
    match inputs::performance(data.eval(), data.classes(), args.chunk, predict) {
        Ok(performance) if is_same => performance.start(&live, &session),
        Ok(_) => {}
        Err(error) => eprintln!("warning: performance is not estimated: {error}"),
    }
    eprintln!(
        "monitoring {} (epoch {}, step {}) on {}, logging to {}",
        args.model.display(),
        loaded.info.epochs,
        loaded.info.steps,
        serving.url(),
        logdir.display()
    );
    wait(signals);
    serving.shutdown();
    watch.stop();
    drop(watch);
    let written = session.finish();
    pushing::finish(pusher.as_ref());
    match written {
        // What the disk refused for a while is there.
        Err(failed)
            if failed.report.dropped == 0 && failed.report.failures == failed.report.healed =>
        {
            eprintln!("the log is whole, after a failure: {failed}");
        }
        finished => drop(finished.context("the log is not whole")?),
    }
    Ok(Verdict::Well)
}

/// Returns when the process is told to end. A second signal ends it at once.
fn wait(mut signals: Signals) {
    let _ = signals.forever().next();
    let again = std::thread::Builder::new();
    let _ = again.spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

/// A line for each evaluation.
struct Lines;

impl Sink for Lines {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        let find = |path: &str| instant.iter().find(|event| event.path() == path);
        let value = |path: &str| find(path).and_then(|event| event.value.decimal());
        let Some(event) = find("serve/errors/evaluation") else {
            return Ok(());
        };
        let mut line = format!("evaluation {}", event.step.as_i64());
        if event.value.scalar() == Some(1.0) {
            line += "  failed, see /actuator/health";
        }
        for name in ["accuracy", "f1_macro", "log_loss"] {
            if let Some(value) = value(&format!("eval/{name}")) {
                line += &format!("  {name} {value:.4}");
            }
        }
        // Nobody may be reading any more; the model is watched on.
        let _ = writeln!(std::io::stdout(), "{line}");
        Ok(())
    }
}
