//! Every kind of value that a line can hold, in the log with its content.

use std::collections::BTreeMap;
use std::path::Path;

use modelpulse::figure::{
    LabelledBox, Picture, ReliabilityBin, RocCurve, confusion_matrix, labelled_boxes,
    reliability_diagram, roc_curves,
};
use modelpulse::log::{Embedding, Projector};
use modelpulse::metrics::ConfusionMatrix;
use modelpulse::proto::DataType;
use modelpulse::summary::{
    Animation, Audio, Band, Chart, Domain, Graph, HParams, Image, ImageGrid, Images, Layout, Mesh,
    Metric, Node, NodeStats, PixelLayout, PrCounts, PrCurve, RunStats, Scalar, Tensor, Text, Value,
};
use serde_json::json;

use crate::{log, read, scalar, scalars};

/// Logs the lines to the run `all`; the values by run and tag, the last of each.
fn logged(dir: &Path, lines: &[serde_json::Value]) -> BTreeMap<String, Value> {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let (_, err) = log(dir, &["--name", "all", "--quiet"], lines.join("\n"), 0);
    assert_eq!(err, "");
    let events = read(dir).into_iter().flatten();
    events
        .map(|event| {
            let path = event.path();
            let path = path.strip_prefix("all/").unwrap_or(&path).to_owned();
            (path, event.value)
        })
        .collect()
}

/// Compares the values of the lines, each without its tag, with what the library makes.
#[track_caller]
fn expect(cases: Vec<(serde_json::Value, Value)>) {
    let dir = tempfile::tempdir().unwrap();
    let tag = |(index, (line, _)): (usize, &(serde_json::Value, Value))| {
        let mut line = line.clone();
        line["tag"] = json!(format!("t{index}"));
        line
    };
    let lines: Vec<_> = cases.iter().enumerate().map(tag).collect();
    let logged = logged(dir.path(), &lines);
    assert_eq!(logged.len(), cases.len());
    for (index, (line, expected)) in cases.into_iter().enumerate() {
        assert_eq!(logged[&format!("t{index}")], expected, "{line}");
    }
}

fn picture(picture: Picture) -> Value {
    let image = Image::rgb(picture.width(), picture.height(), picture.rgb());
    image.unwrap().into()
}

#[test]
fn scalars_texts_and_tensors() {
    let described = Tensor::new("mine", &[2, 2], &[1_i64, 2, 3, 4]).unwrap();
    let strings = Tensor::new("mine", &[2], &["a", "b"]).unwrap();
    let flat = Tensor::new("mine", &[2, 1], &[0.5_f32, f32::NAN]).unwrap();
    let switches = Tensor::new("mine", &[1, 2], &[true, false]).unwrap();
    let table = Text::table(&["name", "n"], &[["fc", "64"], ["", "true"]]);
    expect(vec![
        (
            json!({"value": 0.5, "description": "*nats*"}),
            Scalar::new(0.5).description("*nats*").into(),
        ),
        (
            json!({"table": [["name", "n"], ["fc", 64], [null, true]]}),
            table.clone().into(),
        ),
        (
            json!({"table": [{"name": "fc", "n": 64}, {"n": true}]}),
            table.into(),
        ),
        (
            json!({"tensor": [[1, 2], [3, 4]], "dtype": "int64", "plugin": "mine",
                   "content": {"unit": "ms"}, "display_name": "latency", "description": "d"}),
            described
                .content("{\"unit\":\"ms\"}")
                .display_name("latency")
                .description("d")
                .into(),
        ),
        (
            json!({"tensor": ["a", "b"], "dtype": "string", "plugin": "mine"}),
            strings.into(),
        ),
        (
            json!({"tensor": [[true, false]], "dtype": "bool", "plugin": "mine"}),
            switches.into(),
        ),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let line = json!({"tag": "x", "tensor": [0.5, "NaN"], "shape": [2, 1], "plugin": "mine"});
    let logged = logged(dir.path(), &[line]);
    // NaN is not equal to itself, so the text is compared.
    assert_eq!(
        format!("{:?}", logged["x"]),
        format!("{:?}", Value::from(flat))
    );
}

#[test]
fn scalars_of_a_group_share_a_chart() {
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        json!({"tag": "loss", "scalars": {"train": 0.5, "eval": 0.75}}),
        json!({"layout": {"own": {"pair": ["a", "b"], "all": {"matching": ["grad/.*"]}},
                          "bands": {"m": {"value": "v", "lower": "l", "upper": "u"}}}}),
        json!({"tag": "loss", "scalars": {"train": 0.25, "test": 1}}),
    ];
    let logged = logged(dir.path(), &lines);
    assert_eq!(logged["loss/train"].scalar(), Some(0.25));
    assert_eq!(logged["loss/eval"].scalar(), Some(0.75));
    assert_eq!(logged["loss/test"].scalar(), Some(1.0));
    let band = Band {
        value: "v".into(),
        lower: "l".into(),
        upper: "u".into(),
    };
    let layout = Layout::new()
        .section(
            "own",
            [
                Chart::tags("pair", ["a", "b"]),
                Chart::matching("all", ["grad/.*"]),
            ],
        )
        .section("bands", [Chart::bands("m", [band])])
        .section(
            "loss",
            [Chart::tags(
                "loss",
                ["loss/train", "loss/eval", "loss/test"],
            )],
        );
    assert_eq!(Layout::try_from(&logged[Layout::TAG]), Ok(layout));
    // The layout took no step.
    let events = read(dir.path()).into_iter().flatten();
    let steps = events.filter(|event| event.tag.as_str() == "loss/train");
    assert_eq!(
        steps.map(|event| event.step.as_i64()).collect::<Vec<_>>(),
        [0, 1]
    );
}

#[test]
fn pictures() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.png");
    let rgb = Image::rgb(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
    std::fs::write(&file, rgb.png()).unwrap();
    // The same file.
    let base64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
    let black = Image::grey(1, 1, &[0]).unwrap();
    let grey = |pixels: &[u8]| Image::grey(2, 1, pixels).unwrap();
    let boxed = LabelledBox::new([5.0, 5.0, 40.0, 40.0], "cat").score(0.5);
    let plain = LabelledBox::new([1.0, 1.0, 9.0, 9.0], "").colour([1, 2, 3]);
    let boxes = labelled_boxes(&[90; 64 * 64 * 3], 64, 64, &[boxed, plain]).unwrap();
    let animation = Animation::rgb(2, 1, 10.0, [[0, 0, 0, 9, 9, 9], [9, 9, 9, 0, 0, 0]]).unwrap();
    let gif = dir.path().join("a.gif");
    std::fs::write(&gif, animation.gif()).unwrap();
    let grid = ImageGrid::new().columns(1).padding(1).background(7);
    let grid = grid.draw(&[0_u8, 255, 128, 64], [2, 1, 2, 1], PixelLayout::Hwc);
    expect(vec![
        (json!({"image": file}), rgb.clone().into()),
        (json!({"image": [[0, 255]]}), grey(&[0, 255]).into()),
        (
            json!({"image": [[[1, 2, 3], [4, 5, 6]]]}),
            rgb.clone().into(),
        ),
        (
            json!({"image": {"pixels": [[[1, 4]], [[2, 5]], [[3, 6]]], "layout": "chw"}}),
            rgb.clone().into(),
        ),
        (
            json!({"image": {"pixels": [[0, 16]], "max": 16}}),
            grey(&[0, 255]).into(),
        ),
        (
            json!({"images": [[[0, 1]], [[2, 3]]]}),
            Images::new(vec![grey(&[0, 1]), grey(&[2, 3])])
                .unwrap()
                .into(),
        ),
        (
            json!({"grid": [[[0, 255]], [[128, 64]]], "columns": 1, "padding": 1, "background": 7}),
            grid.unwrap().into(),
        ),
        (
            json!({"image": vec![vec![90; 64]; 64], "boxes": [
                {"box": [5, 5, 40, 40], "label": "cat", "score": 0.5},
                {"box": [1, 1, 9, 9], "color": [1, 2, 3]}]}),
            picture(boxes),
        ),
        (
            json!({"animation": [[[0, 9]], [[9, 0]]], "fps": 10}),
            animation.clone().into(),
        ),
        (json!({"animation": gif}), animation.into()),
        (
            json!({"grid": [file], "padding": 0}),
            Image::rgb(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap().into(),
        ),
    ]);
    let logged = logged(
        &dir.path().join("x"),
        &[json!({"tag": "b", "image": {"base64": base64}})],
    );
    let decoded = Image::try_from(&logged["b"]).unwrap().decode().unwrap();
    assert_eq!(decoded, black.decode().unwrap());
}

#[test]
fn sounds() {
    let dir = tempfile::tempdir().unwrap();
    let mono = Audio::mono(8000, &[0.0, 0.5, -0.5]).unwrap();
    let file = dir.path().join("a.wav");
    std::fs::write(&file, mono.wav()).unwrap();
    let stereo = Audio::planar(44_100, 2, &[0.0, 0.5, 1.0, -1.0]).unwrap();
    expect(vec![
        (json!({"audio": file}), mono.clone().into()),
        (json!({"audio": [0, 0.5, -0.5], "rate": 8000}), mono.into()),
        (
            json!({"audio": [[0, 0.5], [1, -1]], "rate": 44100}),
            stereo.into(),
        ),
    ]);
}

#[test]
fn curves() {
    let (scores, labels) = ([0.9, 0.4, 0.35, 0.1], [true, false, true, false]);
    let given = json!([1, 0, true, false]);
    let counts = PrCounts {
        true_positives: vec![2.0, 1.0],
        false_positives: vec![2.0, 0.0],
        true_negatives: vec![0.0, 2.0],
        false_negatives: vec![0.0, 1.0],
    };
    // By hand: from the highest score down, a positive, a negative, a positive, a negative.
    let points = [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)];
    // All tie: the diagonal.
    let tied = [(0.0, 0.0), (1.0, 1.0)];
    let curve = |name, points, auc| RocCurve { name, points, auc };
    let bin = |confidence, accuracy, count| ReliabilityBin {
        confidence,
        accuracy,
        count,
    };
    let bins = [
        bin((0.4 + 0.35 + 0.1) / 3.0, 1.0 / 3.0, 3),
        bin(0.9, 1.0, 1),
    ];
    let matrix = ConfusionMatrix::from_rows(&[[1, 0], [1, 1]]).unwrap();
    let cats = confusion_matrix(&matrix, &["cat".into(), "dog".into()]).unwrap();
    let numbers = confusion_matrix(&matrix, &["0".into(), "1".into()]).unwrap();
    let weighted = PrCurve::weighted(&scores, &labels, &[1.0, 2.0, 0.0, 1.0], 5).unwrap();
    expect(vec![
        (
            json!({"pr_curve": scores, "labels": given}),
            PrCurve::of(&scores, &labels).unwrap().into(),
        ),
        (
            json!({"pr_curve": scores, "labels": given, "weights": [1, 2, 0, 1], "thresholds": 5,
                   "description": "d"}),
            weighted.description("d").into(),
        ),
        (
            json!({"pr_curve": {"true_positives": [2, 1], "false_positives": [2, 0],
                                "true_negatives": [0, 2], "false_negatives": [0, 1]}}),
            PrCurve::from_counts(&counts).unwrap().into(),
        ),
        (
            json!({"roc": scores, "labels": given}),
            picture(roc_curves(&[curve("", &points, 0.75)]).unwrap()),
        ),
        (
            json!({"roc": {"a": scores, "b": [1, 1, 1, 1]}, "labels": given}),
            picture(roc_curves(&[curve("a", &points, 0.75), curve("b", &tied, 0.5)]).unwrap()),
        ),
        (
            json!({"reliability": scores, "labels": given, "bins": 2}),
            picture(reliability_diagram(&bins).unwrap()),
        ),
        (
            json!({"confusion": [[1, 0], [1, 1]], "classes": ["cat", "dog"]}),
            picture(cats.clone()),
        ),
        (
            json!({"confusion": ["cat", "cat", "dog"], "labels": ["cat", "dog", "dog"],
                   "classes": ["cat", "dog"]}),
            picture(cats),
        ),
        (
            json!({"confusion": [0, 0, 1], "labels": [0, 1, 1]}),
            picture(numbers),
        ),
    ]);
}

#[test]
fn meshes_and_embeddings() {
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        json!({"tag": "m", "mesh": [[0, 0, 0], [1, 0, 0], [0, 1.5, 0]], "faces": [[0, 1, 2]],
               "colors": [[255, 0, 0], [0, 255, 0], [0, 0, 255]],
               "config": {"camera": {"cls": "PerspectiveCamera", "fov": 75}}, "description": "d"}),
        json!({"run": "deep", "tag": "words", "embedding": [[0, 1], [1, 0]],
               "metadata": {"word": ["a", "b"], "n": [1, 2]}, "sprite": [[[0, 255]], [[7, 8]]]}),
        json!({"tag": "plain", "embedding": [[0.5]], "metadata": ["x"]}),
    ];
    let logged = logged(dir.path(), &lines);
    let mesh = Mesh::new(&[[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.5, 0.0]])
        .and_then(|mesh| mesh.faces(&[[0, 1, 2]]))
        .and_then(|mesh| mesh.colours(&[[255, 0, 0], [0, 255, 0], [0, 0, 255]]))
        .and_then(|mesh| mesh.config(r#"{"camera":{"cls":"PerspectiveCamera","fov":75}}"#));
    let parts = mesh.unwrap().description("d").values("m");
    assert_eq!(parts.len(), 3);
    assert_eq!(logged, parts.into_iter().collect());

    // The files are those that the library writes.
    let expected = tempfile::tempdir().unwrap();
    let words = Embedding::new("words", 2, &[0.0, 1.0, 1.0, 0.0])
        .and_then(|it| it.column("word", ["a", "b"]))
        .and_then(|it| it.column("n", ["1", "2"]))
        .and_then(|it| it.grey_thumbnails(2, 1, &[0, 255, 7, 8]));
    let plain = Embedding::new("plain", 1, &[0.5]).and_then(|it| it.column("label", ["x"]));
    for (run, embedding) in [("all/deep", words), ("all", plain)] {
        let projector = Projector::new(expected.path().join(run));
        projector.write(&embedding.unwrap()).unwrap();
        let ours = Projector::new(dir.path().join(run)).config().unwrap();
        assert_eq!(ours, projector.config().unwrap());
        let info = &ours.embeddings[0];
        let mut files = vec![&info.tensor_path, &info.metadata_path];
        files.extend(info.sprite.as_ref().map(|sprite| &sprite.image_path));
        for file in files {
            let read = |root: &Path| std::fs::read(root.join(run).join(file)).unwrap();
            assert!(read(dir.path()) == read(expected.path()), "{file}");
        }
    }
}

#[test]
fn graphs_and_what_they_took() {
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        json!({"graph": [{"name": "x", "op": "Input", "shape": [-1, 4]},
                         {"name": "fc", "op": "MatMul", "inputs": ["x"], "device": "/device:CPU:0",
                          "attrs": {"n": 2, "rate": 0.5, "bias": true, "kind": "dense", "strides": [1, 2]}}]}),
        json!({"run": "p", "graph": {"parameters": {"fc.weight": [10, 64], "fc.bias": [10]}}}),
        json!({"tag": "batch 9", "step": 9, "run_metadata": [
            {"node": "fc", "device": "/device:CPU:0", "start": 0.5, "time": 1e-4, "memory": {"cpu": 4096},
             "outputs": [{"dtype": "int64", "shape": [32, 2]}]},
            {"node": "x", "time": 0}]}),
        json!({"a": 1}),
    ];
    let logged = logged(dir.path(), &lines);
    let fc = Node::new("fc", "MatMul")
        .input("x")
        .device("/device:CPU:0")
        .attr("n", 2)
        .attr("rate", 0.5)
        .attr("bias", true)
        .attr("kind", "dense")
        .attr("strides", modelpulse::summary::Attr::integers(&[1, 2]));
    let graph = Graph::new([Node::new("x", "Input").output_shape(&[-1, 4]), fc]).unwrap();
    assert_eq!(Graph::try_from(&logged[Graph::TAG]), Ok(graph));
    let parameters = [("fc.weight", vec![10, 64]), ("fc.bias", vec![10])];
    let graph = Graph::of_parameters(parameters).unwrap();
    assert_eq!(
        Graph::try_from(&logged[&format!("p/{}", Graph::TAG)]),
        Ok(graph)
    );
    let micros = std::time::Duration::from_micros;
    let fc = NodeStats::new("fc", micros(500_000), micros(100))
        .memory("cpu", 4096)
        .output(DataType::DtInt64, &[32, 2]);
    let x = NodeStats::new("x", micros(0), micros(0));
    let stats = RunStats::new()
        .node("/device:CPU:0", fc)
        .node("/device:CPU:0", x);
    assert_eq!(RunStats::try_from(&logged["batch 9"]), Ok(stats));
    assert_eq!(logged["a"].scalar(), Some(1.0));
}

#[test]
fn sessions_of_one_experiment() {
    let dir = tempfile::tempdir().unwrap();
    let trial = |name: &str, lr: f64| {
        json!({"run": name, "hparams": {"lr": lr, "opt": "sgd", "nesterov": true},
               "domains": {"lr": {"min": 0.01, "max": 1}, "opt": ["sgd", "adam"]}, "group": "g",
               "description": "trials",
               "metrics": ["acc", {"tag": "loss", "display_name": "Loss", "measured_on": "validation"}]})
    };
    let lines = [
        trial("trial_0", 0.1),
        json!({"run": "trial_0", "session_end": "success"}),
        trial("trial_1", 0.5),
        json!({"run": "trial_1", "acc": 0.5}),
    ];
    let logged = logged(dir.path(), &lines);
    let hparams = |lr: f64| {
        let values = HParams::new().set("lr", lr).set("opt", "sgd");
        values.set("nesterov", true).group("g")
    };
    let tags: Vec<&str> = logged.keys().map(String::as_str).collect();
    let expected = [
        "_hparams_/experiment",
        "trial_0/_hparams_/session_end_info",
        "trial_0/_hparams_/session_start_info",
        "trial_1/_hparams_/session_end_info",
        "trial_1/_hparams_/session_start_info",
        "trial_1/acc",
    ];
    assert_eq!(tags, expected);
    for (run, lr) in [("trial_0", 0.1), ("trial_1", 0.5)] {
        let start = &logged[&format!("{run}/_hparams_/session_start_info")];
        let mut start: Vec<_> = values_of(&HParams::try_from(start).unwrap());
        let mut expected = values_of(&hparams(lr));
        // Of a start, the values by name.
        start.sort();
        expected.sort();
        assert_eq!(start, expected);
    }
    let experiment = HParams::try_from(&logged["_hparams_/experiment"]).unwrap();
    let loss = Metric::new("", "loss")
        .display_name("Loss")
        .measured_on(modelpulse::summary::Measured::Validation);
    let metrics: Vec<&Metric> = experiment.metrics().collect();
    assert_eq!(metrics, [&Metric::new("", "acc"), &loss]);
    let described = HParams::new()
        .domain("lr", Domain::interval(0.01, 1.0).unwrap())
        .domain("opt", Domain::discrete(["sgd", "adam"]).unwrap())
        .describe("nesterov", "")
        .description("trials")
        .metric("", "acc")
        .judged_by(loss.clone());
    assert_eq!(experiment, described);
}

fn values_of(hparams: &HParams) -> Vec<String> {
    hparams.values().map(|value| format!("{value:?}")).collect()
}

#[test]
fn runs_are_split_for_every_kind_and_what_a_run_has_once_voids_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        json!({"step": 4, "tag": "train/loss", "scalars": {"a": 1}}),
        json!({"step": 4, "tag": "train/note", "text": "x"}),
        json!({"step": 4, "tag": "train/words", "embedding": [[1]]}),
    ];
    let again = [
        json!({"run": "train", "graph": [{"name": "x"}]}),
        json!({"run": "train", "layout": {"s": {"c": ["loss/a"]}}}),
        json!({"step": 5, "tag": "train/loss", "scalars": {"a": 2}}),
    ];
    let text = |lines: &[serde_json::Value]| {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        lines.join("\n")
    };
    log(
        dir.path(),
        &["--name", "x", "--split-runs"],
        text(&lines),
        0,
    );
    let go_on = ["--name", "x", "--split-runs", "--resume"];
    log(dir.path(), &go_on, text(&again), 0);
    let expected = [
        scalar("x/train/loss/a", 4, 1.0),
        scalar("x/train/loss/a", 5, 2.0),
    ];
    assert_eq!(scalars(dir.path()), expected);
    let tags: Vec<String> = read(dir.path())
        .into_iter()
        .flatten()
        .map(|event| event.path())
        .collect();
    assert!(tags.contains(&"x/train/note".to_owned()), "{tags:?}");
    let config = Projector::new(dir.path().join("x/train")).config().unwrap();
    assert_eq!(config.embeddings[0].tensor_name, "words");
}
