//! How the counts in the cells of a confusion matrix are lettered.
//!
//! One face serves all cells, and either every count fits or none is drawn, so an empty cell never hides a number.

use embedded_graphics::pixelcolor::Rgb888;

use super::canvas::Canvas;
use super::text::{COUNTS, Face, SMALL, TEXT, brief_count, percent};
use crate::metrics::ConfusionMatrix;

/// Cells smaller than this have no text.
const LEAST_CELL: i32 = 16;
/// Cells from this size on say their zeros; below, these would be clutter.
const ZEROS_FROM: i32 = 32;
/// Cells from this size on have room for the share under the count.
const SHARES_FROM: i32 = 64;
/// Between the count and the share.
const LEADING: i32 = 9;

/// How the cells are lettered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lettering {
    face: Face,
    /// The most characters of a count.
    most: usize,
    zeros: bool,
    shares: bool,
}

impl Lettering {
    /// The largest face in which every count fits as it is, else the largest in which every one fits shortened, both
    /// among the faces that read well, and then among the small ones. `inner` is the coloured part of a cell.
    pub(super) fn choose(matrix: &ConfusionMatrix, cell: i32, inner: i32) -> Option<Self> {
        if cell < LEAST_CELL {
            return None;
        }
        // Digits that fill their cell are hard to tell apart.
        let room = inner - (cell / 6).max(2) + 1;
        let counts = || matrix.rows().flatten().copied();
        let largest = counts().max().unwrap_or(0).to_string();
        let fits = |it: &Self| largest.len() <= it.most;
        let fits_shortened =
            |it: &Self| counts().all(|count| brief_count(count, it.most).is_some());

        let (small, well) = COUNTS
            .iter()
            .filter(|face| face.cap * 2 <= cell)
            .map(|&face| Self {
                face,
                most: usize::try_from(room / face.advance()).unwrap_or(0),
                zeros: cell >= ZEROS_FROM,
                shares: cell >= SHARES_FROM,
            })
            .partition::<Vec<_>, _>(|it| it.face.cap < SMALL.cap);
        [well, small].iter().find_map(|among| {
            let exact = among.iter().find(|it| fits(it));
            exact
                .or_else(|| among.iter().find(|it| fits_shortened(it)))
                .copied()
        })
    }

    /// The text of a cell: `count` of the `support` samples of its row.
    pub(super) fn text(self, count: u64, support: u64) -> Option<CellText> {
        if count == 0 && !self.zeros {
            return None;
        }
        Some(CellText {
            face: self.face,
            count: brief_count(count, self.most)?,
            share: (self.shares && count > 0).then(|| percent(count, support, 1)),
        })
    }
}

/// What stands in a cell.
#[derive(Debug)]
pub(super) struct CellText {
    face: Face,
    count: String,
    share: Option<String>,
}

impl CellText {
    /// Draws the text in the middle of the cell at `left`, `top`.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        (left, top): (i32, i32),
        inner: i32,
        ink: Rgb888,
    ) {
        let lines = self.face.cap + self.share.as_ref().map_or(0, |_| LEADING + TEXT.cap);
        let top = top + (inner - lines) / 2;
        let centred = |face: Face, text: &str| left + (inner - face.width(text) + 1) / 2;
        canvas.text(
            centred(self.face, &self.count),
            top,
            self.face,
            ink,
            &self.count,
        );
        if let Some(share) = &self.share {
            let top = top + self.face.cap + LEADING;
            canvas.text(centred(TEXT, share), top, TEXT, ink, share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The height of the face, and the text of `count`, where all counts are `count`.
    fn lettered(cell: i32, count: u64) -> Option<(i32, String)> {
        let matrix = ConfusionMatrix::from_rows(&[[count, 0], [0, 0]]).unwrap();
        let lettering = Lettering::choose(&matrix, cell, cell - 1)?;
        Some((lettering.face.cap, lettering.text(count, count)?.count))
    }

    #[test]
    fn counts_are_as_exact_and_then_as_large_as_they_fit() {
        let large = |text: &str| Some((13, text.to_owned()));
        assert_eq!(lettered(48, 359), large("359"));
        assert_eq!(lettered(48, 12345), Some((9, "12345".to_owned())));
        assert_eq!(lettered(48, 123_456_789), large("123M"));
        assert_eq!(lettered(24, 359), Some((7, "359".to_owned())));
        assert_eq!(lettered(17, 359), Some((6, "359".to_owned())));
        assert_eq!(lettered(17, 1234), Some((7, "1k".to_owned())));
    }

    #[test]
    fn cells_without_room_have_no_text() {
        assert_eq!(lettered(17, 123_456), None);
        assert_eq!(lettered(15, 1), None);
    }

    #[test]
    fn text_stays_inside_its_cell() {
        for cell in 16..=96 {
            for count in (0..20).map(|digits| 10u64.pow(digits) - 1) {
                let Some((cap, text)) = lettered(cell, count) else {
                    continue;
                };
                let face = COUNTS.iter().find(|face| face.cap == cap).unwrap();
                assert!(face.width(&text) < cell, "{count} in {cell}");
            }
        }
    }

    #[test]
    fn large_cells_say_the_share_and_small_ones_no_zero() {
        let matrix = ConfusionMatrix::from_rows(&[[1, 3], [0, 0]]).unwrap();
        let share = |cell, count| {
            let text = Lettering::choose(&matrix, cell, cell - 1)
                .unwrap()
                .text(count, 4)?;
            Some(text.share)
        };
        assert_eq!(share(64, 1), Some(Some("25.0 %".to_owned())));
        assert_eq!(share(64, 0), Some(None));
        assert_eq!(share(48, 1), Some(None));
        assert_eq!(share(31, 0), None);
    }
}
