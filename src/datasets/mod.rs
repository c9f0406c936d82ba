//! Image data sets to train and evaluate on: MNIST-style IDX directories and a small set inside the crate.
//!
//! A [`Dataset`] that exists is whole: every image has its label, both splits have the same image size and scale,
//! and there are at least two classes. What is not whole is refused with one line that names the file.
//!
//! Reading is bounded by what is stored: a header cannot make the reader allocate more than the data that follow,
//! nor a compressed file expand past the size that its header gives.

mod dataset;
mod digits;
mod directory;
mod idx;
mod images;
mod input;

use std::path::PathBuf;

pub use dataset::Dataset;
pub use images::Images;

/// Why a data set could not be read or put together.
///
/// ```
/// use modelpulse::datasets::{Dataset, DatasetError};
///
/// let error = Dataset::from_dir("no/such/directory").unwrap_err();
/// assert!(matches!(error, DatasetError::NoDirectory { .. }));
/// assert!(error.to_string().starts_with("no/such/directory: there is no such directory"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file could not be opened or read; the source says why.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The directory to read from does not exist.
    #[error(
        "{}: there is no such directory; give the one that holds the four IDX files of the data set",
        path.display()
    )]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The directory lacks one of the four files of an IDX data set.
    #[error("{}: the {what} are missing; put them there under one of the names {accepted}", path.display())]
    MissingFile {
        /// The directory.
        path: PathBuf,
        /// What the file holds.
        what: &'static str,
        /// The names that it may have.
        accepted: String,
    },
    /// The file does not begin as the IDX file that was expected.
    #[error(
        "{}: begins with {found:#010x}, expected {expected:#010x} ({what}); \
         check that image and label files are not swapped and that the file is not a web page",
        path.display()
    )]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// What was expected of the file.
        what: &'static str,
        /// The expected first four bytes, big-endian.
        expected: u32,
        /// The first four bytes that it has.
        found: u32,
    },
    /// The file ends before the data that its header promises; sizes are after decompression.
    #[error("{}: truncated: expected {expected} bytes, got {got}; fetch the file again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The bytes that it should have, header included.
        expected: u64,
        /// The bytes that it has.
        got: u64,
    },
    /// The file goes on after the data that its header promises; the size is after decompression.
    #[error(
        "{}: goes on after the {expected} bytes that its header gives; fetch the file again",
        path.display()
    )]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// The bytes that it should have, header included.
        expected: u64,
    },
    /// The header gives dimensions beyond anything that is read here.
    #[error(
        "{}: the header gives {dimensions} bytes of data, more than the limit of {limit}; \
         the file is corrupt or not an image set",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The dimensions, joined by " x ".
        dimensions: String,
        /// The largest number of data bytes that is read.
        limit: u64,
    },
    /// The header gives a dimension of 0: there are no images, or they have no pixels.
    #[error("{}: is empty: the header gives {dimensions} bytes of data", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The dimensions, joined by " x ".
        dimensions: String,
    },
    /// The compressed data are damaged.
    #[error("{}: damaged gzip data: {source}; fetch the file again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: std::io::Error,
    },
    /// The image file and the label file do not belong together.
    #[error(
        "{}: holds {images} images, but {} holds {labels} labels; take both from the same set",
        images_path.display(), labels_path.display()
    )]
    CountsDiffer {
        /// The image file.
        images_path: PathBuf,
        /// The number of images in it.
        images: usize,
        /// The label file.
        labels_path: PathBuf,
        /// The number of labels in it.
        labels: usize,
    },
    /// The pixels handed over are not one whole image a label, or there are none.
    #[error(
        "{pixels} pixels are not one image of {height} x {width} for each of {labels} labels; \
         give at least one image and no partial ones"
    )]
    PixelCount {
        /// The number of pixels.
        pixels: usize,
        /// The number of labels.
        labels: usize,
        /// The height of an image in pixels.
        height: usize,
        /// The width of an image in pixels.
        width: usize,
    },
    /// A pixel is above the largest value that the images are said to have.
    #[error("image {image} has a pixel of {value}, above the stated maximum of {max_value}")]
    PixelAboveMax {
        /// The image, counted from 0.
        image: usize,
        /// The value of the pixel.
        value: u8,
        /// The largest value that was stated.
        max_value: u8,
    },
    /// The training images and the evaluation images differ in size or scale, so no one model takes both.
    #[error(
        "{name}: the training images are {train}, the evaluation images {eval}; both must be alike"
    )]
    SplitsDiffer {
        /// The data set.
        name: String,
        /// Size and scale of the training images.
        train: String,
        /// Size and scale of the evaluation images.
        eval: String,
    },
    /// All labels are 0: there is nothing to tell apart.
    #[error("{name}: all labels are 0, so there is one class only; a classifier needs two")]
    OneClass {
        /// The data set.
        name: String,
    },
    /// There are more or fewer class names than classes.
    #[error("{name}: {got} class names for {expected} classes; give one a class, from class 0 up")]
    ClassNames {
        /// The data set.
        name: String,
        /// The number of classes.
        expected: usize,
        /// The number of names given.
        got: usize,
    },
}
