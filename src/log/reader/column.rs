//! Points in columns: 20 bytes a scalar where its series is of the usual kind.
//!
//! What comes out is what went in, bit for bit: a column that is too narrow for a point is widened.

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
    base: Base,
    rows: Rows,
}

/// A value in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Number(f64),
    /// Not a number; which value of its event it is.
    Nth(u32),
}

/// A point as its column has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) step: i64,
    pub(super) wall_time: f64,
    pub(super) cell: Cell,
    pub(super) offset: u64,
}

#[derive(Debug)]
enum Rows {
    Single(Vec<Near<f32>>),
    Double(Vec<Near<f64>>),
    /// What is no number, or too far from the base.
    Any(Vec<Row>),
}

impl Default for Rows {
    fn default() -> Self {
        Self::Single(Vec::new())
    }
}

/// A number whose step and offset are near the column's base: what they are beyond it.
#[derive(Debug, Clone, Copy)]
struct Near<T> {
    step: u32,
    offset: u32,
    /// An `f64` would be aligned to 8 bytes, and there would be 24.
    wall_time: [u8; 8],
    number: T,
}

/// What steps and offsets are counted from: 0, unless the first ones are too far from that.
#[derive(Debug, Default, Clone, Copy)]
struct Base {
    step: i64,
    offset: u64,
}

impl Base {
    /// From where on a first point is near.
    fn of(step: i64, offset: u64) -> Self {
        // Later ones may be smaller: a step behind a restart.
        const BEFORE: u32 = 1 << 31;
        let (step_fits, offset_fits) = (u32::try_from(step), u32::try_from(offset));
        Self {
            step: step_fits.map_or_else(|_| step.saturating_sub(BEFORE.into()), |_| 0),
            offset: offset_fits.map_or_else(|_| offset.saturating_sub(BEFORE.into()), |_| 0),
        }
    }

    #[inline(always)]
    fn near<T>(self, point: Point, number: T) -> Option<Near<T>> {
        Some(Near {
            step: point.step.checked_sub(self.step)?.try_into().ok()?,
            offset: point.offset.checked_sub(self.offset)?.try_into().ok()?,
            wall_time: point.wall_time.to_ne_bytes(),
            number,
        })
    }

    #[inline]
    fn row<T: Into<f64>>(self, near: Near<T>) -> Row {
        Row {
            step: self.step + i64::from(near.step),
            wall_time: f64::from_ne_bytes(near.wall_time),
            cell: Cell::Number(near.number.into()),
            offset: self.offset + u64::from(near.offset),
        }
    }
}

impl Column {
    #[inline(always)]
    fn push(&mut self, point: Point, file_len: u64) {
        if let Rows::Single(rows) = &mut self.rows
            && let Some(Number::Single(number)) = point.number
            && let Some(near) = self.base.near(point, number)
        {
            if rows.len() == rows.capacity() {
                grow(rows, point.offset, file_len);
            }
            rows.push(near);
        } else {
            self.push_other(point, file_len);
        }
    }

    #[inline(never)]
    fn push_other(&mut self, point: Point, file_len: u64) {
        let number = point.number.map(|number| match number {
            Number::Single(number) => f64::from(number),
            Number::Double(number) => number,
        });
        if self.is_empty() {
            self.base = Base::of(point.step, point.offset);
            if let Some(Number::Single(number)) = point.number
                && let (Rows::Single(rows), Some(near)) =
                    (&mut self.rows, self.base.near(point, number))
            {
                return rows.push(near);
            }
        }
        let base = self.base;
        if let Some(near) = number.and_then(|number| base.near(point, number)) {
            if let Rows::Single(rows) = &self.rows {
                let wide = |it: &Near<f32>| Near {
                    step: it.step,
                    offset: it.offset,
                    wall_time: it.wall_time,
                    number: it.number.into(),
                };
                self.rows = Rows::Double(rows.iter().map(wide).collect());
            }
            if let Rows::Double(rows) = &mut self.rows {
                grow(rows, point.offset, file_len);
                return rows.push(near);
            }
        }
        let mut rows = match std::mem::take(&mut self.rows) {
            Rows::Any(rows) => rows,
            Rows::Single(rows) => rows.into_iter().map(|near| base.row(near)).collect(),
            Rows::Double(rows) => rows.into_iter().map(|near| base.row(near)).collect(),
        };
        grow(&mut rows, point.offset, file_len);
        rows.push(Row {
            step: point.step,
            wall_time: point.wall_time,
            cell: number.map_or(Cell::Nth(point.nth), Cell::Number),
            offset: point.offset,
        });
        self.rows = Rows::Any(rows);
    }

    fn is_empty(&self) -> bool {
        match &self.rows {
            Rows::Single(rows) => rows.is_empty(),
            Rows::Double(rows) => rows.is_empty(),
            Rows::Any(rows) => rows.is_empty(),
        }
    }

    #[inline]
    pub(super) fn row(&self, index: usize) -> Option<Row> {
        match &self.rows {
            Rows::Single(rows) => Some(self.base.row(*rows.get(index)?)),
            Rows::Double(rows) => Some(self.base.row(*rows.get(index)?)),
            Rows::Any(rows) => rows.get(index).copied(),
        }
    }

    fn shrink(&mut self) {
        match &mut self.rows {
            Rows::Single(rows) => shrink(rows),
            Rows::Double(rows) => shrink(rows),
            Rows::Any(rows) => shrink(rows),
        }
    }
}

/// Makes room where there is none, for as many rows as come if the file goes on as it went before `offset`: growing
/// step by step would move each row several times.
#[cold]
fn grow<T>(rows: &mut Vec<T>, offset: u64, file_len: u64) {
    const FEW: usize = 32;
    /// A file may begin unlike the rest, or say that it is longer than it is.
    const MANY: usize = 1 << 16;
    let len = rows.len();
    if len < rows.capacity() {
        return;
    }
    let rest = file_len.saturating_sub(offset) as f64 / offset.max(1) as f64;
    let expected = (len as f64 * rest * 1.05) as usize;
    rows.reserve_exact(match len {
        ..FEW => FEW,
        _ => expected.clamp(1 + len / 16, len.max(MANY)),
    });
}

/// Gives back room that is not needed; little is not worth a move.
fn shrink<T>(rows: &mut Vec<T>) {
    if rows.capacity() - rows.len() > rows.len() / 16 {
        rows.shrink_to_fit();
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
        self.columns[series].push(point, self.file_len);
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
