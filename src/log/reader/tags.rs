//! The tags of a file, numbered in the order in which they came.

use std::collections::HashMap;

use super::wire::Unusual;

/// Numbers tags. Loops log in the same order again and again, so each tag is first compared with the one
/// that came behind the last one before.
#[derive(Debug, Default)]
pub(super) struct Tags {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<[u8]>, usize>,
    /// Which tag came behind each.
    successors: Vec<usize>,
    last: usize,
}

impl Tags {
    /// The number of a tag; a new one if it has none.
    #[inline]
    pub(super) fn number(&mut self, tag: &[u8]) -> Result<usize, Unusual> {
        let guess = self.successors.get(self.last).copied().unwrap_or(0);
        if let Some(name) = self.names.get(guess)
            && is_same(name.as_bytes(), tag)
        {
            self.last = guess;
            return Ok(guess);
        }
        self.look_up(tag)
    }

    fn look_up(&mut self, tag: &[u8]) -> Result<usize, Unusual> {
        let number = match self.numbers.get(tag) {
            Some(&number) => number,
            None => {
                let name = std::str::from_utf8(tag).map_err(|_| Unusual)?;
                let number = self.names.len();
                self.names.push(name.into());
                self.numbers.insert(tag.into(), number);
                self.successors.push(0);
                number
            }
        };
        if let Some(successor) = self.successors.get_mut(self.last) {
            *successor = number;
        }
        self.last = number;
        Ok(number)
    }

    /// The number of a tag that has one.
    pub(super) fn find(&self, tag: &str) -> Option<usize> {
        self.numbers.get(tag.as_bytes()).copied()
    }

    /// The tags in the order of their numbers.
    pub(super) fn names(&self) -> &[Box<str>] {
        &self.names
    }
}

/// Whether two names are the same; they are short, and a call that compares takes longer than the comparing.
#[inline(always)]
fn is_same(ours: &[u8], theirs: &[u8]) -> bool {
    let ((ours, our_rest), (theirs, their_rest)) = (ours.as_chunks::<8>(), theirs.as_chunks::<8>());
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    ours.len() == theirs.len()
        && our_rest.len() == their_rest.len()
        && ours.iter().zip(theirs).all(|(a, b)| word(a) == word(b))
        && our_rest.iter().zip(their_rest).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_keep_their_numbers_in_any_order() {
        let mut tags = Tags::default();
        let mut number = |tag: &str| tags.number(tag.as_bytes()).unwrap();
        let numbers = ["a", "b", "a", "b", "", "b", "a", "", "c"].map(&mut number);
        assert_eq!(numbers, [0, 1, 0, 1, 2, 1, 0, 2, 3]);
        for len in 0..20 {
            let tag = vec![b'x'; len];
            assert!(is_same(&tag, &tag.clone()) && !is_same(&tag, &[&tag[..], b"x"].concat()));
            for at in 0..len {
                let mut other = tag.clone();
                other[at] = b'y';
                assert!(!is_same(&tag, &other));
            }
        }
        assert_eq!(tags.number(b"\xff"), Err(Unusual));
        assert_eq!(tags.find("c"), Some(3));
        assert_eq!(tags.names().len(), 4);
    }
}
