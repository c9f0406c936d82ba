//! Hooks along another framework: linfa's mini-batch k-means on images of digits.
//!
//! `cargo run --release --example linfa_clusters --no-default-features --features datasets`, then
//! `tensorboard --logdir runs`: how far the images are from their clusters, and what the clusters look like.

use linfa::prelude::*;
use linfa_clustering::{IncrKMeansError, KMeans};
use linfa_nn::distance::L2Dist;
use modelpulse::Session;
use modelpulse::datasets::{Dataset, Images};
use modelpulse::summary::{ImageGrid, PixelLayout};
use modelpulse::train::callbacks::{EarlyStop, Histograms, Scalars};
use modelpulse::train::{
    Control, EpochEnd, Hook, HookError, Loop, Means, Outcome, TensorVisitor, Trainee,
};
use ndarray::Array2;

/// The adapter: the model as hooks see it.
struct Clusters(Option<KMeans<f64, L2Dist>>);

impl Trainee for Clusters {
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        let Some(model) = &self.0 else {
            return Ok(()); // before the first batch
        };
        let (centroids, counts) = (model.centroids(), model.cluster_count());
        for (name, shape, values) in [
            ("centroids", centroids.shape(), centroids.as_slice()),
            ("counts", counts.shape(), counts.as_slice()),
        ] {
            visit(name, shape, values.ok_or("not row by row")?.into());
        }
        Ok(())
    }
}

/// A hook of one's own: draws the centroids, which are images, without a word of linfa.
struct Faces(Session);

impl Hook for Faces {
    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let mut grid = None;
        at.parameters.visit(&mut |name, shape, values| {
            if name == "centroids" {
                let pixels: Vec<f32> = values.iter().map(|value| value as f32).collect();
                let shape = [shape[0], 8, 8, 1];
                grid = Some(ImageGrid::new().draw(&pixels, shape, PixelLayout::Hwc));
            }
        })?;
        if let Some(grid) = grid {
            self.0.run("train").log("centroids", at.epoch, grid?);
        }
        Ok(Control::Continue)
    }
}

fn rows(images: &Images) -> Result<Array2<f64>, Box<dyn std::error::Error>> {
    let scale = f64::from(images.max_value());
    let levels = images
        .pixels()
        .iter()
        .map(|&pixel| f64::from(pixel) / scale);
    let shape = (images.len(), images.height() * images.width());
    Ok(Array2::from_shape_vec(shape, levels.collect())?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const BATCH: usize = 100;
    let digits = Dataset::digits();
    let (train, eval) = (rows(digits.train())?, rows(digits.eval())?);
    let images = DatasetBase::from(train);
    let learner = KMeans::params(10).tolerance(1e-3).check()?;
    let mut clusters = Clusters(None);

    let session = Session::create("runs/linfa_clusters")?;
    let mut fit = Loop::new()
        .session(&session)
        .hook(Scalars::new(&session))
        .hook(Histograms::new(&session))
        .hook(Faces(session.clone()))
        .hook(EarlyStop::default().patience(3).min_delta(0.01));
    fit.start(&mut clusters, 20, images.nsamples().div_ceil(BATCH));
    while fit.epoch_start(&mut clusters) {
        let (mut learned, mut held_out) = (Means::default(), Means::default());
        for batch in images.sample_chunks(BATCH) {
            fit.batch_start(&mut clusters, batch.nsamples());
            let model = match learner.fit_with(clusters.0.take(), &batch) {
                Ok(model) | Err(IncrKMeansError::NotConverged(model)) => model,
                Err(error) => return Err(error.into()),
            };
            // The mean squared distance of an image to its cluster.
            let loss = model.inertia();
            clusters.0 = Some(model);
            learned.add(batch.nsamples(), [("loss", loss)]);
            fit.after_loss(&mut clusters, Some(loss));
            if !fit.batch_end(&mut clusters) {
                break;
            }
        }
        if let Some(model) = &clusters.0 {
            let distances = model.transform(&eval);
            held_out.add(
                eval.nrows(),
                [("loss", distances.sum() / distances.len() as f64)],
            );
        }
        fit.epoch_end(
            &mut clusters,
            &Outcome::from(&learned),
            &Outcome::from(&held_out),
        );
    }
    let report = fit.end(&mut clusters)?;
    session.finish()?;
    let why = report.stopped.unwrap_or_else(|| "all epochs".to_owned());
    println!("{} steps; {why}", report.steps);
    Ok(())
}
