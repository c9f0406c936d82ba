//! The profile of a feature of categories.

use std::collections::HashMap;

/// So many categories are told apart, and so many bytes their names may have.
pub(super) const CATEGORIES: usize = 8192;
pub(super) const BYTES: usize = 1 << 20;

/// How often each category is there: exactly as long as there are no more than 8192 of them, with names of a MiB
/// together.
///
/// Beyond, the rare ones are no longer told apart, and of the others it is known how often they are there at most too
/// few times (J. Misra and D. Gries, 1982, doi 10.1016/0167-6423(82)90012-0; that such counts can be merged: P. K.
/// Agarwal et al., 2012, doi 10.1145/2213556.2213562).
///
/// ```
/// use modelpulse::drift::{Column, profile::{Field, Profile}};
///
/// let mut profile = Profile::new([Field::categories("country")])?;
/// profile.update(&[Column::Categories(&[Some("fr"), None, Some("de"), Some("fr")])])?;
/// let countries = profile.features()[0].categories().unwrap();
/// assert_eq!((countries.count(), countries.missing(), countries.of("fr")), (3, 1, 2));
/// assert!(countries.is_exact());
/// # Ok::<(), modelpulse::drift::profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Categories {
    pub(super) missing: u64,
    /// How many values are there.
    pub(super) count: u64,
    pub(super) counts: HashMap<String, u64>,
    /// The bytes of their names.
    pub(super) bytes: usize,
    /// How often a category may be there at most more than it is counted.
    pub(super) lost: u64,
}

impl Categories {
    pub(super) fn take<'a>(&mut self, names: impl IntoIterator<Item = Option<&'a str>>) {
        for name in names {
            let Some(name) = name else {
                self.missing += 1;
                continue;
            };
            self.count += 1;
            if let Some(count) = self.counts.get_mut(name) {
                *count += 1;
            } else {
                self.bytes += name.len();
                self.counts.insert(name.to_owned(), 1);
                self.bound();
            }
        }
    }

    fn bound(&mut self) {
        if self.counts.len() > CATEGORIES || self.bytes > BYTES {
            self.prune();
        }
    }

    /// Leaves at most half of what there is room for, so that it is rarely done.
    fn prune(&mut self) {
        let mut all: Vec<(String, u64)> = self.counts.drain().collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut bytes = 0;
        let fits = |(at, (name, _)): (usize, &(String, u64))| {
            bytes += name.len();
            at >= CATEGORIES / 2 || bytes > BYTES / 2
        };
        // Of as many as one more that are taken together, one of each goes for each other.
        let Some(first) = all.iter().enumerate().position(fits) else {
            self.counts.extend(all);
            return;
        };
        let less = all[first].1;
        self.lost += less;
        let kept = all.into_iter().take(first);
        self.counts = kept
            .filter(|(_, count)| *count > less)
            .map(|(name, count)| (name, count - less))
            .collect();
        self.bytes = self.counts.keys().map(String::len).sum();
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.missing += other.missing;
        self.count += other.count;
        self.lost += other.lost;
        for (name, count) in &other.counts {
            if let Some(ours) = self.counts.get_mut(name) {
                *ours += count;
            } else {
                self.bytes += name.len();
                self.counts.insert(name.clone(), *count);
            }
        }
        self.bound();
    }

    /// How many values are there.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many are missing.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// How often a category is there, at least; at most [`lost`](Self::lost) times more.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// How often any category may be there more than it is counted.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether all are told apart.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.lost == 0
    }

    /// How many values are of categories that are not told apart.
    #[must_use]
    pub fn others(&self) -> u64 {
        self.count.saturating_sub(self.counts.values().sum())
    }

    /// The categories that are told apart, the most frequent first.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        let mut all: Vec<(&str, u64)> = self
            .counts
            .iter()
            .map(|(name, &count)| (&name[..], count))
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.into_iter()
    }
}
