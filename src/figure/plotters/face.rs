//! Which bitmap face stands for a font that plotters asks for.
//!
//! Family and slant are not looked at: a text's width depends on its size and weight alone.

use embedded_graphics::mono_font::iso_8859_1::{FONT_6X13_BOLD, FONT_7X13_BOLD};
use plotters_backend::{BackendTextStyle, FontStyle};

use super::super::text::{COUNTS, Face, TITLE};

/// The width and the height of a text, upright.
pub(super) fn extent<S: BackendTextStyle>(text: &str, style: &S) -> (i32, i32) {
    let (face, scale) = face(style);
    let height = face.font.character_size.height as i32;
    (face.width(text).saturating_mul(scale), height * scale)
}

/// Bold faces of about the sizes of the others.
const BOLD: [Face; 3] = [
    TITLE,
    Face {
        font: &FONT_7X13_BOLD,
        rise: 2,
        cap: 9,
    },
    Face {
        font: &FONT_6X13_BOLD,
        rise: 2,
        cap: 9,
    },
];

/// The face whose characters are nearest to as wide as those of a sans-serif of that size on the average, and how
/// many times enlarged.
pub(super) fn face<S: BackendTextStyle>(style: &S) -> (Face, i32) {
    let faces: &[Face] = match style.style() {
        FontStyle::Bold => &BOLD,
        _ => &COUNTS,
    };
    let width = style.size() * 0.47;
    let misfit = |(face, scale): &(Face, i32)| {
        let off = (f64::from(face.advance() * scale) - width).abs();
        // Large pixels are the lesser evil only where the size is far off.
        off + 0.75 * f64::from(scale - 1)
    };
    (1..=4)
        .flat_map(|scale| faces.iter().map(move |&face| (face, scale)))
        .min_by(|a, b| misfit(a).total_cmp(&misfit(b)))
        .unwrap_or((TITLE, 1))
}

#[cfg(test)]
mod tests {
    use plotters::style::{FontDesc, FontFamily, TextStyle};

    use super::*;

    #[test]
    fn sizes_have_faces() {
        let of = |size: f64, style| {
            let font = FontDesc::new(FontFamily::SansSerif, size, style);
            let (face, scale) = face(&TextStyle::from(font));
            (face.advance(), scale)
        };
        let normal =
            [1.0, 12.0, 15.0, 20.0, 22.0, 40.0, 1e9].map(|size| of(size, FontStyle::Normal));
        assert_eq!(
            normal,
            [(4, 1), (6, 1), (7, 1), (9, 1), (10, 1), (9, 2), (10, 4)]
        );
        let bold = [12.0, 15.0, 20.0, f64::NAN].map(|size| of(size, FontStyle::Bold).0);
        assert_eq!(bold[..3], [6, 7, 9]);
    }
}
