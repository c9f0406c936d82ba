//! The `modelpulse` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    count_cores_once();
    modelpulse::cli::main()
}

/// Tells candle how many threads it takes on this machine. Where nothing says so it counts the cores at each product of
/// matrices, in a file of the system that grows with them: more work than the products of a small model.
fn count_cores_once() {
    let threads = candle_core::utils::get_num_threads();
    // SAFETY: no thread runs yet that could read the environment meanwhile.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", threads.to_string()) };
}
