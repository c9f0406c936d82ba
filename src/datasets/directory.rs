//! The reader of a directory of four IDX files, as MNIST and Fashion-MNIST are distributed.
//!
//! All four files are found before any is read, and a file is taken under the first of its accepted names that exists.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{Dataset, DatasetError, Images};

impl Dataset {
    /// Reads a directory as MNIST and Fashion-MNIST are distributed: four IDX files.
    ///
    /// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`; the `t10k` ones become the evaluation split. Each may end in `.gz`, and may have a dot
    /// in place of the hyphen before `idx`. Where several of these names exist, the plain file wins over the compressed
    /// one, then the hyphen over the dot.
    ///
    /// The data set is named after the directory, and its source is the path as given.
    ///
    /// # Errors
    ///
    /// A [`DatasetError`] that names the directory, or the file, and what is wrong with it.
    ///
    /// ```no_run
    /// use modelpulse::datasets::Dataset;
    ///
    /// let dataset = Dataset::from_dir("data/fashion-mnist")?;
    /// assert_eq!(dataset.name(), "fashion-mnist");
    /// assert_eq!(dataset.train().len(), 60_000);
    /// # Ok::<(), modelpulse::datasets::DatasetError>(())
    /// ```
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let dir = path.as_ref();
        if !dir.is_dir() {
            return Err(DatasetError::NoDirectory {
                path: dir.to_path_buf(),
            });
        }
        // All four are looked for before any is read: a missing file is said at once.
        let train_images = find(dir, "training images", "train-images", "idx3-ubyte")?;
        let train_labels = find(dir, "training labels", "train-labels", "idx1-ubyte")?;
        let eval_images = find(dir, "evaluation images", "t10k-images", "idx3-ubyte")?;
        let eval_labels = find(dir, "evaluation labels", "t10k-labels", "idx1-ubyte")?;
        Self::new(
            directory_name(dir),
            dir.display().to_string(),
            Images::from_idx(train_images, train_labels)?,
            Images::from_idx(eval_images, eval_labels)?,
        )
    }
}

/// The path of the first of the accepted names that exists.
fn find(dir: &Path, what: &'static str, stem: &str, format: &str) -> Result<PathBuf, DatasetError> {
    let names = [
        format!("{stem}-{format}"),
        format!("{stem}.{format}"),
        format!("{stem}-{format}.gz"),
        format!("{stem}.{format}.gz"),
    ];
    for name in &names {
        let path = dir.join(name);
        match fs::metadata(&path) {
            // Some archives unpack to a directory of that name, beside the file under another one.
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(DatasetError::Io { path, source }),
        }
    }
    Err(DatasetError::MissingFile {
        path: dir.to_path_buf(),
        what,
        accepted: names.join(", "),
    })
}

/// The last component of the path, also where it is written as `.` or `..`.
fn directory_name(dir: &Path) -> String {
    let absolute = || -> io::Result<PathBuf> { dir.canonicalize() };
    dir.file_name()
        .map(ToOwned::to_owned)
        .or_else(|| absolute().ok()?.file_name().map(ToOwned::to_owned))
        .map_or_else(
            || dir.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::TempDir;

    use super::*;

    const NAMES: [&str; 4] = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ];

    fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = (0x0800 + dimensions.len() as u32).to_be_bytes().to_vec();
        bytes.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
        bytes.extend_from_slice(data);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Three training and two evaluation images of 1 x 2 pixels, of classes 0 to 2.
    fn good_files() -> [Vec<u8>; 4] {
        [
            idx(&[3, 1, 2], &[1, 2, 3, 4, 5, 6]),
            idx(&[3], &[0, 1, 0]),
            idx(&[2, 1, 2], &[7, 8, 9, 10]),
            idx(&[2], &[2, 1]),
        ]
    }

    fn directory(files: &[Vec<u8>; 4], rename: impl Fn(&str) -> String) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in NAMES.iter().zip(files) {
            fs::write(dir.path().join(rename(name)), bytes).unwrap();
        }
        dir
    }

    fn error_of(files: &[Vec<u8>; 4]) -> DatasetError {
        let dir = directory(files, str::to_owned);
        let error = Dataset::from_dir(dir.path()).unwrap_err();
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        assert!(
            error.to_string().contains(&directory_name(dir.path())),
            "{error}"
        );
        error
    }

    #[test]
    fn every_accepted_naming_gives_the_same_data() {
        let plain = good_files();
        let packed = plain.clone().map(|bytes| gzip(&bytes));
        let mut crcs = Vec::new();
        for dir in [
            directory(&plain, str::to_owned),
            directory(&plain, |name| name.replace("-idx", ".idx")),
            directory(&packed, |name| format!("{name}.gz")),
            directory(&packed, |name| {
                format!("{}.gz", name.replace("-idx", ".idx"))
            }),
            // Compression is seen from the bytes, not from the name.
            directory(&packed, str::to_owned),
            directory(&plain, |name| format!("{name}.gz")),
        ] {
            let dataset = Dataset::from_dir(dir.path()).unwrap();
            assert_eq!((dataset.train().len(), dataset.eval().len()), (3, 2));
            assert_eq!(dataset.eval().image(1), Some(&[9, 10][..]));
            assert_eq!(dataset.eval().label(0), Some(2));
            assert_eq!(dataset.train().max_value(), 255);
            assert_eq!(dataset.class_names(), ["0", "1", "2"]);
            assert_eq!(
                dataset.name(),
                dir.path().file_name().unwrap().to_str().unwrap()
            );
            assert_eq!(dataset.source(), dir.path().to_str().unwrap());
            crcs.push(dataset.crc32());
        }
        // Python: zlib.crc32(bytes([1,2,3,4,5,6, 0,1,0, 7,8,9,10, 2,1]))
        assert_eq!(crcs, [0x99b274b9; 6]);
    }

    #[test]
    fn missing_directory_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let error = Dataset::from_dir(dir.path().join("mnist")).unwrap_err();
        assert!(matches!(error, DatasetError::NoDirectory { .. }), "{error}");
    }

    #[test]
    fn each_missing_file_is_said_with_its_names() {
        for missing in NAMES {
            let dir = directory(&good_files(), str::to_owned);
            fs::remove_file(dir.path().join(missing)).unwrap();
            let text = Dataset::from_dir(dir.path()).unwrap_err().to_string();
            assert!(
                text.starts_with(&dir.path().display().to_string()),
                "{text}"
            );
            let names = format!(
                "{missing}, {dotted}, {missing}.gz, {dotted}.gz",
                dotted = missing.replace("-idx", ".idx")
            );
            assert!(text.ends_with(&names), "{text}");
        }
    }

    #[test]
    fn directory_under_an_accepted_name_is_passed_over() {
        let dir = directory(&good_files(), |name| name.replace("-idx", ".idx"));
        fs::create_dir(dir.path().join(NAMES[3])).unwrap();
        assert!(Dataset::from_dir(dir.path()).is_ok());
        fs::remove_file(dir.path().join("t10k-labels.idx1-ubyte")).unwrap();
        let error = Dataset::from_dir(dir.path()).unwrap_err();
        assert!(matches!(error, DatasetError::MissingFile { .. }), "{error}");
    }

    #[test]
    fn unreadable_path_is_an_error_with_its_cause() {
        let dir = directory(&good_files(), str::to_owned);
        let error = Images::from_idx(dir.path().join(NAMES[0]), dir.path()).unwrap_err();
        assert!(matches!(error, DatasetError::Io { .. }), "{error}");
        let error = Images::from_idx(dir.path().join("none"), dir.path()).unwrap_err();
        assert!(
            error.to_string().contains("none: cannot be read: "),
            "{error}"
        );
    }

    #[test]
    fn swapped_images_and_labels_are_an_error() {
        let mut files = good_files();
        files.swap(0, 1);
        assert!(matches!(error_of(&files), DatasetError::WrongMagic { .. }));
    }

    #[test]
    fn other_number_of_labels_is_an_error_with_both_files() {
        let mut files = good_files();
        files[3] = idx(&[3], &[0, 1, 0]);
        let text = error_of(&files).to_string();
        assert!(
            text.contains("t10k-images-idx3-ubyte: holds 2 images, but "),
            "{text}"
        );
        assert!(
            text.contains("t10k-labels-idx1-ubyte holds 3 labels"),
            "{text}"
        );
    }

    #[test]
    fn truncated_file_is_an_error() {
        let mut files = good_files();
        files[2].pop();
        assert!(matches!(
            error_of(&files),
            DatasetError::Truncated {
                expected: 20,
                got: 19,
                ..
            }
        ));
    }

    #[test]
    fn dot_is_named_after_the_directory_it_stands_for() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("fashion");
        fs::create_dir_all(inner.join("sub")).unwrap();
        assert_eq!(directory_name(&inner.join("")), "fashion");
        assert_eq!(directory_name(&inner.join("sub").join("..")), "fashion");
    }
    #[test]
    fn splits_of_different_size_are_an_error() {
        let mut files = good_files();
        files[2] = idx(&[2, 2, 1], &[7, 8, 9, 10]);
        let text = error_of(&files).to_string();
        assert!(
            text.contains("are 1 x 2 pixels of 0 to 255, the evaluation images 2 x 1"),
            "{text}"
        );
    }
}
