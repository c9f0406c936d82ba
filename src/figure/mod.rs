//! Pictures drawn from numbers and pixels: confusion matrices and grids of captioned images.
//!
//! The same input gives the same bytes on every machine: text is in bitmap fonts, and colours come from whole-number
//! arithmetic.
//!
//! Nothing here knows of logs or files; a [`Picture`] is a plain block of RGB bytes for whoever encodes it.

mod canvas;
mod colour;
mod confusion;
mod grid;
mod lettering;
mod picture;
mod text;

pub use confusion::confusion_matrix;
pub use grid::{Tile, captioned_grid};
pub use picture::Picture;

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
         draw fewer or smaller tiles"
    )]
    TooLarge {
        /// The width that it would have.
        width: u64,
        /// The height that it would have.
        height: u64,
        /// The largest number of pixels that is drawn.
        limit: u64,
    },
}
