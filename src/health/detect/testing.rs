//! Series through a detector.

use super::{Detector, Observation};
use crate::health::{Finding, Place};

pub(super) fn batches(mut detector: impl Detector, losses: &[f64]) -> Vec<Finding> {
    let batches = losses.iter().enumerate();
    batches
        .filter_map(|(step, &loss)| detector.observe(&Observation::Batch { step, loss }))
        .collect()
}

pub(super) fn epochs(mut detector: impl Detector, train: &[f64], eval: &[f64]) -> Vec<Finding> {
    (0..train.len())
        .filter_map(|epoch| see(&mut detector, epoch, train, eval))
        .collect()
}

/// A detector that is stopped between any two epochs, and goes on from its state, finds the same.
pub(super) fn resumed<D: Detector + Clone>(detector: D, train: &[f64], eval: &[f64]) {
    let mut stopped = detector.clone();
    let found: Vec<Finding> = (0..train.len())
        .filter_map(|epoch| {
            let mut next = detector.clone();
            next.load_state(&stopped.state()).unwrap();
            stopped = next;
            see(&mut stopped, epoch, train, eval)
        })
        .collect();
    assert_eq!(found, epochs(detector, train, eval));
}

fn see(detector: &mut impl Detector, epoch: usize, train: &[f64], eval: &[f64]) -> Option<Finding> {
    let metrics = |series: &[f64]| [("loss".to_owned(), series[epoch])].into();
    let (train, eval) = (&metrics(train), &metrics(eval));
    let place = Place::Epoch(epoch);
    detector.observe(&Observation::Epoch { place, train, eval })
}
