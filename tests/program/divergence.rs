//! A training that diverges says so: on the terminal, in its exit code, and in its log.

use modelpulse::flow::{Event, Source};
use modelpulse::log::LogReader;
use modelpulse::proto::hparams::{HParamsPluginData, Status, h_params_plugin_data::Data};
use modelpulse::summary::{Text, Value};
use prost::Message;
use serde_json::json;

use crate::support::{script, train};

#[test]
fn a_diverged_run_is_logged_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--learning-rate", "1e6", "--epochs", "5", "--name", "a"];
    let ran = train(dir.path(), &arguments).ended(1);
    assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
    assert!(
        ran.err.contains("diverged") && ran.err.contains("--learning-rate"),
        "{ran:#?}"
    );
    assert!(!ran.err.contains("panicked"), "{ran:#?}");

    let mut log = LogReader::open(dir.path().join("a")).unwrap();
    let mut events = Vec::new();
    while let Some(instant) = log.next_instant().unwrap() {
        events.extend(instant);
    }
    let series = |path: &str| -> Vec<&Event> {
        events.iter().filter(|event| event.path() == path).collect()
    };
    let losses = series("train/epoch_loss");
    assert!(
        losses
            .last()
            .and_then(|event| event.value.scalar())
            .is_some_and(f32::is_nan),
        "{losses:?}"
    );
    let said = series("health/divergence");
    assert_eq!(said.len(), 1);
    let said = Text::try_from(&said[0].value).unwrap();
    assert!(format!("{said:?}").contains("diverged"), "{said:?}");

    let end = series("_hparams_/session_end_info");
    let Value::Tensor(tensor) = &end[0].value else {
        panic!("{end:?}");
    };
    let content = tensor
        .metadata
        .plugin_data
        .as_ref()
        .unwrap()
        .content
        .clone();
    let Some(Data::SessionEndInfo(end)) = HParamsPluginData::decode(content).unwrap().data else {
        panic!("not the session's end");
    };
    assert_eq!(end.status(), Status::Failure);
}

#[test]
fn both_loaders_show_the_nan() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--learning-rate", "1e6", "--name", "a", "--json"];
    let report = train(dir.path(), &arguments).ended(1).json();
    assert_eq!(report["diverged"], json!(true));
    let epochs = report["epochs"].as_array().unwrap();
    assert_eq!(epochs[epochs.len() - 1]["train"]["loss"], json!("NaN"));
    let shown = script(
        "read_log.py",
        [dir.path().as_os_str(), "epoch_loss".as_ref()],
    );
    for loader in ["fast", "slow"] {
        let points = shown[loader]["a/train"]["epoch_loss"].as_array().unwrap();
        assert_eq!(points.len(), epochs.len(), "{loader}");
        assert_eq!(points[points.len() - 1][1], json!("nan"), "{loader}");
    }
}
