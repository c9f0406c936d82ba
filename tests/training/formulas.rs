//! Schedules, clipping and optimizers give PyTorch's numbers, which `torch_formulas.py` wrote.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Optimizer, ParamsAdamW};
use modelpulse::train::candle::{AdamW, Clip, ResumableOptimizer, Sgd, SgdConfig};
use modelpulse::train::{Mode, Monitor, ReduceOnPlateau, Schedule, Split};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("torch_formulas.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

fn assert_close(ours: &[f64], theirs: &[f64], what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        // PyTorch takes many rates from the one before, and its roundings with them.
        let close = (ours - theirs).abs() <= 1e-12 * theirs.abs().max(1e-3);
        assert!(close, "{what}[{at}]: {ours} and {theirs}");
    }
}

#[test]
fn schedules_give_pytorchs_rates() {
    let reference = &reference()["schedules"];
    let mut compared = 0;
    for (name, schedule) in [
        ("step", Schedule::step(0.3, 4, 0.3)),
        ("exponential", Schedule::exponential(0.3, 0.93)),
        ("cosine", Schedule::cosine(0.3, 7).least(0.01)),
        ("cosine_growing", Schedule::cosine(0.3, 3).growth(2)),
        ("cosine_once", Schedule::cosine(0.3, 20)),
        ("warm_up", Schedule::exponential(0.3, 0.9).warm_up(7, 0.1)),
        ("one_cycle", Schedule::one_cycle(0.3, 37)),
        (
            "one_cycle_shaped",
            Schedule::one_cycle(0.3, 20).cycle(0.55, 4.0, 50.0),
        ),
    ] {
        let theirs = numbers(&reference[name]);
        let ours: Vec<f64> = (0..theirs.len())
            .map(|step| schedule.rate(0, step))
            .collect();
        assert_close(&ours, &theirs, name);
        compared += 1;
    }
    assert_eq!(compared, reference.as_object().unwrap().len());
}

#[test]
fn plateaus_give_pytorchs_rates() {
    let reference = reference();
    let metric: Vec<f64> = reference["metric"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().parse().unwrap())
        .collect();
    let new = || ReduceOnPlateau::new(0.3);
    let highest = Monitor::new(Split::Eval, "accuracy", Mode::Max);
    let mut compared = 0;
    for (name, plateau) in [
        ("min_relative", new().factor(0.5).patience(2)),
        (
            "min_absolute",
            new().factor(0.5).patience(1).absolute_threshold(0.05),
        ),
        (
            "max_cooldown",
            new().monitor(highest).patience(1).cooldown(3).least(1e-4),
        ),
    ] {
        let mut schedule = Schedule::reduce_on_plateau(plateau);
        let mut ours = Vec::new();
        for &value in &metric {
            schedule.observe(value);
            ours.push(schedule.rate(0, 0));
        }
        assert!(ours.last().unwrap() < &0.03, "{name} reduces");
        assert_close(&ours, &numbers(&reference["plateaus"][name]), name);
        compared += 1;
    }
    assert_eq!(compared, reference["plateaus"].as_object().unwrap().len());
}

/// The parameters `a` and `b` of the reference.
fn parameters(reference: &Value, dtype: DType) -> [(&'static str, Var); 2] {
    ["a", "b"].map(|name| {
        let values = numbers(&reference["parameters"][name]);
        let shape = if name == "a" { vec![2, 3] } else { vec![2] };
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        let var = Var::from_tensor(&tensor.to_dtype(dtype).unwrap()).unwrap();
        (name, var)
    })
}

/// A store with the gradients of a step, made by the backward pass of a sum of products.
/// `b` has none at the step `missing`.
fn gradients(
    reference: &Value,
    step: usize,
    vars: &[(&str, Var)],
    missing: Option<usize>,
) -> GradStore {
    let mut loss: Option<Tensor> = None;
    for (name, var) in vars {
        if *name == "b" && Some(step) == missing {
            continue;
        }
        let values = numbers(&reference["gradients"][step][name]);
        let gradient = Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap();
        let gradient = gradient.to_dtype(var.dtype()).unwrap();
        let part = (var.as_tensor() * gradient).unwrap().sum_all().unwrap();
        loss = Some(match loss {
            Some(loss) => (loss + part).unwrap(),
            None => part,
        });
    }
    loss.unwrap().backward().unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.flatten_all().unwrap().to_dtype(DType::F64);
    flat.unwrap().to_vec1().unwrap()
}

const STEPS: usize = 12;

/// The parameters after each step; the learning rate is halved before step 8. After `stop` steps the
/// optimizer is made anew, and goes on from its state.
fn trajectory<O: Optimizer>(
    reference: &Value,
    dtype: DType,
    missing: Option<usize>,
    mut make: impl FnMut(Vec<Var>) -> O,
    mut each: impl FnMut(usize, O, &dyn Fn() -> Vec<Var>) -> O,
) -> Vec<BTreeMap<&'static str, Vec<f64>>> {
    let vars = parameters(reference, dtype);
    let all = || vars.iter().map(|(_, var)| var.clone()).collect::<Vec<_>>();
    let mut optimizer = make(all());
    (0..STEPS)
        .map(|step| {
            if step == 8 {
                optimizer.set_learning_rate(optimizer.learning_rate() / 2.0);
            }
            optimizer
                .step(&gradients(reference, step, &vars, missing))
                .unwrap();
            // As a loop that takes its optimizer by value gives it back.
            let taken = std::mem::replace(&mut optimizer, make(Vec::new()));
            optimizer = each(step, taken, &all);
            vars.iter()
                .map(|(name, var)| (*name, values(var)))
                .collect()
        })
        .collect()
}

fn assert_trajectory(reference: &Value, name: &str, ours: &[BTreeMap<&'static str, Vec<f64>>]) {
    let theirs = reference["optimizers"][name].as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (step, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        for (parameter, ours) in ours {
            let theirs = numbers(&theirs[parameter]);
            assert_close(ours, &theirs, &format!("{name}, step {step}, {parameter}"));
        }
    }
}

/// Runs an optimizer beside PyTorch, and again with a stop behind each step: the same bits.
fn check<O: ResumableOptimizer>(name: &str, missing: Option<usize>, make: impl Fn(Vec<Var>) -> O) {
    let reference = reference();
    let whole = trajectory(&reference, DType::F64, missing, &make, |_, optimizer, _| {
        optimizer
    });
    assert_trajectory(&reference, name, &whole);
    let stopping = |dtype| {
        trajectory(&reference, dtype, missing, &make, |_, stopped, vars| {
            let mut next = make(vars());
            next.set_learning_rate(123.0);
            next.restore(&stopped.state().unwrap()).unwrap();
            next
        })
    };
    assert_eq!(whole, stopping(DType::F64), "{name}");
    let single = trajectory(&reference, DType::F32, missing, &make, |_, optimizer, _| {
        optimizer
    });
    assert_eq!(single, stopping(DType::F32), "{name}");
}

fn adamw_settings() -> [(&'static str, ParamsAdamW); 2] {
    let default = ParamsAdamW {
        lr: 0.05,
        ..ParamsAdamW::default()
    };
    let set = ParamsAdamW {
        lr: 0.02,
        beta1: 0.8,
        beta2: 0.99,
        eps: 1e-4,
        weight_decay: 0.3,
    };
    [("adamw", default), ("adamw_set", set)]
}

#[test]
fn adamw_takes_pytorchs_steps() {
    for (name, params) in adamw_settings() {
        check(name, None, |vars| AdamW::new(vars, params.clone()).unwrap());
    }
}

#[test]
fn sgd_takes_pytorchs_steps() {
    let plain = SgdConfig {
        learning_rate: 0.05,
        ..SgdConfig::default()
    };
    let (momentum, weight_decay) = (0.9, 0.1);
    for (name, config) in [
        ("sgd", plain),
        (
            "sgd_decay",
            SgdConfig {
                weight_decay,
                ..plain
            },
        ),
        ("sgd_momentum", SgdConfig { momentum, ..plain }),
        (
            "sgd_dampened",
            SgdConfig {
                momentum,
                weight_decay,
                dampening: 0.3,
                ..plain
            },
        ),
        (
            "sgd_nesterov",
            SgdConfig {
                momentum,
                weight_decay,
                nesterov: true,
                ..plain
            },
        ),
    ] {
        check(name, Some(4), |vars| Sgd::new(vars, config).unwrap());
    }
}

#[test]
fn both_are_candles_own_bit_for_bit() {
    let reference = reference();
    for dtype in [DType::F64, DType::F32, DType::BF16] {
        for (name, params) in adamw_settings() {
            let ours = |vars| AdamW::new(vars, params.clone()).unwrap();
            let candles = |vars| candle_nn::AdamW::new(vars, params.clone()).unwrap();
            assert_eq!(
                trajectory(&reference, dtype, Some(4), ours, |_, optimizer, _| {
                    optimizer
                }),
                trajectory(&reference, dtype, Some(4), candles, |_, optimizer, _| {
                    optimizer
                }),
                "{name} {dtype:?}"
            );
        }
        let config = SgdConfig::default();
        let ours = |vars| Sgd::new(vars, config).unwrap();
        let candles = |vars| candle_nn::SGD::new(vars, config.learning_rate).unwrap();
        assert_eq!(
            trajectory(&reference, dtype, Some(4), ours, |_, optimizer, _| {
                optimizer
            }),
            trajectory(&reference, dtype, Some(4), candles, |_, optimizer, _| {
                optimizer
            }),
        );
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
    let reference = reference();
    let make = |vars| AdamW::new(vars, adamw_settings()[0].1.clone()).unwrap();
    let vars = parameters(&reference, DType::F64);
    let mut optimizer = make(vars.iter().map(|(_, var)| var.clone()).collect());
    optimizer
        .step(&gradients(&reference, 0, &vars, None))
        .unwrap();
    let before = optimizer.state().unwrap();

    let mut state = before.clone();
    state.insert("step".into(), Tensor::new(7_i64, &Device::Cpu).unwrap());
    let other = Tensor::zeros((3, 2), DType::F64, &Device::Cpu).unwrap();
    state.insert("second_moment/0".into(), other);
    let error = optimizer.restore(&state).unwrap_err().to_string();
    assert!(
        error.contains("'second_moment/0'") && error.contains("[3, 2]"),
        "{error}"
    );
    state.remove("first_moment/1");
    state.remove("second_moment/0");
    let error = optimizer.restore(&state).unwrap_err().to_string();
    assert!(error.contains("no tensor"), "{error}");

    let after = optimizer.state().unwrap();
    assert!(before.keys().eq(after.keys()));
    for (name, tensor) in &before {
        assert_eq!(values(tensor), values(&after[name]), "{name}");
    }
}

#[test]
fn clipping_gives_pytorchs_gradients() {
    let reference = reference();
    let mut compared = 0;
    for (name, clip) in [
        ("value", Clip::Value(0.3)),
        ("norm", Clip::Norm(0.5)),
        ("norm_wide", Clip::Norm(1e3)),
    ] {
        let theirs = &reference["clipping"][name];
        let vars = parameters(&reference, DType::F64);
        let mut store = gradients(&reference, 3, &vars, None);
        let all: Vec<Var> = vars.iter().map(|(_, var)| var.clone()).collect();
        let norm = clip.apply(&mut store, &all).unwrap();
        if let Some(norm) = norm {
            assert_close(&[norm], &numbers(&theirs["norm"]), name);
        }
        for (parameter, var) in &vars {
            let ours = values(store.get(var).unwrap());
            assert_close(&ours, &numbers(&theirs["gradients"][parameter]), name);
        }
        compared += 1;
    }
    assert_eq!(compared, reference["clipping"].as_object().unwrap().len());
}
