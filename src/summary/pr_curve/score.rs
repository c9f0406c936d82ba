//! What a classifier's score can be.

/// A score of a binary classifier: `f32` or `f64`, from 0 to 1.
///
/// ```
/// use modelpulse::summary::{PrCurve, Score};
/// fn positives<S: Score>(scores: &[S]) -> f32 {
///     PrCurve::of(scores, &[true, false]).unwrap().true_positives()[100]
/// }
/// assert_eq!(positives(&[0.5_f32, 0.4]), positives(&[0.5_f64, 0.4]));
/// ```
pub trait Score: sealed::Score {}

mod sealed {
    pub trait Score: Copy {
        /// The last threshold that the score reaches, as TensorBoard's writer finds it: at the score's
        /// own precision. `None` for a score that is not from 0 to 1.
        fn bucket(self, last: usize) -> Option<usize>;
        fn widen(self) -> f64;
    }

    macro_rules! scores {
        ($($number:ty),*) => {$(
            impl super::Score for $number {}
            impl Score for $number {
                fn bucket(self, last: usize) -> Option<usize> {
                    (0.0..=1.0).contains(&self).then(|| {
                        ((self * last as $number).floor() as usize).min(last)
                    })
                }

                fn widen(self) -> f64 {
                    self.into()
                }
            }
        )*};
    }

    scores!(f32, f64);
}
