//! Colours that tell things apart: lines of a chart, labels of boxes.
//!
//! A label has one colour in every picture, on every machine.

use embedded_graphics::pixelcolor::Rgb888;

/// Colours on white told apart also by the colour-blind, from the set of [Okabe and Ito][1] without its yellow, which
/// is too light for lines, and with four more.
///
/// [1]: https://jfly.uni-koeln.de/color/
const LINES: [Rgb888; 10] = [
    Rgb888::new(0, 114, 178),
    Rgb888::new(213, 94, 0),
    Rgb888::new(0, 158, 115),
    Rgb888::new(204, 121, 167),
    Rgb888::new(230, 159, 0),
    Rgb888::new(86, 180, 233),
    Rgb888::new(130, 75, 40),
    Rgb888::new(90, 84, 160),
    Rgb888::new(130, 148, 30),
    Rgb888::new(70, 76, 86),
];

/// Colours more vivid than those of a photograph. Neighbours differ most.
const MARKS: [Rgb888; 16] = [
    Rgb888::new(255, 56, 56),
    Rgb888::new(0, 214, 143),
    Rgb888::new(255, 214, 10),
    Rgb888::new(88, 86, 255),
    Rgb888::new(255, 145, 25),
    Rgb888::new(0, 217, 255),
    Rgb888::new(240, 60, 230),
    Rgb888::new(160, 232, 30),
    Rgb888::new(155, 80, 230),
    Rgb888::new(255, 176, 150),
    Rgb888::new(20, 150, 60),
    Rgb888::new(255, 105, 180),
    Rgb888::new(30, 110, 220),
    Rgb888::new(176, 164, 20),
    Rgb888::new(170, 90, 40),
    Rgb888::new(150, 225, 210),
];

/// The colour of the line of that number; after ten they come again.
pub(super) fn line(number: usize) -> Rgb888 {
    LINES[number % LINES.len()]
}

/// The colour of the marks of a class; after sixteen they come again.
pub(super) fn class(number: usize) -> Rgb888 {
    MARKS[number % MARKS.len()]
}

/// The colour of a label: any of the sixteen, as its bytes have it ([FNV-1a][1]).
///
/// [1]: http://www.isthe.com/chongo/tech/comp/fnv/
pub(super) fn label(label: &str) -> Rgb888 {
    let mix = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = label.bytes().fold(0x811c_9dc5, mix);
    class((hash ^ (hash >> 16)) as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use embedded_graphics::pixelcolor::RgbColor;

    use super::*;

    #[test]
    fn labels_have_lasting_colours_and_use_all() {
        let colours: BTreeSet<_> = (0..200)
            .map(|number| label(&number.to_string()))
            .map(|colour| (colour.r(), colour.g(), colour.b()))
            .collect();
        assert_eq!(colours.len(), MARKS.len());
        // Changes only if all pictures of boxes change their colours.
        assert_eq!(label("cat"), class(3));
    }
}
