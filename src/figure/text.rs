//! The bitmap faces that figures are lettered in, and how text is made to fit.
//!
//! What fits is said in pixels before anything is drawn, so no text is ever cut off by an edge.

use embedded_graphics::mono_font::MonoFont;
use embedded_graphics::mono_font::iso_8859_1::{
    FONT_4X6, FONT_5X7, FONT_6X10, FONT_7X13, FONT_9X15, FONT_9X15_BOLD, FONT_10X20,
};

/// A font of fixed width that knows where its capitals and digits stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    pub(super) font: &'static MonoFont<'static>,
    /// Rows between the top of the glyph box and the top of a capital.
    pub(super) rise: i32,
    /// The height of a capital or digit.
    pub(super) cap: i32,
}

pub(super) const TITLE: Face = face(&FONT_9X15_BOLD, 2, 10);
pub(super) const TEXT: Face = face(&FONT_7X13, 2, 9);
pub(super) const SMALL: Face = face(&FONT_6X10, 1, 7);
/// From the largest to the smallest.
pub(super) const COUNTS: [Face; 6] = [
    face(&FONT_10X20, 3, 13),
    face(&FONT_9X15, 2, 10),
    TEXT,
    SMALL,
    face(&FONT_5X7, 0, 6),
    face(&FONT_4X6, 0, 5),
];

const fn face(font: &'static MonoFont<'static>, rise: i32, cap: i32) -> Face {
    Face { font, rise, cap }
}

impl Face {
    /// The width of one character, with the gap after it.
    pub(super) fn advance(self) -> i32 {
        (self.font.character_size.width + self.font.character_spacing) as i32
    }

    /// The width of a text in pixels.
    pub(super) fn width(self, text: &str) -> i32 {
        let characters = i32::try_from(text.chars().count()).unwrap_or(i32::MAX);
        characters.saturating_mul(self.advance())
    }
}

/// The text on one line: control characters become spaces, and more than `most` characters are cut to end in "..".
pub(super) fn shortened(text: &str, most: usize) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= most {
        return line.collect();
    }
    let kept: String = line.take(most.saturating_sub(2)).collect();
    format!("{}..", kept.trim_end())
}

/// A count in at most `most` characters, such as 1234, 1.2k or 12k; `None` if it cannot be said in so few.
pub(super) fn brief_count(count: u64, most: usize) -> Option<String> {
    let mut forms = vec![count.to_string()];
    for (unit, suffix) in [
        (1_000u64, 'k'),
        (1_000_000, 'M'),
        (1_000_000_000, 'G'),
        (1_000_000_000_000, 'T'),
        (1_000_000_000_000_000, 'P'),
        (1_000_000_000_000_000_000, 'E'),
    ] {
        if count >= unit {
            // Cut off, not rounded: 999,999 is 999k, not 1000k.
            let tenths = u128::from(count) * 10 / u128::from(unit);
            if tenths < 100 {
                forms.push(format!("{}.{}{suffix}", tenths / 10, tenths % 10));
            }
            forms.push(format!("{}{suffix}", tenths / 10));
        }
    }
    forms.into_iter().find(|form| form.len() <= most)
}

/// `part` of `whole` in percent with `decimals` digits after the point, rounded; but 0 and 100 are said only where
/// they are exact.
pub(super) fn percent(part: u64, whole: u64, decimals: u32) -> String {
    let scale = 10u128.pow(decimals);
    let full = 100 * scale;
    let (part, whole) = (u128::from(part), u128::from(whole.max(1)));
    let rounded = (2 * part * full + whole) / (2 * whole);
    let shown = match part {
        0 => 0,
        _ if part >= whole => full,
        _ => rounded.clamp(1, full - 1),
    };
    if decimals == 0 {
        return format!("{shown} %");
    }
    format!(
        "{}.{:0digits$} %",
        shown / scale,
        shown % scale,
        digits = decimals as usize
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_odd_text_becomes_one_short_line() {
        assert_eq!(shortened("Ankle boot", 10), "Ankle boot");
        assert_eq!(shortened("Ankle boots", 10), "Ankle bo..");
        assert_eq!(shortened("T-shirt or top", 10), "T-shirt..");
        assert_eq!(shortened("a\nb\tc", 5), "a b c");
        assert_eq!(shortened("αβγδεζ", 5), "αβγ..");
        assert_eq!(shortened("", 5), "");
    }

    #[test]
    fn counts_are_shortened_only_as_far_as_needed() {
        let brief = |count, most| brief_count(count, most).unwrap_or_default();
        assert_eq!(brief(0, 1), "0");
        assert_eq!(brief(12345, 5), "12345");
        assert_eq!(brief(12345, 4), "12k");
        assert_eq!(brief(1234, 3), "1k");
        assert_eq!(brief(1999, 4), "1999");
        assert_eq!(brief(5_923_000, 4), "5.9M");
        assert_eq!(brief(999_999, 4), "999k");
        assert_eq!(brief(u64::MAX, 3), "18E");
        assert_eq!(brief_count(123, 2), None);
        assert_eq!(brief_count(999_999, 3), None);
    }

    #[test]
    fn percent_says_all_or_nothing_only_where_exact() {
        assert_eq!(percent(1, 3, 1), "33.3 %");
        assert_eq!(percent(2, 3, 2), "66.67 %");
        assert_eq!(percent(9_999_999, 10_000_000, 2), "99.99 %");
        assert_eq!(percent(1, 10_000_000, 1), "0.1 %");
        assert_eq!(percent(5, 5, 0), "100 %");
        assert_eq!(percent(0, 5, 1), "0.0 %");
        assert_eq!(percent(u64::MAX - 1, u64::MAX, 2), "99.99 %");
    }

    #[test]
    fn widths_are_in_pixels() {
        assert_eq!(TEXT.width("abc"), 21);
        assert_eq!(TEXT.width(""), 0);
        assert_eq!(SMALL.width("é"), 6);
    }
}
