//! Embeddings for TensorBoard's projector, which reads files and no events.
//!
//! Every file is written beside its place and then moved there, so a reader never sees half of one.
//! The settings keep what others wrote into them.

mod config;
mod copy;
mod embedding;
mod error;
mod pbtxt;
mod sprite;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub(crate) use copy::copy_projector;
pub use embedding::Embedding;
pub use error::{EmbeddingError, ProjectorError};

use crate::proto::projector::{EmbeddingInfo, ProjectorConfig, SpriteMetadata};

/// Writes embeddings into the directory of a run.
///
/// The page lists an embedding by its name; a later one of that name takes its place, so a name with
/// a step in it keeps both. TensorBoard reads the settings when its list of runs changes, so it shows
/// an embedding that came later with the next new run, or when it is started again. The page works
/// only where TensorBoard itself sees the directory (`--logdir`).
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Embedding, Projector};
/// let projector = Projector::new(dir.path());
/// let digits = Embedding::new("digits", 2, &[0.0, 1.0, 1.0, 0.0])?.column("digit", ["0", "1"])?;
/// projector.write(&digits)?;
/// let config = projector.config()?;
/// assert_eq!(config.embeddings[0].tensor_name, "digits");
/// assert_eq!(config.embeddings[0].tensor_shape, [2, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Projector {
    dir: PathBuf,
}

impl Projector {
    /// Embeddings in `dir`, the directory of a run or the log directory itself. It is made with the
    /// first one.
    pub fn new(dir: impl AsRef<Path>) -> Self {
        Self {
            dir: dir.as_ref().to_owned(),
        }
    }

    /// Writes an embedding's files, and sets its entry in `projector_config.pbtxt`. Several threads
    /// may do so at once, several processes may not.
    ///
    /// # Errors
    /// [`ProjectorError::Write`], and for settings that are there already [`ProjectorError::Read`] and
    /// [`ProjectorError::Config`]; those are then left as they are.
    pub fn write(&self, embedding: &Embedding) -> Result<(), ProjectorError> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        // Before anything is written: are there settings that nobody understands?
        let before = self.read()?;
        let fail = |error| self.config_error(error);
        config::read(&before).map_err(fail)?;

        let folder = format!("projector/{}", folder_name(&embedding.name));
        let (ending, tensor) = embedding.tensor_file();
        let write = |name: &str, content: &[u8]| {
            let path = format!("{folder}/{name}");
            self.replace(&path, content).map(|()| path)
        };
        let mut entry = EmbeddingInfo {
            tensor_name: embedding.name.clone(),
            tensor_path: write(&format!("tensors.{ending}"), &tensor)?,
            tensor_shape: [embedding.points(), embedding.dims()]
                .map(|size| u32::try_from(size).unwrap_or(u32::MAX))
                .to_vec(),
            ..EmbeddingInfo::default()
        };
        if let Some(labels) = embedding.metadata_file() {
            entry.metadata_path = write("metadata.tsv", labels.as_bytes())?;
        }
        if let Some(sprite) = &embedding.sprite {
            entry.sprite = Some(SpriteMetadata {
                image_path: write("sprite.png", &sprite.png)?,
                single_image_dim: sprite.size.to_vec(),
            });
        }
        let after = config::with_entry(&before, &entry).map_err(fail)?;
        self.replace(CONFIG, after.as_bytes())
    }

    /// The settings as they are; none where there is no file.
    ///
    /// # Errors
    /// [`ProjectorError::Read`], [`ProjectorError::Config`].
    pub fn config(&self) -> Result<ProjectorConfig, ProjectorError> {
        config::read(&self.read()?).map_err(|error| self.config_error(error))
    }

    fn read(&self) -> Result<String, ProjectorError> {
        let path = self.dir.join(CONFIG);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            text => text.map_err(|source| ProjectorError::Read { path, source }),
        }
    }

    fn config_error(&self, error: pbtxt::SyntaxError) -> ProjectorError {
        ProjectorError::Config {
            path: self.dir.join(CONFIG),
            line: error.line,
            what: error.what,
        }
    }

    /// Makes `content` the file `path` below the directory, all at once.
    fn replace(&self, path: &str, content: &[u8]) -> Result<(), ProjectorError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = self.dir.join(path);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
            let mut file = File::options()
                .write(true)
                .create_new(true)
                .open(&temporary)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|source| {
            // It may not be there at all.
            let _ = fs::remove_file(&temporary);
            ProjectorError::Write { path, source }
        })
    }
}

const CONFIG: &str = "projector_config.pbtxt";

/// The folder of an embedding: its name, with all but plain characters as `%` and two digits, so that
/// no two names share one. None is `..`, and none contains `tfevents`, by which readers know files.
fn folder_name(name: &str) -> String {
    let mut folder = String::new();
    for byte in name.bytes() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if plain || (byte == b'.' && !folder.is_empty()) {
            folder.push(char::from(byte));
        } else {
            folder += &format!("%{byte:02X}");
        }
    }
    folder.replace("tfevents", "%74fevents")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(name: &str) -> Embedding {
        Embedding::new(name, 1, &[1.0, 2.0]).unwrap()
    }

    #[test]
    fn a_second_embedding_keeps_the_first_and_a_later_one_replaces_it() {
        let dir = tempfile::tempdir().unwrap();
        let projector = Projector::new(dir.path().join("train"));
        assert_eq!(projector.config().unwrap(), ProjectorConfig::default());
        projector
            .write(&embedding("a").column("x", ["p", "q"]).unwrap())
            .unwrap();
        projector.write(&embedding("b/c")).unwrap();
        projector
            .write(&embedding("a").grey_thumbnails(1, 1, &[1, 2]).unwrap())
            .unwrap();
        let config = projector.config().unwrap();
        let [a, b] = &config.embeddings[..] else {
            panic!("{config:?}")
        };
        assert_eq!(
            (&a.metadata_path[..], &a.tensor_path[..]),
            ("", "projector/a/tensors.tsv")
        );
        assert_eq!(a.sprite.as_ref().unwrap().single_image_dim, [1, 1]);
        assert_eq!(b.tensor_path, "projector/b%2Fc/tensors.tsv");
        let read = |path: &str| fs::read_to_string(dir.path().join("train").join(path)).unwrap();
        assert_eq!(read(&b.tensor_path), "1.0\n2.0\n");
        let left: Vec<_> = fs::read_dir(dir.path().join("train/projector/a"))
            .unwrap()
            .collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[test]
    fn settings_that_nobody_understands_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CONFIG);
        for bad in [&b"embeddings {"[..], b"\xff\xfe"] {
            fs::write(&path, bad).unwrap();
            let error = Projector::new(dir.path())
                .write(&embedding("a"))
                .unwrap_err();
            assert!(error.to_string().contains(CONFIG), "{error}");
            assert_eq!(fs::read(&path).unwrap(), bad);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn no_two_names_share_a_folder() {
        let names = [
            "a/b",
            "a_b",
            "a%2Fb",
            "..",
            ".",
            "ü",
            "my.tfevents",
            "%74fevents",
        ];
        let folders: Vec<_> = names.iter().map(|name| folder_name(name)).collect();
        let unique: std::collections::HashSet<_> = folders.iter().collect();
        assert_eq!(unique.len(), names.len(), "{folders:?}");
        assert!(
            folders
                .iter()
                .all(|folder| !folder.starts_with('.') && !folder.contains("tfevents"))
        );
    }

    #[test]
    fn threads_do_not_lose_each_others_entries() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let projector = Projector::new(dir.path());
                scope.spawn(move || {
                    for number in 0..5 {
                        projector
                            .write(&embedding(&format!("{thread}-{number}")))
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(
            Projector::new(dir.path())
                .config()
                .unwrap()
                .embeddings
                .len(),
            20
        );
    }
}
