//! Texts: Markdown, a table from rows, and strings of any shape as a tensor.

use modelpulse::log::Writer;
use modelpulse::summary::{Tensor, Text};

use crate::support::{Board, series};

pub const RUN: &str = "notes";
const NOTE: &str = "note";
pub const TABLE: &str = "table";
pub const HEADING: &str = "Epoch 0";
const TENSOR: &str = "tensor";
/// Cells of the table, which the page shows too.
pub const CELLS: [[&str; 2]; 2] = [["fc1.weight", "64 | 10"], ["fc1.bias", "10"]];

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    run.log(
        NOTE,
        0,
        Text::new("# Epoch 0\nLoss is *falling*, `lr` is kept: 3 < 4 & ü.\n\n- one\n- two\n"),
    );
    run.log(
        NOTE,
        7,
        Text::new("<script>alert(1)</script> **after** [a link](https://example.org)"),
    );
    run.log(TABLE, 0, Text::table(&["name", "shape"], &CELLS));
    let strings = Tensor::new("text", &[2, 2], &["a", "*b*", "c", "d"]).unwrap();
    run.log(TENSOR, 0, strings);
}

pub fn is_answered(board: &Board) {
    let of = |tag, steps| -> Vec<(u64, String)> {
        let entries = series(board, "text", "text", RUN, tag, steps);
        let entry = entries.iter().map(|entry| {
            let html = entry["text"].as_str().unwrap();
            (entry["step"].as_u64().unwrap(), html.to_owned())
        });
        entry.collect()
    };
    let notes = of(NOTE, 2);
    let first = "<h1>Epoch 0</h1>\n<p>Loss is <em>falling</em>, <code>lr</code> is kept: 3 &lt; 4 &amp; ü.</p>\n\
        <ul>\n<li>one</li>\n<li>two</li>\n</ul>";
    assert_eq!(notes[0], (0, first.to_owned()));
    let (step, second) = &notes[1];
    assert_eq!(*step, 7);
    assert!(
        second.contains("<strong>after</strong>") && !second.contains("<script>"),
        "{second}"
    );
    let table = "<table>\n<thead>\n<tr>\n<th>name</th>\n<th>shape</th>\n</tr>\n</thead>\n<tbody>\n\
        <tr>\n<td>fc1.weight</td>\n<td>64 | 10</td>\n</tr>\n<tr>\n<td>fc1.bias</td>\n<td>10</td>\n</tr>\n\
        </tbody>\n</table>";
    assert_eq!(of(TABLE, 1), [(0, table.to_owned())]);
    let tensor = "<table>\n<tbody>\n<tr>\n<td><p>a</p></td>\n<td><p><em>b</em></p></td>\n</tr>\n\
        <tr>\n<td><p>c</p></td>\n<td><p>d</p></td>\n</tr>\n</tbody>\n</table>";
    assert_eq!(of(TENSOR, 1), [(0, tensor.to_owned())]);
    let tags = board.get("/data/plugin/text/tags");
    let mut tags: Vec<&str> = tags[RUN]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tag| tag.as_str())
        .collect();
    tags.sort_unstable();
    assert_eq!(tags, [NOTE, TABLE, TENSOR]);
}
