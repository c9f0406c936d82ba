//! Which alerts each series of a log concerns.
//!
//! A log has many series and rules speak of few: that a series concerns nobody is known at a glance, by where its
//! names lie in memory, which a reader and a session keep for as long as they name the series.

use std::collections::HashMap;

use crate::types::{RunName, Tag};

/// What a series feeds.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// The instances that it is the series of.
    pub(super) own: Vec<usize>,
    /// Where it is kept as the second series of gaps.
    pub(super) other: Option<usize>,
    /// The instances that take it for that.
    pub(super) other_of: Vec<usize>,
}

impl Route {
    fn is_idle(&self) -> bool {
        self.own.is_empty() && self.other.is_none() && self.other_of.is_empty()
    }
}

/// So many series that concern nobody are known at a glance.
const GLANCES: usize = 1024;
/// In so many places behind one another a series is looked for.
const NEIGHBOURS: usize = 8;

/// The route of each series that occurred with a number.
#[derive(Debug, Default)]
pub(super) struct Routes {
    by_name: HashMap<RunName, HashMap<Tag, Route>>,
    /// Series that concern nobody, each in the place that its names' addresses give. That these are held keeps the
    /// addresses theirs.
    idle: Vec<Option<(RunName, Tag)>>,
}

impl Routes {
    pub(super) fn get(
        &self,
        run: &(impl AsRef<str> + ?Sized),
        tag: &(impl AsRef<str> + ?Sized),
    ) -> Option<&Route> {
        self.by_name.get(run.as_ref())?.get(tag.as_ref())
    }

    pub(super) fn get_mut(&mut self, run: &str, tag: &str) -> Option<&mut Route> {
        self.by_name.get_mut(run)?.get_mut(tag)
    }

    pub(super) fn lay(&mut self, run: &RunName, tag: &Tag, route: Route) {
        let tags = self.by_name.entry(run.clone()).or_default();
        tags.insert(tag.clone(), route);
    }

    /// Whether it is known that the series concerns nobody. No series that is idle begins to concern somebody.
    pub(super) fn is_idle(&mut self, run: &RunName, tag: &Tag) -> bool {
        let at = (address(run.as_str()), address(tag.as_str()));
        let place = (at.0 >> 4) ^ (at.1 >> 4);
        let mut free = place % GLANCES;
        for place in place..place + NEIGHBOURS {
            let place = place % GLANCES;
            match self.idle.get(place) {
                Some(Some((run, tag))) if (address(run.as_str()), address(tag.as_str())) == at => {
                    return true;
                }
                Some(Some(_)) => {}
                _ => {
                    free = place;
                    break;
                }
            }
        }
        let is_idle = self.get(run, tag).is_some_and(Route::is_idle);
        if is_idle {
            self.idle.resize(GLANCES, None);
            self.idle[free] = Some((run.clone(), tag.clone()));
        }
        is_idle
    }
}

/// Where a name lies: clones of it lie there too, and nothing else while one is held.
fn address(name: &str) -> usize {
    name.as_ptr().addr()
}
