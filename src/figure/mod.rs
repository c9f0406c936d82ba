//! Pictures drawn from numbers and pixels: confusion matrices, curves, grids of captioned images, images with boxes,
//! and whatever `plotters` draws.
//!
//! The same input gives the same bytes on every machine: text is in bitmap fonts, and only arithmetic that is exact to
//! the last bit is used.
//!
//! Nothing here knows of logs or files; a [`Picture`] is a plain block of RGB bytes for whoever encodes it.

mod boxes;
mod canvas;
mod colour;
mod confusion;
mod curves;
mod grid;
mod lettering;
mod palette;
mod picture;
mod plotters;
mod sheet;
mod text;

pub use self::plotters::{PlottersBackend, draw};
pub use boxes::{LabelledBox, labelled_boxes};
pub use confusion::confusion_matrix;
pub use curves::{LineChart, ReliabilityBin, RocCurve, reliability_diagram, roc_curves};
pub use grid::{Tile, captioned_grid};
pub use picture::Picture;

/// The most pixels of a picture.
const LIMIT: u64 = 1 << 26;

/// Why a picture could not be drawn.
///
/// ```
/// use modelpulse::figure::{FigureError, captioned_grid};
///
/// let error = captioned_grid(&[], 5).unwrap_err();
/// assert!(matches!(error, FigureError::NoTiles));
/// assert_eq!(error.to_string(), "there are no tiles to draw: log a grid only where there is an image");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// A confusion matrix has no classes.
    #[error("the confusion matrix has no classes, so there is nothing to draw")]
    NoClasses,
    /// A confusion matrix has more classes than a readable picture can show.
    #[error("the confusion matrix has {classes} classes, more than the {limit} that fit a picture")]
    TooManyClasses {
        /// The number of classes.
        classes: usize,
        /// The largest number that is drawn.
        limit: usize,
    },
    /// There are more or fewer class names than classes.
    #[error("{got} class names for a confusion matrix of {expected} classes: give one a class")]
    ClassNames {
        /// The number of classes.
        expected: usize,
        /// The number of names given.
        got: usize,
    },
    /// A grid has no tiles.
    #[error("there are no tiles to draw: log a grid only where there is an image")]
    NoTiles,
    /// A grid was asked for in 0 columns.
    #[error("a grid needs at least one column")]
    NoColumns,
    /// The pixels of a tile are not `height` × `width`, or there are none.
    #[error("tile {tile} has {pixels} pixels, which is not {height} x {width} of at least one")]
    TileSize {
        /// The tile, counted from 0.
        tile: usize,
        /// The number of pixels given.
        pixels: usize,
        /// The stated height.
        height: usize,
        /// The stated width.
        width: usize,
    },
    /// The picture would be larger than any viewer shows.
    #[error(
        "the picture would be {width} x {height} pixels, more than the {limit} allowed: \
         draw less or smaller"
    )]
    TooLarge {
        /// The width that it would have.
        width: u64,
        /// The height that it would have.
        height: u64,
        /// The largest number of pixels that is drawn.
        limit: u64,
    },
    /// A picture was asked for in 0 pixels.
    #[error("a picture needs at least one pixel")]
    Empty,
    /// The bytes of an RGB image are not `height` × `width` × 3, or there are none.
    #[error("an RGB image of {height} x {width} pixels does not have {bytes} bytes")]
    Raster {
        /// The number of bytes given.
        bytes: usize,
        /// The stated height.
        height: usize,
        /// The stated width.
        width: usize,
    },
    /// A box ends before it begins, or does not end.
    #[error("box {index} needs finite corners, x_min <= x_max and y_min <= y_max")]
    Corners {
        /// The box, counted from 0.
        index: usize,
    },
    /// No point that could be drawn.
    #[error("there are no finite points to draw")]
    NoPoints,
    /// There are more curves than a picture can tell apart.
    #[error("{curves} curves are more than the {limit} that fit a picture")]
    TooManyCurves {
        /// The number of curves.
        curves: usize,
        /// The largest number that is drawn.
        limit: usize,
    },
    /// A rate is not within 0..=1.
    #[error("point {point} of curve {curve} has a rate that is not within 0..=1")]
    Rate {
        /// The curve, counted from 0.
        curve: usize,
        /// The point of the curve, counted from 0.
        point: usize,
    },
    /// There are no bins, or no predictions in any.
    #[error("there are no predictions in any bin")]
    NoBins,
    /// There are more bins than a picture can show.
    #[error("{bins} bins are more than the {limit} that fit a picture")]
    TooManyBins {
        /// The number of bins.
        bins: usize,
        /// The largest number that is drawn.
        limit: usize,
    },
    /// A bin has a confidence or an accuracy that is not within 0..=1.
    #[error("bin {bin} has a confidence or an accuracy that is not within 0..=1")]
    Bin {
        /// The bin, counted from 0.
        bin: usize,
    },
    /// What draws by `plotters` failed.
    #[error("cannot plot: {0}")]
    Drawing(String),
}
