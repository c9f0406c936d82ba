//! Several images of one size under one tag, and the form in which the log stores one or more.
//!
//! A value's images all have the size that it says once.

use prost::bytes::Bytes;

use super::super::{Tensor, Value, WrongKind, metadata, strings};
use super::{Image, ImageError};
use crate::proto::{DataClass, DataType};

/// At least one image, all of one size, which TensorBoard shows side by side under one tag.
///
/// ```
/// use modelpulse::summary::{Image, Images, Value};
/// let digits = [[0, 255], [255, 0]].map(|pixels| Image::grey(2, 1, &pixels));
/// let images = Images::new(digits.into_iter().collect::<Result<Vec<_>, _>>()?)?;
/// let value = Value::from(images.clone());
/// assert_eq!(Images::try_from(&value)?, images);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images(Vec<Image>);

impl Images {
    /// Images of one size, in the order in which they are shown.
    ///
    /// TensorBoard offers as many places under a tag as the step with the most images fills.
    ///
    /// # Errors
    /// [`ImageError::None`] where there is no image, [`ImageError::Sizes`] where one has another size than
    /// the first.
    pub fn new(images: Vec<Image>) -> Result<Self, ImageError> {
        let size = |image: &Image| (image.width, image.height);
        let expected = size(images.first().ok_or(ImageError::None)?);
        let mut sizes = images.iter().map(size).enumerate();
        match sizes.find(|(_, size)| *size != expected) {
            Some((image, got)) => Err(ImageError::Sizes {
                image,
                expected,
                got,
            }),
            None => Ok(Self(images)),
        }
    }

    /// The images.
    pub fn as_slice(&self) -> &[Image] {
        &self.0
    }

    /// The images, to take apart.
    pub fn into_vec(self) -> Vec<Image> {
        self.0
    }
}

impl From<Images> for Value {
    fn from(Images(images): Images) -> Self {
        let (width, height) = images.first().map_or((0, 0), |it| (it.width, it.height));
        value(width, height, images.into_iter().map(|image| image.encoded))
    }
}

impl TryFrom<&Value> for Images {
    type Error = WrongKind;

    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let images = read(value).filter(|images| images.len() > 0);
        let images = images.ok_or_else(|| WrongKind::new("a list of images", value))?;
        Ok(Self(images.collect()))
    }
}

pub(super) fn value(width: u32, height: u32, encoded: impl IntoIterator<Item = Bytes>) -> Value {
    let mut list: Vec<Bytes> = [width, height].map(|size| size.to_string().into()).into();
    list.extend(encoded);
    let tensor = strings(&[list.len()], list);
    Tensor {
        metadata: metadata("images", DataClass::BlobSequence, Bytes::new()),
        tensor,
    }
    .into()
}

/// The images of a value, of the size that it says.
pub(super) fn read(value: &Value) -> Option<impl ExactSizeIterator<Item = Image>> {
    let Value::Tensor(tensor) = value else {
        return None;
    };
    if tensor.plugin() != "images" || tensor.tensor.dtype() != DataType::DtString {
        return None;
    }
    let [width, height, encoded @ ..] = &tensor.tensor.string_val[..] else {
        return None;
    };
    let size = |text: &Bytes| std::str::from_utf8(text).ok()?.parse().ok();
    let (width, height) = (size(width)?, size(height)?);
    Some(encoded.iter().map(move |encoded| Image {
        width,
        height,
        encoded: encoded.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_images_come_back_in_their_order() {
        let images: Vec<Image> = (0..3)
            .map(|level| Image::grey(2, 2, &[level; 4]).unwrap())
            .collect();
        let value = Value::from(Images::new(images.clone()).unwrap());
        let Value::Tensor(tensor) = &value else {
            panic!("{value:?}")
        };
        assert_eq!(tensor.tensor.tensor_shape, super::super::super::shape(&[5]));
        assert_eq!(tensor.tensor.string_val[..2], ["2", "2"]);
        assert_eq!(Image::try_from(&value).unwrap(), images[0]);
        assert_eq!(Images::try_from(&value).unwrap().into_vec(), images);
    }

    #[test]
    fn sizes_that_differ_are_said() {
        let images = [(2, 1), (2, 1), (1, 2)]
            .map(|(width, height)| Image::grey(width, height, &[7, 7]).unwrap());
        let error = Images::new(images.into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "image 2 has (1, 2) pixels, the first has (2, 1): one tag takes one size"
        );
        assert!(matches!(Images::new(Vec::new()), Err(ImageError::None)));
    }

    #[test]
    fn a_value_without_images_is_no_list_of_them() {
        assert!(Images::try_from(&value(2, 2, [])).is_err());
        assert!(Images::try_from(&Value::Scalar(0.0)).is_err());
    }
}
