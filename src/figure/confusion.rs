//! The picture of a confusion matrix.
//!
//! A cell's colour is its share of its row, so a rare class is judged by the same scale as a common one; its text is the
//! count.

use super::canvas::Canvas;
use super::colour::{INK, LINE, MUTED, faded, ink_on, ramp, share_colour};
use super::lettering::Lettering;
use super::text::{Face, SMALL, TEXT, TITLE, percent, shortened};
use super::{FigureError, Picture};
use crate::metrics::ConfusionMatrix;

/// The most classes that are drawn.
const MOST_CLASSES: usize = 1000;
/// The most characters of a class name that are drawn.
const MOST_CHARACTERS: usize = 13;
/// White space around everything.
const MARGIN: i32 = 20;
/// Between the cells and their class names.
const NAME_GAP: i32 = 8;
/// Between class names and the axis title, and between the cells and the colour bar.
const GAP: i32 = 16;
const BAR_WIDTH: i32 = 12;

/// Draws a confusion matrix: one row a true label, one column a prediction.
///
/// A cell is coloured by its share of its row, from light blue (a first sample) to dark blue (100 %); a cell of no
/// samples is near white, and a row of none is grey. A cell bears its count, shortened where it would not fit
/// (12345 → 12k), and large cells bear the share too. A small cell of no samples has no text; from 51 classes on, or
/// where some count does not fit even shortened, no cell has. Class names stand at both axes, cut to 13 characters;
/// where there are too many, every second, fifth ... is named. The title gives the accuracy and the number of samples.
///
/// The picture is some 250 to 1,150 pixels wide, the wider the more classes.
///
/// # Errors
///
/// [`FigureError::NoClasses`], [`FigureError::TooManyClasses`] above 1,000, and [`FigureError::ClassNames`] unless
/// there is one name a class.
///
/// ```
/// use modelpulse::figure::confusion_matrix;
/// use modelpulse::metrics::ConfusionMatrix;
///
/// let mut matrix = ConfusionMatrix::new(2);
/// matrix.add(0, 0)?;
/// matrix.add(1, 0)?;
/// let picture = confusion_matrix(&matrix, &["cat".to_owned(), "dog".to_owned()])?;
/// assert!(picture.width() > 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn confusion_matrix(
    matrix: &ConfusionMatrix,
    class_names: &[String],
) -> Result<Picture, FigureError> {
    let classes = matrix.classes();
    if classes == 0 {
        return Err(FigureError::NoClasses);
    }
    if classes > MOST_CLASSES {
        return Err(FigureError::TooManyClasses {
            classes,
            limit: MOST_CLASSES,
        });
    }
    if class_names.len() != classes {
        return Err(FigureError::ClassNames {
            expected: classes,
            got: class_names.len(),
        });
    }
    let layout = Layout::new(matrix, class_names);
    let mut canvas = Canvas::new(layout.width, layout.height);
    layout.draw_title(&mut canvas);
    layout.draw_cells(&mut canvas, matrix);
    layout.draw_axes(&mut canvas);
    layout.draw_bar(&mut canvas);
    Ok(canvas.into_picture())
}

/// Where everything is, in pixels from the top left.
struct Layout {
    width: i32,
    height: i32,
    /// The title and what follows it in lighter ink.
    title: (String, String),
    names: Vec<String>,
    name_face: Face,
    /// Every how many classes one is named.
    name_step: usize,
    names_turned: bool,
    /// The top left of the cells, the pitch of one, and the length of a side of all.
    left: i32,
    top: i32,
    cell: i32,
    side: i32,
}

impl Layout {
    fn new(matrix: &ConfusionMatrix, class_names: &[String]) -> Self {
        let classes = class_names.len() as i32;
        let cell = (480 / classes).clamp(24, 96).min((800 / classes).max(1));
        let side = cell * classes;

        let name_face = if cell >= 16 { TEXT } else { SMALL };
        let name_step = [1, 2, 5, 10, 20, 50, 100]
            .into_iter()
            .find(|&step| step * cell >= name_face.cap + 4)
            .unwrap_or(100);
        let names: Vec<String> = class_names
            .iter()
            .map(|name| shortened(name, MOST_CHARACTERS))
            .collect();
        let name_width = names
            .iter()
            .step_by(name_step as usize)
            .map(|name| name_face.width(name))
            .max()
            .unwrap_or(0);
        let names_turned = name_width > cell * name_step - 4;
        let name_height = if names_turned {
            name_width
        } else {
            name_face.cap
        };

        let left = MARGIN + TEXT.cap + GAP + name_width + NAME_GAP;
        let top = MARGIN + TITLE.cap + GAP;
        let title = title(matrix);
        let title_width = TITLE.width(&title.0) + GAP + TEXT.width(&title.1);
        let bar = GAP + BAR_WIDTH + NAME_GAP + SMALL.width("100 %");
        Self {
            width: left + (side + bar).max(title_width) + MARGIN,
            height: top + side + NAME_GAP + name_height + GAP + TEXT.cap + MARGIN,
            title,
            names,
            name_face,
            name_step: name_step as usize,
            names_turned,
            left,
            top,
            cell,
            side,
        }
    }

    fn draw_title(&self, canvas: &mut Canvas) {
        let (main, rest) = &self.title;
        canvas.text(self.left, MARGIN, TITLE, INK, main);
        let left = self.left + TITLE.width(main) + GAP;
        canvas.text(left, MARGIN + TITLE.cap - TEXT.cap, TEXT, MUTED, rest);
    }

    fn draw_cells(&self, canvas: &mut Canvas, matrix: &ConfusionMatrix) {
        let lettering = Lettering::choose(matrix, self.cell, self.inner());
        for (row, counts) in matrix.rows().enumerate() {
            let support = counts.iter().sum();
            for (column, &count) in counts.iter().enumerate() {
                let left = self.left + column as i32 * self.cell;
                let top = self.top + row as i32 * self.cell;
                let colour = share_colour(count, support);
                let inner = self.inner();
                canvas.rect(left, top, inner, inner, colour);
                if let Some(text) = lettering.and_then(|it| it.text(count, support)) {
                    let ink = match count {
                        0 => faded(colour),
                        _ => ink_on(colour),
                    };
                    text.draw(canvas, (left, top), inner, ink);
                }
            }
        }
        canvas.frame(self.left, self.top, self.side, self.side, LINE);
    }

    /// The side of the coloured part of a cell: less by a gap, where the cells are large enough to spare it.
    fn inner(&self) -> i32 {
        if self.cell >= 12 {
            self.cell - 1
        } else {
            self.cell
        }
    }

    fn draw_axes(&self, canvas: &mut Canvas) {
        let (face, bottom) = (self.name_face, self.top + self.side);
        for (class, name) in self.names.iter().enumerate().step_by(self.name_step) {
            let centre = class as i32 * self.cell + self.cell / 2;
            let width = face.width(name);
            let right = self.left - NAME_GAP;
            canvas.text(
                right - width,
                self.top + centre - face.cap / 2,
                face,
                INK,
                name,
            );
            if self.names_turned {
                let left = self.left + centre - face.cap / 2;
                canvas.text_up(left, bottom + NAME_GAP + width, face, INK, name);
            } else {
                let left = self.left + centre - width / 2;
                canvas.text(left, bottom + NAME_GAP, face, INK, name);
            }
        }
        let middle = (self.side - TEXT.width("label")) / 2;
        canvas.text_up(MARGIN, bottom - middle, TEXT, MUTED, "label");
        let middle = (self.side - TEXT.width("prediction")) / 2;
        let top = self.height - MARGIN - TEXT.cap;
        canvas.text(self.left + middle, top, TEXT, MUTED, "prediction");
    }

    fn draw_bar(&self, canvas: &mut Canvas) {
        let left = self.left + self.side + GAP;
        for row in 0..self.side {
            let share = (self.side - 1 - row) as u64;
            let colour = ramp(share, self.side as u64 - 1);
            canvas.rect(left, self.top + row, BAR_WIDTH, 1, colour);
        }
        canvas.frame(left, self.top, BAR_WIDTH, self.side, LINE);
        let left = left + BAR_WIDTH + NAME_GAP;
        for (text, y) in [
            ("100 %", 0),
            ("50 %", (self.side - SMALL.cap) / 2),
            ("0 %", self.side - SMALL.cap),
        ] {
            canvas.text(left, self.top + y, SMALL, MUTED, text);
        }
    }
}

/// The accuracy, and the number of samples that it is of.
fn title(matrix: &ConfusionMatrix) -> (String, String) {
    let hits = (0..matrix.classes())
        .map(|class| matrix.count(class, class))
        .sum();
    let accuracy = match matrix.total() {
        0 => "undefined".to_owned(),
        total => percent(hits, total, 2),
    };
    (
        format!("accuracy {accuracy}"),
        format!("n = {}", matrix.total()),
    )
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::Rgb888;

    use super::*;

    fn names(classes: usize) -> Vec<String> {
        (0..classes).map(|class| class.to_string()).collect()
    }

    /// A matrix whose every class is right `hits` times and once taken for the next.
    fn matrix(classes: usize, hits: u64) -> ConfusionMatrix {
        let rows: Vec<Vec<u64>> = (0..classes)
            .map(|label| {
                let mut row = vec![0; classes];
                row[(label + 1) % classes] = 1;
                row[label] = hits;
                row
            })
            .collect();
        ConfusionMatrix::from_rows(&rows).unwrap()
    }

    fn layout(matrix: &ConfusionMatrix) -> Layout {
        Layout::new(matrix, &names(matrix.classes()))
    }

    /// The colour at the top left of a cell, where no text is.
    fn cell_colour(picture: &Picture, layout: &Layout, label: i32, prediction: i32) -> Rgb888 {
        let x = layout.left + prediction * layout.cell;
        let y = layout.top + label * layout.cell;
        let [r, g, b] = picture.pixel(x as u32, y as u32).unwrap();
        Rgb888::new(r, g, b)
    }

    #[test]
    fn cells_have_the_colour_of_their_share_of_the_row() {
        for classes in [2, 3, 10, 47, 100, 1000] {
            let matrix = matrix(classes, 3);
            let layout = layout(&matrix);
            let picture = confusion_matrix(&matrix, &names(classes)).unwrap();
            assert_eq!(
                (picture.width(), picture.height()),
                (layout.width as u32, layout.height as u32)
            );
            let last = classes as i32 - 1;
            let at = |label, prediction| cell_colour(&picture, &layout, label, prediction);
            for label in [0, last] {
                assert_eq!(at(label, label), share_colour(3, 4), "{classes}");
                let next = (label + 1) % classes as i32;
                assert_eq!(at(label, next), share_colour(1, 4), "{classes}");
            }
            if classes > 2 {
                assert_eq!(at(0, last), share_colour(0, 4), "{classes}");
            }
        }
    }

    #[test]
    fn rows_are_labels_and_empty_rows_are_grey() {
        let matrix = ConfusionMatrix::from_rows(&[[1, 1, 0], [0, 2, 0], [0, 0, 0]]).unwrap();
        let (layout, picture) = (
            layout(&matrix),
            confusion_matrix(&matrix, &names(3)).unwrap(),
        );
        let at = |label, prediction| cell_colour(&picture, &layout, label, prediction);
        assert_eq!(at(0, 1), share_colour(1, 2));
        assert_eq!(at(1, 0), share_colour(0, 2));
        assert_eq!(at(2, 2), share_colour(0, 0));
        assert_ne!(at(2, 2), at(1, 2));
    }

    #[test]
    fn same_input_gives_the_same_picture() {
        let draw = || confusion_matrix(&matrix(10, 40), &names(10)).unwrap();
        assert_eq!(draw(), draw());
        let sum = |sum: u32, &byte: &u8| sum.wrapping_mul(31).wrapping_add(byte.into());
        // Changes only when the looks do: look at the picture, then write the new number here.
        assert_eq!(draw().rgb().iter().fold(0, sum), 4025261509);
    }

    #[test]
    fn picture_is_wide_enough_for_its_title() {
        let matrix = ConfusionMatrix::from_rows(&[[u64::MAX]]).unwrap();
        let layout = layout(&matrix);
        let title = TITLE.width(&layout.title.0) + GAP + TEXT.width(&layout.title.1);
        assert_eq!(layout.title.1, "n = 18446744073709551615");
        assert!(layout.left + title + MARGIN <= layout.width);
    }

    #[test]
    fn no_samples_are_drawn_with_an_undefined_accuracy() {
        let empty = ConfusionMatrix::new(4);
        assert_eq!(layout(&empty).title.0, "accuracy undefined");
        assert!(confusion_matrix(&empty, &names(4)).is_ok());
    }

    #[test]
    fn odd_class_names_are_drawn() {
        let odd = [
            "",
            "\n\0\r",
            "漢字かな交じり文がとても長い名前",
            "ß",
            "a name that is far too long for any axis",
        ];
        let names: Vec<String> = odd.map(str::to_owned).into();
        assert!(confusion_matrix(&matrix(5, 7), &names).is_ok());
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let draw =
            |classes, names: &[String]| confusion_matrix(&ConfusionMatrix::new(classes), names);
        assert_eq!(draw(0, &[]), Err(FigureError::NoClasses));
        assert_eq!(
            draw(3, &names(2)),
            Err(FigureError::ClassNames {
                expected: 3,
                got: 2
            })
        );
        assert_eq!(
            draw(1001, &names(1001)),
            Err(FigureError::TooManyClasses {
                classes: 1001,
                limit: 1000
            })
        );
    }
}
