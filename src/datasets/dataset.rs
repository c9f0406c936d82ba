//! A data set split into training and evaluation images.
//!
//! Both splits have the same image size and scale, and every label is below the number of classes, which is at least 2.

use super::{DatasetError, Images};

/// Labelled images in two splits: one to train on, one to evaluate on.
///
/// ```
/// use modelpulse::datasets::{Dataset, Images};
///
/// let train = Images::new(vec![0, 9, 9, 0], vec![0, 1], 1, 2, 9)?;
/// let eval = Images::new(vec![1, 8], vec![0], 1, 2, 9)?;
/// let dataset = Dataset::new("sides", "made by hand", train, eval)?
///     .with_class_names(["right", "left"])?;
/// assert_eq!(dataset.classes(), 2);
/// assert_eq!(dataset.class_names(), ["right", "left"]);
/// # Ok::<(), modelpulse::datasets::DatasetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    source: String,
    train: Images,
    eval: Images,
    class_names: Vec<String>,
    crc32: u32,
}

impl Dataset {
    /// A data set of two splits. The classes are those up to the largest label of either split, named by their numbers.
    ///
    /// `name` is short, for run names and titles; `source` says where the images come from.
    ///
    /// # Errors
    ///
    /// [`DatasetError::SplitsDiffer`] if the splits differ in image size or maximum value, [`DatasetError::OneClass`]
    /// if all labels are 0.
    pub fn new(
        name: impl Into<String>,
        source: impl Into<String>,
        train: Images,
        eval: Images,
    ) -> Result<Self, DatasetError> {
        let name = name.into();
        let shape = |images: &Images| (images.height(), images.width(), images.max_value());
        if shape(&train) != shape(&eval) {
            let describe = |images: &Images| {
                let (height, width, max_value) = shape(images);
                format!("{height} x {width} pixels of 0 to {max_value}")
            };
            return Err(DatasetError::SplitsDiffer {
                name,
                train: describe(&train),
                eval: describe(&eval),
            });
        }
        let labels = train.labels().iter().chain(eval.labels());
        let largest = labels.copied().max().unwrap_or(0);
        if largest == 0 {
            return Err(DatasetError::OneClass { name });
        }
        let crc32 = checksum([train.pixels(), train.labels(), eval.pixels(), eval.labels()]);
        Ok(Self {
            name,
            source: source.into(),
            train,
            eval,
            class_names: (0..=largest).map(|class| class.to_string()).collect(),
            crc32,
        })
    }

    /// The same data set with these class names, one a class, from class 0 up.
    ///
    /// # Errors
    ///
    /// [`DatasetError::ClassNames`] if there are more or fewer names than classes.
    pub fn with_class_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DatasetError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.classes() {
            return Err(DatasetError::ClassNames {
                expected: self.classes(),
                got: names.len(),
                name: self.name,
            });
        }
        self.class_names = names;
        Ok(self)
    }

    /// The short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the images come from: a path, or a citation.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The images to train on.
    #[must_use]
    pub fn train(&self) -> &Images {
        &self.train
    }

    /// The images to evaluate on.
    #[must_use]
    pub fn eval(&self) -> &Images {
        &self.eval
    }

    /// The number of classes: the largest label of both splits plus 1.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// The names of the classes, from class 0 up.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// A fingerprint of the data: the CRC-32 (ISO-HDLC, as in gzip and PNG) of the training pixels, the training labels,
    /// the evaluation pixels and the evaluation labels, one after the other, decompressed and without headers.
    #[must_use]
    pub fn crc32(&self) -> u32 {
        self.crc32
    }
}

fn checksum<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of 1 x `width` pixels of value 1.
    fn images(width: usize, labels: &[u8], max_value: u8) -> Images {
        let pixels = vec![1; width * labels.len()];
        Images::new(pixels, labels.to_vec(), 1, width, max_value).unwrap()
    }

    fn dataset(train: Images, eval: Images) -> Result<Dataset, DatasetError> {
        Dataset::new("set", "made up", train, eval)
    }

    #[test]
    fn classes_go_up_to_the_largest_label_of_both_splits() {
        let made = dataset(images(2, &[0, 1], 9), images(2, &[4], 9)).unwrap();
        assert_eq!(made.classes(), 5);
        assert_eq!(made.class_names(), ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn checksum_is_over_pixels_and_labels_of_both_splits() {
        let made = dataset(images(2, &[0, 1], 9), images(2, &[4], 9)).unwrap();
        // Python: zlib.crc32(bytes([1,1,1,1, 0,1, 1,1, 4]))
        assert_eq!(made.crc32(), 0xf7fb2068);
    }

    #[test]
    fn splits_of_different_size_or_scale_are_an_error() {
        for eval in [images(3, &[1], 9), images(2, &[1], 16)] {
            let error = dataset(images(2, &[0, 1], 9), eval).unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with("set: the training images are 1 x 2 pixels of 0 to 9, "),
                "{text}"
            );
        }
    }

    #[test]
    fn one_class_is_an_error() {
        let error = dataset(images(2, &[0, 0], 9), images(2, &[0], 9)).unwrap_err();
        assert!(matches!(error, DatasetError::OneClass { .. }), "{error}");
    }

    #[test]
    fn wrong_number_of_class_names_is_an_error() {
        let made = dataset(images(2, &[0, 2], 9), images(2, &[1], 9)).unwrap();
        let error = made.with_class_names(["a", "b"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "set: 2 class names for 3 classes; give one a class, from class 0 up"
        );
    }
}
