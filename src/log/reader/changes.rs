//! Waits until a directory changes: told by the system where it can tell, by looking now and then elsewhere.
//!
//! What changed is not said, for a follower looks at all files anyway; and no change is waited for longer
//! than a bound, for some file systems tell of none.

use std::path::Path;
use std::time::Duration;

/// Changes in and below a directory, which need not be there yet.
///
/// With the feature `follow` the system tells of them (inotify and its kin); without it, or where it
/// cannot (network file systems), the wait is short instead.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use std::time::Duration;
/// let mut changes = modelpulse::log::Changes::of(dir.path());
/// std::fs::write(dir.path().join("tfevents"), [])?;
/// changes.wait(Duration::from_secs(60)); // returns at once
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Changes {
    #[cfg(feature = "follow")]
    dir: std::path::PathBuf,
    #[cfg(feature = "follow")]
    watch: Option<Watch>,
}

/// How long a wait takes where nobody tells of changes.
const LOOK: Duration = Duration::from_millis(25);
/// How long it takes at most where somebody does: changes made on another machine are told of by nobody.
#[cfg(feature = "follow")]
const LOOK_ANYWAY: Duration = Duration::from_secs(1);

#[cfg(feature = "follow")]
#[derive(Debug)]
struct Watch {
    _watcher: notify::RecommendedWatcher,
    told: std::sync::mpsc::Receiver<()>,
}

impl Changes {
    /// Changes of `dir` from now on.
    pub fn of(dir: impl AsRef<Path>) -> Self {
        #[cfg(feature = "follow")]
        {
            let mut changes = Self {
                dir: dir.as_ref().to_owned(),
                watch: None,
            };
            changes.start();
            changes
        }
        #[cfg(not(feature = "follow"))]
        {
            let _ = dir;
            Self {}
        }
    }

    /// Waits for a change since the last wait, or until `at_most` is over; it may return for nothing.
    pub fn wait(&mut self, at_most: Duration) {
        #[cfg(feature = "follow")]
        {
            if self.watch.is_none() {
                self.start();
            }
            if let Some(watch) = &self.watch {
                let told = watch.told.recv_timeout(at_most.min(LOOK_ANYWAY));
                // One look is enough for all that was told.
                watch.told.try_iter().for_each(drop);
                if told != Err(std::sync::mpsc::RecvTimeoutError::Disconnected) && self.dir.exists()
                {
                    return;
                }
                self.watch = None;
            }
        }
        std::thread::sleep(at_most.min(LOOK));
    }

    #[cfg(feature = "follow")]
    fn start(&mut self) {
        use notify::Watcher;
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is no change. A full channel tells all there is to tell.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = tell.try_send(());
            }
        });
        self.watch = watcher.ok().and_then(|mut watcher| {
            let watching = watcher.watch(&self.dir, notify::RecursiveMode::Recursive);
            watching.ok().map(|()| Watch {
                _watcher: watcher,
                told,
            })
        });
    }
}
