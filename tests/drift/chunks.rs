//! Chunk after chunk beside NannyML: univariate distances, reconstruction errors, data quality.

use std::collections::HashSet;

use modelpulse::drift::chunks::{Histogram, Thresholds};
use modelpulse::drift::data::{Categories, Counts, Sample, ks, transport};
use modelpulse::drift::quality::{self, Summary};
use modelpulse::drift::rows::{Components, Rows};
use serde_json::Value;

use crate::support::{Check, cases, entries, id, number, numbers};

/// What is known of a chunk: all reference chunks first, then those of the analysis.
struct Series {
    values: Vec<f64>,
    errors: Option<Vec<f64>>,
    thresholds: Thresholds,
    alerts: Vec<bool>,
    least: f64,
}

impl Series {
    fn new(values: Vec<f64>, thresholds: Thresholds) -> Self {
        let alerts = values
            .iter()
            .map(|&value| thresholds.alert(value))
            .collect();
        Self {
            values,
            errors: None,
            thresholds,
            alerts,
            least: f64::NEG_INFINITY,
        }
    }

    fn compare(&self, check: &mut Check, place: &str, key: &str, expected: &Value) {
        let limits = |limit: Option<f64>| vec![limit.unwrap_or(f64::NAN); self.values.len()];
        let bounds = |sign: f64| -> Vec<f64> {
            let errors = self.errors.iter().flatten();
            let both = self.values.iter().zip(errors);
            both.map(|(value, error)| (value + sign * 3.0 * error).max(self.least))
                .collect()
        };
        let ours = match key {
            "value" => self.values.clone(),
            "sampling_error" => self.errors.clone().unwrap_or_default(),
            "upper_confidence_boundary" => bounds(1.0),
            "lower_confidence_boundary" => bounds(-1.0),
            "upper_threshold" => limits(self.thresholds.upper),
            "lower_threshold" => limits(self.thresholds.lower),
            "alert" => {
                let expected = expected.as_array().unwrap().iter();
                let expected: Vec<bool> = expected.map(|alert| alert.as_bool().unwrap()).collect();
                return check.exact(place, &self.alerts, &expected);
            }
            _ => return check.unknown(place),
        };
        let expected = numbers(expected);
        check.exact(format!("{place} length"), ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(expected) {
            check.close(place, *ours, expected, 1e-9);
        }
    }
}

/// Where chunks begin and end, of both periods.
fn compare_chunks(
    check: &mut Check,
    place: &str,
    key: &str,
    expected: &Value,
    chunks: &[(usize, usize, usize)],
) {
    let ours = |of: fn(&(usize, usize, usize)) -> usize| -> Vec<f64> {
        chunks.iter().map(|chunk| of(chunk) as f64).collect()
    };
    match key {
        "chunk_index" => check.answers(place, &ours(|chunk| chunk.0), expected),
        "start_index" => check.answers(place, &ours(|chunk| chunk.1), expected),
        "end_index" => check.answers(place, &ours(|chunk| chunk.2), expected),
        // There are no times.
        "start_date" | "end_date" => {}
        _ => check.unknown(place),
    }
}

fn chunks_of(lengths: [usize; 2], size: usize) -> Vec<(usize, usize, usize)> {
    let period = |length: usize| {
        let starts = (0..length).step_by(size).enumerate();
        starts.map(move |(at, start)| (at, start, (start + size).min(length) - 1))
    };
    lengths.into_iter().flat_map(period).collect()
}

fn both<'a>(case: &'a Value, column: &str) -> [&'a Vec<Value>; 2] {
    ["reference", "analysis"].map(|period| case["input"][period][column].as_array().unwrap())
}

#[test]
fn reference_drift_nannyml_chunks() {
    let mut check = Check::default();
    for case in cases("drift_nannyml_chunks.json") {
        let size = usize::try_from(case["input"]["chunk_size"].as_u64().unwrap()).unwrap();
        if case["input"].get("columns").is_some() {
            reconstruction(&mut check, &case, size);
        } else {
            univariate(&mut check, &case, size);
        }
    }
    check.finish("drift_nannyml_chunks.json");
}

fn univariate(check: &mut Check, case: &Value, size: usize) {
    for (name, expected) in entries(&case["expected"]) {
        let place = format!("{} {name}", id(case));
        let parts: Vec<&str> = name.split('/').collect();
        let &[column, method, key] = parts.as_slice() else {
            check.unknown(place);
            continue;
        };
        if column == "chunk" {
            let first = case["input"]["reference"]
                .as_object()
                .unwrap()
                .values()
                .next();
            let reference = first.unwrap().as_array().unwrap().len();
            let first = case["input"]["analysis"]
                .as_object()
                .unwrap()
                .values()
                .next();
            let analysis = first.unwrap().as_array().unwrap().len();
            compare_chunks(
                check,
                &place,
                key,
                expected,
                &chunks_of([reference, analysis], size),
            );
            continue;
        }
        let series = if both(case, column)[0].iter().any(Value::is_string) {
            of_categories(both(case, column), method, size)
        } else {
            of_numbers(both(case, column), method, size)
        };
        match series {
            Some(series) => series.compare(check, &place, key, expected),
            None => check.unknown(place),
        }
    }
}

/// The values over all chunks, and the thresholds from those of the reference.
fn over_chunks<T>(periods: [&[T]; 2], size: usize, of: impl Fn(&[T]) -> f64) -> Series {
    let values: Vec<f64> = periods
        .iter()
        .flat_map(|period| period.chunks(size))
        .map(of)
        .collect();
    let reference = &values[..periods[0].len().div_ceil(size)];
    let thresholds = Thresholds::three_sigma(reference).above_only();
    Series::new(values, thresholds)
}

fn of_numbers(periods: [&Vec<Value>; 2], method: &str, size: usize) -> Option<Series> {
    let periods = periods.map(|period| period.iter().map(number).collect::<Vec<f64>>());
    let reference = Sample::new(&periods[0]);
    let histogram = Histogram::of(&reference);
    let value = |chunk: &[f64]| {
        let chunk = Sample::new(chunk);
        match method {
            "kolmogorov_smirnov" => ks::Distance::of(&reference, &chunk).unwrap().distance,
            "wasserstein" => transport::wasserstein(&reference, &chunk).unwrap(),
            "jensen_shannon" => histogram.counts(&chunk).jensen_shannon_bits().unwrap(),
            "hellinger" => histogram.counts(&chunk).hellinger().unwrap(),
            _ => f64::NAN,
        }
    };
    let series = over_chunks([&periods[0], &periods[1]], size, value);
    (!series.values[0].is_nan()).then_some(series)
}

fn of_categories(periods: [&Vec<Value>; 2], method: &str, size: usize) -> Option<Series> {
    let names = |period: &Vec<Value>| -> Vec<String> {
        period
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let periods = periods.map(names);
    let counts = |chunk: &[String]| -> Counts {
        Categories::of(periods[0].clone(), chunk.to_vec())
            .counts()
            .clone()
    };
    if method == "chi2" {
        let test = |chunk: &[String]| counts(chunk).chi_squared().unwrap();
        let mut series = over_chunks([&periods[0], &periods[1]], size, |chunk| {
            test(chunk).statistic
        });
        // Its alert is one of the p-value.
        series.thresholds = Thresholds {
            lower: None,
            upper: None,
        };
        let chunks = periods.iter().flat_map(|period| period.chunks(size));
        series.alerts = chunks.map(|chunk| test(chunk).p_value < 0.05).collect();
        return Some(series);
    }
    let value = |chunk: &[String]| {
        let counts = counts(chunk);
        match method {
            "jensen_shannon" => counts.jensen_shannon_bits().unwrap(),
            "hellinger" => counts.hellinger().unwrap(),
            "l_infinity" => counts.largest_difference().unwrap(),
            _ => f64::NAN,
        }
    };
    let series = over_chunks([&periods[0], &periods[1]], size, value);
    (!series.values[0].is_nan()).then_some(series)
}

fn reconstruction(check: &mut Check, case: &Value, size: usize) {
    let width = case["input"]["columns"].as_array().unwrap().len();
    let periods = ["reference", "analysis"].map(|period| {
        let rows = case["input"][period].as_array().unwrap();
        Rows::new(width, rows.iter().flat_map(numbers).collect()).unwrap()
    });
    let components = Components::fit(&periods[0], 0.65).unwrap();
    let errors = periods
        .each_ref()
        .map(|rows| components.errors(rows).unwrap());
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
    let mut series = over_chunks([&errors[0], &errors[1]], size, mean);
    let reference = &series.values[..errors[0].len().div_ceil(size)];
    series = Series::new(series.values.clone(), Thresholds::three_sigma(reference));
    let chunks = errors.iter().flat_map(|period| period.chunks(size));
    let deviation = |errors: &[f64]| {
        let squares: f64 = errors
            .iter()
            .map(|error| (error - mean(errors)).powi(2))
            .sum();
        (squares / (errors.len() - 1) as f64).sqrt() / (errors.len() as f64).sqrt()
    };
    series.errors = Some(chunks.map(deviation).collect());
    for (name, expected) in entries(&case["expected"]) {
        let place = format!("{} {name}", id(case));
        match name.split_once('/') {
            Some(("chunk", key)) => {
                let chunks = chunks_of([errors[0].len(), errors[1].len()], size);
                compare_chunks(check, &place, key, expected, &chunks);
            }
            Some(("reconstruction_error", key)) => series.compare(check, &place, key, expected),
            _ => check.unknown(place),
        }
    }
}

#[test]
fn reference_quality_nannyml() {
    let mut check = Check::default();
    for case in cases("quality_nannyml.json") {
        let size = usize::try_from(case["input"]["chunk_size"].as_u64().unwrap()).unwrap();
        for (kind, expected) in entries(&case["expected"]) {
            if kind == "pandas" {
                described(&mut check, &case, expected);
                continue;
            }
            for (name, expected) in entries(expected) {
                let place = format!("{} {kind} {name}", id(&case));
                let Some((column, key)) = name.split_once('/') else {
                    check.unknown(place);
                    continue;
                };
                if column == "chunk" {
                    let lengths = both(&case, "x").map(Vec::len);
                    compare_chunks(&mut check, &place, key, expected, &chunks_of(lengths, size));
                    continue;
                }
                let series = rates(both(&case, column), kind, size);
                series.compare(&mut check, &place, key, expected);
            }
        }
    }
    check.finish("quality_nannyml.json");
}

fn rates(periods: [&Vec<Value>; 2], kind: &str, size: usize) -> Series {
    let periods = periods.map(Vec::as_slice);
    let name = |value: &Value| value.as_str().map(str::to_owned);
    let values = |chunk: &[Value]| -> Vec<f64> { chunk.iter().map(number).collect() };
    if kind == "missing" {
        let missing = |value: &Value| (!value.is_null()).then_some(());
        let mut series = over_chunks(periods, size, |chunk| {
            quality::missing_rate(chunk.iter().map(missing))
        });
        let reference = &series.values[..periods[0].len().div_ceil(size)];
        let thresholds = Thresholds::three_sigma(reference)
            .at_least(0.0)
            .at_most(1.0);
        series = Series::new(series.values.clone(), thresholds);
        let rate = quality::missing_rate(periods[0].iter().map(missing));
        series.errors = Some(vec![
            quality::sampling_error(rate, size);
            series.values.len()
        ]);
        series.least = 0.0;
        return series;
    }
    let series = if kind == "unseen" {
        let seen: HashSet<String> = periods[0].iter().filter_map(name).collect();
        over_chunks(periods, size, |chunk| {
            quality::unseen_rate(&seen, chunk.iter().map(name))
        })
    } else {
        let reference = Sample::new(&values(periods[0]));
        over_chunks(periods, size, |chunk| {
            quality::out_of_range_rate(&reference, &values(chunk))
        })
    };
    let none = Thresholds {
        lower: None,
        upper: Some(0.0),
    };
    Series::new(series.values, none)
}

fn described(check: &mut Check, case: &Value, expected: &Value) {
    let [reference, current] = both(case, "x").map(|column| {
        let values: Vec<f64> = column.iter().map(number).collect();
        Summary::of(&Sample::new(&values))
    });
    for (name, expected) in entries(expected) {
        let place = format!("{} pandas {name}", id(case));
        match name {
            "ref_x_describe" | "cur_x_describe" => {
                let summary = if name == "ref_x_describe" {
                    reference
                } else {
                    current
                };
                for (key, expected) in entries(expected) {
                    let place = format!("{place} {key}");
                    let ours = match key {
                        "count" => summary.count as f64,
                        "mean" => summary.mean,
                        "std" => summary.deviation,
                        "min" => summary.least,
                        "25%" => summary.lower_quartile,
                        "50%" => summary.median,
                        "75%" => summary.upper_quartile,
                        "max" => summary.most,
                        _ => {
                            check.unknown(place);
                            continue;
                        }
                    };
                    check.close(place, ours, number(expected), 1e-9);
                }
            }
            "cur_x_missing" => check.exact(place, current.missing as f64, number(expected)),
            "cur_c_counts" => {
                let names = both(case, "c")[1].iter().filter_map(Value::as_str);
                let categories = Categories::of([], names);
                for (name, &count) in categories.names().iter().zip(categories.counts().current()) {
                    check.exact(
                        format!("{place} {name}"),
                        count as f64,
                        number(&expected[name]),
                    );
                }
                check.exact(
                    place,
                    categories.names().len(),
                    expected.as_object().unwrap().len(),
                );
            }
            "cur_duplicated_rows" => {
                let [x, c] = ["x", "c"].map(|column| both(case, column)[1]);
                let rows = x.iter().zip(c).map(|(x, c)| (x.to_string(), c.to_string()));
                check.exact(place, quality::duplicates(rows) as f64, number(expected));
            }
            _ => check.unknown(place),
        }
    }
}
