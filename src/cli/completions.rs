//! `modelpulse completions`: what makes a shell complete the program's commands and options.
//!
//! Made from the parser itself, so that it never tells of what is not there.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, Verdict};

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Of which shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse completions bash > ~/.local/share/bash-completion/completions/modelpulse
  modelpulse completions zsh > /usr/local/share/zsh/site-functions/_modelpulse
  modelpulse completions fish > ~/.config/fish/completions/modelpulse.fish";

pub(super) fn run(args: &Args) -> anyhow::Result<Verdict> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "modelpulse", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Verdict::Well)
}
