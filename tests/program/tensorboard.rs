//! TensorBoard shows what the program says it did: with both of its loaders, number by number and pixel by pixel.

use std::collections::BTreeSet;

use modelpulse::datasets::Dataset;
use modelpulse::figure::{self, Tile};
use modelpulse::metrics::ConfusionMatrix;
use serde_json::json;

use crate::shown::{EPOCHS, Shown, Trained};
use crate::support::{Loader, train};

/// Of the default model on the embedded digits.
const PARAMETERS: [(&str, &str, u64); 4] = [
    ("layer0.bias", "[64]", 64),
    ("layer0.weight", "[64, 64]", 64 * 64),
    ("layer1.bias", "[10]", 10),
    ("layer1.weight", "[10, 64]", 10 * 64),
];

fn every_scalar_of_the_report_is_shown(shown: &Shown) {
    for Trained { name, report, .. } in &shown.sessions {
        let epochs = report["epochs"].as_array().unwrap();
        assert_eq!(epochs.len(), EPOCHS);
        for split in ["train", "eval"] {
            let run = format!("{name}/{split}");
            let metrics: Vec<&String> = epochs[0][split].as_object().unwrap().keys().collect();
            assert!(metrics.len() >= 6, "{metrics:?}");
            for metric in &metrics {
                let reported = epochs.iter().map(|epoch| {
                    let value = epoch[split][metric.as_str()].as_f64().unwrap();
                    (epoch["epoch"].as_u64().unwrap(), value as f32)
                });
                let shown = shown.scalars(&run, &format!("epoch_{metric}"), EPOCHS);
                assert_eq!(shown, reported.collect::<Vec<_>>(), "{run} {metric}");
            }
            let tags = shown.board.get("/data/plugin/scalars/tags");
            let shown: BTreeSet<&str> = tags[&run]
                .as_object()
                .unwrap()
                .keys()
                .filter_map(|tag| tag.strip_prefix("epoch_"))
                .filter(|&tag| tag != "learning_rate")
                .collect();
            assert_eq!(shown, metrics.into_iter().map(String::as_str).collect());
        }
        let rate = epochs[0]["learning_rate"].as_f64().unwrap();
        let shown = shown.scalars(&format!("{name}/train"), "epoch_learning_rate", EPOCHS);
        assert_eq!(shown, [0, 1, 2, 3].map(|epoch| (epoch, rate as f32)));
    }
}

fn every_batch_has_its_loss(shown: &Shown) {
    for Trained { name, report, .. } in &shown.sessions {
        let steps = report["steps"].as_u64().unwrap();
        let images = report["data"]["train_images"].as_u64().unwrap();
        let losses = shown.scalars(&format!("{name}/batch"), "batch_loss", steps as usize);
        assert!(
            losses.iter().map(|point| point.0).eq(0..steps),
            "{losses:?}"
        );
        // The epoch's loss is the mean over its images; its last batch is smaller.
        for (number, epoch) in losses.chunks((steps / EPOCHS as u64) as usize).enumerate() {
            let mut left = images;
            let mut sum = 0.0;
            for (_, loss) in epoch {
                sum += f64::from(*loss) * left.min(32) as f64;
                left = left.saturating_sub(32);
            }
            let (mean, reported) = (sum / images as f64, &report["epochs"][number]["train"]);
            let reported = reported["loss"].as_f64().unwrap();
            assert!(
                (mean - reported).abs() < 1e-5 * reported,
                "{mean} {reported}"
            );
        }
    }
}

fn every_epoch_has_its_times(shown: &Shown) {
    for run in ["first/train", "first/eval", "second/train", "second/eval"] {
        for tag in ["time/epoch_seconds", "time/samples_per_second"] {
            let times = shown.scalars(run, tag, EPOCHS);
            assert!(times.iter().map(|point| point.0).eq(0..4), "{run} {tag}");
            let sound = |&(_, time): &(u64, f32)| time > 0.0 && time.is_finite();
            assert!(times.iter().all(sound), "{run} {tag}: {times:?}");
        }
    }
}

fn histograms_count_every_parameter(shown: &Shown) {
    for Trained { name, .. } in &shown.sessions {
        for (kind, (layer, _, count)) in ["weights", "gradients"]
            .into_iter()
            .flat_map(|kind| PARAMETERS.map(|parameter| (kind, parameter)))
        {
            let series = format!("run={name}/train&tag={kind}/{layer}");
            let path = format!("/data/plugin/histograms/histograms?{series}");
            let histograms = shown.board.list(&path, EPOCHS);
            assert_eq!(histograms.len(), EPOCHS, "{series}");
            for (epoch, histogram) in histograms.iter().enumerate() {
                assert_eq!(histogram[1], json!(epoch), "{series}");
                let mut counted = 0.0;
                for bucket in histogram[2].as_array().unwrap() {
                    // What is not finite comes as a string.
                    let [left, right, count] = [0, 1, 2].map(|index| bucket[index].as_f64());
                    let (left, right) = (left.expect("finite"), right.expect("finite"));
                    assert!(left <= right && left.is_finite() && right.is_finite());
                    counted += count.unwrap();
                }
                assert_eq!(counted, count as f64, "{series}, epoch {epoch}");
            }
        }
    }
}

fn confusion_matrices_are_drawn_from_the_counts(shown: &Shown) {
    let classes: Vec<String> = (0..10).map(|class| class.to_string()).collect();
    let mut labels = [0; 10];
    for &label in Dataset::digits().eval().labels() {
        labels[usize::from(label)] += 1;
    }
    for Trained {
        name,
        settings,
        report,
    } in &shown.sessions
    {
        let images = shown.images(&format!("{name}/eval"), "confusion_matrix");
        for (epoch, (width, height, rgb)) in images.into_iter().enumerate() {
            // A report has the last epoch's counts; a shorter training ends with those of an earlier one.
            let counts = if epoch + 1 == EPOCHS {
                report["confusion_matrix"].clone()
            } else {
                let epochs = (epoch + 1).to_string();
                let mut arguments = vec!["--json", "--epochs", &epochs];
                arguments.extend(settings);
                let dir = tempfile::tempdir().unwrap();
                train(dir.path(), &arguments).ended(0).json()["confusion_matrix"].clone()
            };
            let rows: Vec<Vec<u64>> = serde_json::from_value(counts).unwrap();
            let matrix = ConfusionMatrix::from_rows(&rows).unwrap();
            // The counts are those of the labels, and as many are right as the report says.
            let sums: Vec<u64> = rows.iter().map(|row| row.iter().sum()).collect();
            assert_eq!(sums, labels);
            let accuracy = report["epochs"][epoch]["eval"]["accuracy"].as_f64();
            assert!((matrix.accuracy().unwrap() - accuracy.unwrap()).abs() < 1e-12);
            let expected = figure::confusion_matrix(&matrix, &classes).unwrap();
            assert_eq!((width, height), (expected.width(), expected.height()));
            assert!(rgb == expected.rgb(), "{name}, epoch {epoch}: other pixels");
        }
    }
}

fn worst_examples_are_held_out_images(shown: &Shown) {
    let digits = Dataset::digits();
    let eval = digits.eval();
    let held_out: BTreeSet<Vec<u8>> = eval
        .pixels()
        .chunks(64)
        .map(|image| image.iter().map(|&pixel| grey(pixel)).collect())
        .collect();
    // As long as every caption is: one digit, and a probability of two places.
    let tile = || Tile {
        pixels: &[0; 64],
        height: 8,
        width: 8,
        max_value: 16,
        caption: "label 3 (0.00)\nsaid 8 (0.99)".to_owned(),
    };
    let empty = figure::captioned_grid(&[0; 8].map(|_| tile()), 4).unwrap();
    let (width, height) = (empty.width(), empty.height());
    for Trained { name, .. } in &shown.sessions {
        let images = shown.images(&format!("{name}/eval"), "worst_examples");
        for (epoch, image) in images.iter().enumerate() {
            assert_eq!((image.0, image.1), (width, height), "{name}, epoch {epoch}");
            let cell = ((width - 20) / 4, (height - 20) / 2);
            for tile in 0..8_u32 {
                let (left, top) = (20 + tile % 4 * cell.0, 20 + tile / 4 * cell.1);
                // The middle of each pixel, which is 12 pixels wide here.
                let pixels = (0..64).map(|pixel| {
                    let (x, y) = (left + pixel % 8 * 12 + 6, top + pixel / 8 * 12 + 6);
                    image.2[3 * (y * width + x) as usize]
                });
                let pixels: Vec<u8> = pixels.collect();
                assert!(
                    held_out.contains(&pixels),
                    "{name}, epoch {epoch}, tile {tile}"
                );
            }
        }
        let different: BTreeSet<_> = images.iter().map(|image| &image.2).collect();
        assert_eq!(different.len(), EPOCHS, "{name}");
    }
}

/// The grey that a pixel of 0..=16 is drawn with.
fn grey(pixel: u8) -> u8 {
    (f64::from(pixel) * 255.0 / 16.0).round() as u8
}

fn model_card_says_what_was_trained_on_what(shown: &Shown) {
    for Trained {
        name,
        settings,
        report,
    } in &shown.sessions
    {
        let path = format!("/data/plugin/text/text?run={name}&tag=model_card");
        let cards = shown.board.list(&path, 1);
        assert_eq!((cards.len(), &cards[0]["step"]), (1, &json!(0)));
        let html = cards[0]["text"].as_str().unwrap();
        let row = |what: &str| {
            let (_, rest) = html.split_once(&format!("<td>{what}</td>\n<td>"))?;
            Some(rest.split_once("</td>")?.0)
        };
        let of = |what: &str| row(what).unwrap_or_else(|| panic!("no {what}: {html}"));
        assert_eq!(of("seed"), settings[1]);
        assert_eq!(
            of("data hash (CRC-32)"),
            report["data"]["crc32"].as_str().unwrap()
        );
        assert_eq!(of("parameters"), report["parameters"].to_string());
        for (layer, shape, _) in PARAMETERS {
            assert_eq!(of(layer), shape);
        }
        let command = of("command line");
        assert!(
            command.starts_with("<code>modelpulse train --logdir ")
                && command.ends_with(&format!("--name {name} {}</code>", settings.join(" "))),
            "{command}"
        );
    }
}

fn hparams_page_compares_the_sessions(shown: &Shown) {
    let question = json!({"experimentName": ""});
    let path = "/data/plugin/hparams/experiment";
    let experiment = shown.board.until(path, Some(&question), |answer| {
        answer["hparamInfos"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    });
    let names: BTreeSet<&str> = experiment["hparamInfos"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|info| info["name"].as_str())
        .collect();
    let expected = [
        "batch_size",
        "data",
        "epochs",
        "hidden",
        "learning_rate",
        "optimizer",
        "schedule",
        "seed",
        "warm_up",
        "weight_decay",
    ];
    assert_eq!(names, expected.into());
    for Trained { name, .. } in &shown.sessions {
        // The page takes the metrics from the scalars, which must have been read.
        shown.scalars(&format!("{name}/eval"), "epoch_auc_roc", EPOCHS);
    }
    let question = json!({
        "experimentName": "",
        "allowedStatuses":
            ["STATUS_SUCCESS", "STATUS_UNKNOWN", "STATUS_RUNNING", "STATUS_FAILURE"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 10,
    });
    let path = "/data/plugin/hparams/session_groups";
    let answer = shown.board.until(path, Some(&question), |answer| {
        let ended = answer.to_string().matches("\"endTimeSecs\":").count();
        let running = answer.to_string().matches("\"endTimeSecs\":0").count();
        ended - running == shown.sessions.len()
    });
    let groups = answer["sessionGroups"].as_array().unwrap();
    assert_eq!(groups.len(), 2, "{answer}");
    for Trained {
        name,
        settings,
        report,
    } in &shown.sessions
    {
        let group = groups.iter().find(|group| group["name"] == json!(name));
        let group = group.unwrap_or_else(|| panic!("no {name}: {answer}"));
        let number = |text: &str| text.parse::<f64>().unwrap();
        let expected = json!({
            "batch_size": 32.0,
            "data": "digits",
            "epochs": 4.0,
            "hidden": "64",
            "learning_rate": number(settings[3]),
            "optimizer": "adamw",
            "schedule": "constant",
            "warm_up": 0.0,
            "seed": number(settings[1]),
            "weight_decay": 0.01,
        });
        assert_eq!(group["hparams"], expected);
        let sessions = group["sessions"].as_array().unwrap();
        assert_eq!(
            (sessions.len(), &sessions[0]["status"]),
            (1, &json!("STATUS_SUCCESS"))
        );
        let metrics = group["metricValues"].as_array().unwrap();
        let last = &report["epochs"][EPOCHS - 1]["eval"];
        for metric in ["accuracy", "loss", "auc_roc"] {
            let tag = json!({"group": "eval", "tag": format!("epoch_{metric}")});
            let shown = metrics.iter().find(|value| value["name"] == tag).unwrap();
            let [shown_value, reported] =
                [&shown["value"], &last[metric]].map(|value| value.as_f64().unwrap() as f32);
            assert_eq!(shown_value, reported, "{metric}");
            assert_eq!(shown["trainingStep"], json!(EPOCHS - 1));
        }
    }
}

macro_rules! with_both_loaders {
    ($($test:ident),* $(,)?) => {
        with_both_loaders!(fast Fast $($test)*);
        with_both_loaders!(slow Slow $($test)*);
    };
    ($module:ident $loader:ident $($test:ident)*) => {
        mod $module {
            use super::*;
            $(#[test]
            fn $test() {
                super::$test(&Shown::by(Loader::$loader));
            })*
        }
    };
}

with_both_loaders!(
    every_scalar_of_the_report_is_shown,
    every_batch_has_its_loss,
    every_epoch_has_its_times,
    histograms_count_every_parameter,
    confusion_matrices_are_drawn_from_the_counts,
    worst_examples_are_held_out_images,
    model_card_says_what_was_trained_on_what,
    hparams_page_compares_the_sessions,
);
