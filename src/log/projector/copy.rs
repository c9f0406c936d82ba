//! The files of the projector taken along when a log is copied: its settings, and what they name beside them.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::config;
use crate::log::Error;

/// The name of the settings in the directory of a run.
const SETTINGS: &str = "projector_config.pbtxt";

/// Copies the settings of the directory `from`, if it has any, and the files that they name in it, to the directory
/// `to`. What is there already stays. Settings that cannot be understood are copied alone.
pub(crate) fn copy_projector(from: &Path, to: &Path) -> Result<(), Error> {
    let settings = from.join(SETTINGS);
    let text = match fs::read(&settings) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(());
        }
        Err(source) => {
            let path = settings;
            return Err(Error::Read { path, source });
        }
    };
    let mut names = vec![PathBuf::from(SETTINGS)];
    if let Ok(config) = config::read(&String::from_utf8_lossy(&text)) {
        for entry in config.embeddings {
            let sprite = entry.sprite.unwrap_or_default().image_path;
            let paths = [
                entry.tensor_path,
                entry.metadata_path,
                entry.bookmarks_path,
                sprite,
            ];
            names.extend(paths.into_iter().map(PathBuf::from));
        }
    }
    for name in names.iter().filter(|name| lies_below(name)) {
        let (old, new) = (from.join(name), to.join(name));
        if !old.is_file() || new.exists() {
            continue;
        }
        let copied = new.parent().map_or(Ok(()), fs::create_dir_all);
        copied
            .and_then(|()| fs::copy(&old, &new))
            .map_err(|source| Error::Write { path: new, source })?;
    }
    Ok(())
}

/// Whether a path leads to a place below the directory that it is relative to. Any other leads to the same file from
/// the copy, or to nothing.
fn lies_below(path: &Path) -> bool {
    path.file_name().is_some()
        && path
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::super::{Embedding, Projector};
    use super::*;

    #[test]
    fn what_settings_name_in_their_directory_is_taken_along() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        copy_projector(&old, &new).unwrap();
        assert!(!new.exists());
        let digits = Embedding::new("digits", 2, &[0.0, 1.0, 1.0, 0.0]).unwrap();
        let digits = digits.column("digit", ["0", "1"]).unwrap();
        Projector::new(&old).write(&digits).unwrap();
        // What lies elsewhere stays there.
        fs::write(dir.path().join("secret"), "").unwrap();
        let path = old.join(SETTINGS);
        let more = "embeddings { tensor_path: '../secret' metadata_path: 'gone.tsv' }";
        let text = fs::read_to_string(&path).unwrap() + more;
        fs::write(&path, &text).unwrap();

        copy_projector(&old, &new).unwrap();
        assert_eq!(fs::read_to_string(new.join(SETTINGS)).unwrap(), text);
        let config = Projector::new(&new).config().unwrap();
        let entry = &config.embeddings[0];
        for name in [&entry.tensor_path, &entry.metadata_path] {
            assert_eq!(
                fs::read(old.join(name)).unwrap(),
                fs::read(new.join(name)).unwrap()
            );
        }
        assert_eq!(fs::read_dir(&new).unwrap().count(), 2);
    }
}
