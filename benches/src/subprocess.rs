//! This program once more, for what is measured in a process of its own.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::ensure;

/// The numbers that it prints under these arguments.
pub(crate) fn numbers(
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> anyhow::Result<Vec<f64>> {
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{complaint}");
    let printed = String::from_utf8(output.stdout)?;
    let numbers = printed.split_whitespace().map(str::parse);
    Ok(numbers.collect::<Result<_, _>>()?)
}
