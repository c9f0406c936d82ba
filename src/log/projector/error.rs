//! Why an embedding is none, and why one was not written.

use std::io;
use std::path::PathBuf;

use crate::summary::ImageError;

/// Why there is no embedding.
///
/// ```
/// use modelpulse::log::Embedding;
/// let error = Embedding::new("words", 3, &[0.5; 7]).unwrap_err();
/// assert_eq!(error.to_string(), "7 numbers are no points of 3 dimensions");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// No name.
    #[error("an embedding needs a name")]
    Name,
    /// No points, or the last one is not complete.
    #[error("{numbers} numbers are no points of {dims} dimensions")]
    Shape {
        /// Dimensions of a point.
        dims: usize,
        /// Numbers given.
        numbers: usize,
    },
    /// Not one label a point.
    #[error("column '{title}' has {labels} labels for {points} points")]
    Labels {
        /// The column.
        title: String,
        /// Points of the embedding.
        points: usize,
        /// Labels given.
        labels: usize,
    },
    /// A column without a title, or with that of another one.
    #[error("'{title}' cannot be the title of one more column")]
    Title {
        /// The title.
        title: String,
    },
    /// Not one picture a point.
    #[error(
        "{points} pictures of {width} × {height} pixels with {channels} channels need {expected} bytes, got {got}"
    )]
    Thumbnails {
        /// Points of the embedding.
        points: usize,
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes a pixel.
        channels: usize,
        /// Bytes that all need.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// More pixels than the page takes.
    #[error(
        "{points} pictures of {width} × {height} pixels do not fit into {SPRITE_LIMIT} × {SPRITE_LIMIT}"
    )]
    Sprite {
        /// Points of the embedding.
        points: usize,
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The pictures could not be encoded.
    #[error("cannot encode the pictures")]
    Image(#[from] ImageError),
}

/// The largest width and height that the page accepts, in pixels.
pub(super) const SPRITE_LIMIT: u32 = 8192;

/// Why an embedding was not written, or the settings not read.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Projector, ProjectorError};
/// std::fs::write(dir.path().join("projector_config.pbtxt"), "embeddings {\n")?;
/// let error = Projector::new(dir.path()).config().unwrap_err();
/// assert!(matches!(error, ProjectorError::Config { line: 2, .. }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectorError {
    /// The run has no directory, as its name was refused.
    #[error("the run's name was refused, so there is no place for the embedding")]
    Run,
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The settings could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The settings are not what TensorBoard would understand; they were left as they are.
    #[error("{}, line {line}: {what}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: &'static str,
    },
}
