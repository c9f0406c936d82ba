//! The elements of a tensor that was read.
//!
//! As many come back as the shape says, or an error; never memory for more than was stored, beyond a
//! bound.

use prost::bytes::Bytes;

use super::{Tensor, TensorError, count};
use crate::proto::DataType;

impl Tensor {
    /// The elements at double precision, in row-major order, whatever numbers they are; truth values
    /// as 0 and 1.
    ///
    /// # Errors
    /// Where the elements are no numbers, or not as many as the shape says.
    pub fn as_f64s(&self) -> Result<Vec<f64>, TensorError> {
        let tensor = &self.tensor;
        let packed = &tensor.tensor_content[..];
        let half = |bits: i32| f16(bits as u16);
        let bfloat = |bits: i32| f64::from(f32::from_bits((bits as u32) << 16));
        let numbers = match tensor.dtype() {
            DataType::DtFloat => numbers(packed, &tensor.float_val, f32::from_le_bytes, f64::from),
            DataType::DtDouble => numbers(packed, &tensor.double_val, f64::from_le_bytes, |n| n),
            DataType::DtInt64 => {
                numbers(packed, &tensor.int64_val, i64::from_le_bytes, |n| n as f64)
            }
            DataType::DtUint64 => {
                numbers(packed, &tensor.uint64_val, u64::from_le_bytes, |n| n as f64)
            }
            DataType::DtInt32 => numbers(packed, &tensor.int_val, i32::from_le_bytes, f64::from),
            DataType::DtUint32 => {
                numbers(packed, &tensor.uint32_val, u32::from_le_bytes, f64::from)
            }
            DataType::DtBool => numbers(
                packed,
                &tensor.bool_val,
                |[b]| b != 0,
                |b| f64::from(u8::from(b)),
            ),
            DataType::DtInt16 => small(packed, &tensor.int_val, |b| i16::from_le_bytes(b).into()),
            DataType::DtUint16 => small(packed, &tensor.int_val, |b| u16::from_le_bytes(b).into()),
            DataType::DtInt8 => small(packed, &tensor.int_val, |b| i8::from_le_bytes(b).into()),
            DataType::DtUint8 => small(packed, &tensor.int_val, |[b]| b.into()),
            DataType::DtHalf => numbers(
                packed,
                &tensor.half_val,
                |b| u16::from_le_bytes(b).into(),
                half,
            ),
            DataType::DtBfloat16 => numbers(
                packed,
                &tensor.half_val,
                |b| u16::from_le_bytes(b).into(),
                bfloat,
            ),
            other => return Err(wrong_type("numbers", other)),
        };
        self.filled(numbers?, FILL_LIMIT)
    }

    /// The elements of a tensor of strings, in row-major order.
    ///
    /// # Errors
    /// Where the elements are no strings, or not as many as the shape says.
    pub fn as_strings(&self) -> Result<Vec<Bytes>, TensorError> {
        match self.tensor.dtype() {
            DataType::DtString => self.filled(self.tensor.string_val.clone(), STRING_FILL_LIMIT),
            other => Err(wrong_type("strings", other)),
        }
    }

    /// The numbers as packed little-endian bytes without gaps, and how often these repeat: one listed
    /// element stands for all of the shape.
    ///
    /// ```
    /// use modelpulse::summary::Tensor;
    /// let tensor = Tensor::new("my_plugin", &[2], &[1_i64, 2])?;
    /// assert_eq!(tensor.packed()?.0[..8], 1_i64.to_le_bytes());
    /// # Ok::<(), modelpulse::summary::TensorError>(())
    /// ```
    ///
    /// # Errors
    /// Where the elements are no numbers, or not as many as the shape says.
    pub fn packed(&self) -> Result<(Bytes, usize), TensorError> {
        let tensor = &self.tensor;
        let dtype = tensor.dtype();
        let (size, _) = storage(dtype).ok_or_else(|| wrong_type("numbers", dtype))?;
        let shape = self.shape()?;
        let expected = count(&shape).unwrap_or(usize::MAX);
        let packed = match &tensor.tensor_content[..] {
            [] => Bytes::from(self.listed(dtype, size)),
            _ => tensor.tensor_content.clone(),
        };
        if !packed.len().is_multiple_of(size) {
            let bytes = packed.len();
            return Err(TensorError::Partial { bytes, size });
        }
        match packed.len() / size {
            got if got == expected => Ok((packed, 1)),
            1 if tensor.tensor_content.is_empty() && expected <= FILL_LIMIT => {
                Ok((packed, expected))
            }
            got => Err(TensorError::Shape {
                shape,
                expected,
                got,
            }),
        }
    }

    /// The number of a tensor of rank 0.
    pub(crate) fn number(&self) -> Option<f64> {
        if !self.shape().is_ok_and(|shape| shape.is_empty()) {
            return None;
        }
        let (packed, _) = self.packed().ok()?;
        let mut bits = [0; 8];
        bits.get_mut(..packed.len())?.copy_from_slice(&packed);
        number(self.tensor.dtype(), u64::from_le_bytes(bits))
    }

    /// The listed elements, packed.
    fn listed(&self, dtype: DataType, size: usize) -> Vec<u8> {
        fn pack<const N: usize>(bytes: impl Iterator<Item = [u8; N]>, size: usize) -> Vec<u8> {
            bytes
                .flat_map(|bytes| bytes.into_iter().take(size))
                .collect()
        }
        let tensor = &self.tensor;
        match dtype {
            DataType::DtFloat => pack(tensor.float_val.iter().map(|n| n.to_le_bytes()), size),
            DataType::DtComplex64 => pack(tensor.scomplex_val.iter().map(|n| n.to_le_bytes()), 4),
            DataType::DtDouble => pack(tensor.double_val.iter().map(|n| n.to_le_bytes()), size),
            DataType::DtComplex128 => pack(tensor.dcomplex_val.iter().map(|n| n.to_le_bytes()), 8),
            DataType::DtInt64 => pack(tensor.int64_val.iter().map(|n| n.to_le_bytes()), size),
            DataType::DtUint64 => pack(tensor.uint64_val.iter().map(|n| n.to_le_bytes()), size),
            DataType::DtUint32 => pack(tensor.uint32_val.iter().map(|n| n.to_le_bytes()), size),
            DataType::DtBool => pack(tensor.bool_val.iter().map(|&n| [u8::from(n)]), size),
            DataType::DtHalf | DataType::DtBfloat16 => {
                pack(tensor.half_val.iter().map(|n| n.to_le_bytes()), size)
            }
            _ => pack(tensor.int_val.iter().map(|n| n.to_le_bytes()), size),
        }
    }

    /// One element stands for all, as in TensorFlow.
    fn filled<T: Clone>(&self, mut elements: Vec<T>, limit: usize) -> Result<Vec<T>, TensorError> {
        let shape = self.shape()?;
        let expected = count(&shape).unwrap_or(usize::MAX);
        if let [one] = &elements[..]
            && self.tensor.tensor_content.is_empty()
            && expected <= limit
        {
            elements = vec![one.clone(); expected];
        }
        if elements.len() == expected {
            return Ok(elements);
        }
        Err(TensorError::Shape {
            shape,
            expected,
            got: elements.len(),
        })
    }
}

/// A few bytes of a log must not become a terabyte in memory.
pub(crate) const FILL_LIMIT: usize = 1 << 24;

/// A string takes more memory than a number.
pub(crate) const STRING_FILL_LIMIT: usize = 1 << 16;

/// How many bytes a number of this type takes, and the field of `TensorProto` that lists such numbers.
pub(crate) fn storage(dtype: DataType) -> Option<(usize, u32)> {
    Some(match dtype {
        DataType::DtFloat => (4, 5),
        DataType::DtDouble => (8, 6),
        DataType::DtInt32 | DataType::DtQint32 => (4, 7),
        DataType::DtInt16 | DataType::DtUint16 | DataType::DtQint16 | DataType::DtQuint16 => (2, 7),
        DataType::DtInt8 | DataType::DtUint8 | DataType::DtQint8 | DataType::DtQuint8 => (1, 7),
        DataType::DtComplex64 => (8, 9),
        DataType::DtInt64 => (8, 10),
        DataType::DtBool => (1, 11),
        DataType::DtComplex128 => (16, 12),
        DataType::DtHalf | DataType::DtBfloat16 => (2, 13),
        DataType::DtUint32 => (4, 16),
        DataType::DtUint64 => (8, 17),
        _ => return None,
    })
}

/// The number of this type that has these bits in its lowest bytes.
pub(crate) fn number(dtype: DataType, bits: u64) -> Option<f64> {
    Some(match dtype {
        DataType::DtFloat => f32::from_bits(bits as u32).into(),
        DataType::DtDouble => f64::from_bits(bits),
        DataType::DtInt64 => bits as i64 as f64,
        DataType::DtUint64 => bits as f64,
        DataType::DtInt32 | DataType::DtQint32 => (bits as i32).into(),
        DataType::DtUint32 => (bits as u32).into(),
        DataType::DtInt16 | DataType::DtQint16 => (bits as i16).into(),
        DataType::DtUint16 | DataType::DtQuint16 => (bits as u16).into(),
        DataType::DtInt8 | DataType::DtQint8 => (bits as i8).into(),
        DataType::DtUint8 | DataType::DtQuint8 => (bits as u8).into(),
        DataType::DtBool => f64::from(u8::from(bits != 0)),
        DataType::DtHalf => f16(bits as u16),
        DataType::DtBfloat16 => f32::from_bits((bits as u32) << 16).into(),
        _ => return None,
    })
}

fn wrong_type(expected: &'static str, found: DataType) -> TensorError {
    TensorError::Type {
        expected,
        found: found.as_str_name(),
    }
}

/// The packed elements, or the listed ones where none are packed.
fn numbers<T: Copy, const N: usize>(
    packed: &[u8],
    listed: &[T],
    unpack: impl Fn([u8; N]) -> T,
    widen: impl Fn(T) -> f64,
) -> Result<Vec<f64>, TensorError> {
    if packed.is_empty() {
        return Ok(listed.iter().map(|&number| widen(number)).collect());
    }
    let (elements, rest) = packed.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(TensorError::Partial {
            bytes: packed.len(),
            size: N,
        });
    }
    Ok(elements.iter().map(|&bytes| widen(unpack(bytes))).collect())
}

/// Types that are listed as 32-bit integers.
fn small<const N: usize>(
    packed: &[u8],
    listed: &[i32],
    unpack: impl Fn([u8; N]) -> i32,
) -> Result<Vec<f64>, TensorError> {
    numbers(packed, listed, unpack, f64::from)
}

/// IEEE 754 binary16.
fn f16(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff) / 1024.0);
    let size = match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    };
    if bits >> 15 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{TensorProto, TensorShapeProto, tensor_shape_proto::Dim};

    fn read(
        dtype: DataType,
        sizes: &[i64],
        set: impl FnOnce(&mut TensorProto),
    ) -> Result<Vec<f64>, TensorError> {
        let dim = sizes.iter().map(|&size| Dim {
            size,
            ..Dim::default()
        });
        let tensor_shape = Some(TensorShapeProto {
            dim: dim.collect(),
            unknown_rank: false,
        });
        let mut tensor = TensorProto {
            dtype: dtype.into(),
            tensor_shape,
            ..TensorProto::default()
        };
        set(&mut tensor);
        Tensor {
            tensor,
            ..Tensor::default()
        }
        .as_f64s()
    }

    #[test]
    fn a_listed_element_fills_the_shape_within_a_bound() {
        assert_eq!(
            read(DataType::DtFloat, &[2, 2], |t| t.float_val = vec![0.5]),
            Ok(vec![0.5; 4])
        );
        assert_eq!(
            read(DataType::DtInt8, &[1], |t| t.int_val = vec![-3]),
            Ok(vec![-3.0])
        );
        assert_eq!(
            read(DataType::DtHalf, &[3], |t| t.half_val =
                vec![0x3c00, 0xc000, 0x0001]),
            Ok(vec![1.0, -2.0, 2_f64.powi(-24)])
        );
        assert_eq!(
            read(DataType::DtBfloat16, &[1], |t| t.half_val = vec![0xbf80]),
            Ok(vec![-1.0])
        );
        let bomb = read(DataType::DtDouble, &[1 << 40], |t| t.double_val = vec![0.0]);
        assert!(matches!(bomb, Err(TensorError::Shape { got: 1, .. })));
    }

    #[test]
    fn what_a_log_says_wrongly_is_an_error() {
        let packed =
            |bytes: &'static [u8]| move |t: &mut TensorProto| t.tensor_content = bytes.into();
        assert!(matches!(
            read(DataType::DtFloat, &[1], packed(&[0; 5])),
            Err(TensorError::Partial { bytes: 5, size: 4 })
        ));
        assert!(matches!(
            read(DataType::DtFloat, &[2], packed(&[0; 4])),
            Err(TensorError::Shape { got: 1, .. })
        ));
        assert!(matches!(
            read(DataType::DtFloat, &[-1], packed(&[0; 4])),
            Err(TensorError::Unsized { .. })
        ));
        assert!(matches!(
            read(DataType::DtResource, &[], |_| ()),
            Err(TensorError::Type { .. })
        ));
    }
}
