//! Text: Markdown, and a table of a model's layers.
//!
//! `cargo run --example kinds_text --no-default-features`, then `tensorboard --logdir runs`: the page Text.

use modelpulse::Session;
use modelpulse::summary::Text;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_text")?;
    let run = session.run("notes");

    let note = "## Why this run\nThe *old* schedule stopped learning at step 3,000. \
                This one\n\n- warms up for 500 steps,\n- then falls by a cosine: `lr = 1e-3 → 1e-5`.\n";
    run.log("why", 0, Text::new(note));

    let layers = [("fc1", [784, 128]), ("fc2", [128, 64]), ("fc3", [64, 10])];
    let row = |(name, [inputs, outputs]): &(&str, [usize; 2])| {
        let parameters = (inputs + 1) * outputs;
        [
            (*name).to_owned(),
            format!("{inputs} → {outputs}"),
            parameters.to_string(),
        ]
    };
    let rows: Vec<[String; 3]> = layers.iter().map(row).collect();
    run.log(
        "layers",
        0,
        Text::table(&["layer", "shape", "parameters"], &rows),
    );

    let report = session.finish()?;
    println!("{} values in runs/kinds_text", report.written);
    Ok(())
}
