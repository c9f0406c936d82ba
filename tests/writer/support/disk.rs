//! A disk of a few megabytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted tmpfs; unmounted when dropped.
pub struct Disk {
    mount: TempDir,
}

impl Disk {
    pub fn of(size: &str) -> Self {
        let mount = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=700");
        let arguments = ["-t", "tmpfs", "-o", &options, "modelpulse-test"];
        mount_command(&arguments, mount.path());
        Self { mount }
    }

    pub fn path(&self) -> &Path {
        self.mount.path()
    }

    /// Takes up all but about `free` bytes, until the file is removed.
    pub fn fill_but(&self, size: usize, free: usize) -> PathBuf {
        let ballast = self.path().join("ballast");
        fs::write(&ballast, vec![0; size - free]).unwrap();
        ballast
    }

    /// Refuses writes from now on, or takes them again.
    pub fn set_read_only(&self, read_only: bool) {
        let options = if read_only {
            "remount,ro"
        } else {
            "remount,rw"
        };
        mount_command(&["-o", options], self.path());
    }
}

fn mount_command(arguments: &[&str], target: &Path) {
    let output = Command::new("mount").args(arguments).arg(target).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run mount: {error}"));
    assert!(
        output.status.success(),
        "cannot mount a tmpfs at {}: {}; the tests of full and read-only disks need root \
         (CAP_SYS_ADMIN; in a container --privileged)",
        target.display(),
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a writer of a failed test may still have a file open.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
    }
}
