//! Data drift of one feature: tests and distances between two samples.

pub mod ks;
