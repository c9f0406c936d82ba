//! Every kind of value, through a real TensorBoard: what its routes answer, with both of its loaders, and what its
//! page shows in a browser.
//!
//! A kind is one file: what is logged, and what TensorBoard must make of that. `tests/run` installs what is needed.
#![cfg(all(feature = "candle", feature = "figures", feature = "media"))]

mod audio;
mod browser;
mod figures;
mod graphs;
mod histograms;
mod hparams;
mod images;
mod meshes;
mod pages;
mod pr_curves;
mod projector;
mod scalars;
mod support;
mod text;

use std::path::Path;

use modelpulse::log::Writer;
use support::{Board, Loader};
use tempfile::TempDir;

/// A kind: its name, what is logged of it, and what TensorBoard's routes must answer.
type Kind = (&'static str, fn(&Writer), fn(&Board));

const KINDS: [Kind; 11] = [
    ("scalars", scalars::log, scalars::are_answered),
    ("histograms", histograms::log, histograms::are_answered),
    ("images", images::log, images::are_answered),
    ("figures", figures::log, figures::are_answered),
    ("audio", audio::log, audio::is_answered),
    ("text", text::log, text::is_answered),
    ("PR curves", pr_curves::log, pr_curves::are_answered),
    ("meshes", meshes::log, meshes::are_answered),
    ("hyperparameters", hparams::log, hparams::are_answered),
    ("projector", projector::log, projector::is_answered),
    ("graphs", graphs::log, graphs::are_answered),
];

/// A log of all kinds.
fn log() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::create(dir.path()).unwrap();
    for (_, log, _) in KINDS {
        log(&writer);
    }
    let report = writer.finish().unwrap();
    assert_eq!((report.dropped, report.failures), (0, 0), "{report:?}");
    dir
}

fn board(log: &Path, loader: Loader) -> Board {
    let runs = [
        scalars::RUN,
        histograms::RUN,
        images::RUN,
        figures::RUN,
        audio::RUN,
        text::RUN,
        pr_curves::RUN,
        meshes::RUN,
        graphs::RUN,
        projector::RUN,
    ];
    Board::start(log, loader, &runs)
}

/// Asks for all kinds at once, one thread a kind; says which are answered wrongly.
#[track_caller]
fn assert_answered(board: &Board) {
    let wrong: Vec<&str> = std::thread::scope(|scope| {
        let ask = |(name, _, are_answered): Kind| {
            let thread = std::thread::Builder::new().name(name.to_owned());
            (
                name,
                thread
                    .spawn_scoped(scope, move || are_answered(board))
                    .unwrap(),
            )
        };
        let asked = KINDS.map(ask).into_iter();
        let failed = asked.filter_map(|(name, thread)| thread.join().err().map(|_| name));
        failed.collect()
    });
    assert!(wrong.is_empty(), "answered wrongly: {wrong:?}");
}

#[test]
fn the_data_server_answers_what_was_logged() {
    let log = log();
    assert_answered(&board(log.path(), Loader::Fast));
}

#[test]
fn the_python_loader_answers_what_was_logged() {
    let log = log();
    assert_answered(&board(log.path(), Loader::Slow));
}
