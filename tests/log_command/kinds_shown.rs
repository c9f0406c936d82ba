//! TensorBoard's own reader finds in the log what the lines say, kind by kind.

use serde_json::{Value, json};

use crate::{log, run_python};

/// What TensorBoard reads of a run of these lines.
fn shown(lines: &[Value]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    log(
        dir.path(),
        &["--name", "all", "--quiet"],
        lines.join("\n"),
        0,
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/log_command/kinds.py");
    run_python(&[script.as_ref(), dir.path().as_os_str()])
}

#[test]
fn every_kind_has_its_content_in_tensorboard() {
    let shown = shown(&[
        json!({"hparams": {"lr": 0.5, "opt": "sgd"}, "domains": {"lr": {"min": 0.25, "max": 1}},
               "metrics": [{"tag": "loss/a", "display_name": "Loss", "measured_on": "validation"}]}),
        json!({"tag": "described", "value": 0.5, "description": "*nats*"}),
        json!({"tag": "loss", "scalars": {"a": 0.5, "b": 0.25}}),
        json!({"layout": {"mine": {"band": {"value": "v", "lower": "l", "upper": "u"}}}}),
        json!({"tag": "table", "table": [["name", "n"], ["fc", 64]]}),
        json!({"tag": "grey", "image": [[0, 255]], "description": "two pixels"}),
        json!({"tag": "rgba", "image": [[[1, 2, 3, 4]]]}),
        json!({"tag": "several", "images": [[[1]], [[2]]]}),
        json!({"tag": "grid", "grid": [[[1]], [[2]]], "padding": 0}),
        json!({"tag": "boxes", "image": vec![vec![9; 40]; 30], "boxes": [{"box": [1, 1, 9, 9]}]}),
        json!({"tag": "moving", "animation": [[[0, 255]], [[255, 0]]], "fps": 4}),
        json!({"tag": "tone", "audio": [[0, 1], [-1, 0.5]], "rate": 8000}),
        json!({"tag": "pr", "pr_curve": [0.75, 0.25], "labels": [1, 0], "thresholds": 3}),
        json!({"tag": "roc", "roc": [0.75, 0.25], "labels": [1, 0]}),
        json!({"tag": "calibration", "reliability": [0.75, 0.25], "labels": [1, 0]}),
        json!({"tag": "confusion", "confusion": [[1, 2], [3, 4]]}),
        json!({"tag": "scan", "mesh": [[0, 0, 0], [1, 0, 0], [0, 1, 0]], "faces": [[0, 1, 2]],
               "colors": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "config": {"camera": {"fov": 75}}}),
        json!({"tag": "words", "embedding": [[0, 1], [0.5, 0]], "metadata": ["a", "b"],
               "sprite": [[[0]], [[9]]]}),
        json!({"tag": "mine", "tensor": [[1, 2], [3, 4]], "dtype": "int32", "plugin": "my_plugin",
               "content": "c"}),
        json!({"graph": [{"name": "x", "op": "Input"}, {"name": "fc", "op": "MatMul", "inputs": ["x"]}]}),
        json!({"tag": "batch 9", "run_metadata": [{"node": "fc", "time": 1e-4}]}),
        json!({"session_end": "success"}),
    ]);
    let image = |description: &str, content: Value| json!(["images", description, content]);
    // Precision and recall behind the counts, at the thresholds 0, 0.5 and 1.
    let pr = [
        [1.0, 1.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 1.0],
        [0.0, 0.0, 1.0],
        [0.5, 1.0, 0.0],
        [1.0, 1.0, 0.0],
    ];
    let mesh = |array: Value| json!(["mesh", "", ["scan", "{\"camera\":{\"fov\":75}}", 14, array]]);
    let expected = json!({
        "all/described": ["scalars", "*nats*", 0.5],
        "all/loss/a": ["scalars", "", 0.5],
        "all/loss/b": ["scalars", "", 0.25],
        "all/custom_scalars__config__": ["custom_scalars", "", {"category": [
            {"title": "mine", "chart": [{"title": "band", "margin": {"series": [
                {"value": "v", "lower": "l", "upper": "u"}]}}]},
            {"title": "loss", "chart": [{"title": "loss", "multiline": {"tag": ["^loss/a$", "^loss/b$"]}}]}]}],
        "all/table": ["text", "", "| name | n |\n|---|---|\n| fc | 64 |\n"],
        "all/grey": image("two pixels", json!([{"mode": "L", "pixels": [0, 255]}])),
        "all/rgba": image("", json!([{"mode": "RGBA", "pixels": [1, 2, 3, 4]}])),
        "all/several": image("", json!([{"mode": "L", "pixels": [1]}, {"mode": "L", "pixels": [2]}])),
        "all/grid": image("", json!([{"mode": "L", "pixels": [1, 2]}])),
        "all/boxes": image("", json!([{"mode": "RGB", "pixels": [480, 360]}])),
        "all/moving": image("", json!([{"duration": 250, "frames": [
            [0, 0, 0, 255, 255, 255], [255, 255, 255, 0, 0, 0]]}])),
        // Frame by frame, left and right, of 16 bits: 0, -32768; 32767, 16384.
        "all/tone": ["audio", "", [[2, 8000, [0, 0, 0, 128, 255, 127, 0, 64]]]],
        "all/pr": ["pr_curves", "", [3, pr]],
        "all/scan_VERTEX": mesh(json!([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])),
        "all/scan_FACE": mesh(json!([[[0, 1, 2]]])),
        "all/scan_COLOR": mesh(json!([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]])),
        "all/mine": ["my_plugin", "", ["c", "int32", [[1, 2], [3, 4]]]],
        "all/graph": [{"name": "x", "op": "Input"}, {"name": "fc", "op": "MatMul", "input": ["x"]}],
        "all/batch 9": ["graph_tagged_run_metadata", "", {"stepStats": {"devStats": [
            {"device": "/device:CPU:0", "nodeStats": [
                {"nodeName": "fc", "allStartMicros": "1", "opEndRelMicros": "100", "allEndRelMicros": "100"}]}]}}],
        "projector": [["words", "0.0\t1.0\n0.5\t0.0\n", "a\nb\n", [1, 1],
            {"mode": "L", "pixels": [0, 9, 0, 0]}]],
    });
    for (tag, expected) in expected.as_object().unwrap() {
        assert_eq!(&shown[tag], expected, "{tag}");
    }
    for tag in ["roc", "calibration", "confusion"] {
        let [plugin, _, content] = &shown[format!("all/{tag}")].as_array().unwrap()[..] else {
            panic!("{tag}")
        };
        assert_eq!(
            (plugin, &content[0]["mode"]),
            (&json!("images"), &json!("RGB"))
        );
    }
    let hparams = |part: &str| &shown[format!("all/_hparams_/{part}")][2];
    let experiment = json!({
        "hparamInfos": [
            {"name": "lr", "type": "DATA_TYPE_FLOAT64", "domainInterval": {"minValue": 0.25, "maxValue": 1.0}},
            {"name": "opt", "type": "DATA_TYPE_STRING"}],
        "metricInfos": [{"name": {"tag": "loss/a"}, "displayName": "Loss", "datasetType": "DATASET_VALIDATION"}],
    });
    assert_eq!(hparams("experiment"), &experiment);
    let start = json!({"hparams": {"lr": 0.5, "opt": "sgd"}, "groupName": "all"});
    assert_eq!(hparams("session_start_info"), &start);
    assert_eq!(
        hparams("session_end_info"),
        &json!({"status": "STATUS_SUCCESS"})
    );
}
