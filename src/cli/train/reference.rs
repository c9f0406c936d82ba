//! The profile of what a model was trained on, so that what it sees later can be compared with it.

use crate::datasets::Dataset;
use crate::drift::Column;
use crate::drift::profile::{Field, Profile, ProfileError, Role};

/// Its name in the run's directory.
pub(in crate::cli) const NAME: &str = "reference.profile";

/// Of more images than these some are taken, evenly spaced, so that no training waits for it.
const MOST: usize = 20_000;
/// So many are taken at once.
const TOGETHER: usize = 1024;

/// The inputs of the training split as the model sees them, `pixel_0` on, with their labels.
pub(super) fn of(data: &Dataset) -> Result<Profile, ProfileError> {
    let images = data.train();
    let size = images.height() * images.width();
    let scale = 1.0 / f64::from(images.max_value().max(1));
    let fields = (0..size).map(|at| Field::numbers(format!("pixel_{at}")));
    let label = Field::categories("label").with_role(Role::Label);
    let all = images.len();
    let mut profile = Profile::new(fields.chain([label]))?
        .with_note("data", data.source())
        .with_note("split", "train")
        .with_note("images", &format!("{} of {all}", all.min(MOST)));
    let taken: Vec<usize> = if all > MOST {
        (0..MOST).map(|at| at * all / MOST).collect()
    } else {
        (0..all).collect()
    };
    for rows in taken.chunks(TOGETHER) {
        let pixels: Vec<Vec<f64>> = (0..size)
            .map(|at| {
                let pixel = |&row: &usize| images.pixels().get(row * size + at);
                let scaled = |pixel: &u8| f64::from((f64::from(*pixel) * scale) as f32);
                rows.iter()
                    .map(|row| pixel(row).map_or(f64::NAN, scaled))
                    .collect()
            })
            .collect();
        let label = |row: &usize| {
            let class = *images.labels().get(*row)?;
            data.class_names()
                .get(usize::from(class))
                .map(String::as_str)
        };
        let labels: Vec<Option<&str>> = rows.iter().map(label).collect();
        let columns = pixels.iter().map(|pixels| Column::Numbers(pixels));
        let columns: Vec<Column<'_>> = columns.chain([Column::Categories(&labels)]).collect();
        profile.update(&columns)?;
    }
    Ok(profile)
}
