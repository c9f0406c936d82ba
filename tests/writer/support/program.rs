//! Programs that log: this test binary again, told by its environment which part to play.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};

use super::PATIENCE;

/// Names the part that a child plays, and where it logs to.
const ROLE: &str = "MODELPULSE_TEST_ROLE";
const DIR: &str = "MODELPULSE_TEST_DIR";

/// Says a line to the parent.
pub fn say(line: &str) {
    // The harness may have left its own line unfinished. One write, so that a kill does not cut it.
    let _ = std::io::stdout().write_all(format!("\n@{line}\n").as_bytes());
    let _ = std::io::stdout().flush();
}

/// A child's role and log directory, where this process is a child.
pub fn role() -> Option<(String, PathBuf)> {
    let dir = std::env::var_os(DIR)?;
    Some((std::env::var(ROLE).ok()?, dir.into()))
}

/// A number that the parent set for a child.
pub fn number(name: &str) -> u64 {
    let number = std::env::var(name).ok().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{name} is not a number"))
}

/// A running child; killed when dropped.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Program {
    /// Starts a child that plays `role` with the log directory `dir`.
    pub fn start(role: &str, dir: &Path) -> Self {
        Self::start_after(":", role, dir, &[])
    }

    /// As [`start`](Self::start), after the shell command `prelude`, with more of an environment.
    pub fn start_after(prelude: &str, role: &str, dir: &Path, env: &[(&str, String)]) -> Self {
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(format!("{prelude} && exec \"$0\" \"$@\""))
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "children::child", "--nocapture"])
            .env(ROLE, role)
            .env(DIR, dir)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().expect("is piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix('@') {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        let heard = Vec::new();
        Self {
            child,
            lines,
            heard,
        }
    }

    /// Waits until it says a line that begins with `start`, and returns the rest.
    #[track_caller]
    pub fn until_said(&mut self, start: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("it never said '{start}', only {:?}", self.heard);
            };
            self.heard.push(line.clone());
            if let Some(rest) = line.strip_prefix(start) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Sends a signal: `TERM`, `INT` and so on.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end and returns the signal that ended it, with all that it said.
    pub fn ended_by(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.wait();
        (status.signal(), std::mem::take(&mut self.heard))
    }

    /// Waits for its end, which must be a good one.
    #[track_caller]
    pub fn ended_well(mut self) -> Vec<String> {
        let status = self.wait();
        assert!(status.success(), "{status}: {:?}", self.heard);
        std::mem::take(&mut self.heard)
    }

    /// Waits for its end by a panic.
    #[track_caller]
    pub fn ended_by_panic(mut self) {
        let status = self.wait();
        assert_eq!(status.code(), Some(101), "{:?}", self.heard);
    }

    /// Kills it at once, and returns all that it said.
    #[track_caller]
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let (signal, heard) = self.ended_by();
        assert_eq!(signal, Some(9), "it ended by itself: {heard:?}");
        heard
    }

    fn wait(&mut self) -> ExitStatus {
        // The lines end with the process; a child that hangs is killed, and so fails the test.
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    break;
                }
            }
        }
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
