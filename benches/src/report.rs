//! What was measured, as tables for people and as one JSON object for programs.
//!
//! Both show the same medians; a goal is shown beside its number as met or missed.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::machine::Machine;

/// The writer and the reader that ours are measured against, and what a program can do that is written for one
/// thing.
pub(crate) const PEER: &str = "tensorboard-rs 0.5.9";
pub(crate) const READER_PEER: &str = "data-server";
pub(crate) const LIMIT: &str = "limit";
/// Our own rows.
pub(crate) const OURS: &str = "modelpulse";

/// One contender's medians in one work.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) who: String,
    /// The whole work.
    pub(crate) seconds: Option<f64>,
    /// Items of the work a second, and what an item is.
    pub(crate) per_second: Option<f64>,
    pub(crate) item: &'static str,
    /// How many times faster than the peer, and which that is, and than [`LIMIT`].
    pub(crate) peer: &'static str,
    pub(crate) ratio_to_peer: Option<f64>,
    pub(crate) ratio_to_limit: Option<f64>,
    /// Numbers under names that hold their units.
    pub(crate) extras: Vec<(&'static str, f64)>,
    pub(crate) goals: Vec<Goal>,
}

/// What a number should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

/// A number, its goal, and whether that was met.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    what: &'static str,
    bound: Bound,
    value: f64,
}

impl Row {
    /// The extra under this name; NaN where there is none.
    pub(crate) fn extra(&self, name: &str) -> f64 {
        let found = self.extras.iter().find(|(key, _)| *key == name);
        found.map_or(f64::NAN, |&(_, value)| value)
    }

    /// Sets a goal for a number of this row.
    pub(crate) fn goal(&mut self, what: &'static str, value: Option<f64>, bound: Bound) {
        let value = value.unwrap_or(f64::NAN);
        self.goals.push(Goal { what, bound, value });
    }

    /// Sets a goal for an extra of this row.
    pub(crate) fn extra_goal(&mut self, name: &'static str, bound: Bound) {
        self.goal(name, Some(self.extra(name)), bound);
    }

    fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut set = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        set("work", self.work.into());
        set("who", self.who.as_str().into());
        set("seconds", self.seconds.into());
        set("per_second", self.per_second.into());
        set("item", self.item.into());
        set("ratio_to_peer", self.ratio_to_peer.into());
        set("ratio_to_limit", self.ratio_to_limit.into());
        for (name, value) in &self.extras {
            let key = name.replace('/', " per ").replace([' ', '.'], "_");
            set(&key, (*value).into());
        }
        let goals = self.goals.iter().map(Goal::to_json);
        set("goals", goals.collect());
        object.into()
    }
}

impl Goal {
    fn met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.value >= bound,
            Bound::AtMost(bound) => self.value <= bound,
            Bound::Below(bound) => self.value < bound,
        }
    }

    fn to_json(&self) -> Value {
        json!({ "goal": self.goal(), "value": self.value, "met": self.met() })
    }

    fn goal(&self) -> String {
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => ("≥", bound),
            Bound::AtMost(bound) => ("≤", bound),
            Bound::Below(bound) => ("<", bound),
        };
        format!("{} {sign} {bound}", self.what)
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.met() { "met" } else { "MISSED" };
        write!(f, "{verdict}: {}", self.goal())
    }
}

/// All that a verb measured.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// A report that begins now, on this machine.
    pub(crate) fn new() -> Self {
        Self {
            machine: Machine::here(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds the rows of a work.
    pub(crate) fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows.extend(rows);
    }

    /// Adds what a reader must know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "machine": self.machine.to_json(),
            "rows": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; medians", self.machine)?;
        for rows in self.rows.chunk_by(|a, b| a.work == b.work) {
            writeln!(f, "\n{}", rows[0].work)?;
            write_table(f, &cells(rows))?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "- {note}"))
    }
}

/// The heading and the rows; columns in which no row has a number are left out.
fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    type Column<'a> = (String, Box<dyn Fn(&Row) -> Option<f64> + 'a>);
    let mut columns: Vec<Column<'_>> = vec![
        ("seconds".to_owned(), Box::new(|row: &Row| row.seconds)),
        (
            format!("{}/s", rows[0].item),
            Box::new(|row: &Row| row.per_second),
        ),
        (
            format!("× {}", rows[0].peer.split(' ').next().unwrap_or_default()),
            Box::new(|row: &Row| row.ratio_to_peer),
        ),
        (
            "× limit".to_owned(),
            Box::new(|row: &Row| row.ratio_to_limit),
        ),
    ];
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.extras) {
        if !names.contains(name) {
            names.push(name);
            columns.push((
                (*name).to_owned(),
                Box::new(move |row: &Row| Some(row.extra(name)).filter(|value| !value.is_nan())),
            ));
        }
    }
    columns.retain(|(_, value)| rows.iter().any(|row| value(row).is_some()));

    let mut heading = vec![String::new()];
    heading.extend(columns.iter().map(|(name, _)| name.clone()));
    heading.push("goals".to_owned());
    let line = |row: &Row| {
        let mut line = vec![row.who.clone()];
        line.extend(
            columns
                .iter()
                .map(|(_, value)| value(row).map_or_else(|| "–".to_owned(), number)),
        );
        line.push(
            row.goals
                .iter()
                .map(Goal::to_string)
                .collect::<Vec<_>>()
                .join("; "),
        );
        line
    };
    std::iter::once(heading)
        .chain(rows.iter().map(line))
        .collect()
}

/// Three to four digits that count; thousands in groups.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.01 => format!("{value:.5}"),
        size if size < 1.0 => format!("{value:.3}"),
        size if size < 100.0 => format!("{value:.2}"),
        size if size < 1000.0 => format!("{value:.1}"),
        _ => grouped(value.round() as i64),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

/// Names and goals to the left, numbers to the right.
fn write_table(f: &mut fmt::Formatter<'_>, lines: &[Vec<String>]) -> fmt::Result {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    for line in lines {
        let mut text = String::new();
        for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            text += &match column {
                0 => format!("  {cell:<width$}"),
                last if last + 1 == columns => format!("  {cell}"),
                _ => format!("  {cell:>width$}"),
            };
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_count() {
        let texts = [
            0.0,
            0.001_234,
            0.456_7,
            45.678,
            456.78,
            1_234_567.8,
            -1234.0,
        ]
        .map(number);
        let expected = [
            "0",
            "0.00123",
            "0.457",
            "45.68",
            "456.8",
            "1,234,568",
            "-1,234",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_number_that_was_not_measured_meets_no_goal() {
        for bound in [Bound::AtLeast(0.0), Bound::AtMost(1.0), Bound::Below(1.0)] {
            let goal = Goal {
                what: "",
                bound,
                value: f64::NAN,
            };
            assert!(!goal.met());
        }
    }
}
