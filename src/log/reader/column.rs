//! Points in columns: 20 bytes a scalar where its series is of the usual kind.
//!
//! What comes out is what went in, bit for bit: a column that is too narrow for a value is widened.

use super::scan::{Point, Points};
use super::wire::Number;

/// The columns of all series of a file.
#[derive(Debug, Default)]
pub(super) struct Columns {
    columns: Vec<Column>,
    /// How long the file is, as far as is known.
    file_len: u64,
}

/// The points of one series of a file.
#[derive(Debug, Default)]
pub(super) struct Column {
    steps: Narrow,
    wall_times: Vec<f64>,
    values: Values,
    offsets: Narrow,
}

/// A value in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Number(f64),
    /// Not a number; which value of its event it is.
    Nth(u32),
}

#[derive(Debug)]
enum Values {
    Single(Vec<f32>),
    Double(Vec<f64>),
    /// Numbers and others; or others alone.
    Any(Vec<Cell>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Single(Vec::new())
    }
}

/// Integers that are near each other: what they are beyond the base, in 32 bits. The base is 0, as for most steps and
/// offsets it may be, unless the first one is too far from it.
#[derive(Debug, Default)]
struct Narrow {
    base: i64,
    near: Vec<u32>,
    /// All of them, once one is far.
    far: Vec<i64>,
}

impl Narrow {
    fn reserve(&mut self, more: usize) {
        match self.far.is_empty() {
            true => self.near.reserve_exact(more),
            false => self.far.reserve_exact(more),
        }
    }

    #[inline]
    fn push(&mut self, value: i64) {
        match u32::try_from(value.wrapping_sub(self.base)) {
            Ok(near) if value >= self.base && self.far.is_empty() => self.near.push(near),
            _ => self.push_far(value),
        }
    }

    #[cold]
    fn push_far(&mut self, value: i64) {
        if self.near.is_empty() && self.far.is_empty() {
            // Later ones may be smaller: a step behind a restart.
            self.base = value.saturating_sub(1 << 31);
            if let Ok(near) = u32::try_from(value.wrapping_sub(self.base)) {
                return self.near.push(near);
            }
        }
        if self.far.is_empty() {
            let near = std::mem::take(&mut self.near);
            let base = self.base;
            self.far = near.iter().map(|&near| base + i64::from(near)).collect();
        }
        self.far.push(value);
    }

    #[inline]
    fn get(&self, index: usize) -> Option<i64> {
        match self.near.get(index) {
            Some(&near) => Some(self.base + i64::from(near)),
            None => self.far.get(index).copied(),
        }
    }

    fn shrink(&mut self) {
        self.near.shrink_to_fit();
        self.far.shrink_to_fit();
    }
}

impl Values {
    fn reserve(&mut self, more: usize) {
        match self {
            Self::Single(values) => values.reserve_exact(more),
            Self::Double(values) => values.reserve_exact(more),
            Self::Any(cells) => cells.reserve_exact(more),
        }
    }

    #[inline]
    fn push(&mut self, point: Point) {
        match (&mut *self, point.number) {
            (Self::Single(values), Some(Number::Single(value))) => values.push(value),
            _ => self.push_other(point),
        }
    }

    fn push_other(&mut self, point: Point) {
        let cell = match point.number {
            Some(Number::Single(value)) => Cell::Number(value.into()),
            Some(Number::Double(value)) => Cell::Number(value),
            None => Cell::Nth(point.nth),
        };
        if let Self::Single(values) = self {
            *self = Self::Double(values.iter().map(|&value| value.into()).collect());
        }
        match (&mut *self, cell) {
            (Self::Double(values), Cell::Number(value)) => values.push(value),
            (Self::Double(values), cell) => {
                let numbers = values.iter().map(|&value| Cell::Number(value));
                *self = Self::Any(numbers.chain([cell]).collect());
            }
            (Self::Any(cells), cell) => cells.push(cell),
            (Self::Single(_), _) => {}
        }
    }

    #[inline]
    fn get(&self, index: usize) -> Option<Cell> {
        match self {
            Self::Single(values) => Some(Cell::Number((*values.get(index)?).into())),
            Self::Double(values) => Some(Cell::Number(*values.get(index)?)),
            Self::Any(cells) => cells.get(index).copied(),
        }
    }
}

/// A point as its column has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) step: i64,
    pub(super) wall_time: f64,
    pub(super) cell: Cell,
    pub(super) offset: u64,
}

impl Column {
    #[inline]
    pub(super) fn row(&self, index: usize) -> Option<Row> {
        Some(Row {
            step: self.steps.get(index)?,
            wall_time: *self.wall_times.get(index)?,
            cell: self.values.get(index)?,
            offset: self.offsets.get(index)? as u64,
        })
    }

    /// Makes room for as many points as come if the file goes on as it went before `offset`: growing step by step
    /// would move each point several times.
    #[cold]
    fn grow(&mut self, offset: u64, file_len: u64) {
        const FEW: usize = 8;
        /// A file may begin unlike the rest, or say that it is longer than it is.
        const MANY: usize = 1 << 16;
        let points = self.wall_times.len();
        let rest = file_len.saturating_sub(offset) as f64 / offset.max(1) as f64;
        let expected = (points as f64 * rest * 1.02) as usize;
        let more = if points < FEW {
            FEW
        } else {
            expected.clamp(points / 4, points.max(MANY))
        };
        self.steps.reserve(more);
        self.wall_times.reserve_exact(more);
        self.values.reserve(more);
        self.offsets.reserve(more);
    }

    fn shrink(&mut self) {
        // Little is not worth a copy.
        if self.wall_times.capacity() - self.wall_times.len() <= self.wall_times.len() / 16 {
            return;
        }
        self.steps.shrink();
        self.offsets.shrink();
        self.wall_times.shrink_to_fit();
        match &mut self.values {
            Values::Single(values) => values.shrink_to_fit(),
            Values::Double(values) => values.shrink_to_fit(),
            Values::Any(cells) => cells.shrink_to_fit(),
        }
    }
}

impl Columns {
    pub(super) fn get(&self, series: usize) -> Option<&Column> {
        self.columns.get(series)
    }

    /// The file has so many bytes.
    pub(super) fn expect(&mut self, file_len: u64) {
        self.file_len = file_len;
    }

    /// Gives back the memory for points that no longer come.
    pub(super) fn shrink(&mut self) {
        self.columns.iter_mut().for_each(Column::shrink);
    }
}

impl Points for Columns {
    #[inline(always)]
    fn point(&mut self, series: usize, point: Point) {
        if series >= self.columns.len() {
            self.columns.resize_with(series + 1, Column::default);
        }
        let column = &mut self.columns[series];
        if column.wall_times.len() == column.wall_times.capacity() {
            column.grow(point.offset, self.file_len);
        }
        column.steps.push(point.step);
        column.wall_times.push(point.wall_time);
        column.values.push(point);
        column.offsets.push(point.offset as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_however_wide() {
        let steps = [5, 4, i64::MAX, i64::MIN, 0, -1];
        let numbers = [
            Some(Number::Single(f32::NAN)),
            Some(Number::Single(0.1)),
            Some(Number::Double(0.1)),
            Some(Number::Single(-0.0)),
            None,
            Some(Number::Single(f32::INFINITY)),
        ];
        for len in 0..=steps.len() {
            let mut columns = Columns::default();
            for index in 0..len {
                let point = Point {
                    step: steps[index],
                    wall_time: f64::from_bits(index as u64),
                    offset: (index as u64) << 40,
                    nth: 7,
                    number: numbers[index],
                };
                columns.point(1, point);
            }
            columns.shrink();
            let column = columns.get(1);
            assert!(column.is_none_or(|column| column.row(len).is_none()));
            for index in 0..len {
                let row = column.unwrap().row(index).unwrap();
                assert_eq!(row.step, steps[index]);
                assert_eq!(row.wall_time.to_bits(), index as u64);
                assert_eq!(row.offset, (index as u64) << 40);
                match (row.cell, numbers[index]) {
                    (Cell::Nth(7), None) => {}
                    (Cell::Number(cell), Some(Number::Double(number))) => assert_eq!(cell, number),
                    (Cell::Number(cell), Some(Number::Single(number))) => {
                        assert_eq!((cell as f32).to_bits(), number.to_bits());
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}
