//! The reader of logs, beside its references, on damaged logs, and on logs that grow.

#[cfg(feature = "cli")]
mod commands;
#[cfg(feature = "cli")]
mod corpus;
mod grow;
mod inputs;
mod shrink;
#[path = "../../fuzz/targets.rs"]
mod targets;
