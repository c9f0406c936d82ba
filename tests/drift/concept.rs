//! Concept-drift detectors beside river and frouros.

use modelpulse::drift::concept::{
    Adwin, Cusum, Ddm, Detector, Direction, EcddWt, Eddm, Fhddm, HddmA, HddmW, Kswin,
    MovingAverage, PageHinkley, Rddm, Signal, Stepd,
};
use serde_json::Value;

use crate::support::{Check, cases, entries, id, indices, number, numbers};

/// The values at which a detector raised an alarm, and those at which it warned.
fn run(detector: &mut dyn Detector, values: &[f64]) -> (Vec<usize>, Vec<usize>) {
    let (mut drifts, mut warnings) = (Vec::new(), Vec::new());
    for (at, &value) in values.iter().enumerate() {
        match detector.update(value).unwrap() {
            Signal::Drift => drifts.push(at),
            Signal::Warning => warnings.push(at),
            Signal::Stable => {}
        }
    }
    (drifts, warnings)
}

fn of_river(name: &str) -> Option<Box<dyn Detector>> {
    Some(match name {
        "ADWIN" => Box::new(Adwin::default()),
        "ADWIN(delta=0.05)" => Box::new(Adwin::default().delta(0.05)),
        "PageHinkley" => Box::new(PageHinkley::default()),
        "PageHinkley(threshold=10,mode=up)" => {
            let detector = PageHinkley::default().threshold(10.0);
            Box::new(detector.direction(Direction::Up))
        }
        "PageHinkley(threshold=10,mode=down)" => {
            let detector = PageHinkley::default().threshold(10.0);
            Box::new(detector.direction(Direction::Down))
        }
        "KSWIN(window=60,stat=30)" => Box::new(Kswin::windows(60, 30).unwrap()),
        "DDM" => Box::new(Ddm::default()),
        "EDDM" => Box::new(Eddm::default()),
        "HDDM_A" => Box::new(HddmA::default()),
        "HDDM_W" => Box::new(HddmW::default()),
        "HDDM_A(two_sided)" => Box::new(HddmA::default().two_sided()),
        "HDDM_W(two_sided)" => Box::new(HddmW::default().two_sided()),
        "FHDDM" => Box::new(Fhddm::default()),
        _ => return None,
    })
}

fn of_frouros(name: &str) -> Option<Box<dyn Detector>> {
    Some(match name {
        "CUSUM" => Box::new(Cusum::default()),
        "GMA" => Box::new(MovingAverage::default()),
        "PageHinkley" => {
            let detector = PageHinkley::default().direction(Direction::Up);
            Box::new(detector.from_zero())
        }
        "STEPD" => Box::new(Stepd::default()),
        "RDDM" => Box::new(Rddm::default()),
        "ECDDWT" => Box::new(EcddWt::default()),
        // frouros begins at the 30th value, river after it.
        "DDM" => Box::new(Ddm::default().warm_start(29)),
        _ => return None,
    })
}

#[test]
fn reference_concept_river() {
    let mut check = Check::default();
    for case in cases("concept_river.json") {
        let values = numbers(&case["input"]);
        for (name, expected) in entries(&case["expected"]) {
            let place = format!("{} {name}", id(&case));
            if name == "KSWIN_default_seeds_0_to_4" {
                kswin_by_default(&mut check, &place, &values, expected);
                continue;
            }
            let Some(mut detector) = of_river(name) else {
                check.unknown(place);
                continue;
            };
            let (drifts, warnings) = run(&mut *detector, &values);
            let drift = indices(&expected["drift"]);
            check.exact(&place, &drifts, &drift);
            for (key, expected) in entries(expected) {
                match key {
                    "drift" => {}
                    "warning_ranges" => {
                        // Some of river's say of one value that it warns and that it drifts; ours say the latter.
                        let mut ranged = Vec::new();
                        for range in expected.as_array().unwrap() {
                            let ends = indices(range);
                            ranged.extend((ends[0]..=ends[1]).filter(|at| !drift.contains(at)));
                        }
                        check.exact(format!("{place} warnings"), &warnings, &ranged);
                    }
                    "checkpoints" => checkpoints(&mut check, &place, &values, expected),
                    _ => check.unknown(format!("{place} {key}")),
                }
            }
        }
    }
    check.finish("concept_river.json");
}

/// River draws by Python's random numbers, so only how often it alarms can be compared: over as many seeds, the mean
/// number of alarms is that of river but for what the seeds scatter, and for one alarm in two.
fn kswin_by_default(check: &mut Check, place: &str, values: &[f64], expected: &Value) {
    let theirs: Vec<f64> = (expected.as_array().unwrap().iter())
        .map(|alarms| indices(alarms).len() as f64)
        .collect();
    let ours: Vec<f64> = (0..theirs.len() as u64)
        .map(|seed| run(&mut Kswin::default().seed(seed), values).0.len() as f64)
        .collect();
    let mean = |counts: &[f64]| counts.iter().sum::<f64>() / counts.len() as f64;
    let spread = |counts: &[f64]| {
        let squares = counts
            .iter()
            .map(|n| (n - mean(counts)).powi(2))
            .sum::<f64>();
        (squares / counts.len() as f64).sqrt()
    };
    let off = (mean(&ours) - mean(&theirs)).abs();
    let allowed = 0.5 + 2.0 * (spread(&ours) + spread(&theirs)) + 0.2 * mean(&theirs);
    check.holds(place, off <= allowed, || {
        format!("{ours:?} alarms, river {theirs:?}")
    });
}

/// What the window of ADWIN holds.
fn checkpoints(check: &mut Check, place: &str, values: &[f64], expected: &Value) {
    let mut detector = Adwin::default();
    let mut expected = expected.as_array().unwrap().iter().peekable();
    for (at, &value) in values.iter().enumerate() {
        detector.update(value).unwrap();
        let Some(point) = expected.next_if(|point| point["i"].as_u64() == Some(at as u64)) else {
            continue;
        };
        let place = format!("{place} at {at}");
        let (mean, width) = (detector.mean().unwrap(), detector.width() as f64);
        check.exact(format!("{place} width"), width, number(&point["width"]));
        check.close(
            format!("{place} total"),
            mean * width,
            number(&point["total"]),
            1e-9,
        );
        check.close(
            format!("{place} mean"),
            mean,
            number(&point["estimation"]),
            1e-9,
        );
        let squares = detector.variance().unwrap() * width;
        check.close(
            format!("{place} variance"),
            squares,
            number(&point["variance_reported"]),
            1e-9,
        );
    }
    assert!(
        expected.next().is_none(),
        "{place}: checkpoints beyond the end"
    );
}

#[test]
fn reference_concept_frouros() {
    let mut check = Check::default();
    let streams = cases("concept_river.json");
    for case in cases("concept_frouros.json") {
        let stream = case["input_ref"].as_str().unwrap();
        let stream = stream.strip_prefix("concept_river.json#").unwrap();
        let stream = streams.iter().find(|case| id(case) == stream).unwrap();
        let values = numbers(&stream["input"]);
        for (name, expected) in entries(&case["expected"]) {
            let place = format!("{} {name}", id(&case));
            let Some(mut detector) = of_frouros(name) else {
                check.unknown(place);
                continue;
            };
            let (drifts, warnings) = run(&mut *detector, &values);
            let drift = indices(&expected["drift"]);
            if name == "STEPD" {
                check.exact(&place, frouros_stepd(&values), drift.clone());
                if drifts != drift {
                    check.differs(&place, "no alarm at equal rates, where frouros takes |−x|");
                }
                // frouros counts none, as STEPD leaves them out of its status.
                continue;
            }
            check.exact(&place, drifts, drift);
            let expected = expected["n_warning"].as_u64();
            check.exact(
                format!("{place} warnings"),
                Some(warnings.len() as u64),
                expected,
            );
        }
    }
    check.finish("concept_frouros.json");
}

/// STEPD as frouros computes it: the absolute value of a statistic that the continuity correction made negative, or of
/// −x/0, is a difference too.
fn frouros_stepd(values: &[f64]) -> Vec<usize> {
    let (mut alarms, mut first) = (Vec::new(), 0);
    for at in 0..values.len() {
        let seen = &values[first..=at];
        if seen.len() < 60 {
            continue;
        }
        let (before, recent) = seen.split_at(seen.len() - 30);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let inverse = 1.0 / before.len() as f64 + 1.0 / 30.0;
        let distance = (mean(before) - mean(recent)).abs() - 0.5 * inverse;
        let statistic = distance / (mean(seen) * (1.0 - mean(seen)) * inverse).sqrt();
        // A p-value of 0.003 is at 2.747781385444995 standard deviations.
        if statistic.abs() > 2.747_781_385_444_995 {
            alarms.push(at);
            first = at + 1;
        }
    }
    alarms
}
