//! Reliability diagrams: whether a model is as often right as it says it is sure.
//!
//! After Guo et al., *On Calibration of Modern Neural Networks*, <https://arxiv.org/abs/1706.04599>, figure 1 and
//! equation 3. A bin without samples says nothing and has no bar.

use embedded_graphics::pixelcolor::Rgb888;

use super::axis::Axis;
use super::frame::{Frame, Words, put};
use crate::figure::colour::{LINE, MUTED};
use crate::figure::sheet::{Ink, Sheet};
use crate::figure::text::{SMALL, brief_count};
use crate::figure::{FigureError, Picture, palette};
use crate::metrics::Bin;

/// The length of a side of the plot.
const SIDE: i32 = 360;
/// The height of the strip of counts, and the gap above it.
const STRIP: i32 = 64;
const STRIP_GAP: i32 = 14;
/// The most bins that are drawn.
const MOST_BINS: usize = 100;
/// How much of a gap's colour covers the ground.
const TINT: f64 = 0.55;

/// What came of the predictions whose confidence fell into one bin.
///
/// ```
/// use modelpulse::figure::{ReliabilityBin, reliability_diagram};
/// // Two bins, 0 to 0.5 and 0.5 to 1: as sure as right in the first, too sure in the second.
/// let bins = [
///     ReliabilityBin { confidence: 0.4, accuracy: 0.4, count: 50 },
///     ReliabilityBin { confidence: 0.9, accuracy: 0.7, count: 150 },
/// ];
/// let picture = reliability_diagram(&bins)?;
/// assert!(picture.height() > 360);
/// # Ok::<(), modelpulse::figure::FigureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// The mean confidence of the predictions, from 0 to 1; not looked at where there are none.
    pub confidence: f64,
    /// The share of them that is right, from 0 to 1; not looked at where there are none.
    pub accuracy: f64,
    /// How many there are.
    pub count: u64,
}

impl From<Bin> for ReliabilityBin {
    fn from(bin: Bin) -> Self {
        Self {
            confidence: bin.confidence,
            accuracy: bin.accuracy,
            count: bin.count,
        }
    }
}

/// Draws a reliability diagram: per bin the accuracy as a bar, and the gap between it and the mean confidence.
///
/// The bins are of equal width from a confidence of 0 to one of 1. A model is well calibrated where the bars end at the
/// dashed diagonal. A gap above the bar is overconfidence, and one within it, at its top, is underconfidence, each in
/// a colour of its own. The strip below says how
/// many predictions fell into each bin. The title says the expected calibration error: the mean of the gaps, weighted
/// by the counts.
///
/// # Errors
///
/// [`FigureError::NoBins`] without bins or without any count, [`FigureError::TooManyBins`] above 100, and
/// [`FigureError::Bin`] where the confidence or the accuracy of a bin with samples is not within 0..=1.
pub fn reliability_diagram(bins: &[ReliabilityBin]) -> Result<Picture, FigureError> {
    if bins.iter().all(|bin| bin.count == 0) {
        return Err(FigureError::NoBins);
    }
    if bins.len() > MOST_BINS {
        return Err(FigureError::TooManyBins {
            bins: bins.len(),
            limit: MOST_BINS,
        });
    }
    let share = |share: f64| (0.0..=1.0).contains(&share);
    let wrong =
        |bin: &ReliabilityBin| bin.count > 0 && !(share(bin.confidence) && share(bin.accuracy));
    if let Some(bin) = bins.iter().position(wrong) {
        return Err(FigureError::Bin { bin });
    }

    let total: u128 = bins.iter().map(|bin| u128::from(bin.count)).sum();
    let mean = |of: fn(&ReliabilityBin) -> f64| {
        let filled = bins.iter().filter(|bin| bin.count > 0);
        filled
            .map(|bin| bin.count as f64 / total as f64 * of(bin))
            .sum::<f64>()
    };
    let error = mean(|bin| (bin.accuracy - bin.confidence).abs());
    let (accuracy, confidence) = (mean(|bin| bin.accuracy), mean(|bin| bin.confidence));
    let [bar, over, under] = [0, 1, 2].map(palette::line);
    let words = Words {
        title: &format!("ECE {error:.3}"),
        rest: &format!("n = {total}, accuracy {accuracy:.3}, confidence {confidence:.3}"),
        x: "confidence",
        y: "accuracy",
        legend: vec![
            (bar, "accuracy".to_owned()),
            (over, "overconfident by".to_owned()),
            (under, "underconfident by".to_owned()),
        ],
    };
    let axes = (Axis::new(0.0, 1.0, 5), Axis::new(0.0, 1.0, 5));
    let (frame, mut sheet) = Frame::draw((SIDE, SIDE), axes, &words, STRIP_GAP + STRIP);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    for (number, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
        let edge = |number: usize| frame.place((number as f64 / bins.len() as f64, 0.0)).0 as i32;
        // Behind the grid line of the left edge, and up to that of the right.
        let (left, right) = (edge(number) + 1, edge(number + 1));
        let row = |share: f64| frame.place((0.0, share)).1.round() as i32;
        let width = (right - left).max(1);
        let (accuracy, confidence) = (row(bin.accuracy), row(bin.confidence));
        // Rows count from the top.
        let solid = accuracy.max(confidence);
        sheet.rect(left, solid, width, row(0.0) - solid, bar.into());
        if bin.confidence > bin.accuracy {
            gap(&mut sheet, (left, width), (confidence, accuracy), over);
        } else if bin.confidence < bin.accuracy {
            gap(&mut sheet, (left, width), (accuracy, confidence), under);
        }

        let floor = frame.top + SIDE + STRIP_GAP + STRIP;
        let height = (bin.count as f64 / most as f64 * f64::from(STRIP)).ceil() as i32;
        sheet.rect(left, floor - height, width, height, MUTED.into());
    }
    let corners = (frame.place((0.0, 0.0)), frame.place((1.0, 1.0)));
    sheet.dashes(corners, (6.0, 5.0), 1.0, MUTED.into());
    strip(&frame, &mut sheet, most);
    Ok(sheet.into_picture())
}

/// Tinted, with a line around, so that the least gap is seen too.
fn gap(sheet: &mut Sheet, (left, width): (i32, i32), (top, bottom): (i32, i32), colour: Rgb888) {
    let tint = Ink {
        colour,
        opacity: TINT,
    };
    sheet.rect(left, top, width, bottom - top, tint);
    let (left, right) = (f64::from(left) + 0.5, f64::from(left + width) - 0.5);
    let (top, bottom) = (f64::from(top) + 0.5, f64::from(bottom.max(top + 1)) - 0.5);
    let around = [
        (left, top),
        (right, top),
        (right, bottom),
        (left, bottom),
        (left, top),
    ];
    sheet.line(&around, 1.0, colour.into());
}

/// The scale of the counts, and the line on which they stand.
fn strip(frame: &Frame, sheet: &mut Sheet, most: u64) {
    let top = frame.top + SIDE + STRIP_GAP;
    sheet.rect(frame.left, top + STRIP, SIDE, 1, MUTED.into());
    sheet.rect(frame.left, top, SIDE, 1, LINE.into());
    let text = brief_count(most, 6).unwrap_or_default();
    let left = frame.left - 8 - SMALL.width(&text);
    put(sheet, (left, top - SMALL.cap / 2), SMALL, MUTED, &text);
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::RgbColor;

    use super::*;

    fn bin(confidence: f64, accuracy: f64, count: u64) -> ReliabilityBin {
        ReliabilityBin {
            confidence,
            accuracy,
            count,
        }
    }

    /// What stands in the middle of the last of two bins, from the top of the plot down: runs of pixels of a colour.
    fn runs(last: ReliabilityBin) -> Vec<[u8; 3]> {
        let picture = reliability_diagram(&[bin(0.2, 0.2, 1), last]).unwrap();
        let (left, top) = (20 + 9 + 16 + 18 + 8, 20 + 10 + 16);
        let column = (0..SIDE as u32 - 1).map(|y| picture.pixel(left + 280, top + y).unwrap());
        let mut runs: Vec<_> = column.collect();
        runs.dedup();
        runs
    }

    #[test]
    fn gaps_stand_above_a_bar_or_at_its_top() {
        let rgb = |number| {
            let colour = palette::line(number);
            [colour.r(), colour.g(), colour.b()]
        };
        for (confidence, accuracy, colour) in [(0.9, 0.6, 1), (0.6, 0.9, 2)] {
            let runs = runs(bin(confidence, accuracy, 3));
            let at = |rgb| runs.iter().position(|it| *it == rgb);
            let (gap, bar) = (at(rgb(colour)).unwrap(), at(rgb(0)).unwrap());
            assert!(gap < bar && !runs.contains(&rgb(3 - colour)), "{runs:?}");
        }
        assert!(!runs(bin(0.8, 0.8, 3)).contains(&rgb(1)));
    }

    #[test]
    fn empty_bins_say_nothing_whatever_is_in_them() {
        let diagram = |empty| reliability_diagram(&[empty, bin(0.8, 0.7, u64::MAX)]);
        assert_eq!(diagram(bin(f64::NAN, 7.0, 0)), diagram(bin(0.5, 0.5, 0)));
        assert!(diagram(bin(0.5, 0.5, 0)).is_ok());
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        assert_eq!(reliability_diagram(&[]), Err(FigureError::NoBins));
        assert_eq!(
            reliability_diagram(&[bin(0.5, 0.5, 0)]),
            Err(FigureError::NoBins)
        );
        for (confidence, accuracy) in [(1.1, 0.5), (0.5, f64::NAN), (-0.1, 0.5)] {
            let bins = [bin(0.5, 0.5, 1), bin(confidence, accuracy, 1)];
            assert_eq!(reliability_diagram(&bins), Err(FigureError::Bin { bin: 1 }));
        }
        let many = vec![bin(0.5, 0.5, 1); 101];
        assert!(matches!(
            reliability_diagram(&many),
            Err(FigureError::TooManyBins { .. })
        ));
    }
}
