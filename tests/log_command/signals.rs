//! Signals end the program, and cost nothing that was read.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use modelpulse::flow::Event;
use serde_json::Value;

use crate::{read, scalar, scalars, start};

#[test]
fn a_signal_has_everything_written_that_was_read() {
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let dir = tempfile::tempdir().unwrap();
        let slow = ["--name", "x", "--flush-interval", "1000", "--json"];
        let mut child = start(dir.path(), &slow);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"{\"hparams\": {\"lr\": 1}}\n").unwrap();
        for step in 0..1000 {
            writeln!(stdin, "{{\"step\": {step}, \"a\": {step}}}").unwrap();
        }
        // More than the pipe and the program's buffer hold: all before it was read when this is written.
        stdin.write_all(&vec![b'\n'; 2 << 20]).unwrap();
        let kill = Command::new("kill")
            .args([format!("-{name}"), child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        assert_eq!(output.status.signal(), Some(number));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["lines"]["logged"], 1001);
        let expected: Vec<_> = (0..1000)
            .map(|step| scalar("x/a", step, step as f32))
            .collect();
        assert_eq!(scalars(dir.path()), expected);
        let ended = |event: &Event| event.tag.as_str() == "_hparams_/session_end_info";
        assert!(read(dir.path()).iter().flatten().any(ended));
    }
}
