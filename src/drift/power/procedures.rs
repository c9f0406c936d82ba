//! All that can alarm at two samples of one feature or of several, each at its level or at its usual threshold.

use super::Population;
#[cfg(feature = "candle")]
use crate::drift::candle::DomainClassifier;
use crate::drift::data::{
    Counts, Sample, Test, anderson_darling, bins, cramer_von_mises, epps_singleton, ks,
    mann_whitney::{self, Side},
    t_test, transport,
};
use crate::drift::embedding::Means;
use crate::drift::evidently::Method;
use crate::drift::rows::{Components, Mmd, Rows};
use crate::drift::verdict::{Feature, Policy, Verdict};
use crate::drift::{Column, Undefined};

/// Two samples, in all the forms that the procedures take.
pub(super) struct Pair {
    raw: [Vec<f64>; 2],
    a: Sample,
    b: Sample,
    /// Of kinds, or of numbers in the deciles of the reference.
    counts: Counts,
    width: usize,
    /// Of what a procedure draws itself.
    seed: u64,
}

impl Pair {
    pub(super) fn new(population: Population, raw: [Vec<f64>; 2], seed: u64) -> Self {
        let width = match population {
            Population::Together(width) => width as usize,
            _ => 1,
        };
        let of_one = |side: usize| {
            if width == 1 {
                raw[side].as_slice()
            } else {
                &[]
            }
        };
        let (a, b) = (Sample::new(of_one(0)), Sample::new(of_one(1)));
        let counts = if population.is_of_kinds() {
            Counts::of_numbers(&a, &b)
        } else {
            bins::counts(&bins::quantiles(&a, 10), &a, &b)
        };
        Self {
            raw,
            a,
            b,
            counts,
            width,
            seed,
        }
    }

    fn columns(&self) -> [Column<'_>; 2] {
        [&self.raw[0], &self.raw[1]].map(|values| Column::Numbers(values))
    }

    /// Rows, if they are few enough for what grows with their square.
    fn rows(&self, most: usize) -> Result<[Rows; 2], Undefined> {
        let [a, b] = &self.raw;
        if (a.len() + b.len()) / self.width > most {
            return Err(Undefined::TooFew);
        }
        let rows = |values: &Vec<f64>| Rows::new(self.width, values.clone());
        match (rows(a), rows(b)) {
            (Ok(a), Ok(b)) => Ok([a, b]),
            _ => Err(Undefined::Sizes),
        }
    }
}

/// Something that alarms.
pub(super) struct Procedure {
    pub(super) name: &'static str,
    pub(super) alarms: fn(&Pair, f64) -> Result<bool, Undefined>,
}

const fn procedure(
    name: &'static str,
    alarms: fn(&Pair, f64) -> Result<bool, Undefined>,
) -> Procedure {
    Procedure { name, alarms }
}

fn at(level: f64, test: Result<Test, Undefined>) -> Result<bool, Undefined> {
    Ok(test?.p_value <= level)
}

fn above(threshold: f64, distance: Result<f64, Undefined>) -> Result<bool, Undefined> {
    Ok(distance? >= threshold)
}

/// Of a feature of these values.
pub(super) fn of(population: Population) -> impl Iterator<Item = &'static Procedure> {
    let [first, second, third] = match population {
        Population::Two(_) => [ONE, TWO, COUNTS],
        Population::Kinds(_) => [ONE, &[], COUNTS],
        Population::Together(_) => [TOGETHER, &[], &[]],
        _ => [ONE, NUMBERS, COUNTS],
    };
    first.iter().chain(second).chain(third)
}

const ONE: &[Procedure] = &[
    procedure("verdict", |pair, level| {
        let [reference, current] = pair.columns();
        let policy = Policy {
            level,
            ..Policy::default()
        };
        let judged = policy.judge(&[Feature::new("", reference, current)]);
        match judged.first().map(|judged| judged.verdict) {
            Some(Verdict::Drift) => Ok(true),
            Some(Verdict::NoDrift) => Ok(false),
            _ => Err(Undefined::TooFew),
        }
    }),
    procedure("  its p-value alone", |pair, level| {
        let [reference, current] = pair.columns();
        let found = Policy::default().test(&reference, &current)?;
        Ok(found.p_value <= level)
    }),
];

const NUMBERS: &[Procedure] = &[
    procedure("Kolmogorov–Smirnov", |pair, level| {
        at(level, ks::auto(&pair.a, &pair.b))
    }),
    procedure("  asymptotic", |pair, level| {
        at(level, ks::asymptotic(&pair.a, &pair.b))
    }),
    procedure("Anderson–Darling", |pair, level| {
        at(level, anderson_darling::asymptotic(&pair.a, &pair.b))
    }),
    procedure("  by the table", |pair, level| {
        at(level, anderson_darling::test(&pair.a, &pair.b))
    }),
    procedure("Cramér–von Mises", |pair, level| {
        at(level, cramer_von_mises::auto(&pair.a, &pair.b))
    }),
    procedure("  for ties", |pair, level| {
        at(level, cramer_von_mises::tied(&pair.a, &pair.b))
    }),
    procedure("Mann–Whitney", |pair, level| {
        at(level, mann_whitney::auto(&pair.a, &pair.b, Side::Both))
    }),
    procedure("Student's t", |pair, level| {
        at(level, t_test::student(&pair.a, &pair.b))
    }),
    procedure("Welch's t", |pair, level| {
        at(level, t_test::welch(&pair.a, &pair.b))
    }),
    procedure("Z of means", |pair, level| {
        at(level, t_test::z(&pair.a, &pair.b))
    }),
    procedure("Levene", |pair, level| {
        at(level, t_test::levene(&pair.a, &pair.b))
    }),
    procedure("Epps–Singleton", |pair, level| {
        at(level, epps_singleton::test(&pair.a, &pair.b))
    }),
    procedure("  one covariance", |pair, level| {
        at(level, epps_singleton::pooled(&pair.a, &pair.b))
    }),
    procedure("Wasserstein ≥ 0.1 σ", |pair, _| {
        let distance = transport::wasserstein(&pair.a, &pair.b)?;
        Ok(distance >= 0.1 * pair.a.deviation())
    }),
    procedure("energy ≥ 0.1", |pair, _| {
        above(0.1, transport::energy(&pair.a, &pair.b))
    }),
];

const TWO: &[Procedure] = &[
    procedure("Fisher's exact", |pair, level| {
        at(level, pair.counts.fisher())
    }),
    procedure("Z of shares", |pair, level| at(level, pair.counts.z())),
];

const COUNTS: &[Procedure] = &[
    procedure("χ²", |pair, level| at(level, pair.counts.chi_squared())),
    procedure("G", |pair, level| at(level, pair.counts.g())),
    procedure("PSI ≥ 0.1", |pair, _| above(0.1, pair.counts.psi())),
    procedure("KL ≥ 0.1", |pair, _| above(0.1, pair.counts.kl())),
    procedure("Jensen–Shannon ≥ 0.1", |pair, _| {
        above(0.1, pair.counts.jensen_shannon())
    }),
    procedure("Hellinger ≥ 0.1", |pair, _| {
        above(0.1, pair.counts.hellinger())
    }),
    procedure("total variation ≥ 0.1", |pair, _| {
        above(0.1, pair.counts.total_variation())
    }),
    procedure("Evidently's default", |pair, _| {
        let [reference, current] = pair.columns();
        let method = Method::default_for(&reference, &current);
        Ok(method.drifted(method.score(&reference, &current)?))
    }),
];

const PERMUTATIONS: usize = 99;

const TOGETHER: &[Procedure] = &[
    procedure("verdict on any feature", |pair, level| {
        let columns = |values: &[f64]| -> Vec<Vec<f64>> {
            let column = |at| {
                values
                    .iter()
                    .skip(at)
                    .step_by(pair.width)
                    .copied()
                    .collect()
            };
            (0..pair.width).map(column).collect()
        };
        let (a, b) = (columns(&pair.raw[0]), columns(&pair.raw[1]));
        let pairs = a.iter().zip(&b);
        let features: Vec<Feature<'_>> = pairs
            .map(|(a, b)| Feature::new("", Column::Numbers(a), Column::Numbers(b)))
            .collect();
        let policy = Policy {
            level,
            ..Policy::default()
        };
        let judged = policy.judge(&features);
        Ok(judged
            .iter()
            .any(|feature| feature.verdict == Verdict::Drift))
    }),
    procedure("MMD (permutations)", |pair, level| {
        let [a, b] = pair.rows(450)?;
        let mmd = Mmd::of(&a, &b)?;
        at(level, Ok(mmd.test(PERMUTATIONS, pair.seed)))
    }),
    procedure("distance of means (permutations)", |pair, level| {
        let [a, b] = pair.rows(25_000)?;
        at(level, Means::Squared.test(&a, &b, PERMUTATIONS, pair.seed))
    }),
    procedure("cosine of means (permutations)", |pair, level| {
        let [a, b] = pair.rows(25_000)?;
        at(level, Means::Cosine.test(&a, &b, PERMUTATIONS, pair.seed))
    }),
    procedure("PCA reconstruction error", |pair, level| {
        let [a, b] = pair.rows(usize::MAX)?;
        at(level, Components::test(&a, &b, 0.65, pair.seed))
    }),
    #[cfg(feature = "candle")]
    procedure("domain classifier", |pair, level| {
        let [a, b] = pair.rows(25_000)?;
        let classifier = DomainClassifier {
            seed: pair.seed,
            ..DomainClassifier::default()
        };
        let told = classifier.compare(&a, &b);
        Ok(told.map_err(|_| Undefined::TooFew)?.p_value <= level)
    }),
];
