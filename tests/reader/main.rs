//! The reader of logs, beside its references, on damaged logs, and on logs that grow.

#[cfg(feature = "cli")]
mod corpus;
