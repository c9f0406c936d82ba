//! Points with labels and pictures, and the files that TensorBoard's projector reads them from.
//!
//! Every file has one line, or one picture, a point: a label that would break its line is escaped
//! (TensorBoard, `plugins/projector`: `projector_plugin.py` and the page's own reader).

use std::fmt::Write as _;

use super::error::EmbeddingError;
use super::sprite::Sprite;

/// Points in a space of any number of dimensions, with what is known of each.
///
/// ```
/// use modelpulse::log::Embedding;
/// let embedding = Embedding::new("words", 3, &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])?
///     .column("word", ["cat", "dog"])?
///     .column("count", ["17", "4"])?
///     .grey_thumbnails(2, 2, &[0, 255, 255, 0, 255, 0, 0, 255])?;
/// assert_eq!((embedding.points(), embedding.dims()), (2, 3));
/// # Ok::<(), modelpulse::log::EmbeddingError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    pub(super) name: String,
    dims: usize,
    coordinates: Vec<f32>,
    columns: Vec<(String, Vec<String>)>,
    pub(super) sprite: Option<Sprite>,
    raw: bool,
}

impl Embedding {
    /// Points of `dims` coordinates each, one point after the other.
    ///
    /// # Errors
    /// [`EmbeddingError::Name`] for an empty name, [`EmbeddingError::Shape`] unless the coordinates are
    /// those of one or more whole points.
    pub fn new(
        name: impl Into<String>,
        dims: usize,
        coordinates: &[f32],
    ) -> Result<Self, EmbeddingError> {
        let name = name.into();
        if name.is_empty() {
            return Err(EmbeddingError::Name);
        }
        if coordinates.is_empty() || !coordinates.len().is_multiple_of(dims) {
            return Err(EmbeddingError::Shape {
                dims,
                numbers: coordinates.len(),
            });
        }
        Ok(Self {
            name,
            dims,
            coordinates: coordinates.to_vec(),
            columns: Vec::new(),
            sprite: None,
            raw: false,
        })
    }

    /// Adds a column of labels, one a point. The page shows a single column as `label`, whatever its
    /// title.
    ///
    /// # Errors
    /// [`EmbeddingError::Labels`] unless there is a label for each point, [`EmbeddingError::Title`]
    /// for a title that is blank or another column's.
    pub fn column<T: Into<String>>(
        mut self,
        title: impl Into<String>,
        labels: impl IntoIterator<Item = T>,
    ) -> Result<Self, EmbeddingError> {
        let title = title.into();
        if title.trim().is_empty() || self.columns.iter().any(|(other, _)| *other == title) {
            return Err(EmbeddingError::Title { title });
        }
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        if labels.len() != self.points() {
            return Err(EmbeddingError::Labels {
                title,
                points: self.points(),
                labels: labels.len(),
            });
        }
        self.columns.push((title, labels));
        Ok(self)
    }

    /// Adds a picture of each point: grey pixels, one byte each, row by row, picture after picture.
    ///
    /// # Errors
    /// [`EmbeddingError::Thumbnails`] unless there is a picture for each point,
    /// [`EmbeddingError::Sprite`] where all together are too large.
    pub fn grey_thumbnails(
        mut self,
        width: u32,
        height: u32,
        pixels: &[u8],
    ) -> Result<Self, EmbeddingError> {
        self.sprite = Some(Sprite::grey(self.points(), width, height, pixels)?);
        Ok(self)
    }

    /// Adds a picture of each point: red, green and blue of each pixel, row by row, picture after
    /// picture.
    ///
    /// # Errors
    /// As [`grey_thumbnails`](Self::grey_thumbnails).
    pub fn rgb_thumbnails(
        mut self,
        width: u32,
        height: u32,
        pixels: &[u8],
    ) -> Result<Self, EmbeddingError> {
        self.sprite = Some(Sprite::rgb(self.points(), width, height, pixels)?);
        Ok(self)
    }

    /// Stores the coordinates as they are in memory, which TensorBoard loads much faster than text.
    /// It takes a file for text wherever it can; bytes that it could mistake are stored as text.
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many points there are.
    pub fn points(&self) -> usize {
        self.coordinates.len() / self.dims
    }

    /// How many coordinates a point has.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The coordinates' file: how its name ends, and what it holds.
    pub(super) fn tensor_file(&self) -> (&'static str, Vec<u8>) {
        if self.raw {
            let bytes = self
                .coordinates
                .iter()
                .flat_map(|number| number.to_le_bytes());
            let bytes: Vec<u8> = bytes.collect();
            if !is_text(&bytes) {
                return ("bytes", bytes);
            }
        }
        let mut text = String::with_capacity(self.coordinates.len() * 12);
        for point in self.coordinates.chunks_exact(self.dims) {
            for (index, &number) in point.iter().enumerate() {
                text += if index == 0 { "" } else { "\t" };
                decimal(number, &mut text);
            }
            text.push('\n');
        }
        ("tsv", text.into_bytes())
    }

    /// The labels' file, if there are labels.
    pub(super) fn metadata_file(&self) -> Option<String> {
        let mut text = String::new();
        let mut line = |cells: Vec<&str>| {
            let start = text.len();
            for (index, cell) in cells.into_iter().enumerate() {
                text += if index == 0 { "" } else { "\t" };
                escape(cell, &mut text);
            }
            // The page passes over a blank line, and all later labels would move up.
            let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
            if text[start..].trim_matches(blank).is_empty() {
                text.insert_str(start, "(empty)");
            }
            text.push('\n');
        };
        match &self.columns[..] {
            [] => return None,
            [_] => (),
            columns => line(columns.iter().map(|(title, _)| title.as_str()).collect()),
        }
        for point in 0..self.points() {
            let cells = self
                .columns
                .iter()
                .filter_map(|(_, labels)| labels.get(point));
            line(cells.map(String::as_str).collect());
        }
        Some(text)
    }
}

/// Whether TensorBoard would take the bytes for text: it reads them as UTF-8, and where that fails
/// before the first line is read, as numbers.
fn is_text(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    let line = end.map_or(bytes, |end| &bytes[..=end]);
    std::str::from_utf8(line).is_ok()
}

/// The fewest digits from which a reader gets the number back, also by way of double precision.
fn decimal(number: f32, out: &mut String) {
    let start = out.len();
    // Writing to a string does not fail.
    let _ = write!(out, "{number:?}");
    let back = out[start..].parse::<f64>().map(|back| back as f32);
    if number.is_finite() && back != Ok(number) {
        out.truncate(start);
        let _ = write!(out, "{:?}", f64::from(number));
    }
}

fn escape(cell: &str, out: &mut String) {
    for character in cell.chars() {
        match character {
            '\t' => *out += "\\t",
            '\n' => *out += "\\n",
            '\r' => *out += "\\r",
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(count: usize) -> Embedding {
        Embedding::new("e", 2, &vec![0.5; 2 * count]).unwrap()
    }

    #[test]
    fn a_label_never_breaks_its_line() {
        let labels = ["a\tb", "c\nd\r", "", " ü "];
        let single = points(4).column("x", labels).unwrap();
        assert_eq!(
            single.metadata_file().unwrap(),
            "a\\tb\nc\\nd\\r\n(empty)\n ü \n"
        );
        let double = single.column("y\t", ["", "", "", "2"]).unwrap();
        assert_eq!(
            double.metadata_file().unwrap(),
            "x\ty\\t\na\\tb\t\nc\\nd\\r\t\n(empty)\t\n ü \t2\n"
        );
        assert_eq!(points(1).metadata_file(), None);
    }

    #[test]
    fn numbers_come_back_from_their_text() {
        let numbers = [
            0.1,
            -0.0,
            1e-45,
            f32::MAX,
            16_777_216.0,
            f32::NAN,
            f32::NEG_INFINITY,
            3.0,
        ];
        let (kind, file) = Embedding::new("e", 4, &numbers).unwrap().tensor_file();
        let text = String::from_utf8(file).unwrap();
        assert_eq!(
            (kind, text.as_str()),
            (
                "tsv",
                "0.1\t-0.0\t1e-45\t3.4028235e38\n16777216.0\tNaN\t-inf\t3.0\n"
            )
        );
    }

    #[test]
    fn raw_bytes_that_look_like_text_are_stored_as_text() {
        let raw = |numbers: &[f32]| Embedding::new("e", 1, numbers).unwrap().raw().tensor_file();
        assert_eq!(raw(&[0.0, 0.0]), ("tsv", b"0.0\n0.0\n".to_vec()));
        assert_eq!(raw(&[-1.5]), ("bytes", vec![0, 0, 0xc0, 0xbf]));
        let line_end_first = f32::from_le_bytes([b'\n', 0, 0xc0, 0xbf]);
        assert_eq!(raw(&[line_end_first]).0, "tsv");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let said = |error: Result<Embedding, EmbeddingError>| error.unwrap_err().to_string();
        assert_eq!(
            said(Embedding::new("", 1, &[1.0])),
            "an embedding needs a name"
        );
        for (dims, numbers) in [(0, 1), (2, 3), (1, 0)] {
            let error = said(Embedding::new("e", dims, &vec![1.0; numbers]));
            assert_eq!(
                error,
                format!("{numbers} numbers are no points of {dims} dimensions")
            );
        }
        assert_eq!(
            said(points(2).column("x", ["a"])),
            "column 'x' has 1 labels for 2 points"
        );
        let twice = points(1).column("x", ["a"]).unwrap().column("x", ["b"]);
        assert!(matches!(twice, Err(EmbeddingError::Title { .. })));
        assert!(matches!(
            points(1).column(" ", ["a"]),
            Err(EmbeddingError::Title { .. })
        ));
    }
}
