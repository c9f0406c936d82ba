//! The metrics beside what other programs say: reference cases, real tables, and what must hold for any data.
//!
//! `reference_*` walk every case of the files of `MODELPULSE_REFERENCE` (default `tests/reference`) and dispatch on the
//! names in them; a name that is not known fails the test. Where modelpulse differs on purpose, [`support::Check`] says
//! the case and the reason.

mod binary;
mod covered;
mod merge;
mod multiclass;
mod multilabel;
mod properties;
mod regression;
mod support;
mod tables;
mod torchmetrics;
