//! Images of candle tensors: a sample, a batch as one grid, a batch side by side.
//!
//! A tensor says its sizes and not which of them are channels, so the caller says the layout; what it holds is checked
//! as the pixels of any other image are.

use candle_core::{DType, Tensor};

use super::{Image, ImageError, ImageGrid, Images, PixelLayout};

/// Why a candle tensor is no image.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use modelpulse::summary::{Image, PixelLayout};
/// let batch = Tensor::zeros((32, 1, 28, 28), DType::F32, &Device::Cpu)?;
/// let error = Image::from_tensor(&batch, PixelLayout::Chw).unwrap_err();
/// assert_eq!(error.to_string(), "a tensor of [32, 1, 28, 28] is not one image: it has 4 dimensions, not 2 or 3");
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageTensorError {
    /// The tensor has more or fewer dimensions than what was asked for has.
    #[error("a tensor of {sizes:?} is not {expected}: it has {} dimensions, not {dimensions}", .sizes.len())]
    Rank {
        /// The sizes of the tensor, outermost first.
        sizes: Vec<usize>,
        /// What was asked for.
        expected: &'static str,
        /// How many dimensions that has.
        dimensions: &'static str,
    },
    /// The elements are whole numbers of more than 8 bits, of which nobody knows what is white.
    #[error("a tensor of {dtype} is no image: make it U8 of 0 to 255, or F32 of 0 to 1")]
    Type {
        /// The type of the elements.
        dtype: String,
    },
    /// The pixels are not those of an image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The elements could not be read, such as from the memory of a GPU.
    #[error("cannot read the tensor")]
    Candle(#[from] candle_core::Error),
}

impl Image {
    /// An image of a candle tensor, on any device: `[height, width]` for grey, or three dimensions in the order of
    /// the layout, with one to four channels (grey, grey and alpha, RGB, RGBA). `U8` goes from 0 to 255, floating
    /// point of any width from 0 to 1, clamped.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use modelpulse::summary::{Image, PixelLayout};
    /// let digit = Tensor::new(&[[0_f32, 1.0], [0.5, 0.0]], &Device::Cpu)?;
    /// let image = Image::from_tensor(&digit, PixelLayout::Chw)?;
    /// assert_eq!(image.decode()?, (1, vec![0, 255, 128, 0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ImageTensorError::Rank`], [`ImageTensorError::Type`], [`ImageTensorError::Candle`], and those of
    /// [`from_pixels`](Self::from_pixels).
    pub fn from_tensor(tensor: &Tensor, layout: PixelLayout) -> Result<Self, ImageTensorError> {
        let shape = match *tensor.dims() {
            [height, width] => with_channel([height, width], layout),
            [a, b, c] => [a, b, c],
            _ => return Err(rank(tensor, "one image", "2 or 3")),
        };
        Ok(match Pixels::of(tensor)? {
            Pixels::Bytes(bytes) => Self::from_pixels(&bytes, shape, layout),
            Pixels::Floats(floats) => Self::from_pixels(&floats, shape, layout),
        }?)
    }
}

impl Images {
    /// The images of a batch, each as [`Image::from_tensor`] makes it: `[images, height, width]` for grey, or four
    /// dimensions, `[images, height, width, channels]` or `[images, channels, height, width]`.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use modelpulse::summary::{Images, PixelLayout};
    /// let batch = Tensor::zeros((3, 1, 28, 28), DType::F32, &Device::Cpu)?;
    /// assert_eq!(Images::from_tensor(&batch, PixelLayout::Chw)?.as_slice().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Image::from_tensor`], and [`ImageError::None`] of an empty batch.
    pub fn from_tensor(batch: &Tensor, layout: PixelLayout) -> Result<Self, ImageTensorError> {
        if !matches!(batch.rank(), 3 | 4) {
            return Err(rank(batch, "a batch of images", "3 or 4"));
        }
        let images = (0..batch.dims()[0])
            .map(|index| Image::from_tensor(&batch.get(index)?, layout))
            .collect::<Result<_, _>>()?;
        Ok(Self::new(images)?)
    }
}

impl ImageGrid {
    /// Draws a batch that is a candle tensor, on any device, as [`draw`](Self::draw) does: `[images, height, width]`
    /// for grey, or four dimensions in the order of the layout behind the number of images.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use modelpulse::summary::{ImageGrid, PixelLayout};
    /// let batch = Tensor::zeros((32, 1, 28, 28), DType::F32, &Device::Cpu)?;
    /// let image = ImageGrid::new().draw_tensor(&batch, PixelLayout::Chw)?;
    /// assert_eq!((image.width(), image.height()), (8 * 30 + 2, 4 * 30 + 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ImageTensorError::Rank`], [`ImageTensorError::Type`], [`ImageTensorError::Candle`], and those of `draw`.
    pub fn draw_tensor(
        &self,
        batch: &Tensor,
        layout: PixelLayout,
    ) -> Result<Image, ImageTensorError> {
        let shape = match *batch.dims() {
            [images, height, width] => {
                let [a, b, c] = with_channel([height, width], layout);
                [images, a, b, c]
            }
            [images, a, b, c] => [images, a, b, c],
            _ => return Err(rank(batch, "a batch of images", "3 or 4")),
        };
        Ok(match Pixels::of(batch)? {
            Pixels::Bytes(bytes) => self.draw(&bytes, shape, layout),
            Pixels::Floats(floats) => self.draw(&floats, shape, layout),
        }?)
    }
}

enum Pixels {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Pixels {
    fn of(tensor: &Tensor) -> Result<Self, ImageTensorError> {
        let flat = || tensor.detach().flatten_all();
        match tensor.dtype() {
            DType::U8 => Ok(Self::Bytes(flat()?.to_vec1()?)),
            dtype if dtype.is_float() => Ok(Self::Floats(flat()?.to_dtype(DType::F32)?.to_vec1()?)),
            dtype => Err(ImageTensorError::Type {
                dtype: format!("{dtype:?}"),
            }),
        }
    }
}

fn with_channel([height, width]: [usize; 2], layout: PixelLayout) -> [usize; 3] {
    match layout {
        PixelLayout::Hwc => [height, width, 1],
        PixelLayout::Chw => [1, height, width],
    }
}

fn rank(tensor: &Tensor, expected: &'static str, dimensions: &'static str) -> ImageTensorError {
    ImageTensorError::Rank {
        sizes: tensor.dims().to_vec(),
        expected,
        dimensions,
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device};

    use super::*;

    /// 2 × 3 pixels of `channels`, as bytes.
    fn bytes(channels: usize) -> Tensor {
        let levels: Vec<u8> = (0..6 * channels as u8).map(|i| i * 9).collect();
        Tensor::from_vec(levels, (2, 3, channels), &Device::Cpu).unwrap()
    }

    #[test]
    fn every_layout_and_width_makes_one_image() {
        for channels in 1..=4 {
            let hwc = bytes(channels);
            let expected = Image::from_tensor(&hwc, PixelLayout::Hwc).unwrap();
            let levels = hwc.flatten_all().unwrap().to_vec1::<u8>().unwrap();
            assert_eq!(expected.decode().unwrap(), (channels, levels));
            // Not contiguous, as a model's own tensors often are.
            let chw = hwc.permute((2, 0, 1)).unwrap();
            assert_eq!(
                Image::from_tensor(&chw, PixelLayout::Chw).unwrap(),
                expected
            );
            for dtype in [DType::F32, DType::F64, DType::BF16, DType::F16] {
                let floats = (hwc.to_dtype(DType::F64).unwrap() / 255.0).unwrap();
                let floats = floats.to_dtype(dtype).unwrap();
                let image = Image::from_tensor(&floats, PixelLayout::Hwc).unwrap();
                let (got, wanted) = (image.decode().unwrap().1, expected.decode().unwrap().1);
                let close = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= u8::from(dtype == DType::BF16);
                assert!(got.iter().zip(&wanted).all(close), "{dtype:?}: {got:?}");
            }
        }
        let grey = bytes(1).squeeze(D::Minus1).unwrap();
        let of = |layout| Image::from_tensor(&grey, layout).unwrap();
        assert_eq!(of(PixelLayout::Hwc), of(PixelLayout::Chw));
    }

    #[test]
    fn a_batch_is_a_grid_or_a_list() {
        let batch = Tensor::stack(&[bytes(3), bytes(3)], 0).unwrap();
        let images = Images::from_tensor(&batch, PixelLayout::Hwc).unwrap();
        assert_eq!(images.as_slice().len(), 2);
        let grid = ImageGrid::new().padding(0).columns(1);
        let drawn = grid.draw_tensor(&batch, PixelLayout::Hwc).unwrap();
        let pixels = |image: &Image| image.decode().unwrap().1;
        let both: Vec<u8> = images.as_slice().iter().flat_map(pixels).collect();
        assert_eq!(pixels(&drawn), both);
        let grey = Tensor::zeros((2, 4, 5), DType::F32, &Device::Cpu).unwrap();
        let drawn = grid.draw_tensor(&grey, PixelLayout::Chw).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (5, 8));
    }

    #[test]
    fn what_is_no_image_is_said() {
        let whole = Tensor::zeros((2, 2), DType::I64, &Device::Cpu).unwrap();
        let said = Image::from_tensor(&whole, PixelLayout::Chw).unwrap_err();
        let expected = "a tensor of I64 is no image: make it U8 of 0 to 255, or F32 of 0 to 1";
        assert_eq!(said.to_string(), expected);
        let floats = Tensor::new(&[[0.0_f32, f32::NAN]], &Device::Cpu).unwrap();
        let said = Image::from_tensor(&floats, PixelLayout::Chw).unwrap_err();
        assert!(said.to_string().contains("row 0 of image 0 is NaN"));
        let line = Tensor::zeros(4, DType::U8, &Device::Cpu).unwrap();
        assert!(Images::from_tensor(&line, PixelLayout::Chw).is_err());
        assert!(
            ImageGrid::new()
                .draw_tensor(&line, PixelLayout::Chw)
                .is_err()
        );
        let none = Tensor::zeros((0, 2, 2), DType::U8, &Device::Cpu).unwrap();
        let error = Images::from_tensor(&none, PixelLayout::Chw).unwrap_err();
        assert!(matches!(error, ImageTensorError::Image(ImageError::None)));
        let odd = Image::from_tensor(&bytes(3), PixelLayout::Chw).unwrap();
        assert_eq!((odd.width(), odd.height()), (3, 3));
    }
}
