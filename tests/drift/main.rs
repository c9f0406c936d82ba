//! Drift beside what other programs say, and what must hold for any data.
//!
//! `reference_*` walk every case of the files of `MODELPULSE_REFERENCE` (default `tests/reference`) and dispatch on the
//! names in them; a name that is not known fails the test. Where modelpulse differs on purpose, [`support::Check`] says
//! the case and the reason.
#![cfg(feature = "drift")]

mod categorical;
mod chunks;
mod concept;
mod evidently;
mod extreme;
mod multivariate;
mod numeric;
mod performance;
mod power;
mod profiles;
mod real;
mod snapshots;
#[cfg(feature = "datasets")]
mod stream;

mod support;
mod tested;
mod verdicts;
