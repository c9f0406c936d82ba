//! Tables that nobody made up: scikit-learn's wine, breast-cancer and digits, split at random and shifted.

use std::path::{Path, PathBuf};
use std::process::Command;

use modelpulse::drift::Column;
use modelpulse::drift::verdict::{Feature, Judged, Policy, Verdict};
use serde_json::Value;
use statrs::distribution::{Binomial, DiscreteCDF};

/// Columns of numbers.
type Table = Vec<Vec<f64>>;

fn read(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).unwrap();
    let mut columns = Table::new();
    for line in text.lines() {
        for (at, value) in line.split(',').enumerate() {
            if columns.len() == at {
                columns.push(Vec::new());
            }
            columns[at].push(value.parse().unwrap());
        }
    }
    columns
}

/// Writes the tables, and says how well scikit-learn tells their shifted halves apart.
fn export(dir: &Path) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("MODELPULSE_PYTHON")
        .map_or_else(|| root.join("target/venv/bin/python"), PathBuf::from);
    let output = Command::new(&python)
        .arg(root.join("tests/drift/real_tables.py"))
        .arg(dir)
        .output()
        .unwrap_or_else(|error| {
            panic!("no Python at {}: {error}; use tests/run", python.display())
        });
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn judge(before: &Table, after: &Table) -> Vec<Judged> {
    let features: Vec<Feature<'_>> = before
        .iter()
        .zip(after)
        .map(|(a, b)| Feature::new("", Column::Numbers(a), Column::Numbers(b)))
        .collect();
    Policy::default().judge(&features)
}

fn any_drifted(judged: &[Judged]) -> bool {
    judged
        .iter()
        .any(|feature| feature.verdict == Verdict::Drift)
}

/// Whether as many of `all` come of a rate once in a million times.
fn by_chance(count: u64, all: u64, rate: f64) -> bool {
    count == 0 || Binomial::new(rate, all).unwrap().sf(count - 1) > 1e-6
}

#[test]
fn real_tables_drift_when_they_are_shifted_and_not_when_they_are_split() {
    const SPLITS: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let areas = export(dir.path());
    let mut random = fastrand::Rng::with_seed(10);
    for name in ["wine", "breast_cancer", "digits"] {
        let table = read(&dir.path().join(format!("{name}.csv")));
        let rows = table[0].len();
        let mut order: Vec<usize> = (0..rows).collect();
        let pick = |rows: &[usize], shift: f64| -> Table {
            let column = |column: &Vec<f64>| rows.iter().map(|&at| column[at] + shift).collect();
            table.iter().map(column).collect()
        };
        let (mut tables, mut columns, mut tested) = (0, 0, 0);
        for _ in 0..SPLITS {
            random.shuffle(&mut order);
            let (a, b) = order.split_at(rows / 2);
            let judged = judge(&pick(a, 0.0), &pick(b, 0.0));
            tables += u64::from(any_drifted(&judged));
            for found in judged
                .iter()
                .filter_map(|feature| feature.distribution.as_ref().ok())
            {
                tested += 1;
                columns += u64::from(found.p_value <= 0.05);
            }
        }
        println!(
            "{name}: {tables} of {SPLITS} splits alarmed; p ≤ 0.05 in {columns} of {tested} columns"
        );
        // Over a table, alarms are at the level.
        assert!(by_chance(tables, SPLITS, 0.05), "{name}: {tables}");
        // Of columns, that hang together, the mean is: a third more than chance would be beyond it.
        let share = columns as f64 / tested as f64;
        assert!(share < 0.067, "{name}: {share}");
        assert!(tested > 10 * SPLITS, "{name}: {tested}");

        // By half a deviation of each feature.
        let shifted =
            ["before", "after"].map(|side| read(&dir.path().join(format!("{name}_{side}.csv"))));
        assert!(any_drifted(&judge(&shifted[0], &shifted[1])), "{name}");
        let drifted = judge(&shifted[0], &shifted[1]);
        let drifted = drifted
            .iter()
            .filter(|feature| feature.verdict == Verdict::Drift)
            .count();
        assert!(
            drifted * 2 > table.len(),
            "{name}: {drifted} of {}",
            table.len()
        );

        told_apart(name, &shifted, areas[name].as_f64().unwrap());
    }
}

/// A small perceptron that learns from half of the rows tells samples apart as well as logistic regression does, or better.
#[cfg(feature = "candle")]
fn told_apart(name: &str, [before, after]: &[Table; 2], area: f64) {
    use modelpulse::drift::candle::DomainClassifier;
    use modelpulse::drift::rows::Rows;

    let rows = |table: &Table| {
        let values = (0..table[0].len()).flat_map(|at| table.iter().map(move |column| column[at]));
        Rows::new(table.len(), values.collect()).unwrap()
    };
    let told = DomainClassifier::default()
        .compare(&rows(before), &rows(after))
        .unwrap();
    println!(
        "{name}: AUC {:.3} ± {:?}, scikit-learn {area:.3}",
        told.auc, told.interval
    );
    assert!(told.p_value < 0.01, "{name}: {told:?}");
    assert!(
        (told.auc - area).abs() < 0.12,
        "{name}: {told:?}, scikit-learn {area}"
    );
}

#[cfg(not(feature = "candle"))]
fn told_apart(_: &str, _: &[Table; 2], _: f64) {}
