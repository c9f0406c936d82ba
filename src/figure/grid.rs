//! A grid of small grey images, each with a caption.
//!
//! Images are enlarged by whole factors without smoothing: what is seen are the pixels that the model saw.

use super::canvas::Canvas;
use super::colour::{INK, LINE, MUTED};
use super::text::{Face, TEXT, shortened};
use super::{FigureError, Picture};

/// The side that images are enlarged to, as far as a whole factor allows.
const IMAGE_SIDE: usize = 96;
/// The most characters of a caption line that are drawn.
const MOST_CHARACTERS: usize = 24;
/// The most lines of a caption that are drawn.
const MOST_LINES: usize = 2;
/// White space around everything, and between tiles.
const MARGIN: i32 = 20;
const FACE: Face = TEXT;
/// Between an image and its caption.
const CAPTION_GAP: i32 = 8;
const LINE_HEIGHT: i32 = 15;
/// The most pixels of the whole picture.
const LIMIT: u64 = 1 << 26;

/// A grey image and what to say under it.
///
/// ```
/// use modelpulse::figure::{Tile, captioned_grid};
///
/// let three = [0, 255, 255, 0];
/// let tile = Tile {
///     pixels: &three,
///     height: 2,
///     width: 2,
///     max_value: 255,
///     caption: "label 3\nsaid 8 (0.97)".to_owned(),
/// };
/// let picture = captioned_grid(&[tile.clone(), tile], 5)?;
/// assert!(picture.width() > 2 * 96);
/// # Ok::<(), modelpulse::figure::FigureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile<'a> {
    /// `height` × `width` grey values, row-major.
    pub pixels: &'a [u8],
    /// The height in pixels.
    pub height: usize,
    /// The width in pixels.
    pub width: usize,
    /// The value that is drawn white; 0 is drawn black. Values above it are white too, and 0 counts as 1.
    pub max_value: u8,
    /// One or two lines; further lines are left out, and long ones are cut to 24 characters.
    pub caption: String,
}

/// Draws images in rows of `columns`, from the top left, each with its caption below.
///
/// An image is enlarged by the largest whole factor that keeps it within 96 × 96 pixels, so a larger one is drawn as it
/// is. Images may differ in size. Fewer tiles than `columns` make a narrower picture. Characters that the font (ISO
/// 8859-1) lacks become question marks.
///
/// # Errors
///
/// [`FigureError::NoTiles`], [`FigureError::NoColumns`], [`FigureError::TileSize`] if the pixels of a tile are not of its
/// stated size, and [`FigureError::TooLarge`] above 2²⁶ pixels.
pub fn captioned_grid(tiles: &[Tile<'_>], columns: usize) -> Result<Picture, FigureError> {
    if tiles.is_empty() {
        return Err(FigureError::NoTiles);
    }
    if columns == 0 {
        return Err(FigureError::NoColumns);
    }
    for (index, tile) in tiles.iter().enumerate() {
        if tile.pixels.is_empty() || tile.height.checked_mul(tile.width) != Some(tile.pixels.len())
        {
            return Err(FigureError::TileSize {
                tile: index,
                pixels: tile.pixels.len(),
                height: tile.height,
                width: tile.width,
            });
        }
    }
    let drawn: Vec<Drawn<'_>> = tiles.iter().map(Drawn::new).collect();
    let columns = columns.min(tiles.len());
    let rows = tiles.len().div_ceil(columns);

    let largest = |size: fn(&Drawn<'_>) -> u64| drawn.iter().map(size).max().unwrap_or(0);
    let (image_width, image_height) = (largest(|tile| tile.width), largest(|tile| tile.height));
    let caption_width = largest(|tile| tile.caption_width());
    let caption_height = largest(|tile| tile.caption_height());
    let cell_width = image_width.max(caption_width) + MARGIN as u64;
    let cell_height = image_height + caption_height + MARGIN as u64;
    let width = (columns as u64)
        .saturating_mul(cell_width)
        .saturating_add(MARGIN as u64);
    let height = (rows as u64)
        .saturating_mul(cell_height)
        .saturating_add(MARGIN as u64);
    if width.saturating_mul(height) > LIMIT {
        return Err(FigureError::TooLarge {
            width,
            height,
            limit: LIMIT,
        });
    }

    // All of these are below the limit now, and so fit.
    let mut canvas = Canvas::new(width as i32, height as i32);
    for (index, tile) in drawn.iter().enumerate() {
        let left = MARGIN + (index % columns) as i32 * cell_width as i32;
        let top = MARGIN + (index / columns) as i32 * cell_height as i32;
        tile.draw(&mut canvas, left, top, image_height as i32);
    }
    Ok(canvas.into_picture())
}

/// A tile with all that is needed to place it.
struct Drawn<'a> {
    tile: &'a Tile<'a>,
    scale: usize,
    /// Of the enlarged image.
    width: u64,
    height: u64,
    lines: Vec<String>,
}

impl<'a> Drawn<'a> {
    fn new(tile: &'a Tile<'a>) -> Self {
        let scale = (IMAGE_SIDE / tile.width.max(tile.height)).max(1);
        Self {
            tile,
            scale,
            width: (tile.width * scale) as u64,
            height: (tile.height * scale) as u64,
            lines: tile
                .caption
                .lines()
                .take(MOST_LINES)
                .map(|line| shortened(line, MOST_CHARACTERS))
                .collect(),
        }
    }

    fn caption_width(&self) -> u64 {
        let widest = self.lines.iter().map(|line| FACE.width(line)).max();
        widest.unwrap_or(0).unsigned_abs().into()
    }

    fn caption_height(&self) -> u64 {
        match self.lines.len() as u64 {
            0 => 0,
            lines => CAPTION_GAP as u64 + FACE.cap as u64 + (lines - 1) * LINE_HEIGHT as u64,
        }
    }

    /// Draws the image so that it ends `image_height` below `top`, and the caption below that.
    fn draw(&self, canvas: &mut Canvas, left: i32, top: i32, image_height: i32) {
        let (width, height) = (self.width as i32, self.height as i32);
        let image_top = top + image_height - height;
        let white = u32::from(self.tile.max_value.max(1));
        let grey = self
            .tile
            .pixels
            .iter()
            .map(|&value| ((u32::from(value).min(white) * 255 + white / 2) / white) as u8);
        canvas.blit(
            left,
            image_top,
            grey,
            self.tile.width as i32,
            self.scale as i32,
        );
        canvas.frame(left, image_top, width, height, LINE);
        for (number, line) in self.lines.iter().enumerate() {
            let colour = if number == 0 { INK } else { MUTED };
            let y = top + image_height + CAPTION_GAP + number as i32 * LINE_HEIGHT;
            canvas.text(left, y, FACE, colour, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile<'a>(pixels: &'a [u8], height: usize, width: usize, caption: &str) -> Tile<'a> {
        Tile {
            pixels,
            height,
            width,
            max_value: 16,
            caption: caption.to_owned(),
        }
    }

    #[test]
    fn pixels_are_squares_of_their_grey() {
        let picture = captioned_grid(&[tile(&[0, 8, 16, 200], 2, 2, "")], 1).unwrap();
        assert_eq!((picture.width(), picture.height()), (96 + 40, 96 + 40));
        let margin = MARGIN as u32;
        for (x, y, grey) in [
            (0, 0, 0),
            (47, 47, 0),
            (48, 0, 128),
            (0, 48, 255),
            (95, 95, 255),
        ] {
            assert_eq!(
                picture.pixel(margin + x, margin + y),
                Some([grey; 3]),
                "{x}, {y}"
            );
        }
        let frame = picture.pixel(margin + 96, margin).unwrap();
        assert!(frame != [255; 3] && frame != [128; 3], "{frame:?}");
    }

    #[test]
    fn tiles_fill_rows_from_the_top_left() {
        let tiles: Vec<Tile<'_>> = (0..7)
            .map(|_| tile(&[0; 64], 8, 8, "label 3\nsaid 8"))
            .collect();
        let picture = captioned_grid(&tiles, 5).unwrap();
        let cell_height = 96 + 8 + 9 + 15 + 20;
        assert_eq!(
            (picture.width(), picture.height()),
            (5 * 116 + 20, 2 * cell_height + 20)
        );
        let black_at = |column: u32, row: u32| {
            picture.pixel(30 + column * 116, 30 + row * cell_height) == Some([0; 3])
        };
        assert!(black_at(4, 0) && black_at(1, 1));
        assert!(!black_at(2, 1));
        let narrow = captioned_grid(&tiles[..2], 5).unwrap();
        assert_eq!(narrow.width(), 2 * 116 + 20);
    }

    #[test]
    fn caption_makes_room_for_itself() {
        let one = captioned_grid(&[tile(&[0], 1, 1, "a caption of 24 letters!")], 1).unwrap();
        assert_eq!(one.width(), 24 * 7 + 40);
        let cut = captioned_grid(&[tile(&[0], 1, 1, &"long ".repeat(100))], 1).unwrap();
        assert!(cut.width() <= one.width());
    }

    #[test]
    fn caption_is_drawn_below_its_image() {
        let inked = |caption: &str| {
            let picture = captioned_grid(&[tile(&[0], 1, 1, caption)], 1).unwrap();
            let rows = 20 + 96 + 1..picture.height();
            rows.filter(|&y| (0..picture.width()).any(|x| picture.pixel(x, y) != Some([255; 3])))
                .collect::<Vec<_>>()
        };
        assert!(inked("").is_empty());
        assert_eq!(inked("H"), (124..133).collect::<Vec<_>>());
        assert_eq!(
            inked("H\nH"),
            (124..133).chain(139..148).collect::<Vec<_>>()
        );
        assert_eq!(inked("H\nH\nH"), inked("H\nH"));
    }

    #[test]
    fn odd_captions_are_drawn() {
        for caption in ["naïve ß", "漢字\n\u{1F600}", "\0\r\t", "\n\n\n"] {
            assert!(captioned_grid(&[tile(&[1, 2], 1, 2, caption)], 3).is_ok());
        }
    }

    #[test]
    fn same_input_gives_the_same_picture() {
        let pixels: Vec<u8> = (0..64).map(|i| i % 17).collect();
        let draw = || captioned_grid(&[tile(&pixels, 8, 8, "label 3\nsaid 8 (0.97)")], 5).unwrap();
        assert_eq!(draw(), draw());
    }

    #[test]
    fn image_larger_than_the_side_is_drawn_as_it_is() {
        let picture = captioned_grid(&[tile(&[5; 200 * 3], 3, 200, "")], 1).unwrap();
        assert_eq!((picture.width(), picture.height()), (200 + 40, 3 + 40));
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        assert_eq!(captioned_grid(&[], 5), Err(FigureError::NoTiles));
        assert_eq!(
            captioned_grid(&[tile(&[0], 1, 1, "")], 0),
            Err(FigureError::NoColumns)
        );
        for (pixels, height, width) in [(&[0; 3][..], 2, 2), (&[], 0, 4), (&[0; 4], usize::MAX, 4)]
        {
            let tiles = [tile(&[0], 1, 1, ""), tile(pixels, height, width, "")];
            let error = captioned_grid(&tiles, 2).unwrap_err();
            assert!(
                matches!(error, FigureError::TileSize { tile: 1, .. }),
                "{error}"
            );
        }
        let many = vec![tile(&[0], 1, 1, ""); 6000];
        let error = captioned_grid(&many, usize::MAX).unwrap_err();
        assert!(matches!(error, FigureError::TooLarge { .. }), "{error}");
    }
}
