//! One body of user code, written for `tensorboard-rs`, compiled against it and against our `compat`.
//!
//! Both logs decode to the same events.
#![cfg(feature = "compat")]

use std::path::Path;

use modelpulse::flow::Event;
use modelpulse::log::LogReader;
use modelpulse::summary::{Histogram, Image};

/// As its users have it.
#[allow(clippy::unnecessary_to_owned, reason = "users wrote it so")]
mod theirs {
    use protobuf::RepeatedField;
    use tensorboard_proto as proto;
    use tensorboard_rs as tb;

    include!("user_code.rs");
}

/// With other `use` lines, and nothing else.
#[allow(
    clippy::unnecessary_to_owned,
    clippy::useless_conversion,
    reason = "users wrote it for other types"
)]
mod ours {
    use Vec as RepeatedField;
    use modelpulse::compat as tb;
    use modelpulse::compat::proto;

    include!("user_code.rs");
}

/// The events of a log by series, each without its time.
fn events(dir: &Path) -> Vec<Event> {
    let mut log = LogReader::open(dir).unwrap();
    let mut events = Vec::new();
    while let Some(instant) = log.instant().unwrap() {
        events.extend(instant);
    }
    assert_eq!(log.problems(), []);
    events.iter_mut().for_each(|event| event.wall_time = 0.0);
    // Stable, so that each series keeps its order.
    events.sort_by(|a, b| (&a.run, &a.tag).cmp(&(&b.run, &b.tag)));
    events
}

/// What an event says, however its bytes were made: an image's pixels, not its compression.
fn said(event: &Event) -> String {
    let Event {
        run,
        tag,
        step,
        value,
        ..
    } = event;
    let content = match value.plugin() {
        "images" => {
            let (channels, pixels) = Image::try_from(value).unwrap().decode().unwrap();
            format!("{channels} {pixels:?}")
        }
        // A histogram of the first generation is read at single precision, as TensorBoard does.
        "histograms" => {
            let histogram = Histogram::try_from(value).unwrap();
            let buckets = histogram.buckets().iter();
            let single = buckets.map(|bucket| bucket.map(|number| number as f32));
            format!("{:?}", single.collect::<Vec<_>>())
        }
        "graphs" => {
            let graph = modelpulse::summary::Graph::try_from(value).unwrap();
            format!("{:?}", graph.nodes().collect::<Vec<_>>())
        }
        "scalars" => format!("{:?}", value.scalar()),
        // Run metadata without content, which says nothing.
        "graph_tagged_run_metadata" => return String::new(),
        other => panic!("{other} was not logged"),
    };
    format!("{run} {tag} {step} {content}")
}

#[test]
fn user_code_of_tensorboard_rs_logs_the_same_events() {
    let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    theirs::user_code(theirs.path());
    ours::user_code(ours.path());
    let said_by = |dir: &Path| -> Vec<String> {
        let all = events(dir).iter().map(said).collect::<Vec<_>>();
        all.into_iter().filter(|line| !line.is_empty()).collect()
    };
    let (theirs, ours) = (said_by(theirs.path()), said_by(ours.path()));
    assert_eq!(theirs.len(), 100 + 3 * 2 + 3 + 2 + 1);
    assert_eq!(theirs, ours);
}

#[test]
fn what_tensorboard_rs_leaves_unimplemented_works() {
    use modelpulse::compat::summary_writer::SummaryWriter;
    use modelpulse::figure::{LabelledBox, draw, labelled_boxes};
    use modelpulse::log::{Embedding, Projector};
    use modelpulse::summary::{
        Animation, Audio, Graph, HParams, Images, Layout, Mesh, PrCounts, PrCurve, Text, Value,
    };

    let dir = tempfile::tempdir().unwrap();
    let mut writer = SummaryWriter::new(dir.path());
    let rgb = vec![100; 4 * 3 * 3];
    writer.add_hparams(&HParams::new().set("lr", 0.1).metric("", "loss"));
    writer.add_scalar("loss", 0.5, 1);
    writer.add_histogram("h", &[1.0, 2.0, f64::NAN], 1);
    writer.add_histogram_raw("raw", 0.0, 2.0, 7.0, 0.0, 0.0, &[1.0, 2.0], &[3.0, 4.0], 1);
    writer.add_images("images", vec![Image::rgb(4, 3, &rgb).unwrap(); 2], 1);
    writer.add_image_with_boxes(
        "boxes",
        &[9; 64 * 64 * 3],
        &[3, 64, 64],
        &[LabelledBox::new([5.0, 5.0, 40.0, 40.0], "cat")],
        1,
    );
    writer.add_figure("figure", &draw(80, 60, |_| Ok(())).unwrap(), 1);
    writer.add_video("video", &[rgb.clone(), vec![0; 36]], 4, 3, 10.0, 1);
    writer.add_audio("audio", &[0.0, 0.5, -0.5], 8000, 1);
    writer.add_text("text", "*fine*", 1);
    writer.add_embedding(&Embedding::new("points", 2, &[0.0, 1.0, 2.0, 3.0]).unwrap());
    writer.add_pr_curve("pr", &[true, false], &[0.9, 0.2], 1);
    let curve = PrCurve::of(&[0.9_f32, 0.2], &[true, false]).unwrap();
    let counts = PrCounts {
        true_positives: curve.true_positives().iter().map(|&n| n.into()).collect(),
        false_positives: curve.false_positives().iter().map(|&n| n.into()).collect(),
        true_negatives: curve.true_negatives().iter().map(|&n| n.into()).collect(),
        false_negatives: curve.false_negatives().iter().map(|&n| n.into()).collect(),
    };
    writer.add_pr_curve_raw("pr_raw", &counts, 1);
    writer.add_custom_scalars_multilinechart(&["loss"], "all", "losses");
    writer.add_custom_scalars_marginchart(["loss", "low", "high"], "all", "band");
    writer.add_custom_scalars(Layout::scalars("loss", ["loss"]));
    writer.add_mesh("mesh", &Mesh::new(&[[0.0; 3], [1.0; 3]]).unwrap(), 1);
    let xml = r#"<net><layers><layer id="0" name="in" type="Parameter"/></layers></net>"#;
    std::fs::write(dir.path().join("model.xml"), xml).unwrap();
    writer.add_openvino_graph(dir.path().join("model.xml"));
    let json = dir.path().join("scalars.json");
    writer.export_scalars_to_json(&json).unwrap();
    drop(writer);

    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(json["loss"][0][1], 1);
    assert_eq!(json["loss"][0][2], 0.5);
    assert_eq!(
        Projector::new(dir.path())
            .config()
            .unwrap()
            .embeddings
            .len(),
        1
    );
    let logged = events(dir.path());
    let last = |tag: &str| {
        let found = logged.iter().rfind(|event| event.tag.as_str() == tag);
        found
            .unwrap_or_else(|| panic!("{tag} is not logged"))
            .value
            .clone()
    };
    let image = |picture: &modelpulse::figure::Picture| {
        Value::from(Image::rgb(picture.width(), picture.height(), picture.rgb()).unwrap())
    };
    let boxes = labelled_boxes(
        &[9; 64 * 64 * 3],
        64,
        64,
        &[LabelledBox::new([5.0, 5.0, 40.0, 40.0], "cat")],
    );
    let frames = [rgb.clone(), vec![0; 36]];
    let expected: Vec<(&str, Value)> = vec![
        ("loss", 0.5_f32.into()),
        ("h", Histogram::of(&[1.0, 2.0]).into()),
        ("h/nan", 1.0_f32.into()),
        (
            "raw",
            Histogram::from_buckets(vec![[0.0, 1.0, 3.0], [1.0, 2.0, 4.0]])
                .unwrap()
                .into(),
        ),
        (
            "images",
            Images::new(vec![Image::rgb(4, 3, &rgb).unwrap(); 2])
                .unwrap()
                .into(),
        ),
        ("boxes", image(&boxes.unwrap())),
        ("figure", image(&draw(80, 60, |_| Ok(())).unwrap())),
        ("video", Animation::rgb(4, 3, 10.0, &frames).unwrap().into()),
        (
            "audio",
            Audio::mono(8000, &[0.0, 0.5, -0.5]).unwrap().into(),
        ),
        ("text", Text::new("*fine*").into()),
        ("pr", curve.clone().into()),
        ("pr_raw", PrCurve::from_counts(&counts).unwrap().into()),
        (Layout::TAG, Layout::scalars("loss", ["loss"]).into()),
    ];
    for (tag, expected) in &expected {
        assert_eq!(&last(tag), expected, "{tag}");
    }
    let mesh = Mesh::new(&[[0.0; 3], [1.0; 3]]).unwrap();
    for (tag, expected) in mesh.values("mesh") {
        assert_eq!(last(&tag), expected);
    }
    let graph = Graph::try_from(&last(Graph::TAG)).unwrap();
    let names: Vec<&str> = graph.nodes().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["in"]);
    let start = HParams::try_from(&last("_hparams_/session_start_info")).unwrap();
    let values: Vec<_> = start.values().collect();
    assert_eq!(values, [("lr", &0.1.into())]);
    // The session ended with the writer.
    last("_hparams_/session_end_info");
    // One after the other, each with all charts so far.
    let layouts: Vec<Vec<usize>> = logged
        .iter()
        .filter(|event| event.tag.as_str() == Layout::TAG)
        .map(|event| {
            let layout = Layout::try_from(&event.value).unwrap();
            layout.sections().map(|(_, charts)| charts.len()).collect()
        })
        .collect();
    assert_eq!(layouts, [[1], [2], [1]]);
}
