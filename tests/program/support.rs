//! The programs that the tests run: modelpulse, and TensorBoard to look at what it logged.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

#[path = "../tensorboard/mod.rs"]
mod board;

pub use board::{Loader, TensorBoard, script};

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The program, to be given arguments.
pub fn modelpulse() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_modelpulse"));
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap_or_else(|error| {
        panic!("cannot run {}: {error}", command.get_program().display());
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Runs `modelpulse train --logdir LOGDIR ARGUMENTS`.
pub fn train(logdir: &Path, arguments: &[&str]) -> Ran {
    let mut command = modelpulse();
    run(command
        .arg("train")
        .arg("--logdir")
        .arg(logdir)
        .args(arguments))
}

/// Runs `modelpulse replay LOGDIR ARGUMENTS`.
pub fn replay(logdir: &Path, arguments: &[&str]) -> Ran {
    run(modelpulse().arg("replay").arg(logdir).args(arguments))
}

impl Ran {
    /// Holds the program to an exit code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The only line of the output, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{self:#?}");
        serde_json::from_str(&self.out).expect("JSON")
    }
}
