//! What is kept, as bytes, and back.
//!
//! What is read is looked at as if anybody had written it: lengths are those of bytes that are there, counts add up.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::categories::Categories;
use super::field::{Field, Kind, Role};
use super::numbers::Numbers;
use super::sketch::{KEPT, Kept, Level, Sketch};
use super::{Feature, Profile, Values};
use crate::metrics::radix;
use crate::metrics::spread::Spread;

/// Bytes in the making.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn bytes(self) -> Vec<u8> {
        self.0
    }

    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn word(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    fn length(&mut self, value: usize) {
        self.0.extend((value as u32).to_le_bytes());
    }

    fn float(&mut self, value: f64) {
        self.word(value.to_bits());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend(text.as_bytes());
    }

    pub(super) fn profile(&mut self, profile: &Profile) {
        self.word(profile.rows);
        self.length(profile.notes.len());
        for (name, note) in &profile.notes {
            self.text(name);
            self.text(note);
        }
        self.length(profile.features.len());
        for feature in &profile.features {
            self.text(&feature.field.name);
            self.byte(feature.field.kind as u8);
            self.byte(feature.field.role as u8);
            match &feature.values {
                Values::Numbers(numbers) => self.numbers(numbers),
                Values::Categories(categories) => self.categories(categories),
            }
        }
    }

    fn numbers(&mut self, numbers: &Numbers) {
        self.word(numbers.missing);
        numbers.infinite.iter().for_each(|&count| self.word(count));
        let (least, most) = numbers.ends.unwrap_or((f64::NAN, f64::NAN));
        self.float(least);
        self.float(most);
        let (count, sums) = numbers.spread.parts();
        self.word(count);
        for (low, limbs, special) in sums {
            self.byte(low as u8);
            self.length(limbs.len());
            limbs.iter().for_each(|&limb| self.word(limb as u64));
            self.float(special);
        }
        let mut sketch = numbers.sketch.clone();
        sketch.settle();
        match sketch.kept() {
            Kept::All(all) => {
                self.byte(0);
                self.length(all.len());
                for &(key, count) in all {
                    self.float(radix::number(key));
                    self.word(count);
                }
            }
            Kept::Levels(levels) => {
                self.byte(1);
                self.length(levels.len());
                for level in levels {
                    self.word(level.above);
                    self.word(level.below);
                    self.length(level.keys.len());
                    let keys = level.keys.iter();
                    keys.for_each(|&key| self.float(radix::number(key)));
                }
            }
        }
    }

    fn categories(&mut self, categories: &Categories) {
        self.word(categories.missing);
        self.word(categories.count);
        self.word(categories.lost);
        self.length(categories.counts.len());
        for (name, count) in categories.iter() {
            self.text(name);
            self.word(count);
        }
    }
}

/// Bytes that are left.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn byte(&mut self) -> Option<u8> {
        self.chunk().map(|[byte]| byte)
    }

    fn word(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    fn float(&mut self) -> Option<f64> {
        self.word().map(f64::from_bits)
    }

    /// How many there are, of which each has so many bytes at least.
    fn length(&mut self, bytes: usize) -> Option<usize> {
        let length = u32::from_le_bytes(self.chunk()?) as usize;
        (length <= self.0.len() / bytes).then_some(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.length(1)?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    /// All of it is a profile.
    pub(super) fn profile(mut self) -> Option<Profile> {
        let rows = self.word()?;
        let mut notes = BTreeMap::new();
        for _ in 0..self.length(8)? {
            notes.insert(self.text()?.to_owned(), self.text()?.to_owned());
        }
        let mut features = Vec::new();
        let mut names = HashSet::new();
        for _ in 0..self.length(6)? {
            let name = self.text()?;
            let kind = *Kind::ALL.get(usize::from(self.byte()?))?;
            let role = *Role::ALL.get(usize::from(self.byte()?))?;
            let values = if kind.is_numbers() {
                Values::Numbers(Box::new(self.numbers()?))
            } else {
                Values::Categories(Box::new(self.categories()?))
            };
            let field = Field::new(name, kind).with_role(role);
            let feature = Feature { field, values };
            let counted = feature.count().checked_add(feature.missing());
            if counted != Some(rows) || !names.insert(name) {
                return None;
            }
            features.push(feature);
        }
        self.0.is_empty().then_some(Profile {
            rows,
            features,
            notes,
        })
    }

    fn numbers(&mut self) -> Option<Numbers> {
        let missing = self.word()?;
        let infinite = [self.word()?, self.word()?];
        let (least, most) = (self.float()?, self.float()?);
        let count = self.word()?;
        let spread = Spread::of_parts(count, [self.sum()?, self.sum()?])?;
        let count = infinite
            .iter()
            .try_fold(count, |sum, &it| sum.checked_add(it))?;
        let ends = match count {
            0 => None,
            _ if least <= most => Some((least, most)),
            _ => return None,
        };
        let sketch = Sketch::of(match self.byte()? {
            0 => self.all()?,
            1 => self.levels()?,
            _ => return None,
        });
        let counts = sketch.counts();
        let rising = counts.is_sorted_by(|a, b| a.0 < b.0);
        let kept = counts
            .iter()
            .try_fold(0_u64, |sum, &(_, count)| sum.checked_add(count));
        (rising && kept == Some(count)).then_some(Numbers {
            missing,
            infinite,
            ends,
            spread,
            sketch,
        })
    }

    fn sum(&mut self) -> Option<(usize, Vec<i64>, f64)> {
        let low = usize::from(self.byte()?);
        let length = self.length(8)?;
        let limbs: Option<Vec<i64>> = (0..length).map(|_| Some(self.word()? as i64)).collect();
        Some((low, limbs?, self.float()?))
    }

    fn key(&mut self) -> Option<u64> {
        let value = self.float().filter(|value| !value.is_nan())?;
        Some(radix::key(value + 0.0))
    }

    fn all(&mut self) -> Option<Kept> {
        let length = self.length(16).filter(|&length| length <= KEPT)?;
        let all: Option<Vec<(u64, u64)>> = (0..length)
            .map(|_| Some((self.key()?, self.word()?)))
            .collect();
        Some(Kept::All(all?))
    }

    fn levels(&mut self) -> Option<Kept> {
        let length = self.length(20).filter(|&length| length <= 64)?;
        let levels: Option<Vec<Level>> = (0..length)
            .map(|_| {
                let (above, below) = (self.word()?, self.word()?);
                let length = self.length(8).filter(|&length| length < KEPT)?;
                let keys: Option<Vec<u64>> = (0..length).map(|_| self.key()).collect();
                Some(Level {
                    keys: keys?,
                    above,
                    below,
                })
            })
            .collect();
        Some(Kept::Levels(levels?))
    }

    fn categories(&mut self) -> Option<Categories> {
        let missing = self.word()?;
        let count = self.word()?;
        let lost = self.word()?;
        let length = self.length(12)?;
        let mut counts = HashMap::with_capacity(length);
        let (mut counted, mut bytes) = (0_u64, 0);
        for _ in 0..length {
            let name = self.text()?;
            let times = self.word()?;
            counted = counted.checked_add(times)?;
            bytes += name.len();
            if counts.insert(name.to_owned(), times).is_some() {
                return None;
            }
        }
        let told_apart = lost > 0 || counted == count;
        (counted <= count && told_apart).then_some(Categories {
            missing,
            count,
            counts,
            bytes,
            lost,
        })
    }
}
