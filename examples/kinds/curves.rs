//! Curves of a classifier: precision and recall, ROC, reliability, confusion matrix, epoch by epoch.
//!
//! `cargo run --example kinds_curves --features figures`, then `tensorboard --logdir runs`: the pages PR Curves and
//! Images.

use modelpulse::Session;
use modelpulse::figure::{
    ReliabilityBin, RocCurve, confusion_matrix, reliability_diagram, roc_curves,
};
use modelpulse::metrics::{Accumulator, BinaryBatch, Calibration, ConfusionMatrix, Edges, Ranking};
use modelpulse::summary::PrCurve;

/// Scores of 500 positives and 500 negatives, told apart the better the larger `skill` is.
fn scores(skill: f64) -> (Vec<f64>, Vec<bool>) {
    let labels: Vec<bool> = (0..1000).map(|i| i % 2 == 0).collect();
    let score = |(i, &positive): (usize, &bool)| {
        let noise = (i as f64 * 0.618_034).fract() + (i as f64 * 0.414_214).fract() - 1.0;
        let side = if positive { skill } else { -skill };
        1.0 / (1.0 + (-4.0 * (side + noise)).exp())
    };
    (labels.iter().enumerate().map(score).collect(), labels)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_curves")?;
    let run = session.run("eval");
    for epoch in 0..4_i32 {
        let (scores, labels) = scores(f64::from(epoch) * 0.1 + 0.05);
        run.log("pr", epoch, PrCurve::of(&scores, &labels)?);

        let batch = BinaryBatch::new(&labels, &scores);
        let mut ranking = Ranking::new();
        ranking.update(batch)?;
        let steps = ranking.compute();
        let roc = RocCurve {
            name: "",
            points: &steps.roc_curve()?,
            auc: steps.roc_auc()?,
        };
        run.figure("roc", epoch, roc_curves(&[roc])?);

        let mut calibration = Calibration::new(10, Edges::Left);
        calibration.update(batch)?;
        let bins = calibration.compute().bins.into_iter();
        let bins: Vec<ReliabilityBin> = bins.map(Into::into).collect();
        run.figure("reliability", epoch, reliability_diagram(&bins)?);

        let mut matrix = ConfusionMatrix::new(2);
        for (&score, &label) in scores.iter().zip(&labels) {
            matrix.add(usize::from(label), usize::from(score >= 0.5))?;
        }
        let classes = ["no".to_owned(), "yes".to_owned()];
        run.figure("confusion", epoch, confusion_matrix(&matrix, &classes)?);
    }
    let report = session.finish()?;
    println!("{} values in runs/kinds_curves", report.written);
    Ok(())
}
