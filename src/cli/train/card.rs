//! What was trained on what, and how to do it again: the model card and the hyperparameters.

use candle_nn::ParamsAdamW;

use super::settings::Settings;
use crate::datasets::Dataset;
use crate::summary::{HParams, Text};
use crate::train::candle::Parameters;

pub(super) fn hparams(settings: &Settings, data: &Dataset, optimizer: &ParamsAdamW) -> HParams {
    let hparams = HParams::new()
        .set("learning_rate", settings.learning_rate)
        .set("batch_size", settings.batch_size)
        .set("hidden", settings.hidden())
        .set("epochs", settings.epochs)
        .set("optimizer", "adamw")
        .set("weight_decay", optimizer.weight_decay)
        .set("seed", settings.seed)
        .set("data", data.name())
        .metric("eval", "epoch_accuracy")
        .metric("eval", "epoch_loss")
        .metric("eval", "epoch_auc_roc");
    settings.steering.hparams(hparams)
}

pub(super) fn model_card(
    settings: &Settings,
    command: &str,
    data: &Dataset,
    parameters: &Parameters,
    optimizer: &ParamsAdamW,
) -> Text {
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
    row(
        "model",
        "multi-layer perceptron: linear layers with ReLU between them".to_owned(),
    );
    for (name, shape) in parameters.shapes() {
        row(&name, format!("{shape:?}"));
    }
    row("parameters", parameters.count().to_string());
    row("data", data.source().to_owned());
    let (train, eval) = (data.train(), data.eval());
    row(
        "images",
        format!(
            "{} to train, {} held out, {} × {} pixels",
            train.len(),
            eval.len(),
            eval.width(),
            eval.height()
        ),
    );
    row("classes", data.class_names().join(", "));
    row("data hash (CRC-32)", format!("{:08x}", data.crc32()));
    let ParamsAdamW {
        lr,
        beta1,
        beta2,
        eps,
        weight_decay,
    } = optimizer;
    row(
        "optimizer",
        format!(
            "AdamW, learning rate {lr}, betas {beta1} {beta2}, epsilon {eps}, weight decay {weight_decay}"
        ),
    );
    row("loss", "cross-entropy".to_owned());
    row("batch size", settings.batch_size.to_string());
    row("epochs", settings.epochs.to_string());
    row("seed", settings.seed.to_string());
    row("command line", format!("`{command}`"));
    row("modelpulse", env!("CARGO_PKG_VERSION").to_owned());
    Text::table(&["what", "value"], &rows)
}

/// The program's arguments as a shell would read them.
pub(super) fn command_line() -> String {
    let quote = |argument: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) {
            argument
        } else {
            format!("'{}'", argument.replace('\'', "'\\''"))
        }
    };
    let arguments = std::env::args_os()
        .skip(1)
        .map(|argument| quote(argument.to_string_lossy().into_owned()));
    std::iter::once("modelpulse".to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
