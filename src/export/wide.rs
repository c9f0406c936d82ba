//! The wide form of a log: one row a step, one column a tag, scalars only.
//!
//! What came at a step more than once, as after a restart, makes more rows of that step: nothing is left out.

use std::collections::HashMap;

use super::{Cell, Column, Kind, Table};
use crate::flow::{SinkError, Source};
use crate::replay::{Names, Point, Sorter};

/// Writes the scalars of `source` as rows of `run`, `step`, `wall_time` (of the row's first value) and a column for
/// each tag, by its name; sorted by run and step. Returns how many rows there are.
///
/// `table` makes the table when its columns are known, which is at the end of `source`. A tag by the name of one of
/// the first three columns has a `_` behind its name.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{export::{Format, wide_table}, log::{LogReader, Writer}};
/// let writer = Writer::create(dir.path())?;
/// writer.run("train").log_at("loss", 0, 1.5, 0.25);
/// writer.run("train").log_at("lr", 0, 2.5, 0.5);
/// writer.run("train").log_at("loss", 1, 3.5, 0.125);
/// writer.finish()?;
/// let mut bytes = Vec::new();
/// let rows = wide_table(&mut LogReader::open(dir.path())?, |columns| Format::Csv.table(columns, &mut bytes))?;
/// assert_eq!(rows, 2);
/// let text = "run,step,wall_time,loss,lr\ntrain,0,1.5,0.25,0.5\ntrain,1,3.5,0.125,\n";
/// assert_eq!(bytes, text.as_bytes());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// What `source` or the table fails with, or the file that holds what does not fit in memory.
pub fn wide_table<'w>(
    source: &mut dyn Source,
    table: impl FnOnce(&[Column]) -> Result<Box<dyn Table + 'w>, super::ExportError>,
) -> Result<u64, SinkError> {
    let (mut runs, mut tags, mut sorter) = (Names::default(), Names::default(), Sorter::default());
    while let Some(instant) = source.next_instant()? {
        for event in instant {
            if let Some(value) = event.value.number() {
                sorter.push(Point {
                    group: runs.number(&event.run),
                    part: 0,
                    step: event.step.as_i64(),
                    item: tags.number(&event.tag),
                    wall_time: event.wall_time,
                    value,
                })?;
            }
        }
    }
    const FIRST: [(&str, Kind); 3] = [
        ("run", Kind::Text),
        ("step", Kind::Integer),
        ("wall_time", Kind::Number),
    ];
    let tags = tags.sorted();
    let mut columns: Vec<_> = FIRST.map(|(name, kind)| Column::new(name, kind)).into();
    for (tag, _) in &tags {
        let mut name = tag.to_string();
        let taken = |name: &str| {
            FIRST.iter().any(|(first, _)| *first == name)
                || (name != tag.as_str() && tags.iter().any(|(tag, _)| tag.as_str() == name))
        };
        while taken(&name) {
            name.push('_');
        }
        columns.push(Column::new(name, Kind::Number));
    }
    let places: HashMap<u32, usize> = tags
        .iter()
        .map(|(_, tag)| *tag)
        .zip(FIRST.len()..)
        .collect();
    let mut table = table(&columns)?;
    let sorted = sorter.finish()?;
    let mut written = 0;
    // The points of one step, and rows that are filled with them.
    let mut step: Vec<Point> = Vec::new();
    for (run, number) in runs.sorted() {
        let mut points = sorted.part(number, 0);
        while let Some(point) = points.next()? {
            step.push(point);
            if points.peek()?.is_some_and(|next| next.step == point.step) {
                continue;
            }
            while !step.is_empty() {
                let first = step
                    .iter()
                    .min_by(|a, b| a.wall_time.total_cmp(&b.wall_time));
                let mut cells = vec![Cell::Empty; columns.len()];
                cells[0] = Cell::Text(run.as_str());
                cells[1] = Cell::Integer(point.step);
                cells[2] = first.map(|first| first.wall_time).into();
                // A tag's second value waits for the next row.
                step.retain(|point| match places.get(&point.item) {
                    Some(&place) if cells[place] == Cell::Empty => {
                        cells[place] = Cell::Number(point.value);
                        false
                    }
                    place => place.is_some(),
                });
                table.row(&cells)?;
                written += 1;
            }
        }
    }
    table.finish()?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Format;
    use crate::flow::Event;

    struct Given(Vec<Event>);

    impl Source for Given {
        fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
            let instant = std::mem::take(&mut self.0);
            Ok((!instant.is_empty()).then_some(instant))
        }
    }

    fn csv(events: Vec<Event>) -> String {
        let mut bytes = Vec::new();
        wide_table(&mut Given(events), |columns| {
            Format::Csv.table(columns, &mut bytes)
        })
        .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_step_that_came_twice_has_two_rows() {
        let event = |run, tag, step, time, value: f64| Event::new(run, tag, step, time, value);
        let text = csv(vec![
            event("b", "x", 1, 1.0, 1.0),
            event("a", "x", 1, 2.0, f64::NAN),
            event("b", "y", 1, 3.0, 3.0),
            event("b", "x", 1, 4.0, 4.0),
            event("b", "x", 0, 5.0, f64::INFINITY),
        ]);
        let expected =
            "run,step,wall_time,x,y\na,1,2.0,NaN,\nb,0,5.0,inf,\nb,1,1.0,1.0,3.0\nb,1,4.0,4.0,\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn no_two_columns_have_one_name() {
        let tags = ["step", "step_", "run"];
        let text = csv(tags.map(|tag| Event::new("r", tag, 0, 0.0, 1.0)).into());
        assert!(
            text.starts_with("run,step,wall_time,run_,step__,step_\n"),
            "{text}"
        );
    }
}
