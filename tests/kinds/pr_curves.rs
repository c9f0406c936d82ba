//! Precision–recall curves: a series with more thresholds than 127, one with weights, one of ready counts.

use modelpulse::log::Writer;
use modelpulse::summary::{PrCounts, PrCurve};
use serde_json::Value;

use crate::support::{Board, numbers, route};

pub const RUN: &str = "curves";
pub const SERIES: &str = "digits/is_3";
const WEIGHTED: &str = "weighted";
const COUNTS: &str = "counts";
const STEPS: usize = 3;
pub const THRESHOLDS: usize = 300;

/// Scores of positives and negatives, which lie farther apart at later steps.
fn scored(step: usize) -> (Vec<f32>, Vec<bool>) {
    let score = |index: usize| {
        let spread = (index as f32 * 0.618_034).fract();
        let shift = 0.1 * (step + 1) as f32;
        let score = if index.is_multiple_of(3) {
            0.3 + shift
        } else {
            0.2 - 0.5 * shift
        };
        (score + 0.5 * spread).clamp(0.0, 1.0)
    };
    (0..500_usize)
        .map(|index| (score(index), index.is_multiple_of(3)))
        .unzip()
}

fn weights() -> Vec<f64> {
    (0..500).map(|index| f64::from(index % 4) * 0.5).collect()
}

fn counts() -> PrCounts {
    PrCounts {
        true_positives: vec![5.0, 4.0, 1.0],
        false_positives: vec![3.0, 1.0, 0.0],
        true_negatives: vec![0.0, 2.0, 3.0],
        false_negatives: vec![0.0, 1.0, 4.0],
    }
}

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    for step in 0..STEPS {
        let (scores, labels) = scored(step);
        let curve = PrCurve::with_thresholds(&scores, &labels, THRESHOLDS).unwrap();
        run.log(SERIES, step as i64, curve.description("is it a *three*?"));
    }
    let (scores, labels) = scored(0);
    run.log(
        WEIGHTED,
        0,
        PrCurve::weighted(&scores, &labels, &weights(), 11).unwrap(),
    );
    run.log(COUNTS, 0, PrCurve::from_counts(&counts()).unwrap());
}

/// Sums at each threshold, counted in the plainest way: true and false positives, true and false negatives.
fn counted(step: usize, weights: &[f64], thresholds: usize) -> Vec<[f64; 4]> {
    let (scores, labels) = scored(step);
    let at = |index: usize| {
        let threshold = index as f64 / (thresholds - 1) as f64;
        let mut sums = [0.0; 4];
        for ((score, label), weight) in scores.iter().zip(&labels).zip(weights) {
            let reached = f64::from(*score) >= threshold;
            sums[match (reached, label) {
                (true, true) => 0,
                (true, false) => 1,
                (false, false) => 2,
                (false, true) => 3,
            }] += weight;
        }
        sums
    };
    (0..thresholds).map(at).collect()
}

pub fn are_answered(board: &Board) {
    let curves = |tag: &str, steps: usize| {
        let path = route("pr_curves", "pr_curves", &[("run", RUN), ("tag", tag)]);
        let read = |answer: &Value| answer[RUN].as_array().is_some_and(|all| all.len() >= steps);
        let answer = board.until(&path, None, read);
        answer[RUN].as_array().unwrap().clone()
    };
    for (step, curve) in curves(SERIES, STEPS).iter().enumerate() {
        assert_eq!(curve["step"], step);
        assert_shown(curve, &counted(step, &[1.0; 500], THRESHOLDS));
    }
    assert_shown(&curves(WEIGHTED, 1)[0], &counted(0, &weights(), 11));
    let PrCounts {
        true_positives,
        false_positives,
        true_negatives,
        false_negatives,
    } = counts();
    let lists = [
        true_positives,
        false_positives,
        true_negatives,
        false_negatives,
    ];
    let at = |index: usize| [0, 1, 2, 3].map(|list: usize| lists[list][index]);
    assert_shown(&curves(COUNTS, 1)[0], &[at(0), at(1), at(2)]);
    let tags = board.get("/data/plugin/pr_curves/tags");
    assert_eq!(
        tags[RUN][SERIES]["description"],
        "<p>is it a <em>three</em>?</p>"
    );
}

/// TensorBoard leaves out the thresholds at the end that nothing reaches, and counts in whole numbers.
#[track_caller]
fn assert_shown(curve: &Value, sums: &[[f64; 4]]) {
    let reached = sums
        .iter()
        .rposition(|[tp, fp, ..]| tp.trunc() + fp.trunc() > 0.0)
        .unwrap()
        + 1;
    let expected = |of: &dyn Fn(&[f64; 4]) -> f64| -> Vec<f32> {
        sums[..reached].iter().map(|sums| of(sums) as f32).collect()
    };
    let lists = [
        "true_positives",
        "false_positives",
        "true_negatives",
        "false_negatives",
    ];
    for (index, list) in lists.into_iter().enumerate() {
        assert_eq!(
            numbers(&curve[list]),
            expected(&|sums| sums[index].trunc()),
            "{list}"
        );
    }
    let share = |part: f64, other: f64| {
        if part > 0.0 {
            part / (part + other)
        } else {
            0.0
        }
    };
    assert_eq!(
        numbers(&curve["precision"]),
        expected(&|[tp, fp, ..]| share(*tp, *fp))
    );
    assert_eq!(
        numbers(&curve["recall"]),
        expected(&|[tp, .., missed]| share(*tp, *missed))
    );
    let thresholds = (0..reached).map(|index| (index as f64 / (sums.len() - 1) as f64) as f32);
    assert_eq!(
        numbers(&curve["thresholds"]),
        thresholds.collect::<Vec<_>>()
    );
}
