//! An evaluation as a run of a log, for TensorBoard.

use crate::figure::{
    FigureError, Picture, RocCurve, confusion_matrix, reliability_diagram, roc_curves,
};
use crate::flow::SinkError;
use crate::summary::{Image, PixelLayout, Text, Value};
use crate::train::Session;
use crate::types::Step;

use super::Evaluation;

impl Evaluation {
    /// Logs every metric that is defined as a scalar `evaluate/…`, the pictures of the charts, and the worst slices as a
    /// table, to a run of a session.
    pub fn log_to(&self, session: &Session, run: &str, step: impl Into<Step>) {
        let step = step.into();
        let mut instant = session.instant();
        for (name, answer) in &self.metrics {
            if let Ok(value) = answer {
                instant.scalar(run, &format!("evaluate/{name}"), step, *value);
            }
        }
        if let Some(slices) = &self.slices {
            let rows: Vec<[String; 4]> = slices
                .worst
                .iter()
                .take(25)
                .map(|slice| {
                    let error = format!("{:.4}", slice.error);
                    [
                        slice.name(),
                        slice.rows.to_string(),
                        error,
                        format!("{:.2e}", slice.q_value),
                    ]
                })
                .collect();
            let table = Text::table(&["slice", "rows", "error", "q"], &rows);
            instant.log(run, "evaluate/slices", step, table);
        }
        drop(instant);
        let run = session.run(run);
        let this = self.clone();
        let picture = |tag: &str, draw: fn(&Self) -> Result<Picture, FigureError>| {
            let this = this.clone();
            run.log_with(tag, step, move || image(&draw(&this)?));
        };
        if self.confusion.len() == 1 {
            picture("evaluate/confusion_matrix", |it| {
                confusion_matrix(&it.confusion[0], &it.plan.classes)
            });
        }
        if !self.charts.roc.is_empty() {
            picture("evaluate/roc", |it| {
                let curves: Vec<RocCurve<'_>> = it
                    .charts
                    .roc
                    .iter()
                    .map(|it| RocCurve {
                        name: &it.name,
                        points: &it.points,
                        auc: it.area,
                    })
                    .collect();
                roc_curves(&curves)
            });
        }
        let bins = self.charts.reliability.as_ref().map(|it| &it.bins);
        if bins.is_some_and(|bins| bins.iter().any(|bin| bin.count > 0)) {
            picture("evaluate/reliability", |it| {
                let bins = it.charts.reliability.iter().flat_map(|it| &it.bins);
                reliability_diagram(&bins.map(|&bin| bin.into()).collect::<Vec<_>>())
            });
        }
    }
}

fn image(picture: &Picture) -> Result<Value, SinkError> {
    let shape = [picture.height() as usize, picture.width() as usize, 3];
    Ok(Image::from_pixels(picture.rgb(), shape, PixelLayout::Hwc)?.into())
}
