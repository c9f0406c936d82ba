//! Eigenvalues of symmetric matrices.

/// A square matrix, row by row.
pub(crate) type Matrix = Vec<Vec<f64>>;

/// Eigenvalues and, in columns, eigenvectors of a symmetric matrix, in no order: Jacobi's rotations.
pub(crate) fn symmetric(mut a: Matrix) -> (Vec<f64>, Matrix) {
    let size = a.len();
    let mut vectors: Matrix = (0..size)
        .map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    for _ in 0..64 {
        let mut off = 0.0;
        for p in 0..size {
            for q in p + 1..size {
                let beside = a[p][q];
                off += beside * beside;
                // What is nothing beside both of the diagonal is nothing.
                if beside.abs() <= f64::MIN_POSITIVE {
                    continue;
                }
                let ratio = (a[q][q] - a[p][p]) / (2.0 * beside);
                let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let turn = Rotation {
                    p,
                    q,
                    cosine,
                    sine: tangent * cosine,
                };
                a.iter_mut().for_each(|row| turn.row(row));
                turn.rows(&mut a);
                vectors.iter_mut().for_each(|row| turn.row(row));
            }
        }
        if off == 0.0 {
            break;
        }
    }
    ((0..size).map(|i| a[i][i]).collect(), vectors)
}

struct Rotation {
    p: usize,
    q: usize,
    cosine: f64,
    sine: f64,
}

impl Rotation {
    fn turned(&self, left: f64, right: f64) -> (f64, f64) {
        (
            self.cosine * left - self.sine * right,
            self.sine * left + self.cosine * right,
        )
    }

    fn row(&self, row: &mut [f64]) {
        (row[self.p], row[self.q]) = self.turned(row[self.p], row[self.q]);
    }

    fn rows(&self, a: &mut Matrix) {
        let (above, below) = a.split_at_mut(self.q);
        for (left, right) in above[self.p].iter_mut().zip(&mut below[0]) {
            (*left, *right) = self.turned(*left, *right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_the_sum_of_its_parts() {
        let a: Matrix = (0..6)
            .map(|i| (0..6).map(|j| 1.0 / f64::from(i + j + 1)).collect())
            .collect();
        let (values, vectors) = symmetric(a.clone());
        for i in 0..6 {
            for j in 0..6 {
                let part = |k: usize| values[k] * vectors[i][k] * vectors[j][k];
                let sum: f64 = (0..6).map(part).sum();
                assert!((sum - a[i][j]).abs() < 1e-14, "{i} {j}");
            }
        }
    }
}
