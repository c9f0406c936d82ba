//! Every test, distance, quality check and detector, with the reference case or the property test that holds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use modelpulse::drift::data::Sample;
use modelpulse::drift::quality::Summary;
use modelpulse::drift::rows::Rows;
use modelpulse::drift::verdict::Policy;
use modelpulse::drift::{Undefined, embedding};

use crate::support::cases;

/// What holds it.
enum By {
    /// A key of what a reference file expects.
    Case(&'static str, &'static str),
    /// A test of this folder.
    Test(&'static str),
}
use By::{Case, Test};

const NUMERIC: &str = "drift_numeric.json";
const CATEGORICAL: &str = "drift_categorical.json";
const CHUNKS: &str = "drift_nannyml_chunks.json";
const TOGETHER: &str = "drift_multivariate.json";
const QUALITY: &str = "quality_nannyml.json";
const RIVER: &str = "concept_river.json";
const FROUROS: &str = "concept_frouros.json";
const SMALL: &str = "false_alarms_of_small_samples_are_at_their_level";
const SEVERAL: &str = "tests_of_several_features_have_their_level_and_their_power";
const DECILES: &str = "binned_ref_deciles_right_closed";

/// `file::function` of `src/drift/data` and beside it, or the name of a detector.
#[rustfmt::skip]
const TESTED: &[(&str, By)] = &[
    ("ks::auto", Case(NUMERIC, "ks_auto")),
    ("ks::exact", Case(NUMERIC, "ks_exact")),
    ("ks::asymptotic", Case(NUMERIC, "ks_asymp")),
    ("anderson_darling::test", Case(NUMERIC, "anderson_ksamp_midrank")),
    ("anderson_darling::asymptotic", Test("anderson_darling_is_what_the_table_says_it_is")),
    ("anderson_darling::asymptotic", Test(SMALL)),
    ("cramer_von_mises::auto", Test("reference_drift_numeric")),
    ("cramer_von_mises::asymptotic", Case(NUMERIC, "cvm_asymp")),
    ("cramer_von_mises::exact", Case(NUMERIC, "cvm_exact")),
    ("cramer_von_mises::tied", Test(SMALL)),
    ("mann_whitney::auto", Test(SMALL)),
    ("mann_whitney::asymptotic", Case(NUMERIC, "mannwhitneyu_asymp_two-sided")),
    ("mann_whitney::exact", Case(NUMERIC, "mannwhitneyu_exact")),
    ("t_test::student", Case(NUMERIC, "t_student")),
    ("t_test::welch", Case(NUMERIC, "t_welch")),
    ("t_test::z", Test(SMALL)),
    ("t_test::levene", Case(NUMERIC, "levene_median")),
    ("epps_singleton::test", Case(NUMERIC, "epps_singleton")),
    ("epps_singleton::pooled", Test(SMALL)),
    ("transport::wasserstein", Case(NUMERIC, "wasserstein")),
    ("transport::energy", Case(NUMERIC, "energy_distance")),
    ("categories::chi_squared", Case(CATEGORICAL, "chi2_contingency")),
    ("categories::chi_squared_corrected", Case(CATEGORICAL, "chi2_contingency_yates")),
    ("categories::g", Case(CATEGORICAL, "g_contingency")),
    ("categories::fisher", Case(CATEGORICAL, "fisher_exact")),
    ("categories::z", Case(CATEGORICAL, "z_two_proportions")),
    ("categories::psi", Case(CATEGORICAL, "psi_eps1e-4")),
    ("categories::psi", Case(NUMERIC, DECILES)),
    ("categories::kl", Case(NUMERIC, DECILES)),
    ("categories::jensen_shannon", Case(CATEGORICAL, "js_distance_ln")),
    ("categories::jensen_shannon_bits", Case(CATEGORICAL, "js_distance_log2")),
    ("categories::hellinger", Case(CATEGORICAL, "hellinger")),
    ("categories::total_variation", Case(CATEGORICAL, "tvd")),
    ("categories::largest_difference", Case(CATEGORICAL, "l_infinity")),
    ("categories::cramers_v", Case(CATEGORICAL, "cramers_v")),
    ("rows::biased", Case(TOGETHER, "mmd2_biased")),
    ("rows::unbiased", Case(TOGETHER, "mmd2_unbiased")),
    ("rows::bandwidth", Case(TOGETHER, "sigma2")),
    ("rows::energy", Case(TOGETHER, "energy_2E|X-Y|-E|X-X'|-E|Y-Y'| (V-statistic)")),
    // Of the MMD, and of components.
    ("rows::test", Test("permutations_have_their_level_and_their_power")),
    ("rows::test", Test(SEVERAL)),
    ("rows::errors", Case(CHUNKS, "reconstruction_error/value")),
    ("embedding::distance", Test(SEVERAL)),
    ("embedding::test", Test(SEVERAL)),
    ("embedding::drifted_share", Test("the_share_of_drifted_components_is_counted")),
    ("candle::compare", Test("p_values_of_a_domain_classifier_are_uniform")),
    ("candle::compare", Test("real_tables_drift_when_they_are_shifted_and_not_when_they_are_split")),
    ("quality::missing_rate", Case(QUALITY, "missing")),
    ("quality::unseen_rate", Case(QUALITY, "unseen")),
    ("quality::out_of_range_rate", Case(QUALITY, "range")),
    ("quality::sampling_error", Case(QUALITY, "missing")),
    ("quality::duplicates", Case(QUALITY, "pandas")),
    ("quality::constant", Test("a_constant_column_is_said_to_be_constant")),
    ("quality::type changes", Test("too_little_is_said_to_be_too_little")),
    ("Adwin", Case(RIVER, "ADWIN")),
    ("PageHinkley", Case(RIVER, "PageHinkley")),
    ("PageHinkley", Case(FROUROS, "PageHinkley")),
    ("Kswin", Case(RIVER, "KSWIN(window=60,stat=30)")),
    ("Kswin", Case(RIVER, "KSWIN_default_seeds_0_to_4")),
    ("Ddm", Case(RIVER, "DDM")),
    ("Ddm", Case(FROUROS, "DDM")),
    ("Eddm", Case(RIVER, "EDDM")),
    ("HddmA", Case(RIVER, "HDDM_A")),
    ("HddmW", Case(RIVER, "HDDM_W")),
    ("Fhddm", Case(RIVER, "FHDDM")),
    ("Cusum", Case(FROUROS, "CUSUM")),
    ("MovingAverage", Case(FROUROS, "GMA")),
    ("Stepd", Case(FROUROS, "STEPD")),
    ("Rddm", Case(FROUROS, "RDDM")),
    ("EcddWt", Case(FROUROS, "ECDDWT")),
];

/// Not functions, but fields of what is answered.
const FIELDS: [&str; 2] = ["quality::constant", "quality::type changes"];

fn sources(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .collect()
}

/// Public functions that answer with a test, a distance or a rate, and detectors.
fn public() -> BTreeSet<String> {
    let beside = ["rows", "embedding", "candle", "quality"];
    let mut found = BTreeSet::new();
    let files = sources("src/drift/data")
        .into_iter()
        .chain(sources("src/drift"));
    for path in files {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let of_data = path.parent().unwrap().ends_with("data");
        if !(of_data || beside.contains(&stem.as_str())) {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for (at, _) in source.match_indices("pub fn ") {
            let signature = source[at + 7..].split('{').next().unwrap();
            let name = signature.split(['(', '<']).next().unwrap();
            let answers = signature
                .rsplit_once("->")
                .map_or("", |(_, answer)| answer.trim());
            let counts = match answers {
                "Result<Test, Undefined>" | "Result<f64, Undefined>" | "Test" => true,
                "Result<Told, ClassifierError>" | "Result<Vec<f64>, Undefined>" => true,
                // A sample's own mean and deviation are no comparison.
                "f64" | "usize" => stem == "quality" || stem == "rows" && answers == "f64",
                _ => false,
            };
            if counts {
                found.insert(format!("{stem}::{name}"));
            }
        }
    }
    for path in sources("src/drift/concept") {
        let source = fs::read_to_string(&path).unwrap();
        for (at, found_at) in source.match_indices("impl Watch for ") {
            let name = source[at + found_at.len()..]
                .split_whitespace()
                .next()
                .unwrap();
            found.insert(name.to_owned());
        }
    }
    found
}

#[test]
fn all_that_is_public_is_tested() {
    let listed: BTreeSet<String> = TESTED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut public = public();
    assert!(public.len() > 55, "{public:?}");
    public.extend(FIELDS.map(str::to_owned));
    let missing: Vec<&String> = public.difference(&listed).collect();
    assert!(missing.is_empty(), "not in the list: {missing:?}");
    let gone: Vec<&String> = listed.difference(&public).collect();
    assert!(gone.is_empty(), "in the list, and not public: {gone:?}");

    let mut tests = BTreeSet::new();
    for path in sources("tests/drift") {
        let source = fs::read_to_string(&path).unwrap();
        for after in source.split("#[test]\n").skip(1) {
            let name = after
                .trim_start()
                .strip_prefix("fn ")
                .and_then(|it| it.split('(').next());
            tests.insert(name.unwrap().to_owned());
        }
    }
    for (name, by) in TESTED {
        match by {
            Test(test) => assert!(tests.contains(*test), "{name}: there is no test {test}"),
            Case(file, key) => {
                let expected = cases(file).into_iter().any(|case| {
                    let expected = &case["expected"];
                    expected.get(key).is_some()
                });
                assert!(expected, "{name}: {file} has no {key}");
                let reference = format!("reference_{}", file.trim_end_matches(".json"));
                assert!(
                    tests.contains(&reference),
                    "{name}: there is no test {reference}"
                );
            }
        }
    }
    println!(
        "{} tests, distances, checks and detectors, each with a case or a test",
        listed.len()
    );
}

#[test]
fn a_constant_column_is_said_to_be_constant() {
    for (values, constant) in [
        (&[2.5, 2.5, f64::NAN, 2.5][..], true),
        (&[0.0, -0.0], true),
        (&[2.5, 2.500_000_1], false),
        (&[f64::NAN], false),
        (&[], false),
    ] {
        assert_eq!(
            Summary::of(&Sample::new(values)).constant,
            constant,
            "{values:?}"
        );
    }
}

#[test]
fn the_share_of_drifted_components_is_counted() {
    let mut random = fastrand::Rng::with_seed(21);
    let mut rows = |moved: usize| {
        let row = |_| -> Vec<f64> {
            let shift = |at: usize| if at < moved { 1.0 } else { 0.0 };
            (0..8).map(|at| random.f64() + shift(at)).collect()
        };
        Rows::new(8, (0..120).flat_map(row).collect()).unwrap()
    };
    let (before, same, moved) = (rows(0), rows(0), rows(3));
    let share = |after: &Rows| embedding::drifted_share(&before, after, &Policy::default());
    assert_eq!(share(&same), Ok(0.0));
    assert_eq!(share(&moved), Ok(3.0 / 8.0));
    let few = Rows::new(8, vec![0.5; 8 * 20]).unwrap();
    assert_eq!(share(&few), Err(Undefined::TooFew));
    assert_eq!(
        share(&Rows::new(4, vec![0.5; 400]).unwrap()),
        Err(Undefined::TooFew)
    );
}
