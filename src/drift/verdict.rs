//! Verdicts that can be believed: a test that has its level, an effect that matters, and all features at once.

use std::ops::ControlFlow;

use super::data::sample::{Sample, steps};
use super::data::{Categories, Counts, Distribution, Test, anderson_darling, ks};
use super::{Column, Method, Undefined, parallel};
use crate::metrics::significance::discovery_levels;

/// A feature on both sides.
///
/// ```
/// use modelpulse::drift::{Column, verdict::Feature};
///
/// let feature = Feature::new("age", Column::Numbers(&[31.0, 44.0]), Column::Numbers(&[29.0]));
/// assert_eq!(feature.name, "age");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Feature<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it was.
    pub reference: Column<'a>,
    /// What it is.
    pub current: Column<'a>,
}

impl<'a> Feature<'a> {
    /// A feature.
    #[must_use]
    pub fn new(name: &'a str, reference: Column<'a>, current: Column<'a>) -> Self {
        Self {
            name,
            reference,
            current,
        }
    }
}

/// How features are judged.
///
/// A feature has drifted if a test says that chance does not explain it, *and* the effect is as large as matters. Over
/// all features, the share of false ones among those that are said to have drifted is held at `level` (Y. Benjamini and
/// Y. Hochberg, 1995, doi 10.1111/j.2517-6161.1995.tb02031.x); where nothing has drifted, that is the chance of any.
///
/// The test follows from the type of a feature, how many kinds of values it has, and how many on both sides, and none
/// of these choices makes a jump: where one test gives way to another, both say the same.
///
/// | values | test | effect |
/// |---|---|---|
/// | numbers of more than 10 kinds | Anderson–Darling | largest distance of the distribution functions |
/// | two kinds, up to 10,000 values | Fisher's exact test | difference of shares |
/// | other kinds | χ² of two samples; kinds too rare for it are taken together | total variation distance |
/// | missing or not | as two kinds | difference of shares |
///
/// ```
/// use modelpulse::drift::{Column, verdict::{Feature, Policy, Verdict}};
///
/// let before: Vec<f64> = (0..400).map(|i| f64::from(i * 7919 % 400)).collect();
/// let after: Vec<f64> = before.iter().step_by(2).map(|value| value + 80.0).collect();
/// let same: Vec<f64> = before.iter().step_by(2).copied().collect();
/// let report = Policy::default().judge(&[
///     Feature::new("moved", Column::Numbers(&before), Column::Numbers(&after)),
///     Feature::new("same", Column::Numbers(&before), Column::Numbers(&same)),
///     Feature::new("few", Column::Numbers(&before), Column::Numbers(&after[..5])),
/// ]);
/// let verdicts: Vec<Verdict> = report.iter().map(|feature| feature.verdict).collect();
/// assert_eq!(verdicts, [Verdict::Drift, Verdict::NoDrift, Verdict::NotEnoughData]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The level of the tests over all features.
    pub level: f64,
    /// Below so many values on a side nothing is said.
    pub min_values: usize,
    /// The least effect on the distribution that matters, of 0..=1.
    pub min_effect: f64,
    /// The least difference of missing rates that matters, of 0..=1.
    pub min_missing: f64,
}

impl Default for Policy {
    /// A level of 0.05; 30 values; effects of 0.05 on the distribution and of 0.02 on the missing rate.
    ///
    /// An effect of 0.05 is, for a normal feature, a shift by an eighth of its standard deviation.
    fn default() -> Self {
        Self {
            level: 0.05,
            min_values: 30,
            min_effect: 0.05,
            min_missing: 0.02,
        }
    }
}

/// What is said of a feature.
///
/// ```
/// use modelpulse::drift::verdict::Verdict;
/// assert_eq!(Verdict::NotEnoughData.to_string(), "not enough data");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It has changed.
    Drift,
    /// No change that matters is seen.
    NoDrift,
    /// A side has too few values, or too many kinds of them, to say so.
    NotEnoughData,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Drift => "drift",
            Self::NoDrift => "no drift",
            Self::NotEnoughData => "not enough data",
        })
    }
}

/// The test that was chosen.
///
/// ```
/// use modelpulse::drift::verdict::Chosen;
/// assert_eq!(Chosen::ChiSquared.to_string(), "χ²");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Chosen {
    /// Anderson–Darling of two samples.
    AndersonDarling,
    /// χ² of two samples.
    ChiSquared,
    /// Fisher's exact test.
    Fisher,
    /// One that was asked for.
    Asked(Method),
}

impl std::fmt::Display for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let method = match self {
            Self::AndersonDarling => Method::AndersonDarling,
            Self::ChiSquared => Method::ChiSquared,
            Self::Fisher => Method::Fisher,
            Self::Asked(method) => *method,
        };
        method.fmt(f)
    }
}

/// What a test found.
///
/// ```
/// use modelpulse::drift::{Column, verdict::{Chosen, Policy}};
///
/// let values: Vec<f64> = (0..40).map(f64::from).collect();
/// let column = Column::Numbers(&values);
/// let finding = Policy::default().test(&column, &column).unwrap();
/// assert_eq!((finding.test, finding.effect), (Chosen::AndersonDarling, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The test.
    pub test: Chosen,
    /// Its statistic.
    pub statistic: f64,
    /// Its p-value; NaN of a distance.
    pub p_value: f64,
    /// The p-value that holds over all features.
    pub adjusted: f64,
    /// From which statistic on a distance is drift; none of a test.
    pub threshold: Option<f64>,
    /// How large the change is, of 0..=1.
    pub effect: f64,
    /// By how much the effect may be off: more than 0 where a [profile](super::profile) does not keep all values.
    pub error: f64,
}

impl Finding {
    pub(super) fn new(test: Chosen, Test { statistic, p_value }: Test, effect: f64) -> Self {
        Self {
            test,
            statistic,
            p_value,
            adjusted: p_value,
            effect,
            threshold: None,
            error: 0.0,
        }
    }

    pub(super) fn of_distance(method: Method, distance: f64, effect: f64, error: f64) -> Self {
        let test = Test {
            statistic: distance,
            p_value: f64::NAN,
        };
        Self {
            threshold: method.threshold(),
            error,
            ..Self::new(Chosen::Asked(method), test, effect)
        }
    }
}

/// What is said of a feature, and why.
///
/// ```
/// use modelpulse::drift::{Column, verdict::{Feature, Policy, Verdict}};
///
/// let whole: Vec<f64> = (0..200).map(f64::from).collect();
/// let holes: Vec<f64> = whole.iter().map(|&v| if v % 4.0 == 0.0 { f64::NAN } else { v }).collect();
/// let feature = Feature::new("income", Column::Numbers(&whole), Column::Numbers(&holes));
/// let judged = &Policy::default().judge(&[feature])[0];
/// assert_eq!((judged.verdict, judged.distribution_drifted, judged.missing_drifted), (Verdict::Drift, false, true));
/// assert_eq!(judged.missing_rates, [0.0, 0.25]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Judged {
    /// The feature.
    pub name: String,
    /// What is said.
    pub verdict: Verdict,
    /// Whether the distribution of its values has changed.
    pub distribution_drifted: bool,
    /// Whether its missing rate has changed.
    pub missing_drifted: bool,
    /// Whether numbers have become categories, or categories numbers: that is drift without a test.
    pub type_changed: bool,
    /// What was found of its distribution, or why nothing was.
    pub distribution: Result<Finding, Undefined>,
    /// What was found of its missing values; none where none is missing.
    pub missing: Option<Finding>,
    /// The share of missing values on either side; NaN of none.
    pub missing_rates: [f64; 2],
    /// How many values are there on either side.
    pub counts: [usize; 2],
}

impl Policy {
    /// Judges all features together; large ones are measured on all cores.
    #[must_use]
    pub fn judge(&self, features: &[Feature<'_>]) -> Vec<Judged> {
        let values = |column: &Column<'_>| column.present() + column.missing();
        let largest = features.iter().map(|feature| values(&feature.reference));
        let judged = if features.len() > 1 && largest.max() >= Some(ON_ALL_CORES) {
            let jobs: Vec<(Feature<'_>, u32)> = features.iter().map(|&it| (it, 1)).collect();
            let measure = |feature: &Feature<'_>, _| self.measure(feature);
            let done = parallel::run(&jobs, |_| u64::MAX, measure, &|_, _| {
                ControlFlow::Continue(())
            });
            done.into_iter().map(|(_, judged)| judged).collect()
        } else {
            features
                .iter()
                .map(|feature| self.measure(feature))
                .collect()
        };
        self.together(judged)
    }

    /// Judges together what was [found](Self::judged) of features.
    #[must_use]
    pub fn together(&self, mut judged: Vec<Judged>) -> Vec<Judged> {
        let findings = judged.iter_mut().flat_map(|feature| {
            let distribution = feature.distribution.as_mut().ok();
            let found = distribution.into_iter().chain(feature.missing.as_mut());
            found.filter(|finding| finding.threshold.is_none())
        });
        let adjusted = findings.map(|finding| {
            finding.adjusted = finding.p_value;
            &mut finding.adjusted
        });
        discovery_levels(&mut adjusted.collect::<Vec<_>>());
        for feature in &mut judged {
            self.decide(feature);
        }
        judged
    }

    /// The test of a distribution, before any correction.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] below the least number of values, [`Undefined::Categories`] where numbers are to be
    /// compared with categories or all kinds are too rare.
    pub fn test(&self, reference: &Column<'_>, current: &Column<'_>) -> Result<Finding, Undefined> {
        match (reference, current) {
            (Column::Numbers(a), Column::Numbers(b)) => {
                self.test_numbers(&Sample::new(a), &Sample::new(b))
            }
            (Column::Categories(_), Column::Categories(_)) => {
                let categories = Categories::of(reference.names(), current.names());
                self.test_counts(categories.counts())
            }
            _ => Err(Undefined::Categories),
        }
    }

    /// The test of two distributions of numbers, before any correction: of samples, or of what profiles keep.
    ///
    /// # Errors
    ///
    /// As [`test`](Self::test).
    pub fn test_numbers(
        &self,
        reference: &impl Distribution,
        current: &impl Distribution,
    ) -> Result<Finding, Undefined> {
        if reference.len().min(current.len()) < self.min_values {
            return Err(Undefined::TooFew);
        }
        if steps(reference, current).take(KINDS + 1).count() <= KINDS {
            return of_kinds(&Counts::of_numbers(reference, current));
        }
        let test = anderson_darling::asymptotic(reference, current)?;
        let effect = ks::Distance::of(reference, current)?.distance;
        let mut finding = Finding::new(Chosen::AndersonDarling, test, effect);
        finding.error = reference.error() + current.error();
        Ok(finding)
    }

    /// The test of two counts of categories, before any correction.
    ///
    /// # Errors
    ///
    /// As [`test`](Self::test).
    pub fn test_counts(&self, counts: &Counts) -> Result<Finding, Undefined> {
        if counts.totals().into_iter().min() < Some(self.min_values as u64) {
            return Err(Undefined::TooFew);
        }
        of_kinds(counts)
    }

    fn measure(&self, feature: &Feature<'_>) -> Judged {
        let sides = [&feature.reference, &feature.current];
        self.judged(
            feature.name,
            feature.reference.is_numbers() != feature.current.is_numbers(),
            [sides.map(Column::present), sides.map(Column::missing)],
            self.test(&feature.reference, &feature.current),
        )
    }

    /// What was found of a feature of which there are so many values, and so many missing, before any correction:
    /// [`together`](Self::together) says what it means.
    ///
    /// ```
    /// use modelpulse::drift::data::{Counts, Sample};
    /// use modelpulse::drift::verdict::{Policy, Verdict};
    ///
    /// let policy = Policy::default();
    /// let found = policy.test_counts(&Counts::new(vec![80, 20], vec![40, 60]));
    /// let judged = policy.judged("paid", false, [[100, 100], [0, 0]], found);
    /// assert_eq!(policy.together(vec![judged])[0].verdict, Verdict::Drift);
    /// ```
    #[must_use]
    pub fn judged(
        &self,
        name: &str,
        other_type: bool,
        [counts, missing]: [[usize; 2]; 2],
        distribution: Result<Finding, Undefined>,
    ) -> Judged {
        let rows = [0, 1].map(|side| counts[side] + missing[side]);
        let kinds = Counts::new(
            vec![counts[0] as u64, missing[0] as u64],
            vec![counts[1] as u64, missing[1] as u64],
        );
        let enough = rows.iter().all(|&rows| rows >= self.min_values);
        let any = enough && missing.iter().any(|&missing| missing > 0);
        Judged {
            name: name.to_owned(),
            verdict: Verdict::NoDrift,
            distribution_drifted: false,
            missing_drifted: false,
            type_changed: other_type && counts.iter().all(|&count| count >= self.min_values),
            distribution,
            missing: any.then(|| of_kinds(&kinds).ok()).flatten(),
            missing_rates: [0, 1].map(|side| missing[side] as f64 / rows[side] as f64),
            counts,
        }
    }

    fn decide(&self, feature: &mut Judged) {
        let drifted = |finding: &Finding, least: f64| match finding.threshold {
            Some(threshold) => finding.statistic >= threshold,
            None => finding.adjusted <= self.level && finding.effect - finding.error >= least,
        };
        let distribution = feature.distribution.as_ref();
        feature.distribution_drifted =
            distribution.is_ok_and(|found| drifted(found, self.min_effect));
        let missing = feature.missing.as_ref();
        feature.missing_drifted = missing.is_some_and(|found| drifted(found, self.min_missing));
        feature.verdict =
            if feature.distribution_drifted || feature.missing_drifted || feature.type_changed {
                Verdict::Drift
            } else if distribution.is_ok_and(|found| found.error < self.min_effect) {
                Verdict::NoDrift
            } else {
                Verdict::NotEnoughData
            };
    }
}

/// From so many rows on a thread is worth its start.
const ON_ALL_CORES: usize = 10_000;
/// Numbers of up to so many kinds are compared as categories.
const KINDS: usize = 10;
/// Up to so many values two kinds are compared exactly.
const EXACT: u64 = 10_000;
/// The least expected count for which χ² has its level (W. G. Cochran, 1954).
const EXPECTED: f64 = 5.0;

fn of_kinds(counts: &Counts) -> Result<Finding, Undefined> {
    let effect = counts.total_variation()?;
    let kinds = Kinds::of(counts);
    let pooled = kinds.without_rare()?;
    let [n, m] = pooled.totals();
    let two = pooled.reference().len() == 2;
    if two && (n + m <= EXACT || kinds.any_rare(&pooled)) {
        return Ok(Finding::new(Chosen::Fisher, pooled.fisher()?, effect));
    }
    let test = pooled.chi_squared()?;
    Ok(Finding::new(Chosen::ChiSquared, test, effect))
}

/// The counts of the kinds that there are, the rarest first.
struct Kinds {
    counts: Vec<[u64; 2]>,
    /// Of the smaller sample among all values.
    share: f64,
}

impl Kinds {
    fn of(counts: &Counts) -> Self {
        let [n, m] = counts.totals();
        let both = counts.reference().iter().zip(counts.current());
        let mut counts: Vec<[u64; 2]> = both
            .map(|(&a, &b)| [a, b])
            .filter(|both| both[0] + both[1] > 0)
            .collect();
        counts.sort_by_key(|both| both[0] + both[1]);
        Self {
            counts,
            share: n.min(m) as f64 / (n + m) as f64,
        }
    }

    /// Whether too few are expected in the smaller sample.
    fn rare(&self, both: [u64; 2]) -> bool {
        (((both[0] + both[1]) as f64) * self.share) < EXPECTED
    }

    fn any_rare(&self, counts: &Counts) -> bool {
        let mut both = counts.reference().iter().zip(counts.current());
        both.any(|(&a, &b)| self.rare([a, b]))
    }

    /// Takes kinds that are too rare together as one. Which they are follows from both samples together, not from how
    /// they are distributed between them, so that the test of what remains has its level. Two kinds stay two.
    fn without_rare(&self) -> Result<Counts, Undefined> {
        let all = self.counts.len();
        if all > 2 && self.counts.iter().all(|&both| self.rare(both)) {
            return Err(Undefined::Categories);
        }
        let mut rest = [0, 0];
        let mut at = 0;
        while at + 2 < all + usize::from(at > 0)
            && (self.rare(self.counts[at]) || (at > 0 && self.rare(rest)))
        {
            rest = [rest[0] + self.counts[at][0], rest[1] + self.counts[at][1]];
            at += 1;
        }
        let mut kept = self.counts[at..].to_vec();
        if at > 0 {
            kept.push(rest);
        }
        let (reference, current) = kept.into_iter().map(|[a, b]| (a, b)).unzip();
        Ok(Counts::new(reference, current))
    }
}
