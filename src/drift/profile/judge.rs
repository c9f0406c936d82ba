//! Drift from profiles alone.

use std::collections::HashMap;

use super::{Categories, Feature, Profile, Values};
use crate::drift::Undefined;
use crate::drift::data::Counts;
use crate::drift::verdict::{Finding, Judged, Policy};

impl Policy {
    /// Judges the features that two profiles have in common, by name, in the order of the reference: with the verdicts
    /// of [`judge`](Self::judge) where both keep all values.
    ///
    /// Where one does not, the [`error`](Finding::error) of the effect is taken off it before it is said to matter.
    ///
    /// ```
    /// use modelpulse::drift::profile::{Field, Profile};
    /// use modelpulse::drift::verdict::{Policy, Verdict};
    ///
    /// let values = |shift: i32| (0..200).map(move |i| f64::from(i * 7919 % 200 + shift));
    /// let mut reference = Profile::new([Field::numbers("x")])?;
    /// reference.update_rows(&values(0).collect::<Vec<f64>>())?;
    /// let mut current = reference.fresh();
    /// current.update_rows(&values(40).collect::<Vec<f64>>())?;
    /// let judged = Policy::default().judge_profiles(&reference, &current);
    /// assert_eq!(judged[0].verdict, Verdict::Drift);
    /// assert!((judged[0].distribution.unwrap().effect - 0.2).abs() < 1e-12);
    /// # Ok::<(), modelpulse::drift::profile::ProfileError>(())
    /// ```
    #[must_use]
    pub fn judge_profiles(&self, reference: &Profile, current: &Profile) -> Vec<Judged> {
        let features = reference.features.iter();
        let judged = features.filter_map(|before| {
            let after = current.feature(before.name())?;
            Some(self.judge_feature(before, after))
        });
        self.together(judged.collect())
    }

    /// One of them, before any correction.
    fn judge_feature(&self, before: &Feature, after: &Feature) -> Judged {
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let counts = [before.count(), after.count()].map(size);
        let missing = [before.missing(), after.missing()].map(size);
        let other_type = before.field.kind != after.field.kind;
        let distribution = self.test_features(before, after);
        self.judged(before.name(), other_type, [counts, missing], distribution)
    }

    /// The test of a feature of two profiles, before any correction.
    ///
    /// # Errors
    ///
    /// As [`test`](Self::test).
    pub fn test_features(&self, before: &Feature, after: &Feature) -> Result<Finding, Undefined> {
        match (&before.values, &after.values) {
            (Values::Numbers(a), Values::Numbers(b)) => {
                self.test_numbers(&a.distribution(), &b.distribution())
            }
            (Values::Categories(a), Values::Categories(b)) => {
                let (counts, error) = a.against(b);
                let mut finding = self.test_counts(&counts)?;
                finding.error = error;
                Ok(finding)
            }
            _ => Err(Undefined::Categories),
        }
    }
}

impl Categories {
    /// The counts of all categories, in the order of their names, and by how much a distance of them may be off.
    ///
    /// Where one side does not tell all apart, only categories that both count are compared; the rest is one.
    #[must_use]
    pub fn against(&self, current: &Self) -> (Counts, f64) {
        let exact = self.is_exact() && current.is_exact();
        let mut both: HashMap<&str, [u64; 2]> = HashMap::new();
        for (name, &count) in &self.counts {
            both.entry(name).or_default()[0] = count;
        }
        for (name, &count) in &current.counts {
            both.entry(name).or_default()[1] = count;
        }
        if !exact {
            both.retain(|_, counts| counts.iter().all(|&count| count > 0));
        }
        let mut both: Vec<(&str, [u64; 2])> = both.into_iter().collect();
        both.sort_unstable();
        let mut sides = [0, 1].map(|side| {
            both.iter()
                .map(|(_, counts)| counts[side])
                .collect::<Vec<u64>>()
        });
        if exact {
            let [reference, current] = sides;
            return (Counts::new(reference, current), 0.0);
        }
        for (side, of) in [self, current].into_iter().enumerate() {
            let told: u64 = sides[side].iter().sum();
            sides[side].push(of.count - told);
        }
        // What is counted too low is in the rest: of each side that much may be elsewhere.
        let off = |of: &Self| of.others() as f64 / of.count.max(1) as f64;
        let [reference, current_counts] = sides;
        (
            Counts::new(reference, current_counts),
            off(self) + off(current),
        )
    }
}
