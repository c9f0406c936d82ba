//! The hooks of a loop, and what came of calling them.
//!
//! Whatever a hook does, fail or panic, the other hooks are called; only [`OnError::Abort`] ends the loop.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{HookFailure, OnError};
use crate::flow::panic_message;
use crate::summary::Text;
use crate::train::hook::Asks;
use crate::train::{Control, Hook, HookError, Needs, Session, State};

/// Where a loop is: what failures are reported with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) epoch: usize,
    pub(super) step: usize,
}

/// Hooks in the order of their calls.
#[derive(Default)]
pub(super) struct Hooks {
    entries: Vec<Entry>,
    pub(super) on_error: OnError,
    pub(super) session: Option<Session>,
    /// Why the loop is to stop.
    pub(super) stop: Option<String>,
    pub(super) failures: Vec<HookFailure>,
    /// The failure that ends the loop.
    pub(super) abort: Option<HookFailure>,
}

struct Entry {
    hook: Box<dyn Hook>,
    alive: bool,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.entries.iter().map(|entry| entry.hook.name());
        f.debug_list().entries(names).finish()
    }
}

impl Hooks {
    pub(super) fn push(&mut self, hook: Box<dyn Hook>) {
        self.entries.push(Entry { hook, alive: true });
    }

    /// What all hooks together need, as `each` says.
    #[inline]
    pub(super) fn needs(&mut self, at: Place, each: impl Fn(&dyn Hook) -> Needs) -> Needs {
        let mut all = Needs::NOTHING;
        self.each("needs", at, |_, hook| {
            all = all | each(hook);
            Ok(Control::Continue)
        });
        all
    }

    /// Calls each hook at a point; `asks` learns which one asks.
    #[inline]
    pub(super) fn call(
        &mut self,
        asks: &Asks,
        point: &'static str,
        at: Place,
        call: impl Fn(&mut dyn Hook) -> Result<Control, HookError>,
    ) {
        self.each(point, at, |index, hook| {
            asks.caller.set(index);
            call(hook)
        });
    }

    /// What a checkpoint keeps of the hooks.
    pub(super) fn state(&mut self, at: Place) -> State {
        let mut all = State::new();
        let mut seen = Vec::new();
        self.each("state", at, |_, hook| {
            all.nest(&key(&mut seen, hook), hook.state());
            Ok(Control::Continue)
        });
        all
    }

    /// Gives each hook what a checkpoint kept of it; one that the checkpoint does not know begins anew.
    pub(super) fn load(&mut self, at: Place, state: &State) {
        let mut seen = Vec::new();
        self.each("load_state", at, |_, hook| {
            let state = state.under(&key(&mut seen, hook));
            if !state.is_empty() {
                hook.load_state(&state)?;
            }
            Ok(Control::Continue)
        });
    }

    #[inline]
    fn each(
        &mut self,
        point: &'static str,
        at: Place,
        mut call: impl FnMut(usize, &mut dyn Hook) -> Result<Control, HookError>,
    ) {
        let mut next = 0;
        while next < self.entries.len() {
            let Self { entries, stop, .. } = self;
            let called = catch_unwind(AssertUnwindSafe(|| {
                while let Some(entry) = entries.get_mut(next) {
                    let index = next;
                    next += 1;
                    if !entry.alive {
                        continue;
                    }
                    match call(index, entry.hook.as_mut()) {
                        Ok(Control::Continue) => {}
                        Ok(Control::Stop(reason)) => {
                            stop.get_or_insert(reason);
                        }
                        Err(error) => return Err(error.to_string()),
                    }
                }
                Ok(())
            }));
            match called {
                Ok(Ok(())) => {}
                Ok(Err(message)) => self.failed(next - 1, point, at, message),
                Err(panic) => self.failed(next - 1, point, at, panic_message(&*panic)),
            }
        }
    }

    /// What the hook `index` asked for, or did, failed.
    #[cold]
    pub(super) fn failed(&mut self, index: usize, point: &'static str, at: Place, message: String) {
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        entry.alive = self.on_error == OnError::Warn;
        let hook = catch_unwind(AssertUnwindSafe(|| entry.hook.name().to_owned()));
        let hook = hook.unwrap_or_else(|_| format!("hook {index}"));
        let mut known = self.failures.iter_mut();
        if let Some(known) = known.find(|known| known.hook == hook && known.point == point) {
            known.count += 1;
            return;
        }
        let Place { epoch, step } = at;
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
        for entry in self.entries.drain(..) {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(entry)));
        }
    }
}
