//! The names and signatures of the crate `tensorboard-rs`, so that code written for it logs through us.
//!
//! Change the `use` line and nothing else: `tensorboard_rs::summary_writer::SummaryWriter` becomes
//! `modelpulse::compat::summary_writer::SummaryWriter`, and where graphs are drawn `tensorboard_proto` and
//! `RepeatedField` become [`proto`] and `Vec`. What that crate leaves unimplemented works here. A call that
//! cannot log says so in one line on standard error and never panics.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path();
//! use modelpulse::compat::summary_writer::SummaryWriter;
//!
//! let mut writer = SummaryWriter::new(logdir);
//! for step in 0..100 {
//!     writer.add_scalar("loss", 1.0 / (step + 1) as f32, step);
//! }
//! writer.flush();
//! # Ok::<(), std::io::Error>(())
//! ```

mod exchange;
pub mod proto;
pub mod summary_writer;
