//! One seed gives one series of everything but times, however often and on however many threads.

use std::collections::BTreeMap;
use std::path::Path;

use modelpulse::flow::Source;
use modelpulse::log::LogReader;
use modelpulse::proto::hparams::{HParamsPluginData, h_params_plugin_data::Data};
use modelpulse::summary::{Tensor, Value};
use prost::Message;

use crate::support::{modelpulse, run};

/// All points of each series, in order; a float by its bits, so that NaN is itself.
type Log = BTreeMap<String, Vec<(i64, String)>>;

/// Trains in a directory of its own, so that not even the command line differs, and reads the log.
fn trained(arguments: &[&str], threads: &str) -> Log {
    let dir = tempfile::tempdir().unwrap();
    run(modelpulse()
        .current_dir(dir.path())
        .env("RAYON_NUM_THREADS", threads)
        .args(["train", "--quiet", "--logdir", "runs", "--name", "a"])
        .args(arguments))
    .ended(0);
    read(&dir.path().join("runs/a"))
}

fn read(logdir: &Path) -> Log {
    let mut reader = LogReader::open(logdir).unwrap();
    let mut log = Log::new();
    while let Some(instant) = reader.next_instant().unwrap() {
        for event in instant {
            let tag = event.tag.as_str();
            if tag.starts_with("time/") || tag.starts_with("resource/") {
                continue;
            }
            let value = match &event.value {
                Value::Scalar(value) => format!("{:08x}", value.to_bits()),
                Value::Tensor(tensor) => format!("{:?}", without_times(Tensor::clone(tensor))),
                other => format!("{other:?}"),
            };
            let series = log.entry(event.path()).or_default();
            series.push((event.step.as_i64(), value));
        }
    }
    assert_eq!(reader.problems(), []);
    log
}

/// Hyperparameters say when the session began and ended.
fn without_times(mut tensor: Tensor) -> Tensor {
    let Some(plugin) = &mut tensor.metadata.plugin_data else {
        return tensor;
    };
    if plugin.plugin_name == "hparams" {
        let mut message = HParamsPluginData::decode(plugin.content.clone()).unwrap();
        match &mut message.data {
            Some(Data::Experiment(experiment)) => experiment.time_created_secs = 0.0,
            Some(Data::SessionStartInfo(start)) => start.start_time_secs = 0.0,
            Some(Data::SessionEndInfo(end)) => end.end_time_secs = 0.0,
            None => {}
        }
        plugin.content = message.encode_to_vec().into();
    }
    tensor
}

/// Names the series that differ; their contents are long.
#[track_caller]
fn assert_same(a: &Log, b: &Log) {
    assert!(a.keys().eq(b.keys()), "{:?}\n{:?}", a.keys(), b.keys());
    let differing: Vec<&String> = a.keys().filter(|&series| a[series] != b[series]).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

#[test]
fn one_seed_gives_one_log() {
    let arguments = ["--epochs", "3", "--seed", "11"];
    let (a, b) = (trained(&arguments, "2"), trained(&arguments, "2"));
    assert_same(&a, &b);
    for (series, points) in [
        ("train/epoch_loss", 3),
        ("eval/epoch_auc_roc", 3),
        ("batch/batch_loss", 135),
        ("train/weights/layer0.weight", 3),
        ("train/gradients/layer1.bias", 3),
        ("eval/confusion_matrix", 3),
        ("eval/worst_examples", 3),
        ("model_card", 1),
        ("_hparams_/session_start_info", 1),
        ("_hparams_/session_end_info", 1),
    ] {
        assert_eq!(a[series].len(), points, "{series}");
    }
}

#[test]
fn another_seed_gives_another_log() {
    let a = trained(&["--epochs", "3", "--seed", "11"], "2");
    let b = trained(&["--epochs", "3", "--seed", "12"], "2");
    assert!(a.keys().eq(b.keys()));
    // How it ended, the hyperparameters' names, the learning rate and the graph.
    let same: Vec<&String> = a.keys().filter(|&series| a[series] == b[series]).collect();
    let may_be_same = |series: &str| {
        series.starts_with("_hparams_/")
            || series.ends_with("_learning_rate")
            || series == "__run_graph__"
    };
    let wrong: Vec<_> = same.iter().filter(|same| !may_be_same(same)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_ne!(
        a["_hparams_/session_start_info"],
        b["_hparams_/session_start_info"]
    );
}

#[test]
fn number_of_threads_changes_nothing() {
    // Large enough that a matrix product is shared out.
    let wide = [
        "--hidden",
        "512,256",
        "--batch-size",
        "256",
        "--epochs",
        "2",
    ];
    for arguments in [&["--epochs", "3"][..], &wide] {
        let one = trained(arguments, "1");
        assert_same(&one, &trained(arguments, "2"));
        assert_same(&one, &trained(arguments, "5"));
    }
}
