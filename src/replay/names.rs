//! Names as numbers, so that a point is small.

use std::collections::HashMap;
use std::hash::Hash;

/// Gives each name the number of names before it.
#[derive(Debug)]
pub(crate) struct Names<N> {
    names: Vec<N>,
    numbers: HashMap<N, u32>,
}

impl<N> Default for Names<N> {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<N: Clone + Eq + Hash + Ord> Names<N> {
    /// The number of a name.
    pub(crate) fn number(&mut self, name: &N) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.clone());
        self.numbers.insert(name.clone(), number);
        number
    }

    /// All names with their numbers, sorted by name.
    pub(crate) fn sorted(&self) -> Vec<(&N, u32)> {
        let mut sorted: Vec<_> = self.names.iter().zip(0..).collect();
        sorted.sort();
        sorted
    }
}
