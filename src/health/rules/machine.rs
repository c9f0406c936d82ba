//! The life of an alert: inactive, pending, firing, and back.
//!
//! The transitions are those of Prometheus (`rules/alerting.go`, 2.42): a condition that holds for
//! less than `for` is pending; what fires stays so for `keep_firing_for` behind its last cause.

/// Where an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum State {
    /// Its condition does not hold.
    #[default]
    Inactive,
    /// Its condition holds, but not yet for long enough.
    Pending,
    /// It is to be seen to.
    Firing,
}

impl State {
    /// The state's name as Prometheus writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    state: State,
    /// Since when the condition holds.
    active_since: i64,
    /// Since when it does not any more, while the alert still fires.
    kept_since: Option<i64>,
}

impl Machine {
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Moves on to `now`, at which the condition holds or not; durations are of the same clock.
    pub(super) fn advance(&mut self, now: i64, holds: bool, hold_for: i64, keep_firing_for: i64) {
        if holds {
            self.kept_since = None;
            if self.state == State::Inactive {
                self.state = State::Pending;
                self.active_since = now;
            }
            if self.state == State::Pending && now.saturating_sub(self.active_since) >= hold_for {
                self.state = State::Firing;
            }
            return;
        }
        if self.state == State::Firing && keep_firing_for > 0 {
            let since = *self.kept_since.get_or_insert(now);
            if now.saturating_sub(since) < keep_firing_for {
                return;
            }
        }
        *self = Self::default();
    }

    /// The clock went back to `now`: the series was resumed.
    pub(super) fn rewind(&mut self, now: i64) {
        self.active_since = self.active_since.min(now);
        self.kept_since = self.kept_since.map(|since| since.min(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::{Firing as F, Inactive as I, Pending as P};

    fn states(holds: &[bool], hold_for: i64, keep: i64) -> Vec<State> {
        let mut machine = Machine::default();
        let each = holds.iter().enumerate().map(|(now, &holds)| {
            machine.advance(now as i64, holds, hold_for, keep);
            machine.state()
        });
        each.collect()
    }

    #[test]
    fn what_holds_long_enough_fires_and_is_kept() {
        let holds = [true, true, true, false, true, false, false, false, false];
        assert_eq!(states(&holds, 0, 0), [F, F, F, I, F, I, I, I, I]);
        assert_eq!(states(&holds, 2, 0), [P, P, F, I, P, I, I, I, I]);
        assert_eq!(states(&holds, 2, 2), [P, P, F, F, F, F, F, I, I]);
    }
}
