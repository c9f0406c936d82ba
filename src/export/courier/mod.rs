//! The thread that carries letters to one receiver over HTTP, whatever they are: alerts, samples.
//!
//! Whoever has something to be sent never waits for the network: the lock is not held while a letter is on its way.

mod rest;
mod route;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prost::bytes::Bytes;

pub(super) use self::route::{Route, address};

use self::rest::Rests;
use self::route::Answer;

/// At most, once there is no more time.
const LAST_REST: Duration = Duration::from_millis(200);

/// What a receiver is still to be sent.
pub(super) trait Outbox: Send + 'static {
    /// What it holds, in the plural.
    const THINGS: &'static str;
    /// So long the first news waits for others of its instant.
    const GATHER: Duration;

    /// When there will be something to send, if nothing happens before.
    fn due(&self, now: Instant) -> Option<Instant>;

    /// How many things were not sent.
    fn waiting(&self) -> u64;

    /// What is to be sent now; the same again until it is settled, or better.
    fn letter(&mut self, now: Instant) -> Bytes;

    /// The letter has arrived, or is not wanted; says how many things it held.
    fn settle(&mut self, now: Instant) -> u64;
}

/// What became of the things so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Letters that were taken, and the things in them.
    pub(super) letters: u64,
    pub(super) delivered: u64,
    /// Tries that failed.
    pub(super) failures: u64,
    pub(super) dropped: u64,
    pub(super) waiting: u64,
    /// What is wrong now.
    pub(super) problem: Option<String>,
}

#[derive(Debug)]
pub(super) struct Courier<O: Outbox> {
    shared: Arc<Shared<O>>,
    patience: Duration,
}

#[derive(Debug)]
struct Shared<O> {
    route: Route,
    state: Mutex<State<O>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<O> {
    outbox: O,
    tally: Tally,
    /// Since when there is news.
    news: Option<Instant>,
    /// Until when there is time, once the end has come.
    ending: Option<Instant>,
    /// Whether it was said that there is no more room.
    full: bool,
    gone: bool,
}

/// A rest behind a failure.
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Instant,
    /// Whether the receiver wants it.
    asked: bool,
}

impl<O: Outbox> Courier<O> {
    /// Starts the thread: an answer may take `timeout`, what is left at the end `patience`.
    pub(super) fn start(
        route: Route,
        outbox: O,
        timeout: Duration,
        patience: Duration,
    ) -> std::io::Result<Self> {
        let state = State {
            outbox,
            tally: Tally::default(),
            news: None,
            ending: None,
            full: false,
            gone: false,
        };
        let shared = Arc::new(Shared {
            route,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let own = shared.clone();
        let agent = Route::agent(timeout);
        std::thread::Builder::new()
            .name(format!("modelpulse-{}", O::THINGS))
            .spawn(move || own.run(|letter| own.route.send(&agent, letter)))?;
        Ok(Self { shared, patience })
    }

    /// Puts something into the outbox; `add` says how many things there was no room for.
    pub(super) fn tell(&self, add: impl FnOnce(&mut O) -> u64) {
        let mut state = self.shared.state();
        let dropped = add(&mut state.outbox);
        state.news.get_or_insert_with(Instant::now);
        if dropped > 0 {
            state.tally.dropped += dropped;
            if !std::mem::replace(&mut state.full, true) {
                let things = O::THINGS;
                self.shared.route.say(format_args!(
                    "too many {things} wait; {dropped} are dropped, and more until it takes them"
                ));
            }
        }
        self.shared.changed.notify_all();
    }

    /// What became of the things so far, whenever it is asked.
    pub(super) fn tally(&self) -> impl Fn() -> Tally + Send + Sync + use<O> {
        let shared = self.shared.clone();
        move || {
            let state = shared.state();
            Tally {
                waiting: state.outbox.waiting(),
                ..state.tally.clone()
            }
        }
    }

    pub(super) fn route(&self) -> &Route {
        &self.shared.route
    }

    /// Sends what is left, and nothing more, from now on.
    pub(super) fn end(&self) {
        let mut state = self.shared.state();
        if state.ending.is_none() {
            state.ending = Some(Instant::now() + self.patience);
            self.shared.changed.notify_all();
        }
    }

    /// Waits until everything is sent, or there is no more time; what is left is dropped.
    pub(super) fn wait(&self) {
        let mut state = self.shared.state();
        let Some(deadline) = state.ending else { return };
        // The thread says itself that it is gone; one that waits for an answer does not end in time.
        while !state.gone {
            let now = Instant::now();
            if now >= deadline {
                self.shared.give_up(&mut state);
                return;
            }
            let wait = self.shared.changed.wait_timeout(state, deadline - now);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<O: Outbox> Drop for Courier<O> {
    fn drop(&mut self) {
        self.end();
        self.wait();
    }
}

impl<O: Outbox> Shared<O> {
    fn state(&self) -> MutexGuard<'_, State<O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is no more time: says once what could not be sent.
    fn give_up(&self, state: &mut State<O>) {
        let waiting = state.outbox.waiting();
        if !std::mem::replace(&mut state.gone, true) && waiting > 0 {
            let things = O::THINGS;
            self.route
                .say(format_args!("{waiting} {things} could not be sent"));
        }
        self.changed.notify_all();
    }

    fn run(&self, send: impl Fn(&[u8]) -> Answer) {
        let things = O::THINGS;
        let (mut rests, mut rest) = (Rests::new(), None);
        let mut state = self.state();
        while let Some(letter) = {
            let (next, letter) = self.next(state, rest);
            state = next;
            letter
        } {
            drop(state);
            let answer = send(&letter);
            state = self.state();
            rest = None;
            let now = Instant::now();
            match answer {
                Answer::Taken(refused, why) => {
                    let count = state.outbox.settle(now);
                    let refused = refused.min(count);
                    state.tally.letters += 1;
                    state.tally.delivered += count - refused;
                    state.full = false;
                    rests.reset();
                    let problem = match refused {
                        0 => None,
                        _ => Some(format!("it refused {refused} of {count} {things}: {why}")),
                    };
                    state.tally.dropped += refused;
                    self.note(&mut state, problem, "");
                }
                Answer::Refused(problem) => {
                    let count = state.outbox.settle(now);
                    state.tally.failures += 1;
                    state.tally.dropped += count;
                    let more = format!("; {count} {things} are dropped");
                    self.note(&mut state, Some(problem), &more);
                }
                Answer::Failed(problem, asked) => {
                    state.tally.failures += 1;
                    let more = format!("; {things} wait until it takes them");
                    self.note(&mut state, Some(problem), &more);
                    let own = rests.next();
                    rest = Some(Rest {
                        until: now + asked.map_or(own, |asked| asked.max(own)),
                        asked: asked.is_some(),
                    });
                }
            }
        }
        self.give_up(&mut state);
    }

    /// Takes note of what is wrong, and says it if that is news.
    fn note(&self, state: &mut State<O>, problem: Option<String>, more: &str) {
        if let (Some(problem), None) = (&problem, &state.tally.problem) {
            self.route.say(format_args!("{problem}{more}"));
        }
        state.tally.problem = problem;
    }

    /// Waits for what is to be sent; nothing at the end.
    fn next<'a>(
        &self,
        mut state: MutexGuard<'a, State<O>>,
        rest: Option<Rest>,
    ) -> (MutexGuard<'a, State<O>>, Option<Bytes>) {
        let began = Instant::now();
        loop {
            let now = Instant::now();
            let Some(due) = state.outbox.due(now) else {
                if state.ending.is_some() {
                    return (state, None);
                }
                // Nothing to send until there is news.
                state.news = None;
                let wait = self.changed.wait(state);
                state = wait.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let until = match (rest, state.ending) {
                (None, _) => due,
                (Some(rest), Some(deadline)) if rest.asked && rest.until > deadline => {
                    return (state, None);
                }
                (Some(rest), Some(_)) if !rest.asked => rest.until.min(began + LAST_REST),
                (Some(rest), _) => rest.until,
            };
            let mut at = due.max(until);
            if let Some(deadline) = state.ending {
                if now >= deadline || state.outbox.waiting() == 0 {
                    return (state, None);
                }
            } else if let Some(news) = state.news {
                at = at.max(news + O::GATHER);
            }
            if at <= now {
                state.news = None;
                let letter = state.outbox.letter(now);
                return (state, Some(letter));
            }
            let at = state.ending.map_or(at, |deadline| at.min(deadline));
            let wait = self.changed.wait_timeout(state, at - now);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
