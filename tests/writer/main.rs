//! The writer's faults, done for real: processes killed, disks filled, directories removed; and what
//! TensorBoard's two loaders make of the logs.
//!
//! Needs Linux, root (a small tmpfs is mounted, remounted and unmounted) and a Python that has TensorBoard:
//! `tests/run` installs that. `std::process::exit` and `abort` run no destructor, so what was logged less
//! than a flush interval before them is lost unless `flush` or `finish` was called; nothing here tests them.
#![cfg(target_os = "linux")]

mod children;
mod descriptors;
mod disk;
mod ending;
mod foreign;
mod kill;
mod overflow;
mod ranks;
mod refused;
mod resume;
mod rotation;
mod second;
#[cfg(feature = "signals")]
mod signals;
mod sink;
mod support;
mod threads;
