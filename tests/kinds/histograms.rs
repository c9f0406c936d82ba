//! Histograms: of values, and ready-made in both forms; and the percentiles that the page of distributions shows.

use modelpulse::log::Writer;
use modelpulse::summary::Histogram;
use serde_json::Value;

use crate::support::{Board, series};

pub const RUN: &str = "histograms";
pub const WEIGHTS: &str = "fc1/weights";
pub const STEPS: usize = 5;
const READY: &str = "ready/buckets";
const LIMITS: &str = "ready/limits";
const EMPTY: &str = "ready/empty";
/// All values alike, and values that are not finite, which are counted beside.
const ODD: &str = "odd";

/// Values of the shape of a bell, the logistic distribution's, which moves and grows wider.
fn weights(step: usize) -> Vec<f32> {
    let value = |index: u32| {
        let share = (f64::from(index) + 0.5) / 2_000.0;
        let [middle, width] = [0.3, 0.1].map(|by| by * (1.0 + step as f64));
        (middle + width * (share / (1.0 - share)).ln()) as f32
    };
    (0..2_000).map(value).collect()
}

fn ready() -> Vec<[f64; 3]> {
    vec![[-1.5, 0.0, 12.0], [0.0, 0.25, 0.0], [0.25, 1e9, 3.5]]
}

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    for step in 0..STEPS {
        run.histogram(WEIGHTS, step as i64, &weights(step));
    }
    run.log(READY, 0, Histogram::from_buckets(ready()).unwrap());
    let limits = Histogram::from_limits(-3.0, 7.5, &[-4.0, 0.0, 5.0, 1e308], &[0.0, 2.0, 1.0, 4.0]);
    run.log(LIMITS, 0, limits.unwrap());
    run.log(EMPTY, 0, Histogram::of::<f32>(&[]));
    run.histogram(ODD, 0, &[2.0, f32::NAN, 2.0, f32::INFINITY, f32::NAN]);
}

pub fn are_answered(board: &Board) {
    let of = |tag, steps| -> Vec<(u64, Vec<[f64; 3]>)> {
        let entries = series(board, "histograms", "histograms", RUN, tag, steps);
        let entry = |entry: &Value| (entry[1].as_u64().unwrap(), buckets(&entry[2]));
        entries.iter().map(entry).collect()
    };
    for (step, (shown, buckets)) in of(WEIGHTS, STEPS).into_iter().enumerate() {
        assert_eq!(shown, step as u64);
        let values = weights(step);
        let ours = Histogram::of(&values);
        let (ours, shown) = (ours.buckets(), buckets.as_flattened());
        // serde_json may miss the last bit of what it reads.
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        let alike = ours.as_flattened().iter().zip(shown).all(near);
        assert!(
            alike && ours.len() == buckets.len(),
            "step {step}: {buckets:?}"
        );
        // Counted again, without the library.
        for (index, &[left, right, count]) in ours.iter().enumerate() {
            let last = index + 1 == ours.len();
            let within = |&&value: &&f32| {
                let value = f64::from(value);
                value >= left && (value < right || last && value <= right)
            };
            assert_eq!(
                values.iter().filter(within).count() as f64,
                count,
                "step {step}, {left} to {right}"
            );
        }
    }
    assert_eq!(of(READY, 1), [(0, ready())]);
    assert_eq!(
        of(LIMITS, 1),
        [(0, vec![[-3.0, 0.0, 2.0], [0.0, 5.0, 1.0], [5.0, 7.5, 4.0]])]
    );
    assert_eq!(of(EMPTY, 1), [(0, vec![])]);
    let odd = &of(ODD, 1)[0].1;
    assert_eq!(
        odd.iter().map(|bucket| bucket[2]).sum::<f64>(),
        2.0,
        "{odd:?}"
    );
    for (kind, count) in [("nan", 2.0), ("+inf", 1.0)] {
        let point = &series(
            board,
            "scalars",
            "scalars",
            RUN,
            &format!("{ODD}/{kind}"),
            1,
        )[0];
        assert_eq!(point[2].as_f64(), Some(count));
    }

    percentiles_are_those_of_the_values(board);
}

fn percentiles_are_those_of_the_values(board: &Board) {
    let entries = series(board, "distributions", "distributions", RUN, WEIGHTS, STEPS);
    for (step, entry) in entries.iter().enumerate() {
        let mut values = weights(step);
        values.sort_by(f32::total_cmp);
        let width = f64::from(values[values.len() - 1] - values[0]) / Histogram::BUCKETS as f64;
        let points = entry[2].as_array().unwrap();
        assert_eq!(points.len(), 9);
        for point in points {
            let [basis_points, shown] = [0, 1].map(|index| point[index].as_f64().unwrap());
            let rank = basis_points / 10_000.0 * (values.len() - 1) as f64;
            let exact = f64::from(values[rank.round() as usize]);
            // TensorBoard takes the values of a bucket for spread evenly over it.
            assert!(
                (shown - exact).abs() <= width,
                "step {step}, {basis_points}: {shown}, not {exact}"
            );
        }
    }
}

fn buckets(value: &Value) -> Vec<[f64; 3]> {
    let bucket = |bucket: &Value| [0, 1, 2].map(|index| bucket[index].as_f64().unwrap());
    value.as_array().unwrap().iter().map(bucket).collect()
}
