//! The UCI handwritten digits, 1,797 images of 8 × 8, embedded in the crate.
//!
//! The bytes are those of the published test set in its order; a test pins their checksum.
//!
//! E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
//! [doi 10.24432/C50P49](https://doi.org/10.24432/C50P49), CC BY 4.0. How the two embedded files are made is told in
//! `digits/README.md` beside this file.

use std::path::Path;

use super::{Dataset, DatasetError, Images, idx};

const IMAGES: &[u8] = include_bytes!("digits/images.idx3.gz");
const LABELS: &[u8] = include_bytes!("digits/labels.idx1.gz");
const SOURCE: &str = "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, \
                      UCI Machine Learning Repository, doi 10.24432/C50P49, CC BY 4.0";

/// Every image whose number leaves this remainder by [`FOLDS`] is held out.
const HELD_OUT: usize = FOLDS - 1;
const FOLDS: usize = 5;

impl Dataset {
    /// The embedded handwritten digits: 1,797 grey images of 8 × 8 pixels of 0..=16, in ten classes.
    ///
    /// The split is fixed and uses no random numbers: counted from 0, the images whose number leaves remainder 4 by 5
    /// are held out for evaluation (359), the others are for training (1,438). The same writers are in both, so a
    /// score is that for known hands.
    ///
    /// The images are those of E. Alpaydin and C. Kaynak (1998), [Optical Recognition of Handwritten Digits][1], UCI
    /// Machine Learning Repository, under CC BY 4.0: whoever passes them on gives that credit.
    ///
    /// [1]: https://doi.org/10.24432/C50P49
    ///
    /// ```
    /// let digits = modelpulse::datasets::Dataset::digits();
    /// assert_eq!((digits.train().len(), digits.eval().len()), (1438, 359));
    /// assert_eq!(digits.classes(), 10);
    /// assert_eq!(digits.train().image(0).map(<[u8]>::len), Some(8 * 8));
    /// ```
    #[must_use]
    pub fn digits() -> Self {
        // The embedded bytes are part of the program, and the tests read them.
        embedded().expect("the embedded digits are whole")
    }
}

fn embedded() -> Result<Dataset, DatasetError> {
    let images = idx::parse_images(IMAGES, Path::new("digits/images.idx3.gz"))?;
    let labels = idx::parse_labels(LABELS, Path::new("digits/labels.idx1.gz"))?;
    let split = |held_out: bool| {
        let mut chosen = (Vec::new(), Vec::new());
        let all = images
            .pixels
            .chunks_exact(images.height * images.width)
            .zip(&labels);
        for (index, (pixels, &label)) in all.enumerate() {
            if (index % FOLDS == HELD_OUT) == held_out {
                chosen.0.extend_from_slice(pixels);
                chosen.1.push(label);
            }
        }
        Images::new(chosen.0, chosen.1, images.height, images.width, 16)
    };
    Dataset::new("digits", SOURCE, split(false)?, split(true)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(images: &Images) -> [usize; 10] {
        let mut counts = [0; 10];
        for &label in images.labels() {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    #[test]
    fn embedded_digits_are_the_published_ones() {
        let digits = Dataset::digits();
        // numpy over scikit-learn 1.9.1's load_digits, same split: bincount of the labels, and zlib.crc32 of pixels
        // and labels of both splits.
        assert_eq!(
            histogram(digits.train()),
            [151, 161, 143, 131, 147, 154, 150, 136, 127, 138]
        );
        assert_eq!(
            histogram(digits.eval()),
            [27, 21, 34, 52, 34, 28, 31, 43, 47, 42]
        );
        assert_eq!(digits.crc32(), 0x37ce5757);
        assert_eq!((digits.eval().height(), digits.eval().width()), (8, 8));
        assert_eq!(digits.train().max_value(), 16);
        assert_eq!(digits.train().pixels().iter().max(), Some(&16));
        assert_eq!(
            digits.class_names(),
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        );
    }

    #[test]
    fn every_fifth_image_is_held_out_in_order() {
        let digits = Dataset::digits();
        let labels = idx::parse_labels(LABELS, Path::new("labels")).unwrap();
        assert_eq!(labels.len(), 1797);
        assert_eq!(digits.eval().label(0), Some(labels[4]));
        assert_eq!(digits.eval().label(358), Some(labels[1794]));
        assert_eq!(
            digits.train().labels()[..6],
            [
                labels[0], labels[1], labels[2], labels[3], labels[5], labels[6]
            ]
        );
    }
}
