//! The hooks of a loop, and what came of calling them.
//!
//! Whatever a hook does, fail or panic, the other hooks are called; only [`OnError::Abort`] ends the loop.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{HookFailure, OnError};
use crate::flow::panic_message;
use crate::summary::Text;
use crate::train::{Control, Hook, HookError, Needs, Session, State};

/// Where a loop is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Epochs that ended: the number of the one that runs or comes.
    pub(super) epoch: usize,
    /// Steps that ended, over all epochs.
    pub(super) step: usize,
}

/// Hooks in the order of their calls.
#[derive(Default)]
pub(super) struct Hooks {
    hooks: Vec<Box<dyn Hook>>,
    pub(super) on_error: OnError,
    pub(super) at: Place,
    pub(super) session: Option<Session>,
    /// Why the loop is to stop.
    pub(super) stop: Option<String>,
    pub(super) failures: Vec<HookFailure>,
    /// The failure that ends the loop.
    pub(super) abort: Option<HookFailure>,
}

/// What a hook says at a point.
type Answer = Result<Control, HookError>;

/// Stands in the place of a hook that is not called again, which is dropped with the loop.
struct Disabled {
    name: String,
    _hook: Box<dyn Hook>,
}

impl Hook for Disabled {
    fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.hooks.iter().map(|hook| hook.name());
        f.debug_list().entries(names).finish()
    }
}

impl Hooks {
    pub(super) fn push(&mut self, hook: Box<dyn Hook>) {
        self.hooks.push(hook);
    }

    /// What all hooks together need, as `each` says.
    #[inline]
    pub(super) fn needs(&mut self, each: impl Fn(&dyn Hook) -> Needs) -> Needs {
        let mut all = Needs::NOTHING;
        self.each("needs", |_, hook| {
            all = all | each(hook);
            Ok(Control::Continue)
        });
        all
    }

    /// What a checkpoint keeps of the hooks.
    pub(super) fn state(&mut self) -> State {
        let mut all = State::new();
        let mut seen = Vec::new();
        self.each("state", |_, hook| {
            all.nest(&key(&mut seen, hook), hook.state());
            Ok(Control::Continue)
        });
        all
    }

    /// Gives each hook what a checkpoint kept of it; one that the checkpoint does not know begins anew.
    pub(super) fn load(&mut self, state: &State) {
        let mut seen = Vec::new();
        self.each("load_state", |_, hook| {
            let state = state.under(&key(&mut seen, hook));
            if !state.is_empty() {
                hook.load_state(&state)?;
            }
            Ok(Control::Continue)
        });
    }

    /// Calls each hook, of which it is told the index, at a point.
    ///
    /// A hook that does not just have the loop go on leaves the inner loop, which so holds nothing but the calls.
    #[inline]
    pub(super) fn each(
        &mut self,
        point: &'static str,
        mut call: impl FnMut(usize, &mut dyn Hook) -> Answer,
    ) {
        let mut next = 0;
        loop {
            let called = catch_unwind(AssertUnwindSafe(|| {
                for hook in &mut self.hooks[next..] {
                    let index = next;
                    next += 1;
                    match call(index, hook.as_mut()) {
                        Ok(Control::Continue) => {}
                        other => return Some(other),
                    }
                }
                None
            }));
            if matches!(called, Ok(None)) {
                return;
            }
            self.answered(next - 1, point, called);
        }
    }

    /// The hook `index` does not just have the loop go on.
    #[cold]
    fn answered(
        &mut self,
        index: usize,
        point: &'static str,
        called: std::thread::Result<Option<Answer>>,
    ) {
        match called {
            Ok(None | Some(Ok(Control::Continue))) => {}
            Ok(Some(Ok(Control::Stop(reason)))) => {
                self.stop.get_or_insert(reason);
            }
            Ok(Some(Err(error))) => {
                let said = catch_unwind(AssertUnwindSafe(move || error.to_string()));
                let said = said.unwrap_or_else(|panic| panic_message(&*panic));
                self.failed(index, point, said);
            }
            Err(panic) => self.failed(index, point, panic_message(&*panic)),
        }
    }

    /// What the hook `index` asked for, or did, failed.
    #[cold]
    pub(super) fn failed(&mut self, index: usize, point: &'static str, message: String) {
        let hook = catch_unwind(AssertUnwindSafe(|| self.hooks[index].name().to_owned()));
        let hook = hook.unwrap_or_else(|_| format!("hook {index}"));
        if self.on_error != OnError::Warn {
            let disabled = Disabled {
                name: hook.clone(),
                _hook: self.hooks.remove(index),
            };
            self.hooks.insert(index, Box::new(disabled));
        }
        let mut known = self.failures.iter_mut();
        if let Some(known) = known.find(|known| known.hook == hook && known.point == point) {
            known.count += 1;
            return;
        }
        let Place { epoch, step } = self.at;
        let failure = HookFailure {
            hook,
            point,
            epoch,
            step,
            message,
            count: 1,
        };
        if let Some(session) = &self.session {
            let tag = format!("hooks/{}", failure.hook);
            let text = Text::new(format!("{failure}{}", self.on_error.consequence()));
            session.run(".").log(&tag, epoch, text);
        }
        if self.on_error == OnError::Abort && self.abort.is_none() {
            self.stop.get_or_insert(failure.to_string());
            self.abort = Some(failure.clone());
        }
        self.failures.push(failure);
    }
}

impl OnError {
    fn consequence(self) -> &'static str {
        match self {
            Self::Warn => "; it is called again",
            Self::Disable => "; it is not called again",
            Self::Abort => "; the loop ends",
        }
    }
}

/// A hook's name in a checkpoint: hooks of one name are told apart by their order.
fn key(seen: &mut Vec<String>, hook: &dyn Hook) -> String {
    let name = hook.name().to_owned();
    let earlier = seen.iter().filter(|&other| *other == name).count();
    let key = format!("{name}.{earlier}");
    seen.push(name);
    key
}

impl Drop for Hooks {
    /// A hook that panics when it is dropped takes no other with it.
    fn drop(&mut self) {
        for hook in self.hooks.drain(..) {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(hook)));
        }
    }
}
