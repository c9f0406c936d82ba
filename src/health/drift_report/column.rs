//! A column of both sides: what is said of it, and why.

use std::collections::BTreeMap;

use super::load::{Held, Names};
use super::{Column, CompatScore, DriftCheck, Histogram, Quality, Summary};
use crate::drift::data::{Counts, Distribution, Sample};
use crate::drift::profile::{self, Field};
use crate::drift::verdict::Finding;
use crate::drift::{Method, Undefined};

impl DriftCheck {
    fn method_of(&self, column: &str) -> Option<(Method, Option<f64>)> {
        let own = self.methods.get(&Some(column.to_owned()));
        own.or_else(|| self.methods.get(&None)).copied()
    }

    fn numbers(
        &self,
        name: &str,
        a: &impl Distribution,
        b: &impl Distribution,
    ) -> Result<Finding, Undefined> {
        let found = match self.method_of(name) {
            Some((method, _)) => self.policy.test_numbers_by(method, a, b),
            None => self.policy.test_numbers(a, b),
        };
        found.map(|finding| self.limited(name, finding))
    }

    fn counts(&self, name: &str, counts: &Counts) -> Result<Finding, Undefined> {
        let found = match self.method_of(name) {
            Some((method, _)) => self.policy.test_counts_by(method, counts),
            None => self.policy.test_counts(counts),
        };
        found.map(|finding| self.limited(name, finding))
    }

    /// With the threshold that was asked for.
    fn limited(&self, name: &str, mut finding: Finding) -> Finding {
        if let Some((_, Some(threshold))) = self.method_of(name)
            && finding.threshold.is_some()
        {
            finding.threshold = Some(threshold);
        }
        finding
    }

    fn compat_of(&self, name: &str, before: &Held, after: &Held) -> Option<CompatScore> {
        let asked = self.evidently.get(&Some(name.to_owned()));
        let asked = asked.or_else(|| self.evidently.get(&None)).copied();
        Some(self.compat?.score(before, after, asked))
    }

    pub(super) fn compare_held(&self, fields: [Field; 2], before: &Held, after: &Held) -> Column {
        let name = fields[0].name().to_owned();
        let compat = self.compat_of(&name, before, after);
        let mut column = match (before, after) {
            (Held::Numbers(a), Held::Numbers(b)) => {
                self.column_of_numbers(fields, &Sample::new(a), &Sample::new(b))
            }
            (Held::Names(a), Held::Names(b)) => {
                let all = together(a, b);
                let counts = counts_of(&all);
                let missing = [a.missing(), b.missing()];
                let found = self.counts(&name, &counts);
                self.column_of_names(fields, all, [0; 2], missing, found, true)
            }
            // Another type: numbers on one side, names on the other.
            (Held::Numbers(a), Held::Names(b)) => {
                let a = Sample::new(a);
                let none = Sample::new(&[]);
                let sizes = [
                    [a.len(), b.iter().flatten().count()],
                    [a.missing(), b.missing()],
                ];
                self.of_two_types(fields, Histogram::of_numbers(&a, &none), sizes)
            }
            (Held::Names(a), Held::Numbers(b)) => {
                let b = Sample::new(b);
                let none = Sample::new(&[]);
                let sizes = [
                    [a.iter().flatten().count(), b.len()],
                    [a.missing(), b.missing()],
                ];
                self.of_two_types(fields, Histogram::of_numbers(&none, &b), sizes)
            }
        };
        column.compat = compat;
        column
    }

    pub(super) fn compare_kept(
        &self,
        before: &profile::Feature,
        after: &profile::Feature,
    ) -> Column {
        let fields = [before.field().clone(), after.field().clone()];
        if let (Some(a), Some(b)) = (before.numbers(), after.numbers()) {
            let mut column = self.column_of_numbers(fields, &a.distribution(), &b.distribution());
            column.quality.infinite = [a, b].map(|side| side.infinite().iter().sum());
            return column;
        }
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let missing = [before.missing(), after.missing()].map(size);
        if let (Some(a), Some(b)) = (before.categories(), after.categories()) {
            let (counts, error) = a.against(b);
            let found = self.counts(before.name(), &counts);
            let found = found.map(|mut finding| {
                finding.error = error;
                finding
            });
            let mut all: BTreeMap<String, [u64; 2]> = BTreeMap::new();
            for (side, of) in [a, b].into_iter().enumerate() {
                for (name, count) in of.iter() {
                    all.entry(name.to_owned()).or_default()[side] = count;
                }
            }
            let others = [a.others(), b.others()];
            let all = all.into_iter().collect();
            return self.column_of_names(fields, all, others, missing, found, a.is_exact());
        }
        let counts = [before.count(), after.count()].map(size);
        let none = Histogram::of_names(Vec::new(), [0; 2]);
        self.of_two_types(fields, none, [counts, missing])
    }

    fn of_two_types(
        &self,
        fields: [Field; 2],
        histogram: Histogram,
        sizes: [[usize; 2]; 2],
    ) -> Column {
        let judged = self
            .policy
            .judged(fields[0].name(), true, sizes, Err(Undefined::Categories));
        Column {
            fields,
            judged,
            compat: None,
            summaries: [None, None],
            quality: Quality::default(),
            histogram,
        }
    }

    fn column_of_numbers(
        &self,
        fields: [Field; 2],
        a: &impl Distribution,
        b: &impl Distribution,
    ) -> Column {
        let name = fields[0].name();
        let sizes = [[a.len(), b.len()], [a.missing(), b.missing()]];
        let other_type = fields[0].kind() != fields[1].kind();
        let judged = self
            .policy
            .judged(name, other_type, sizes, self.numbers(name, a, b));
        let out_of_range = a.ends().filter(|_| !b.is_empty()).map(|(least, most)| {
            let outside = b.below(least) + (b.len() - b.upto(most));
            outside as f64 / b.len() as f64
        });
        let constant = |ends: Option<(f64, f64)>| ends.is_some_and(|(least, most)| least == most);
        let quality = Quality {
            out_of_range,
            constant: [constant(a.ends()), constant(b.ends())],
            infinite: [infinite(a), infinite(b)],
            ..Quality::default()
        };
        Column {
            judged,
            compat: None,
            summaries: [Some(Summary::of(a)), Some(Summary::of(b))],
            quality,
            histogram: Histogram::of_numbers(a, b),
            fields,
        }
    }

    fn column_of_names(
        &self,
        fields: [Field; 2],
        all: Vec<(String, [u64; 2])>,
        others: [u64; 2],
        missing: [usize; 2],
        found: Result<Finding, Undefined>,
        exact: bool,
    ) -> Column {
        let counts = [0, 1].map(|side| {
            let counted: u64 = all.iter().map(|(_, counts)| counts[side]).sum();
            usize::try_from(counted + others[side]).unwrap_or(usize::MAX)
        });
        let other_type = fields[0].kind() != fields[1].kind();
        let judged = self
            .policy
            .judged(fields[0].name(), other_type, [counts, missing], found);
        let mut new: Vec<(&str, u64)> = all
            .iter()
            .filter(|(_, counts)| counts[0] == 0)
            .map(|(name, counts)| (name.as_str(), counts[1]))
            .collect();
        new.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let unseen = new.iter().map(|(_, count)| count).sum::<u64>() + others[1];
        let kinds = |side: usize| all.iter().filter(|(_, counts)| counts[side] > 0).count();
        let quality = Quality {
            unseen: (exact && counts[1] > 0).then(|| unseen as f64 / counts[1] as f64),
            new_categories: match exact {
                true => new
                    .iter()
                    .take(10)
                    .map(|(name, _)| (*name).to_owned())
                    .collect(),
                false => Vec::new(),
            },
            constant: [0, 1].map(|side| kinds(side) == 1 && others[side] == 0),
            ..Quality::default()
        };
        Column {
            fields,
            judged,
            compat: None,
            summaries: [None, None],
            quality,
            histogram: Histogram::of_names(all, others),
        }
    }
}

fn infinite(distribution: &impl Distribution) -> u64 {
    let below = distribution.upto(f64::NEG_INFINITY);
    let above = distribution.len() - distribution.below(f64::INFINITY);
    (below + above) as u64
}

/// All names of both, in order, with how often each is there.
fn together(a: &Names, b: &Names) -> Vec<(String, [u64; 2])> {
    let mut all: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for (side, names) in [a, b].into_iter().enumerate() {
        for (name, count) in names.names.iter().zip(names.counts()) {
            all.entry(name).or_default()[side] = count;
        }
    }
    all.into_iter()
        .map(|(name, counts)| (name.to_owned(), counts))
        .collect()
}

fn counts_of(all: &[(String, [u64; 2])]) -> Counts {
    let side = |side: usize| all.iter().map(|(_, counts)| counts[side]).collect();
    Counts::new(side(0), side(1))
}
