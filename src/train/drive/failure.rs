//! What becomes of a hook that fails, and of the loop that called it.

/// What becomes of a hook that fails or panics, and of the loop.
///
/// ```
/// use modelpulse::train::OnError;
/// assert_eq!(OnError::default(), OnError::Disable);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnError {
    /// It is called again at the next point; the loop goes on.
    Warn,
    /// It is not called again; the loop goes on.
    #[default]
    Disable,
    /// The loop ends, and fails with what the hook failed with.
    Abort,
}

/// What a hook failed with, at one point of the loop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{hook} failed in {point} of epoch {epoch}, step {step}: {message}")]
#[non_exhaustive]
pub struct HookFailure {
    /// The hook's [name](crate::train::Hook::name).
    pub hook: String,
    /// The method that failed.
    pub point: &'static str,
    /// The epoch in which it failed first, counted from 0.
    pub epoch: usize,
    /// The global step at which it failed first, counted from 0.
    pub step: usize,
    /// What it said then, or how it panicked.
    pub message: String,
    /// How often it failed there.
    pub count: usize,
}
