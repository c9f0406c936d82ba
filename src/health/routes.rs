//! What each series of a log feeds: alerts, detectors.
//!
//! A log has many series and rules speak of few: that a series concerns nobody is known at a glance, by where its
//! names lie in memory, which a reader and a session keep for as long as they name the series.

use std::collections::HashMap;

use crate::flow::Event;
use crate::types::{RunName, Tag};

/// Which route a series has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RouteId(usize);

impl RouteId {
    /// That of all series that concern nobody. None that has it ever begins to concern somebody.
    const IDLE: Self = Self(usize::MAX);
}

/// So many series are known at a glance.
const GLANCES: usize = 1024;
/// In so many places behind one another a series is looked for.
const NEIGHBOURS: usize = 8;

/// The route of each series that occurred with a number: what it feeds.
#[derive(Debug)]
pub(super) struct Routes<R> {
    routes: Vec<R>,
    by_name: HashMap<RunName, HashMap<Tag, RouteId>>,
    /// Series, each in the place that its names' addresses give, or soon behind it.
    glances: Vec<Option<Glance>>,
}

/// A series that is known by where its names lie. That these are held keeps the addresses theirs.
#[derive(Debug, Clone)]
struct Glance {
    run: RunName,
    tag: Tag,
    id: RouteId,
}

impl Glance {
    #[inline]
    fn is_of(&self, run: &RunName, tag: &Tag) -> bool {
        address(self.run.as_str()) == address(run.as_str())
            && address(self.tag.as_str()) == address(tag.as_str())
    }
}

impl<R> Routes<R> {
    pub(super) fn new() -> Self {
        Self {
            routes: Vec::new(),
            by_name: HashMap::new(),
            glances: Vec::new(),
        }
    }

    /// What a series feeds that concerns somebody.
    pub(super) fn get(&self, id: RouteId) -> Option<&R> {
        self.routes.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: RouteId) -> Option<&mut R> {
        self.routes.get_mut(id.0)
    }

    /// What all series feed that concern somebody.
    #[cfg(feature = "drift")]
    pub(super) fn iter(&self) -> impl Iterator<Item = &R> {
        self.routes.iter()
    }

    /// Whether it is known that nobody is concerned.
    #[inline]
    pub(super) fn is_idle(&mut self, event: &Event) -> bool {
        self.find(&event.run, &event.tag) == Some(RouteId::IDLE)
    }

    /// The route of a series that occurred before.
    #[inline]
    pub(super) fn find(&mut self, run: &RunName, tag: &Tag) -> Option<RouteId> {
        match self.glances.get(place(run, tag) % GLANCES) {
            Some(Some(glance)) if glance.is_of(run, tag) => Some(glance.id),
            _ => self.find_behind(run, tag),
        }
    }

    /// The same where another series may have the first place.
    #[inline(never)]
    fn find_behind(&mut self, run: &RunName, tag: &Tag) -> Option<RouteId> {
        let first = place(run, tag);
        for place in first..first + NEIGHBOURS {
            match self.glances.get(place % GLANCES) {
                Some(Some(glance)) if glance.is_of(run, tag) => return Some(glance.id),
                Some(Some(_)) => {}
                _ => return self.look_up(run, tag, place % GLANCES),
            }
        }
        self.look_up(run, tag, first % GLANCES)
    }

    /// The same by name, remembered in `place`.
    fn look_up(&mut self, run: &RunName, tag: &Tag, place: usize) -> Option<RouteId> {
        let id = self.named(run.as_str(), tag.as_str())?;
        self.glances.resize(GLANCES, None);
        self.glances[place] = Some(Glance {
            run: run.clone(),
            tag: tag.clone(),
            id,
        });
        Some(id)
    }

    pub(super) fn named(&self, run: &str, tag: &str) -> Option<RouteId> {
        self.by_name.get(run)?.get(tag).copied()
    }

    /// Lays the route of a series that occurs for the first time; there is none where it concerns nobody.
    pub(super) fn lay(&mut self, run: &RunName, tag: &Tag, route: Option<R>) -> RouteId {
        let id = match route {
            None => RouteId::IDLE,
            Some(route) => {
                self.routes.push(route);
                RouteId(self.routes.len() - 1)
            }
        };
        let tags = self.by_name.entry(run.clone()).or_default();
        tags.insert(tag.clone(), id);
        id
    }
}

#[inline]
fn place(run: &RunName, tag: &Tag) -> usize {
    (address(run.as_str()) >> 4) ^ (address(tag.as_str()) >> 4)
}

/// Where a name lies: clones of it lie there too, and nothing else while one is held.
#[inline]
fn address(name: &str) -> usize {
    name.as_ptr().addr()
}
