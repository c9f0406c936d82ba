// Written for tensorboard-rs; what `tb`, `proto` and `RepeatedField` are is up to whoever includes it.

use std::collections::HashMap;

use proto::attr_value::AttrValue;
use proto::node_def::NodeDef;
use tb::summary_writer::SummaryWriter;

pub fn user_code(logdir: &std::path::Path) {
    let mut writer = SummaryWriter::new(logdir);
    for step in 0..100 {
        writer.add_scalar("run1/loss", 1.0 / (step + 1) as f32, step);
    }
    for step in 0..3 {
        let mut curves = HashMap::new();
        curves.insert("x".to_string(), step as f32);
        curves.insert("y".to_string(), -(step as f32));
        writer.add_scalars("data/curves", &curves, step);
    }

    let bucket_limits = [3.8, 6.6, 9.4, 12.2, 15.0, 17.8, 20.6, 23.4, 26.2, 29.001];
    let bucket_counts = [0., 15., 24., 33., 27., 48., 57., 66., 75., 84.];
    for step in 1..4 {
        writer.add_histogram_raw("run1/histo", 1.001, 29.001, 435., 8555.4, 189242.1, &bucket_limits, &bucket_counts, step);
    }

    let (width, height) = (6, 4);
    let pixels: Vec<u8> = (0..3 * width * height).map(|i| (i * 3) as u8).collect();
    for step in 0..2 {
        writer.add_image(&"test_image".to_string(), &pixels[..], &vec![3, width, height][..], step);
    }

    let mut input = NodeDef::new();
    input.set_name("input".to_string());
    input.set_op("Placeholder".to_string());
    let mut relu = NodeDef::new();
    relu.set_name("relu".to_string());
    relu.set_op("Relu".to_string());
    relu.set_input(RepeatedField::from(vec!["input".to_string()]));
    let mut width_of = AttrValue::new();
    width_of.set_i(16);
    let mut attributes = HashMap::new();
    attributes.insert("width".to_string(), width_of);
    relu.set_attr(attributes);
    writer.add_graph(&[input, relu]);
    writer.flush();
}
