//! Curves of a classifier: precision and recall, ROC, reliability, confusion matrix, epoch by epoch.
//!
//! `cargo run --example kinds_curves --features figures`, then `tensorboard --logdir runs`: the pages PR Curves and
//! Images.

use modelpulse::Session;
use modelpulse::figure::{
    ReliabilityBin, RocCurve, confusion_matrix, reliability_diagram, roc_curves,
};
use modelpulse::metrics::{ConfusionMatrix, RocAuc};
use modelpulse::summary::PrCurve;

/// Scores of 500 positives and 500 negatives, told apart the better the larger `skill` is.
fn scores(skill: f64) -> (Vec<f64>, Vec<bool>) {
    let labels: Vec<bool> = (0..1000).map(|i| i % 2 == 0).collect();
    let score = |(i, &positive): (usize, &bool)| {
        let noise = (i as f64 * 0.618_034).fract() - 0.5;
        let side = if positive { skill } else { -skill };
        1.0 / (1.0 + (-4.0 * (side + noise)).exp())
    };
    (labels.iter().enumerate().map(score).collect(), labels)
}

/// False and true positive rates at thresholds from 1 to 0.
fn rates(curve: &PrCurve) -> Vec<(f64, f64)> {
    let share = |part: f32, rest: f32| f64::from(part) / f64::from(part + rest);
    let rate = |at: usize| {
        let alarms = share(curve.false_positives()[at], curve.true_negatives()[at]);
        (
            alarms,
            share(curve.true_positives()[at], curve.false_negatives()[at]),
        )
    };
    let inside = (0..curve.thresholds()).rev().map(rate);
    std::iter::once((0.0, 0.0)).chain(inside).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_curves")?;
    let run = session.run("eval");
    for epoch in 0..4_i32 {
        let (scores, labels) = scores(f64::from(epoch) * 0.1 + 0.05);
        let curve = PrCurve::of(&scores, &labels)?;
        let points = rates(&curve);
        run.log("pr", epoch, curve);

        let (mut auc, mut matrix) = (RocAuc::new(), ConfusionMatrix::new(2));
        let mut bins = [(0.0, 0.0, 0_u32); 10];
        for (&score, &label) in scores.iter().zip(&labels) {
            auc.update(score, label)?;
            matrix.update(usize::from(label), usize::from(score >= 0.5))?;
            let (sure, right, count) = &mut bins[((score * 10.0) as usize).min(9)];
            *sure += score;
            *right += f64::from(u8::from(label));
            *count += 1;
        }
        let auc = auc.compute().unwrap_or(f64::NAN);
        let roc = RocCurve {
            name: "",
            points: &points,
            auc,
        };
        run.figure("roc", epoch, roc_curves(&[roc])?);
        let bins = bins.map(|(sure, right, count)| ReliabilityBin {
            confidence: sure / f64::from(count.max(1)),
            accuracy: right / f64::from(count.max(1)),
            count: count.into(),
        });
        run.figure("reliability", epoch, reliability_diagram(&bins)?);
        run.figure(
            "confusion",
            epoch,
            confusion_matrix(&matrix, &["no".into(), "yes".into()])?,
        );
    }
    let report = session.finish()?;
    println!("{} values in runs/kinds_curves", report.written);
    Ok(())
}
