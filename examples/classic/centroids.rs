//! A classifier of three species: how near a flower is to the mean of each.

use crate::flowers::Flowers;

/// The mean lengths of each species.
pub struct Centroids([[f32; 4]; 3]);

impl Centroids {
    pub fn fit(flowers: &Flowers) -> Self {
        let mut means = [[0.0; 4]; 3];
        for (row, &species) in flowers.lengths.chunks(4).zip(&flowers.species) {
            let count = flowers.species.iter().filter(|other| **other == species);
            let share = 1.0 / count.count() as f32;
            for (mean, length) in means[species].iter_mut().zip(row) {
                *mean += length * share;
            }
        }
        Self(means)
    }

    /// The probability of each species.
    pub fn probabilities(&self, row: &[f32]) -> [f32; 3] {
        let near = self.0.map(|mean| {
            let squares = mean
                .iter()
                .zip(row)
                .map(|(mean, length)| (mean - length).powi(2));
            (-squares.sum::<f32>()).exp()
        });
        near.map(|it| it / near.iter().sum::<f32>())
    }
}
