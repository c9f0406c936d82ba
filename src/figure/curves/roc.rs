//! ROC curves: what share of the positives is found at what share of false alarms.
//!
//! The curves are drawn from the points given, joined by straight lines, as the trapezoidal area counts them.

use super::axis::Axis;
use super::frame::{Frame, Words};
use crate::figure::colour::MUTED;
use crate::figure::sheet::Ink;
use crate::figure::text::shortened;
use crate::figure::{FigureError, Picture, palette};

/// The length of a side of the plot.
const SIDE: i32 = 360;
/// The most characters of a name that are drawn.
const MOST_CHARACTERS: usize = 24;
/// The most curves that are drawn.
const MOST_CURVES: usize = 100;

/// A ROC curve with its name and the area under it.
///
/// ```
/// use modelpulse::figure::{RocCurve, roc_curves};
/// let curve = RocCurve {
///     name: "cat",
///     points: &[(0.0, 0.0), (0.1, 0.8), (0.4, 0.95), (1.0, 1.0)],
///     auc: 0.893,
/// };
/// let picture = roc_curves(&[curve])?;
/// assert!(picture.height() > 360);
/// # Ok::<(), modelpulse::figure::FigureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocCurve<'a> {
    /// The name of the class or model; empty where there is only one.
    pub name: &'a str,
    /// False positive rate and true positive rate, both from 0 to 1, in the order in which they are joined.
    pub points: &'a [(f64, f64)],
    /// The area under the curve, from 0 to 1; NaN, shown as a dash, where it is undefined, as of a class without samples.
    pub auc: f64,
}

/// Draws ROC curves into one square plot, each with the area under it to three digits.
///
/// The diagonal, dashed, is what guessing gives. The area under a single curve is tinted. A curve without points is
/// only named. After ten curves the colours come again; names are cut to 24 characters.
///
/// # Errors
///
/// [`FigureError::NoPoints`] without any point, [`FigureError::TooManyCurves`] above 100 curves, and
/// [`FigureError::Rate`] where a rate is not within 0..=1.
pub fn roc_curves(curves: &[RocCurve<'_>]) -> Result<Picture, FigureError> {
    if curves.iter().all(|curve| curve.points.is_empty()) {
        return Err(FigureError::NoPoints);
    }
    if curves.len() > MOST_CURVES {
        return Err(FigureError::TooManyCurves {
            curves: curves.len(),
            limit: MOST_CURVES,
        });
    }
    let rate = |rate: f64| (0.0..=1.0).contains(&rate);
    for (number, curve) in curves.iter().enumerate() {
        let wrong = |(fpr, tpr): &(f64, f64)| !rate(*fpr) || !rate(*tpr);
        if let Some(point) = curve.points.iter().position(wrong) {
            return Err(FigureError::Rate {
                curve: number,
                point,
            });
        }
    }

    let entry = |(number, curve): (usize, &RocCurve<'_>)| {
        let name = shortened(curve.name, MOST_CHARACTERS);
        let entry = format!("{:<5} {name}", area(curve.auc));
        (palette::line(number), entry)
    };
    let (title, legend) = match curves {
        [only] if only.name.is_empty() => (format!("AUC {}", area(only.auc)), Vec::new()),
        _ => (
            "ROC".to_owned(),
            curves.iter().enumerate().map(entry).collect(),
        ),
    };
    let words = Words {
        title: &title,
        rest: if legend.is_empty() {
            ""
        } else {
            "area under the curve"
        },
        x: "false positive rate",
        y: "true positive rate",
        legend,
    };
    let axes = (Axis::new(0.0, 1.0, 5), Axis::new(0.0, 1.0, 5));
    let (frame, mut sheet) = Frame::draw((SIDE, SIDE), axes, &words, 0);
    let corners = (frame.place((0.0, 0.0)), frame.place((1.0, 1.0)));
    sheet.dashes(corners, (6.0, 5.0), 1.0, MUTED.into());
    for (number, curve) in curves.iter().enumerate() {
        let places: Vec<_> = curve.points.iter().map(|&it| frame.place(it)).collect();
        let colour = palette::line(number);
        if let ([_], [first, .., last]) = (curves, &places[..]) {
            let floor = corners.0.1;
            let ends = [(last.0, floor), (first.0, floor)];
            let tint = Ink {
                colour,
                opacity: 0.1,
            };
            sheet.area(&[&places[..], &ends].concat(), tint);
        }
        sheet.line(&places, 2.0, colour.into());
    }
    Ok(sheet.into_picture())
}

fn area(auc: f64) -> String {
    if auc.is_finite() {
        format!("{auc:.3}")
    } else {
        "-".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[(f64, f64)] = &[(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)];

    fn curve<'a>(name: &'a str, points: &'a [(f64, f64)]) -> RocCurve<'a> {
        let auc = 0.75;
        RocCurve { name, points, auc }
    }

    #[test]
    fn a_single_curve_is_tinted_below_and_several_are_not() {
        // The plot's left end is behind the margin, the axis name and the labels; below its title is its top.
        let (left, top) = (20 + 9 + 16 + 18 + 8, 20 + 10 + 16);
        let at = |picture: &Picture, x: u32, y: u32| picture.pixel(left + x, top + y).unwrap();
        let one = roc_curves(&[curve("", STEPS)]).unwrap();
        assert_eq!(at(&one, 100, 100), [255; 3]);
        assert_ne!(at(&one, 100, 300), [255; 3]);
        assert_ne!(at(&one, 300, 30), [255; 3]);
        let two = roc_curves(&[curve("a", STEPS), curve("b", &[])]).unwrap();
        assert_eq!(at(&two, 100, 300), [255; 3]);
        assert!(two.width() > one.width());
    }

    #[test]
    fn what_is_no_curve_is_an_error() {
        assert_eq!(roc_curves(&[]), Err(FigureError::NoPoints));
        assert_eq!(roc_curves(&[curve("", &[])]), Err(FigureError::NoPoints));
        for rate in [-0.1, 1.1, f64::NAN] {
            let wrong = [(0.0, 0.0), (0.5, rate)];
            let error = roc_curves(&[curve("a", STEPS), curve("b", &wrong)]);
            assert_eq!(error, Err(FigureError::Rate { curve: 1, point: 1 }));
        }
        let many = vec![curve("a", STEPS); 101];
        assert!(matches!(
            roc_curves(&many),
            Err(FigureError::TooManyCurves { .. })
        ));
    }

    #[test]
    fn an_undefined_area_is_a_dash() {
        assert_eq!(
            (area(0.99951).as_str(), area(f64::NAN).as_str()),
            ("1.000", "-")
        );
    }
}
