//! Measures modelpulse beside its peers and beside what the machine allows.
//!
//! Goals are printed next to what was measured and never asserted: on a busy machine a miss says
//! nothing, on a quiet one it is a regression.
#![deny(unsafe_code)]
#![warn(missing_debug_implementations, unreachable_pub, clippy::use_self)]

mod buckets;
mod clock;
mod contest;
mod drift;
mod evaluate;
mod export;
mod kinds;
mod limit;
mod machine;
mod memory;
mod metrics;
mod monitor;
mod noise;
mod peers;
mod python;
mod read;
mod report;
mod rules;
mod stats;
mod subprocess;
mod train;
mod write;

use clap::{Parser, Subcommand};

use crate::report::Report;

/// Measures modelpulse beside its peers and beside what the machine allows
#[derive(Debug, Parser)]
#[command(name = "modelpulse-benches", after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Write(write::Args),
    Kinds(kinds::Args),
    Train(train::Args),
    Metrics(metrics::Args),
    Evaluate(evaluate::Args),
    Export(export::Args),
    Drift(drift::Args),
    Monitor(monitor::Args),
    Rules(rules::Args),
    Read(read::Args),
    #[command(name = memory::CHILD_VERB, hide = true)]
    MemoryChild(write::memory::ChildArgs),
    #[command(name = evaluate::CHILD_VERB, hide = true)]
    EvaluateChild(evaluate::ChildArgs),
    #[command(name = drift::CHILD_VERB, hide = true)]
    DriftChild(drift::ChildArgs),
    #[command(name = read::CHILD_VERB, hide = true)]
    ReadChild(read::ChildArgs),
}

/// What every verb takes.
#[derive(Debug, clap::Args)]
struct Common {
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,

    /// Two repetitions of everything: a look, not a measurement
    #[arg(long)]
    quick: bool,
}

impl Common {
    /// How often everything is repeated, where `full` is what a measurement takes.
    fn repetitions(&self, full: usize) -> usize {
        if self.quick { 2 } else { full }
    }
}

const EXAMPLES: &str = "\
Examples, each behind 'cargo run --release --manifest-path benches/Cargo.toml --':
  write
  write --quick --only scalars,step_guard
  write --json > write.json
  kinds
  train
  metrics
  evaluate
  drift
  read
  export
  monitor
  rules

Environment: MODELPULSE_PYTHON is a Python that may have tensorboardX, tensorboard, tbparse, scikit-learn
and torchmetrics (default: the one in target/venv). Files go to the temporary directory, and are removed.";

fn main() -> anyhow::Result<()> {
    let (json, report): (bool, Report) = match Args::parse().verb {
        Verb::Write(args) => (args.common.json, write::run(&args)?),
        Verb::Kinds(args) => (args.common.json, kinds::run(&args)?),
        Verb::Train(args) => (args.common.json, train::run(&args)?),
        Verb::Metrics(args) => (args.common.json, metrics::run(&args)?),
        Verb::Evaluate(args) => (args.common.json, evaluate::run(&args)?),
        Verb::Export(args) => (args.common.json, export::run(&args)?),
        Verb::Drift(args) => (args.common.json, drift::run(&args)?),
        Verb::Monitor(args) => (args.common.json, monitor::run(&args)?),
        Verb::Rules(args) => (args.common.json, rules::run(&args)?),
        Verb::Read(args) => (args.common.json, read::run(&args)?),
        Verb::MemoryChild(args) if args.who == train::memory::WHO => return train::memory::child(),
        Verb::MemoryChild(args) => return write::memory::child(&args),
        Verb::EvaluateChild(args) => return evaluate::child(&args),
        Verb::DriftChild(args) => return drift::child(&args),
        Verb::ReadChild(args) => return read::child(&args),
    };
    if json {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(())
}
