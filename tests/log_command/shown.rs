//! TensorBoard shows what the lines say.

use std::collections::BTreeMap;

use modelpulse::flow::Event;
use modelpulse::summary::{Histogram, Image, Text};
use serde_json::{Value, json};

use crate::{log, read, run_python, shown};

#[test]
fn every_kind_is_shown_by_tensorboard() {
    let dir = tempfile::tempdir().unwrap();
    let png = dir.path().join("sample.png");
    let image = Image::rgb(3, 2, &[9; 18]).unwrap();
    std::fs::write(&png, image.png()).unwrap();
    let logdir = dir.path().join("runs");
    let lines = [
        json!({"hparams": {"lr": 0.1, "opt": "sgd", "nesterov": true}, "metrics": ["eval/acc"]}),
        json!({"step": 1, "eval/acc": 0.75}),
        json!({"step": 1, "tag": "note", "text": "*so* it is"}),
        json!({"step": 1, "tag": "w", "histogram": [1, 2, 4, "NaN", "NaN", "Infinity"]}),
        json!({"step": 1, "tag": "b", "buckets": [[0, 1, 12], [1, 3, 5]]}),
        json!({"step": 1, "tag": "nested", "histogram": {"buckets": [[0, 1, 12]]}}),
        json!({"step": 1, "tag": "img", "image": png}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    let (out, err) = log(&logdir, &["--name", "all", "--json"], lines, 0);
    assert_eq!(err, "");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["run"], json!(logdir.join("all")));
    assert_eq!(report["lines"], json!({"logged": 7, "skipped": 0}));
    assert_eq!(report["log"]["written"], 11);

    let events: BTreeMap<String, Event> = read(&logdir)
        .into_iter()
        .flatten()
        .map(|event| (event.tag.to_string(), event))
        .collect();
    let text = Text::try_from(&events["note"].value).unwrap();
    assert_eq!(text, Text::new("*so* it is"));
    let histogram = |tag: &str| Histogram::try_from(&events[tag].value).unwrap();
    assert_eq!(histogram("w"), Histogram::of(&[1, 2, 4]));
    let buckets = vec![[0.0, 1.0, 12.0], [1.0, 3.0, 5.0]];
    assert_eq!(histogram("b"), Histogram::from_buckets(buckets).unwrap());
    assert_eq!(histogram("nested").count(), 12);
    assert_eq!(Image::try_from(&events["img"].value).unwrap(), image);
    assert_eq!(events["w/nan"].value.scalar(), Some(2.0));
    assert_eq!(events["w/+inf"].value.scalar(), Some(1.0));

    let script = r#"
import json, sys
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.plugins.hparams import metadata
found = plugin_event_multiplexer.EventMultiplexer()
found.AddRunsFromDirectory(sys.argv[1]).Reload()
plugins = ["scalars", "text", "histograms", "images"]
tags = {p: sorted(found.PluginRunToTagToContent(p)["all"]) for p in plugins}
strings = lambda tag: [s.decode("latin1") for s in found.Tensors("all", tag)[0].tensor_proto.string_val]
hparams = found.PluginRunToTagToContent("hparams")["all"]
start = metadata.parse_session_start_info_plugin_data(hparams["_hparams_/session_start_info"])
experiment = metadata.parse_experiment_plugin_data(hparams["_hparams_/experiment"])
print(json.dumps({
    "tags": tags, "text": strings("note"), "size": strings("img")[:2],
    "hparams": {k: v.WhichOneof("kind") for k, v in start.hparams.items()},
    "metrics": [[m.name.group, m.name.tag] for m in experiment.metric_infos],
    "end": "_hparams_/session_end_info" in hparams,
}))
"#;
    let arguments = ["-c".as_ref(), script.as_ref(), logdir.as_os_str()];
    assert_eq!(
        run_python(&arguments),
        json!({
            "tags": {
                "scalars": ["eval/acc", "w/+inf", "w/nan"],
                "text": ["note"],
                "histograms": ["b", "nested", "w"],
                "images": ["img"],
            },
            "text": ["*so* it is"],
            "size": ["3", "2"],
            "hparams": {"lr": "number_value", "opt": "string_value", "nesterov": "bool_value"},
            "metrics": [["", "eval/acc"]],
            "end": true,
        })
    );
}

#[test]
fn both_loaders_show_split_runs_and_a_resumed_one() {
    let dir = tempfile::tempdir().unwrap();
    let line = |step: i64, loss: f64| {
        format!("{{\"step\":{step},\"train/loss\":{loss},\"eval/loss\":{step},\"own\":1}}\n")
    };
    let first: String = (0..10).map(|step| line(step, 0.5)).collect();
    let again: String = (6..8).map(|step| line(step, 0.25)).collect();
    let split = ["--name", "x", "--split-runs"];
    log(dir.path(), &split, first, 0);
    let (_, err) = log(dir.path(), &split, "{\"a\": 1}", 2);
    assert!(err.contains("exists already"), "{err}");
    let go_on = ["--name", "x", "--split-runs", "--resume"];
    log(dir.path(), &go_on, again, 0);
    // Behind the last step.
    log(dir.path(), &go_on, "{\"train/loss\": 0.125}", 0);
    let points = |value: &dyn Fn(i64) -> f64, steps: std::ops::Range<i64>| {
        json!(
            steps
                .map(|step| json!([step, value(step)]))
                .collect::<Vec<_>>()
        )
    };
    let train = |step| match step {
        ..6 => 0.5,
        6..8 => 0.25,
        _ => 0.125,
    };
    let shown = shown(dir.path(), &["loss", "own"]);
    for loader in ["fast", "slow"] {
        let run = &shown[loader];
        // The first session's steps 8 and 9 are void, so the next one is 8.
        assert_eq!(run["x/train"]["loss"], points(&train, 0..9), "{loader}");
        assert_eq!(
            run["x/eval"]["loss"],
            points(&|step| step as f64, 0..8),
            "{loader}"
        );
        assert_eq!(run["x"]["own"], points(&|_| 1.0, 0..8), "{loader}");
    }
}
