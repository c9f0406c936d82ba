//! What a tensor's elements can be, and how they are stored.
//!
//! Numbers are packed, little-endian and without gaps; strings are listed.

use prost::bytes::Bytes;

use crate::proto::{DataType, TensorProto};

/// What a tensor's elements can be: `f32`, `f64`, `i32`, `i64`, `u8`, `bool`, text or bytes.
///
/// ```
/// use modelpulse::summary::{Element, Tensor};
/// fn row<T: Element>(elements: &[T]) -> Tensor {
///     Tensor::new("my_plugin", &[1, elements.len()], elements).unwrap()
/// }
/// assert_eq!(row(&[1_i64, 2]).as_f64s(), row(&[1.0_f32, 2.0]).as_f64s());
/// assert_eq!(row(&["a"]).as_strings(), row(&[vec![b'a']]).as_strings());
/// ```
pub trait Element: sealed::Element {}

mod sealed {
    use super::{Bytes, DataType, TensorProto};

    pub trait Element: Sized {
        /// A tensor of these elements, without a shape.
        fn pack(elements: &[Self]) -> TensorProto;
    }

    macro_rules! numbers {
        ($($number:ty => $dtype:ident),*) => {$(
            impl super::Element for $number {}
            impl Element for $number {
                fn pack(elements: &[Self]) -> TensorProto {
                    let bytes = elements.iter().flat_map(|element| element.to_le_bytes());
                    packed(DataType::$dtype, bytes.collect::<Vec<_>>().into())
                }
            }
        )*};
    }

    numbers!(f32 => DtFloat, f64 => DtDouble, i32 => DtInt32, i64 => DtInt64, u8 => DtUint8);

    macro_rules! strings {
        ($($string:ty),*) => {$(
            impl super::Element for $string {}
            impl Element for $string {
                fn pack(elements: &[Self]) -> TensorProto {
                    let bytes = |string: &Self| Bytes::copy_from_slice(string.as_ref());
                    listed(elements.iter().map(bytes).collect())
                }
            }
        )*};
    }

    strings!(&str, String, Vec<u8>, &[u8]);

    impl super::Element for bool {}
    impl Element for bool {
        fn pack(elements: &[Self]) -> TensorProto {
            let bytes = elements.iter().map(|&element| u8::from(element));
            packed(DataType::DtBool, bytes.collect::<Vec<_>>().into())
        }
    }

    impl super::Element for Bytes {}
    impl Element for Bytes {
        fn pack(elements: &[Self]) -> TensorProto {
            listed(elements.to_vec())
        }
    }

    fn packed(dtype: DataType, tensor_content: Bytes) -> TensorProto {
        TensorProto {
            dtype: dtype.into(),
            tensor_content,
            ..TensorProto::default()
        }
    }

    fn listed(string_val: Vec<Bytes>) -> TensorProto {
        TensorProto {
            dtype: DataType::DtString.into(),
            string_val,
            ..TensorProto::default()
        }
    }
}
