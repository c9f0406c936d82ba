//! Hyperparameters: numbers, texts and switches with their domains, three sessions of one experiment that ended in three
//! ways, and the metrics by which they are compared.

use modelpulse::Session;
use modelpulse::log::Writer;
use modelpulse::summary::{Domain, HParams, Measured, Metric, SessionStatus};
use serde_json::{Value, json};

use crate::support::Board;

/// A session of the experiment.
struct Trial {
    name: &'static str,
    rate: f64,
    optimizer: &'static str,
    nesterov: bool,
    /// By step; the last counts.
    accuracy: [f64; 2],
    ended: (SessionStatus, &'static str),
}

/// In another order than that of their names, and of their rates.
const TRIALS: [Trial; 3] = [
    Trial {
        name: "b",
        rate: 0.1,
        optimizer: "sgd",
        nesterov: true,
        accuracy: [0.5, 0.625],
        ended: (SessionStatus::Failure, "STATUS_FAILURE"),
    },
    Trial {
        name: "a",
        rate: 0.01,
        optimizer: "adamw",
        nesterov: false,
        accuracy: [0.5, 0.875],
        ended: (SessionStatus::Success, "STATUS_SUCCESS"),
    },
    Trial {
        name: "c",
        rate: 0.001,
        optimizer: "sgd",
        nesterov: false,
        accuracy: [0.25, 0.75],
        ended: (SessionStatus::Unknown, "STATUS_UNKNOWN"),
    },
];
/// The directory of all sessions.
const TRIALS_DIR: &str = "trials";
pub fn log(writer: &Writer) {
    for Trial {
        name,
        rate,
        optimizer,
        nesterov,
        accuracy,
        ended,
    } in TRIALS
    {
        let hparams = HParams::new()
            .description("which optimizer?")
            .set("rate", rate)
            .label("rate", "step size")
            .describe("rate", "of the optimizer")
            .domain("rate", Domain::interval(1e-4, 1.0).unwrap())
            .set("optimizer", optimizer)
            .domain("optimizer", Domain::discrete(["sgd", "adamw"]).unwrap())
            .set("nesterov", nesterov)
            .domain("nesterov", Domain::discrete([false, true]).unwrap())
            .set("seed", 42)
            .judged_by(
                Metric::new("eval", "accuracy")
                    .display_name("Accuracy")
                    .measured_on(Measured::Validation),
            )
            .metric("", "loss");
        let session = Session::create(writer.dir().join(TRIALS_DIR).join(name)).unwrap();
        session.hparams(&hparams);
        for (step, accuracy) in (0_u32..).zip(accuracy) {
            session.run("eval").scalar("accuracy", step, accuracy);
            session.run(".").scalar("loss", step, 1.0 - accuracy);
        }
        session.finish_as(ended.0).unwrap();
    }
}

pub fn are_answered(board: &Board) {
    let question = json!({"experimentName": ""});
    let described = |answer: &Value| {
        answer["hparamInfos"]
            .as_array()
            .is_some_and(|all| all.len() == 4)
    };
    let experiment = board.until(
        "/data/plugin/hparams/experiment",
        Some(&question),
        described,
    );
    assert_eq!(experiment["description"], "which optimizer?");
    let column = |name: &str, rest: Value| {
        let mut column =
            json!({"name": name, "displayName": "", "description": "", "differs": false});
        let rest = rest.as_object().unwrap().clone();
        column.as_object_mut().unwrap().extend(rest);
        column
    };
    // TensorBoard sorts them by name.
    let expected = json!([
        column(
            "nesterov",
            json!({"type": "DATA_TYPE_BOOL", "domainDiscrete": [false, true]})
        ),
        column(
            "optimizer",
            json!({"type": "DATA_TYPE_STRING", "domainDiscrete": ["sgd", "adamw"]})
        ),
        column(
            "rate",
            json!({
                "displayName": "step size", "description": "of the optimizer", "type": "DATA_TYPE_FLOAT64",
                "domainInterval": {"minValue": 1e-4, "maxValue": 1.0},
            })
        ),
        column("seed", json!({"type": "DATA_TYPE_FLOAT64"})),
    ]);
    assert_eq!(experiment["hparamInfos"], expected);
    let metrics = json!([
        {
            "name": {"group": "eval", "tag": "accuracy"}, "displayName": "Accuracy", "description": "",
            "datasetType": "DATASET_VALIDATION",
        },
        {
            "name": {"group": "", "tag": "loss"}, "displayName": "", "description": "",
            "datasetType": "DATASET_UNKNOWN",
        },
    ]);
    assert_eq!(experiment["metricInfos"], metrics);

    let mut by_rate = TRIALS;
    by_rate.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let groups = session_groups(board);
    for (
        group,
        Trial {
            name,
            rate,
            optimizer,
            nesterov,
            accuracy,
            ended,
        },
    ) in groups.iter().zip(by_rate)
    {
        assert_eq!(group["name"], name);
        let hparams =
            json!({"rate": rate, "optimizer": optimizer, "nesterov": nesterov, "seed": 42.0});
        assert_eq!(group["hparams"], hparams, "{name}");
        let [session] = &group["sessions"].as_array().unwrap()[..] else {
            panic!("{group}")
        };
        assert_eq!(session["name"], format!("{TRIALS_DIR}/{name}"));
        assert_eq!(session["status"], ended.1, "{name}");
        let [start, end] =
            ["startTimeSecs", "endTimeSecs"].map(|time| session[time].as_f64().unwrap());
        assert!(start > 1e9 && end >= start, "{session}");
        let metric = |name: Value| {
            let values = group["metricValues"].as_array().unwrap();
            let value = values.iter().find(|value| value["name"] == name).unwrap();
            (value["value"].as_f64(), value["trainingStep"].as_u64())
        };
        assert_eq!(
            metric(json!({"group": "eval", "tag": "accuracy"})),
            (Some(accuracy[1]), Some(1))
        );
        assert_eq!(
            metric(json!({"group": "", "tag": "loss"})),
            (Some(1.0 - accuracy[1]), Some(1))
        );
    }
}

/// The rows of the table, as the page has them sorted by the rate.
fn session_groups(board: &Board) -> Vec<Value> {
    let question = json!({
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_UNKNOWN", "STATUS_RUNNING", "STATUS_FAILURE"],
        "colParams": [{"hparam": "rate", "order": "ORDER_ASC"}],
        "startIndex": 0,
        "sliceSize": 10,
    });
    let complete = |answer: &Value| {
        let groups = answer["sessionGroups"].as_array();
        groups.is_some_and(|groups| {
            let done = |group: &&Value| {
                let metrics = group["metricValues"].as_array().map(Vec::len);
                let steps = group["metricValues"]
                    .to_string()
                    .matches("\"trainingStep\":1")
                    .count();
                (metrics, steps) == (Some(2), 2)
            };
            groups.iter().filter(done).count() == TRIALS.len()
        })
    };
    let answer = board.until(
        "/data/plugin/hparams/session_groups",
        Some(&question),
        complete,
    );
    answer["sessionGroups"].as_array().unwrap().clone()
}
