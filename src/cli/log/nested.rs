//! Numbers in arrays of arrays: flat, with the sizes of the arrays.
//!
//! All arrays of one depth have one length, so the numbers are as many as the product of the sizes.

use serde_json::Value;

use super::keys::{Reason, is, number};

/// Numbers in row-major order.
#[derive(Debug, PartialEq)]
pub(super) struct Nested {
    /// The lengths, outermost first; none for a single number.
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Vec<f64>,
    /// Whether each was written without a point or an exponent.
    pub(super) whole: bool,
}

impl Nested {
    /// Reads the arrays under `key`.
    pub(super) fn read(key: &str, value: &Value) -> Result<Self, Reason> {
        let (shape, leaves) = leaves(key, value)?;
        let whole = leaves.iter().all(|leaf| leaf.is_i64() || leaf.is_u64());
        let number = |leaf: &Value| {
            number(leaf).map_err(|is| format!("'{key}' holds {is}, not only numbers"))
        };
        let numbers = leaves.into_iter().map(number).collect::<Result<_, _>>()?;
        Ok(Self {
            shape,
            numbers,
            whole,
        })
    }

    /// Rows of `N` numbers each, as `f32`.
    pub(super) fn rows<const N: usize>(&self, key: &str) -> Result<Vec<[f32; N]>, Reason> {
        match self.shape[..] {
            [_, width] if width == N => {
                let rows = self.numbers.as_chunks().0.iter();
                Ok(rows.map(|row: &[f64; N]| row.map(|n| n as f32)).collect())
            }
            _ => Err(format!(
                "'{key}' is of shape {:?}, not an array of arrays of {N} numbers",
                self.shape
            )),
        }
    }

    /// Rows of `N` whole numbers each that fit `T`.
    pub(super) fn whole_rows<T: TryFrom<i64>, const N: usize>(
        &self,
        key: &str,
    ) -> Result<Vec<[T; N]>, Reason> {
        let whole = |number: &f64| {
            let whole = (number.trunc() == *number).then_some(*number as i64);
            whole.and_then(|whole| T::try_from(whole).ok())
        };
        let wrong =
            || format!("'{key}' is not an array of arrays of {N} whole numbers in their range");
        if self.shape.len() != 2 || self.shape[1] != N {
            return Err(wrong());
        }
        let row = |row: &[f64; N]| {
            let row: Option<Vec<T>> = row.iter().map(whole).collect();
            row.and_then(|row| row.try_into().ok())
        };
        let rows: Option<Vec<[T; N]>> = self.numbers.as_chunks().0.iter().map(row).collect();
        rows.ok_or_else(wrong)
    }
}

/// The elements of nested arrays, whatever they are, with the arrays' lengths.
pub(super) fn leaves<'a>(
    key: &str,
    value: &'a Value,
) -> Result<(Vec<usize>, Vec<&'a Value>), Reason> {
    let (mut shape, mut level) = (Vec::new(), vec![value]);
    while let Some(Value::Array(first)) = level.first() {
        let length = first.len();
        let mut below = Vec::with_capacity(level.len() * length);
        for value in &level {
            match value {
                Value::Array(values) if values.len() == length => below.extend(values),
                Value::Array(values) => {
                    return Err(format!(
                        "'{key}' is ragged: an array of {} where others have {length}",
                        values.len()
                    ));
                }
                other => return Err(format!("'{key}' is ragged: arrays beside {}", is(other))),
            }
        }
        shape.push(length);
        level = below;
    }
    match level.iter().find(|value| value.is_array()) {
        Some(_) => Err(format!("'{key}' is ragged: arrays beside values")),
        None => Ok((shape, level)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arrays_are_flattened_and_counted() {
        let read = |value| Nested::read("x", &value).map(|it| (it.shape, it.numbers, it.whole));
        let two_by_three = (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], true);
        assert_eq!(read(json!([[1, 2, 3], [4, 5, 6]])), Ok(two_by_three));
        assert_eq!(read(json!(7.0)), Ok((vec![], vec![7.0], false)));
        assert_eq!(read(json!([[], []])), Ok((vec![2, 0], vec![], true)));
        assert_eq!(read(json!([])), Ok((vec![0], vec![], true)));
        assert_eq!(
            read(json!([1, "Infinity"])),
            Ok((vec![2], vec![1.0, f64::INFINITY], false))
        );
    }

    #[test]
    fn what_is_no_rectangle_is_said() {
        for (value, said) in [
            (
                json!([[1], [1, 2]]),
                "'x' is ragged: an array of 2 where others have 1",
            ),
            (json!([[1], 2]), "'x' is ragged: arrays beside a number"),
            (json!([[1], "NaN"]), "'x' is ragged: arrays beside text"),
            (json!([1, [2]]), "'x' is ragged: arrays beside values"),
            (json!([1, null]), "'x' holds null, not only numbers"),
        ] {
            assert_eq!(Nested::read("x", &value).unwrap_err(), said);
        }
        let rows = Nested::read("x", &json!([[1, 300]])).unwrap();
        assert!(rows.whole_rows::<u8, 2>("x").is_err());
        assert_eq!(rows.whole_rows::<i32, 2>("x"), Ok(vec![[1, 300]]));
        assert!(rows.rows::<3>("x").is_err());
    }
}
