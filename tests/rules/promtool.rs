//! `promtool test rules` agrees with us on every alert, at every step, of random rules on random series.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use fastrand::Rng;
use modelpulse::flow::{Event, Sink};
use modelpulse::health::{Alerts, Comparison, Rule, RuleSet, Severity, Span, When};

const SERIES: usize = 1_000;
const STEPS: usize = 30;
const STEP_SECONDS: i64 = 30;

/// Conditions on the series `eval/x`, around the values that it takes.
const CONDITIONS: [&str; 12] = [
    "eval/x < 0.8",
    "x >= 0.8",
    "*/x == 0.7",
    "x != 0.7",
    "avg(eval/x, 90s) < 0.8",
    "min(x, 2m) <= 0.7",
    "max(x, 1m) > 0.85",
    "stddev(x, 3m) > 0.08",
    "change(x, 2m) < -0.05",
    "slope(x, 3m) < -0.0005",
    "nan(x)",
    "nonfinite(eval/x)",
];

fn rules(random: &mut Rng) -> RuleSet {
    let mut rules = Vec::new();
    for (index, condition) in CONDITIONS.iter().enumerate() {
        for variant in 0..usize::from(index == 0) + 1 {
            let spans = [0, 30, 60, 120];
            let span = |random: &mut Rng| Span::seconds(spans[random.usize(..spans.len())]);
            let mut rule = Rule::new(format!("r{index}_{variant}"), condition.parse().unwrap())
                .hold_for(span(random))
                .keep_firing_for(span(random))
                .nan([When::Fire, When::Ignore][random.usize(..2)])
                .severity([Severity::Info, Severity::Critical][random.usize(..2)])
                .label("team", "it's \"us\"")
                .message("{rule} of {run}: {value}");
            if index == 0 && variant == 1 {
                rule = rule.clear(Comparison::Greater, 0.85);
            }
            rules.push(rule);
        }
    }
    let absent = Rule::new("silent", "absent(eval/x, 2m)".parse().unwrap());
    rules.push(absent.hold_for(Span::seconds(60)));
    RuleSet::new(rules).unwrap()
}

/// A walk between 0.6 and 1 in hundredths, with flat stretches, NaN, infinities and gaps.
fn series(random: &mut Rng) -> Vec<Option<f64>> {
    let mut values = Vec::new();
    let mut hundredths = random.i64(60..=100);
    while values.len() < STEPS {
        let value = match random.u32(..40) {
            0 => f64::NAN,
            1 => [f64::INFINITY, f64::NEG_INFINITY][random.usize(..2)],
            2 => {
                let gap = random.usize(1..16);
                values.extend(std::iter::repeat_n(None, gap));
                continue;
            }
            _ => {
                if random.bool() {
                    hundredths = (hundredths + random.i64(-9..=9)).clamp(60, 100);
                }
                hundredths as f64 / 100.0
            }
        };
        values.push(Some(value));
    }
    values.truncate(STEPS);
    // The first value comes at the start, as silence counts from there.
    values[0].get_or_insert(0.9);
    values
}

/// The samples of `ALERTS` at each step, by alert and state.
fn expected(
    rules: &RuleSet,
    values: &[Option<f64>],
) -> Vec<BTreeMap<(String, &'static str), String>> {
    let mut alerts = Alerts::new(rules.clone(), |_| ());
    let step = |(step, value): (usize, &Option<f64>)| {
        let wall_time = (step as i64 * STEP_SECONDS) as f64;
        let mut instant = vec![Event::new(".", "heartbeat", step, wall_time, 0.0)];
        instant.extend(value.map(|value| Event::new("eval", "x", step, wall_time, value)));
        alerts.accept(&instant).unwrap();
        let active = alerts.active().map(|(rule, run, _, state)| {
            let absent = rule.name() == "silent";
            let severity = if absent { "warning" } else { rule.severity_name() };
            let team = if absent { "" } else { "team=\"it's \\\"us\\\"\", " };
            let run = if absent { String::new() } else { format!("run=\"{run}\", ") };
            let name = rule.name();
            let state = state.name();
            let labels = format!(
                "ALERTS{{alertname=\"{name}\", alertstate=\"{state}\", {run}severity=\"{severity}\"{}}}",
                team.trim_end_matches(", ").replacen("team", ", team", 1)
            );
            ((name.to_owned(), state), labels)
        });
        active.collect()
    };
    values.iter().enumerate().map(step).collect()
}

fn promtool(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(dir)
        .output();
    let output = output.expect("promtool runs: tests/run installs it");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn promtool_agrees_on_every_alert() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Rng::with_seed(7);
    let rules = rules(&mut random);
    let (yaml, left_out) = rules.to_prometheus();
    assert_eq!(left_out, []);
    std::fs::write(dir.path().join("rules.yml"), yaml).unwrap();
    let (accepted, said) = promtool(dir.path(), &["check", "rules", "rules.yml"]);
    assert!(accepted && said.contains("14 rules found"), "{said}");

    // Two at once, for two cores.
    let halves = [SERIES / 2, SERIES - SERIES / 2].map(|count| -> Vec<Vec<Option<f64>>> {
        (0..count).map(|_| series(&mut random)).collect()
    });
    let (dir, rules) = (dir.path(), &rules);
    let firing: usize = std::thread::scope(|scope| {
        let halves = halves.iter().enumerate();
        let threads = halves.map(|(half, series)| {
            scope.spawn(move || agreed(dir, &format!("tests{half}.yml"), rules, series))
        });
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    let states = SERIES * STEPS * rules.iter().count();
    println!("{SERIES} series, {states} states compared, {firing} of them firing");
    assert!(firing > 10_000);
}

/// Asserts that promtool finds the alerts of each of `all` where we do, and counts those that fire.
fn agreed(dir: &Path, file: &str, rules: &RuleSet, all: &[Vec<Option<f64>>]) -> usize {
    let mut tests = "rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n".to_owned();
    let mut firing = 0;
    for values in all {
        let shown = values.iter().map(|value| match value {
            None => "_".to_owned(),
            Some(f64::INFINITY) => "+Inf".to_owned(),
            Some(f64::NEG_INFINITY) => "-Inf".to_owned(),
            Some(value) => value.to_string(),
        });
        let shown: Vec<String> = shown.collect();
        let shown = shown.join(" ");
        write!(tests, "- interval: 30s\n  input_series:\n  - series: 'modelpulse_x{{run=\"eval\"}}'\n    values: '{shown}'\n  promql_expr_test:\n").unwrap();
        for (step, samples) in expected(rules, values).iter().enumerate() {
            let time = step as i64 * STEP_SECONDS;
            write!(
                tests,
                "  - expr: ALERTS\n    eval_time: {time}s\n    exp_samples:\n"
            )
            .unwrap();
            if samples.is_empty() {
                tests += "      []\n";
            }
            for ((_, state), labels) in samples {
                let labels = labels.replace('\'', "''");
                writeln!(tests, "    - {{labels: '{labels}', value: 1}}").unwrap();
                firing += usize::from(*state == "firing");
            }
        }
    }
    std::fs::write(dir.join(file), tests).unwrap();
    let (agreed, said) = promtool(dir, &["test", "rules", file]);
    let start: String = said.chars().take(4_000).collect();
    assert!(agreed, "{start}");
    firing
}
