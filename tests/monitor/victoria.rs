//! A real VictoriaMetrics; it is killed when it is dropped.

use std::net::TcpListener;
use std::process::Command;

use tempfile::TempDir;

use crate::prometheus::{Series, matrix};
use crate::support::{Running, agent, get, until};

pub struct VictoriaMetrics {
    _running: Running,
    url: String,
    _dir: TempDir,
}

impl VictoriaMetrics {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // It does not tell which port it was given, so it is told one that was free.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let running = Running::start(
            Command::new("victoria-metrics")
                .arg(format!("-httpListenAddr={address}"))
                .arg("-storageDataPath=data")
                // It would not show what is younger than that.
                .arg("-search.latencyOffset=0s")
                .current_dir(dir.path()),
        );
        let url = format!("http://{address}");
        until("VictoriaMetrics", || {
            let well = agent().get(format!("{url}/health")).call();
            well.is_ok_and(|answer| answer.status() == 200)
                .then_some(())
        });
        Self {
            _running: running,
            url,
            _dir: dir,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The raw samples of all series that a selector with a range gives, by their labels: milliseconds and bits. It shows
    /// a series some time after it took it, so there are to be so many.
    pub fn samples(&self, selector: &str, series: usize) -> Series {
        let query = format!("{}/api/v1/query?query={}", self.url, url_encoded(selector));
        until("what was written to VictoriaMetrics", || {
            get(&format!("{}/internal/force_flush", self.url));
            let found = matrix(&get(&query).json());
            (found.len() >= series).then_some(found)
        })
    }
}

/// A text as a part of a URL.
pub fn url_encoded(text: &str) -> String {
    let each = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    each.collect()
}
