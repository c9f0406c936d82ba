//! What the model is asked, held against what it was trained on; and how it does while labels have not come.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use serde_json::{Map, Value, json};

use super::data::{Labelled, of_images};
use crate::Session;
use crate::datasets::{Dataset, Images};
use crate::drift::profile::{Field, Profile, ProfileError};
use crate::export::json_number;
use crate::health::drift::{Chunking, DataDrift, Performance, WRONG, Watched};
use crate::health::{Heard, LabelledRows, MonitorError, Observations, Predictions, Rows, Span};
use crate::table::{Roles, Table};

/// `200`, or `5m`.
pub(super) fn chunking(text: &str) -> Result<Chunking, String> {
    let wrong = "write a number of rows such as 200, at least 30, or a time such as 5m";
    match text.parse().map_err(|_| wrong.to_owned())? {
        Span::Steps(rows @ 30..) => {
            let rows = usize::try_from(rows).map_err(|_| wrong.to_owned())?;
            Ok(Chunking::Rows(rows))
        }
        Span::Time(micros @ 1..) => {
            Ok(Chunking::Time(Duration::from_micros(micros.unsigned_abs())))
        }
        _ => Err(wrong.to_owned()),
    }
}

/// What inputs of so many features are held against: what `path` has, or else the rows that the model was trained on.
pub(super) fn reference(
    path: Option<&Path>,
    trained_on: &Images,
    (features, classes): (usize, usize),
) -> anyhow::Result<Profile> {
    let Some(path) = path else {
        return of_pixels(trained_on);
    };
    let profile = match Profile::load(path) {
        Ok(profile) => profile,
        Err(ProfileError::File { source, .. }) if !matches!(*source, ProfileError::Foreign) => {
            return Err(source).with_context(|| path.display().to_string());
        }
        Err(_) => match Dataset::from_dir(path) {
            Ok(dataset) => of_pixels(dataset.train())?,
            Err(_) => {
                let rows = Labelled::open(path, features, classes)?.rows();
                let rows = rows.map_err(|error| anyhow!(error))?;
                of_rows(names(path, features), rows.rows())?
            }
        },
    };
    let width = DataDrift::builder(&profile).names().count();
    ensure!(
        width == features,
        "{}: {width} features, the model takes {features}",
        path.display()
    );
    Ok(profile)
}

/// The names of the columns of a table; of a directory of them, the places of features.
fn names(path: &Path, features: usize) -> Vec<String> {
    let table = Table::open(path).ok();
    let named = table.map(|table| {
        let names = Roles::detect(table.schema()).features(table.schema());
        names.into_iter().map(Into::into).collect()
    });
    named.unwrap_or_else(|| (0..features).map(|at| at.to_string()).collect())
}

fn of_pixels(images: &Images) -> anyhow::Result<Profile> {
    let rows = of_images(images)?;
    let names = (0..rows.rows().width()).map(|at| format!("pixel_{at}"));
    of_rows(names.collect(), rows.rows())
}

fn of_rows(names: Vec<String>, rows: Rows<'_>) -> anyhow::Result<Profile> {
    let mut profile = Profile::new(names.into_iter().map(Field::numbers))?;
    profile.update_rows(rows.values())?;
    Ok(profile)
}

/// Whether a detector watches which predictions were wrong.
pub(super) fn errors_are_watched(detectors: &[Watched]) -> bool {
    let path = format!("{}/{}", WRONG.0, WRONG.1);
    detectors.iter().any(|it| it.series().matches(&path))
}

/// The inputs of the model, by where they come from.
#[derive(Clone)]
pub(super) struct Inputs {
    pub(super) observed: DataDrift,
    pub(super) predicted: DataDrift,
    pub(super) evaluated: DataDrift,
    /// The rows that were evaluated last: they are judged when they change.
    last: Arc<Mutex<Option<Arc<LabelledRows>>>>,
}

impl Inputs {
    pub(super) fn start(
        reference: &Profile,
        chunking: Chunking,
        hidden: &[String],
        session: &Session,
    ) -> Self {
        let start = |run| {
            let builder = DataDrift::builder(reference).chunking(chunking);
            builder.without(hidden).start(session, run)
        };
        Self {
            observed: start("live"),
            predicted: start("serve"),
            evaluated: start("eval"),
            last: Arc::default(),
        }
    }

    /// What was found of the last chunks. That inputs have changed is no failure of the service: rules say what it means.
    pub(super) fn health(&self) -> Value {
        let all = [&self.observed, &self.predicted, &self.evaluated].map(|drift| {
            let mut details = json!({ "waiting": drift.waiting(), "leftOut": drift.left_out() });
            if let Some(judged) = drift.last() {
                let drifted = judged.drifted().take(10).map(|seen| {
                    json!({
                        "feature": seen.name,
                        "score": seen.score.map(json_number),
                        "pValue": seen.p_value.map(json_number),
                        "missingRate": json_number(seen.missing_rate),
                    })
                });
                let drifted: Vec<Value> = drifted.collect();
                details["chunk"] = json!(judged.chunk);
                details["time"] = json_number(judged.wall_time);
                details["rows"] = json!(judged.rows);
                details["detected"] = json!(judged.detected);
                details["driftedFeatures"] = json!(judged.drifted().count());
                details["features"] = json!(drifted);
            }
            (drift.run().to_owned(), details)
        });
        Value::Object(Map::from_iter(all))
    }

    /// Rows are evaluated.
    pub(super) fn evaluate(&self, rows: &Arc<LabelledRows>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, rows)) {
            self.evaluated.judge(rows.rows());
            *last = Some(rows.clone());
        }
    }

    /// From now on, looks at the features of observations.
    pub(super) fn listen(&self, live: &Observations) {
        let observed = self.observed.clone();
        live.listen(move |heard| {
            if let Heard::Observed {
                features: Some(features),
                ..
            } = heard
            {
                observed.features(features);
            }
        });
    }
}

/// How the model does on observations without labels, told from what it says of rows that it was not trained on.
pub(super) fn performance(
    held_out: &Images,
    classes: usize,
    chunking: Chunking,
    predict: impl Fn(Rows<'_>) -> Result<Vec<f32>, MonitorError>,
) -> anyhow::Result<Performance> {
    let rows = of_images(held_out)?;
    let said = predict(rows.rows()).map_err(|error| anyhow!(error))?;
    let labels: Vec<usize> = held_out
        .labels()
        .iter()
        .map(|&label| label.into())
        .collect();
    let performance = Performance::fit(classes.into(), &Predictions::new(said, classes), &labels)?;
    Ok(match chunking {
        Chunking::Rows(rows) => performance.chunk(rows),
        Chunking::Time(_) => performance,
    })
}
