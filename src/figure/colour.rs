//! The colours of figures: inks, and a ramp from light to dark blue for shares.
//!
//! Only whole numbers are computed with, so a share has the same colour on every machine.

use embedded_graphics::pixelcolor::{Rgb888, RgbColor};

pub(super) const WHITE: Rgb888 = Rgb888::WHITE;
/// Text.
pub(super) const INK: Rgb888 = Rgb888::new(28, 32, 40);
/// Text of less weight.
pub(super) const MUTED: Rgb888 = Rgb888::new(104, 112, 124);
/// Thin lines.
pub(super) const LINE: Rgb888 = Rgb888::new(205, 210, 217);
/// A share of 0: lighter than the ramp, so that the smallest share is told from none.
const NONE: Rgb888 = Rgb888::new(249, 250, 252);
/// What has no share: 0 of 0.
const UNDEFINED: Rgb888 = Rgb888::new(234, 235, 237);

/// Equal steps of lightness from 0.945 to 0.309 at a hue of 254 to 260 degrees in [Oklab][1], chroma highest in the
/// middle, converted to sRGB and rounded.
///
/// [1]: https://bottosson.github.io/posts/oklab/
const RAMP: [(u8, u8, u8); 17] = [
    (225, 238, 254),
    (204, 226, 254),
    (184, 214, 252),
    (165, 201, 248),
    (147, 188, 243),
    (130, 175, 237),
    (114, 163, 229),
    (99, 150, 220),
    (85, 137, 211),
    (72, 125, 200),
    (60, 112, 188),
    (49, 100, 175),
    (39, 88, 162),
    (31, 77, 147),
    (23, 66, 132),
    (16, 55, 116),
    (11, 45, 100),
];

/// The colour of `part` of `whole`: near white for none, then from light to dark blue for all; grey if the whole is 0.
pub(super) fn share_colour(part: u64, whole: u64) -> Rgb888 {
    match (part, whole) {
        (_, 0) => UNDEFINED,
        (0, _) => NONE,
        _ => ramp(part, whole),
    }
}

/// The ramp at `part` of `whole`, which is not 0.
pub(super) fn ramp(part: u64, whole: u64) -> Rgb888 {
    let steps = RAMP.len() as u128 - 1;
    // In 1/256 of a step.
    let position = (u128::from(part.min(whole)) * steps * 256 / u128::from(whole)) as usize;
    let (step, within) = (position / 256, position as i32 % 256);
    let from = RAMP[step];
    let to = RAMP[(step + 1).min(RAMP.len() - 1)];
    let mix = |from: u8, to: u8| {
        let (from, to) = (i32::from(from), i32::from(to));
        (from + ((to - from) * within).div_euclid(256)) as u8
    };
    Rgb888::new(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// The ink that reads best on a colour: dark on light, white on dark.
pub(super) fn ink_on(colour: Rgb888) -> Rgb888 {
    if luma(colour) > 124 { INK } else { WHITE }
}

/// An ink that is only just seen on a colour.
pub(super) fn faded(colour: Rgb888) -> Rgb888 {
    let mix = |channel: u8, ink: u8| ((u32::from(channel) * 7 + u32::from(ink) * 3) / 10) as u8;
    Rgb888::new(
        mix(colour.r(), MUTED.r()),
        mix(colour.g(), MUTED.g()),
        mix(colour.b(), MUTED.b()),
    )
}

/// Brightness 0..=255 as ITU-R BT.601 weighs the channels.
fn luma(colour: Rgb888) -> u32 {
    (299 * u32::from(colour.r()) + 587 * u32::from(colour.g()) + 114 * u32::from(colour.b())) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramp_ends_at_none_and_all_and_darkens_between() {
        assert_eq!(ramp(0, 9), Rgb888::new(225, 238, 254));
        assert_eq!(share_colour(9, 9), Rgb888::new(11, 45, 100));
        assert_eq!(share_colour(u64::MAX, u64::MAX), Rgb888::new(11, 45, 100));
        assert_eq!(share_colour(1, 2), Rgb888::new(85, 137, 211));
        let lumas: Vec<u32> = (0..=256)
            .map(|part| luma(share_colour(part, 256)))
            .collect();
        assert!(lumas.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn none_some_and_undefined_are_told_apart() {
        assert_eq!(share_colour(0, u64::MAX), NONE);
        assert_eq!(share_colour(1, u64::MAX), ramp(0, 1));
        assert_eq!(share_colour(0, 0), UNDEFINED);
    }

    #[test]
    fn ink_turns_white_on_dark() {
        assert_eq!(ink_on(share_colour(1, 10)), INK);
        assert_eq!(ink_on(share_colour(9, 10)), WHITE);
    }
}
