//! A detector that is stopped and restored goes on as one that never stopped.

use std::collections::BTreeSet;
use std::fmt::Debug;

use modelpulse::drift::DriftError;
use modelpulse::drift::concept::{
    Adwin, Cusum, Ddm, Detector, EcddWt, Eddm, Fhddm, HddmA, HddmW, Kswin, MovingAverage,
    PageHinkley, Rddm, RunLength, Signal, Stepd,
};

/// Errors that come more often, less often, and more often again.
fn errors(random: &mut fastrand::Rng, length: usize) -> Vec<f64> {
    let rate = |at: usize| [0.1, 0.3, 0.05, 0.6][at * 4 / length];
    (0..length)
        .map(|at| f64::from(u8::from(random.f64() < rate(at))))
        .collect()
}

/// Runs it once whole, once stopped at random places: all answers must be the same.
fn stopped_is_not_stopped<D: Detector + Clone + Debug>(detector: &D, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let values = errors(&mut random, 4000);
    let (mut whole, mut stopped) = (detector.clone(), detector.clone());
    let mut seen = BTreeSet::new();
    for (at, &value) in values.iter().enumerate() {
        if random.u8(..) < 8 || at == 0 || stopped.signal() == Signal::Drift {
            let snapshot = stopped.snapshot();
            stopped = D::restore(&snapshot).unwrap();
            assert_eq!(stopped.snapshot(), snapshot);
            assert_eq!(stopped.signal(), whole.signal());
        }
        let signal = whole.update(value).unwrap();
        assert_eq!(stopped.update(value), Ok(signal), "{whole:?} at {at}");
        seen.insert(signal);
    }
    assert!(seen.contains(&Signal::Drift), "{whole:?} never alarmed");
    assert_eq!(whole.snapshot(), stopped.snapshot());

    // A detector that forgets is as new.
    whole.reset();
    let mut fresh = detector.clone();
    for &value in &values {
        assert_eq!(whole.update(value), fresh.update(value));
    }

    // What is no number leaves it as it was.
    let before = whole.snapshot();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(whole.update(value), Err(DriftError::Value { .. })));
    }
    assert_eq!(whole.snapshot(), before);

    damaged::<D>(&before, &mut random);
}

/// Damaged snapshots are refused, whatever is damaged.
fn damaged<D: Detector + Debug>(snapshot: &[u8], random: &mut fastrand::Rng) {
    for _ in 0..200 {
        let mut other = snapshot.to_vec();
        let at = random.usize(..other.len());
        other[at] ^= 1 << random.u8(..8);
        let error = D::restore(&other).unwrap_err();
        assert!(matches!(error, DriftError::Snapshot { .. }));
        assert!(D::restore(&snapshot[..at]).is_err());
    }
}

#[test]
fn snapshot_and_restore_is_as_never_stopped() {
    for seed in 0..3 {
        stopped_is_not_stopped(&Adwin::default(), seed);
        stopped_is_not_stopped(&Adwin::default().delta(0.3).clock(1), seed);
        stopped_is_not_stopped(&Cusum::default().threshold(20.0), seed);
        stopped_is_not_stopped(&Ddm::default(), seed);
        stopped_is_not_stopped(&EcddWt::default().run_length(RunLength::R100), seed);
        stopped_is_not_stopped(&Eddm::default(), seed);
        stopped_is_not_stopped(&Fhddm::default().window(30).confidence(0.01), seed);
        stopped_is_not_stopped(&HddmA::default().two_sided(), seed);
        stopped_is_not_stopped(&HddmW::default().two_sided(), seed);
        stopped_is_not_stopped(&Kswin::default().seed(7), seed);
        stopped_is_not_stopped(&Kswin::windows(60, 20).unwrap().alpha(0.05), seed);
        stopped_is_not_stopped(&MovingAverage::default().threshold(0.1), seed);
        stopped_is_not_stopped(&PageHinkley::default().threshold(20.0), seed);
        stopped_is_not_stopped(&PageHinkley::default().threshold(20.0).from_zero(), seed);
        stopped_is_not_stopped(&Rddm::default(), seed);
        stopped_is_not_stopped(&Rddm::default().concept(500, 100).longest_warning(50), seed);
        stopped_is_not_stopped(&Stepd::default(), seed);
    }
}

#[test]
fn a_snapshot_is_of_one_detector() {
    let snapshot = Adwin::default().snapshot();
    let error = Ddm::restore(&snapshot).unwrap_err().to_string();
    assert_eq!(error, "no snapshot of ddm: it is of another detector");
}

// The window of ADWIN is all that grows, and with the logarithm of the stream.
#[test]
fn memory_of_every_detector_is_bounded() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut adwin = Adwin::default();
    for _ in 0..200_000 {
        adwin.update(f64::from(random.u8(0..2))).unwrap();
    }
    assert!(adwin.width() > 10_000);
    assert!(
        adwin.snapshot().len() < 20 * 16 * 8,
        "{}",
        adwin.snapshot().len()
    );
}
