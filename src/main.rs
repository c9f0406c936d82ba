//! The `modelpulse` program.

fn main() -> std::process::ExitCode {
    modelpulse::cli::main()
}
