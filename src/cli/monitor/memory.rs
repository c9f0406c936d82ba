//! How a process that runs for months asks for memory.
//!
//! With glibc, each thread takes its memory from one of many arenas, and each of them keeps the most that was ever needed of it:
//! what a request needs, once for every thread that a request ever came to. With two, a monitor under load stayed at
//! 51 MB for minutes, where it grew to 61 MB and on without this (`tests/soak.sh`).
#![allow(
    unsafe_code,
    reason = "the switch of the C library has no safe form; measured above"
)]

/// Has all threads share two arenas, where the C library has them. Called before there are threads.
pub(super) fn share_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call takes two numbers, and changes nothing that memory handed out before depends on. Where it fails, all
    // is as it was.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}
