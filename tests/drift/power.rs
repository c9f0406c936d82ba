//! False-alarm rates, against bounds that chance as good as never passes, and power.

use std::ops::ControlFlow;

use modelpulse::drift::power::{Change, Heard, Plan, Population, Rate, Stream, StreamPlan};
use statrs::distribution::{Binomial, DiscreteCDF};

fn measured(plan: &Plan) -> Vec<Rate> {
    plan.measure(&|_, _| ControlFlow::Continue(()))
}

/// Whether as many alarms, or more, come of this rate once in a million times at least.
fn at_most(rate: &Rate, level: f64) -> bool {
    let binomial = Binomial::new(level, u64::from(rate.runs)).unwrap();
    rate.alarms == 0 || binomial.sf(u64::from(rate.alarms) - 1) > 1e-6
}

/// As few, or fewer.
fn at_least(rate: &Rate, level: f64) -> bool {
    let binomial = Binomial::new(level, u64::from(rate.runs)).unwrap();
    binomial.cdf(u64::from(rate.alarms)) > 1e-6
}

/// Tests whose p-value is exact but for ties, or whose approximation is as good as that at these sizes.
const HOLD_THEIR_LEVEL: [&str; 10] = [
    "Kolmogorov–Smirnov",
    "Anderson–Darling",
    "for ties",
    "Mann–Whitney",
    "Student's t",
    "Welch's t",
    "Levene",
    "one covariance",
    "Fisher's exact",
    "χ²",
];

fn hold_their_level(plan: &Plan) -> Vec<Rate> {
    let mut verdicts = 0;
    let rates = measured(plan);
    for rate in &rates {
        let percent = rate.rate() * 100.0;
        let name = rate.test.trim();
        let place = format!(
            "{}, {:?}, {name}: {percent:.2} %",
            rate.population, rate.sizes
        );
        if name == "verdict" {
            println!("{place}");
            verdicts += 1;
            assert_eq!(rate.undefined, 0, "{place}");
            assert!(at_most(rate, 0.06), "{place}");
        }
        if name == "its p-value alone" {
            assert!(at_most(rate, 0.06), "{place}");
            assert!(
                !rate.population.is_continuous() || at_least(rate, 0.04),
                "{place}"
            );
        }
        if HOLD_THEIR_LEVEL.contains(&name) && rate.population != Population::Exponential {
            assert!(at_most(rate, 0.06), "{place}");
        }
    }
    assert_eq!(verdicts, plan.scenarios.len() * plan.sizes.len());
    rates
}

#[test]
fn false_alarms_of_small_samples_are_at_their_level() {
    hold_their_level(
        &Plan::default()
            .scenarios([
                (Population::Normal, Change::None),
                (Population::Exponential, Change::None),
                (Population::Rounded, Change::None),
                (Population::Kinds(6), Change::None),
                (Population::Two(0.1), Change::None),
                (Population::Two(0.01), Change::None),
            ])
            .sizes([[50, 50], [1_001, 100], [200, 60]])
            .runs(1_000),
    );
}

// Where the floor leaves next to nothing of 5 %, the p-value still has its level.
#[test]
fn false_alarms_of_large_samples_are_below_their_level() {
    let plan = Plan::default()
        .scenarios([(Population::Normal, Change::None)])
        .sizes([[20_000, 20_000]])
        .runs(100);
    let rates = hold_their_level(&plan);
    let verdict = rates.iter().find(|rate| rate.test == "verdict").unwrap();
    assert_eq!(verdict.alarms, 0);
}

#[test]
fn tests_of_several_features_have_their_level_and_their_power() {
    let together = Population::Together(6);
    let changes = [Change::None, Change::Untied, Change::Shift(0.5)];
    let plan = Plan::default()
        .scenarios(changes.map(|change| (together, change)))
        .sizes([[80, 70]])
        .runs(100);
    let mut seen = Vec::new();
    for rate in measured(&plan) {
        println!("{}: {}: {:.2}", rate.test, rate.change, rate.rate());
        assert_eq!(rate.undefined, 0, "{rate:?}");
        match rate.change {
            Change::None => assert!(at_most(&rate, 0.05), "{rate:?}"),
            Change::Untied => {
                let sees = ["MMD", "PCA", "domain"]
                    .iter()
                    .any(|it| rate.test.starts_with(it));
                assert!(!sees || rate.rate() > 0.7, "{rate:?}");
            }
            _ => {
                let sees = !rate.test.starts_with("PCA") && !rate.test.starts_with("cosine");
                let least = if rate.test.starts_with("domain") {
                    0.3
                } else {
                    0.7
                };
                assert!(!sees || rate.rate() > least, "{rate:?}");
            }
        }
        seen.push(rate.test);
    }
    assert!(seen.contains(&"MMD (permutations)"));
    assert_eq!(
        seen.contains(&"domain classifier"),
        cfg!(feature = "candle")
    );
}

// If nothing has changed, every p-value of a domain classifier is as likely as another, however it has learned.
#[cfg(feature = "candle")]
#[test]
fn p_values_of_a_domain_classifier_are_uniform() {
    use modelpulse::drift::candle::DomainClassifier;
    use modelpulse::drift::rows::Rows;

    let mut random = fastrand::Rng::with_seed(11);
    let mut rows = || Rows::new(3, (0..3 * 60).map(|_| random.f64()).collect()).unwrap();
    let mut p_values: Vec<f64> = (0..200)
        .map(|seed| {
            let mut classifier = DomainClassifier::default();
            (classifier.seed, classifier.steps) = (seed, 60);
            let told = classifier.compare(&rows(), &rows()).unwrap();
            // But for the continuity correction of some hundredths.
            let [area, chance] = [told.auc - 0.5, told.p_value - 0.5];
            assert!(area * chance <= 0.0 || chance < 0.05, "{told:?}");
            told.p_value
        })
        .collect();
    p_values.sort_by(f64::total_cmp);
    let places = p_values.iter().enumerate();
    let furthest = places.map(|(at, p)| (p - (at as f64 + 0.5) / 200.0).abs());
    // Kolmogorov's distance of 200 uniform numbers is above 0.19 once in a million times.
    let furthest = furthest.fold(0.0, f64::max);
    assert!(furthest < 0.19, "{furthest}");
}

#[cfg(feature = "candle")]
#[test]
fn a_domain_classifier_is_decided_by_its_seed() {
    use modelpulse::drift::candle::DomainClassifier;
    use modelpulse::drift::rows::Rows;

    let mut random = fastrand::Rng::with_seed(12);
    let values: Vec<f64> = (0..2 * 90).map(|_| random.f64()).collect();
    let holes: Vec<f64> = values
        .iter()
        .enumerate()
        .map(|(at, &value)| if at % 5 == 0 { f64::NAN } else { value })
        .collect();
    let (whole, holes) = (Rows::new(2, values).unwrap(), Rows::new(2, holes).unwrap());
    let mut classifier = DomainClassifier::default();
    let first = classifier.compare(&whole, &holes).unwrap();
    assert_eq!(classifier.compare(&whole, &holes).unwrap(), first);
    // Every fifth number is missing, so two rows of five tell themselves.
    assert!(first.auc > 0.6 && first.p_value < 0.05, "{first:?}");
    classifier.seed = 1;
    assert_ne!(classifier.compare(&whole, &holes).unwrap(), first);

    let few = Rows::new(2, vec![0.0; 6]).unwrap();
    assert!(classifier.compare(&whole, &few).is_err());
    assert!(
        classifier
            .compare(&whole, &Rows::new(1, vec![0.0; 60]).unwrap())
            .is_err()
    );
}

#[test]
fn rates_do_not_depend_on_who_measured_what_when() {
    let plan = Plan::default()
        .scenarios([
            (Population::Normal, Change::Shift(0.5)),
            (Population::Two(0.2), Change::None),
        ])
        .sizes([[60, 60], [200, 50]])
        .runs(300);
    let rates = measured(&plan);
    assert_eq!(measured(&plan), rates);
    assert_ne!(measured(&plan.clone().seed(1)), rates);
    // Broken off, it answers of what was run.
    let part = plan.measure(&|_, _| ControlFlow::Break(()));
    assert_eq!(part.len(), rates.len());
    assert!(
        part.iter().map(|rate| rate.runs).sum::<u32>() < rates.iter().map(|rate| rate.runs).sum()
    );
}

fn heard<'a>(all: &'a [Heard], detector: &str, stream: Stream) -> &'a Heard {
    let found = all
        .iter()
        .find(|it| it.detector == detector && it.stream == stream);
    found.unwrap_or_else(|| panic!("{detector} on {stream}"))
}

// What the documentation of the detectors says of streams that do not change.
#[test]
fn detectors_are_as_quiet_as_they_are_said_to_be() {
    let all = StreamPlan::default()
        .runs(8)
        .measure(&|_, _| ControlFlow::Continue(()));
    for it in &all {
        println!(
            "{}, {}: {:.2} in 10,000",
            it.detector,
            it.stream,
            it.per_10_000()
        );
        if matches!(it.stream, Stream::Constant(_)) {
            assert_eq!(it.alarms, 0, "{it:?}");
        }
    }
    let still = [0.1, 0.3, 0.5].map(|rate| Stream::Errors(rate, rate));
    for stream in still {
        for quiet in ["ADWIN", "HDDM-A", "Page–Hinkley"] {
            assert!(
                heard(&all, quiet, stream).per_10_000() < 2.0,
                "{quiet}, {stream}"
            );
        }
        assert!(heard(&all, "EDDM", stream).per_10_000() > 5.0, "{stream}");
    }
    let change = Stream::Errors(0.1, 0.3);
    for detector in ["ADWIN", "DDM", "HDDM-A", "HDDM-W", "RDDM", "EDDM"] {
        assert!(
            heard(&all, detector, change).power() > Some(0.7),
            "{detector}"
        );
    }
    assert_eq!(all.len(), 6 * 13 + 2 * 5);
}
