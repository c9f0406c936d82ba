//! `SummaryWriter` under the name and with the signatures of `tensorboard-rs`.
//!
//! The calls that exist there write what they write there, in TensorBoard's newer form; the others take
//! their arguments in the order of PyTorch's writer.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{exchange, proto::NodeDef};
use crate::figure::{LabelledBox, Picture, labelled_boxes};
use crate::log::{Embedding, LogReader, Projector, RunWriter, Writer};
use crate::summary::{
    Animation, Audio, Chart, Graph, HParams, Histogram, Image, Images, Layout, Mesh, PrCounts,
    PrCurve, Sample, SessionStatus, Text, Value,
};
use crate::types::WallTime;

/// Writes a run for TensorBoard; see [the module](super) above.
#[derive(Debug)]
pub struct SummaryWriter {
    logdir: PathBuf,
    /// `None` where the directory could not be written; that was said.
    writer: Option<Writer>,
    layout: Layout,
    /// Whether hyperparameters were logged, so that the writer's end is their session's.
    has_hparams: bool,
}

impl SummaryWriter {
    /// A writer of the run in `logdir`.
    pub fn new<P: AsRef<Path>>(logdir: P) -> Self {
        let logdir = logdir.as_ref().to_owned();
        let writer = Writer::create(&logdir)
            .map_err(|error| say("new", "", &error))
            .ok();
        Self {
            logdir,
            writer,
            layout: Layout::new(),
            has_hparams: false,
        }
    }

    fn root(&self) -> Option<RunWriter> {
        Some(self.writer.as_ref()?.run("."))
    }

    fn log(&self, tag: &str, step: usize, value: impl Into<Value>) {
        if let Some(root) = self.root() {
            root.log(tag, step, value);
        }
    }

    /// Logs `value`, or says why there is none.
    fn try_log<V: Into<Value>>(
        &self,
        call: &str,
        tag: &str,
        step: usize,
        value: Result<V, impl Display>,
    ) {
        match value {
            Ok(value) => self.log(tag, step, value),
            Err(error) => say(call, tag, &error),
        }
    }

    /// Logs the hyperparameters, and the metrics that they are judged by, of the run's own scalars. The session ends
    /// with the writer, well unless that is dropped by a panic.
    pub fn add_hparams(&mut self, hparams: &HParams) {
        let now = WallTime::now();
        let name = self
            .logdir
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        for (tag, value) in [
            hparams.experiment(now),
            hparams.session_start(&name.unwrap_or_default(), now),
        ] {
            self.log(tag, 0, value);
        }
        self.has_hparams = true;
    }

    /// Logs a number.
    pub fn add_scalar(&mut self, tag: &str, scalar_value: f32, step: usize) {
        self.log(tag, step, scalar_value);
    }

    /// Logs several numbers, each as `main_tag` in a run `main_tag/name` of its own.
    ///
    /// [`add_custom_scalars_multilinechart`](Self::add_custom_scalars_multilinechart) shows tags of one run in one chart.
    pub fn add_scalars(&mut self, main_tag: &str, tag_scalar: &HashMap<String, f32>, step: usize) {
        let Some(writer) = &self.writer else { return };
        let ordered: BTreeMap<_, _> = tag_scalar.iter().collect();
        for (name, value) in ordered {
            writer
                .run(format!("{main_tag}/{name}"))
                .log(main_tag, step, *value);
        }
    }

    /// Writes every scalar that the run's directory holds, its own and those of the runs below, as JSON:
    /// `{"run/tag": [[wall_time, step, value], …]}`.
    ///
    /// # Errors
    /// Where the log cannot be read or the file cannot be written.
    pub fn export_scalars_to_json(&self, path: impl AsRef<Path>) -> io::Result<()> {
        if let Some(writer) = &self.writer {
            writer.flush();
        }
        let mut series: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut log = LogReader::open(&self.logdir).map_err(io::Error::other)?;
        while let Some(instant) = log.instant().map_err(io::Error::other)? {
            for event in instant {
                if let Some(value) = event.value.scalar() {
                    let value = if value.is_finite() {
                        value.to_string()
                    } else {
                        format!("\"{value}\"")
                    };
                    let point = format!("[{},{},{value}]", event.wall_time, event.step);
                    series.entry(event.path()).or_default().push(point);
                }
            }
        }
        let entry = |(path, points): (&String, &Vec<String>)| {
            format!("{}:[{}]", json_text(path), points.join(","))
        };
        let entries: Vec<String> = series.iter().map(entry).collect();
        let mut file = std::fs::File::create(path)?;
        writeln!(file, "{{{}}}", entries.join(",\n"))
    }

    /// Logs a histogram of `values`.
    pub fn add_histogram<T: Sample>(&mut self, tag: &str, values: &[T], step: usize) {
        if let Some(root) = self.root() {
            root.histogram(tag, step, values);
        }
    }

    /// Logs a ready-made histogram: `bucket_limits` are the buckets' right bounds. The sums are not shown
    /// by TensorBoard, and not stored.
    #[allow(clippy::too_many_arguments, reason = "as tensorboard-rs has it")]
    pub fn add_histogram_raw(
        &mut self,
        tag: &str,
        min: f64,
        max: f64,
        _num: f64,
        _sum: f64,
        _sum_squares: f64,
        bucket_limits: &[f64],
        bucket_counts: &[f64],
        step: usize,
    ) {
        if bucket_limits.len() != bucket_counts.len() {
            let (limits, counts) = (bucket_limits.len(), bucket_counts.len());
            return say(
                "add_histogram_raw",
                tag,
                &format!("{limits} bucket limits with {counts} counts"),
            );
        }
        let histogram = Histogram::of_limits(min, max, bucket_limits, bucket_counts);
        self.log(tag, step, histogram);
    }

    /// Logs an image: `data` red, green and blue pixel by pixel, row by row; `dim` is `[3, width, height]`.
    pub fn add_image(&mut self, tag: &str, data: &[u8], dim: &[usize], step: usize) {
        let &[3, width, height] = dim else {
            return say(
                "add_image",
                tag,
                &format!("dim is {dim:?}, not [3, width, height]"),
            );
        };
        self.try_log(
            "add_image",
            tag,
            step,
            Image::rgb(width as u32, height as u32, data),
        );
    }

    /// Logs several images of one size.
    pub fn add_images(&mut self, tag: &str, images: Vec<Image>, step: usize) {
        self.try_log("add_images", tag, step, Images::new(images));
    }

    /// Logs an image with labelled boxes; `data` and `dim` as for [`add_image`](Self::add_image).
    pub fn add_image_with_boxes(
        &mut self,
        tag: &str,
        data: &[u8],
        dim: &[usize],
        boxes: &[LabelledBox],
        step: usize,
    ) {
        let &[3, width, height] = dim else {
            return say(
                "add_image_with_boxes",
                tag,
                &format!("dim is {dim:?}, not [3, width, height]"),
            );
        };
        match labelled_boxes(data, width, height, boxes) {
            Ok(picture) => self.add_figure(tag, &picture, step),
            Err(error) => say("add_image_with_boxes", tag, &error),
        }
    }

    /// Logs a picture, such as [`figure::draw`](crate::figure::draw) makes of anything drawn with plotters.
    pub fn add_figure(&mut self, tag: &str, figure: &Picture, step: usize) {
        self.try_log(
            "add_figure",
            tag,
            step,
            Image::rgb(figure.width(), figure.height(), figure.rgb()),
        );
    }

    /// Logs an animation: `frames` of `width × height` RGB pixels.
    pub fn add_video(
        &mut self,
        tag: &str,
        frames: &[Vec<u8>],
        width: u32,
        height: u32,
        fps: f64,
        step: usize,
    ) {
        self.try_log(
            "add_video",
            tag,
            step,
            Animation::rgb(width, height, fps, frames),
        );
    }

    /// Logs one channel of sound, between −1 and 1, at `sample_rate` samples a second.
    pub fn add_audio(&mut self, tag: &str, samples: &[f32], sample_rate: u32, step: usize) {
        self.try_log("add_audio", tag, step, Audio::mono(sample_rate, samples));
    }

    /// Logs a text in Markdown.
    pub fn add_text(&mut self, tag: &str, text: &str, step: usize) {
        self.log(tag, step, Text::new(text));
    }

    /// Logs the graph of an ONNX file.
    pub fn add_onnx_graph(&mut self, path: impl AsRef<Path>) {
        self.try_log(
            "add_onnx_graph",
            Graph::TAG,
            0,
            exchange::onnx(path.as_ref()),
        );
    }

    /// Logs the graph of an OpenVINO model, given by its XML file.
    pub fn add_openvino_graph(&mut self, path: impl AsRef<Path>) {
        self.try_log(
            "add_openvino_graph",
            Graph::TAG,
            0,
            exchange::openvino(path.as_ref()),
        );
    }

    /// Logs a graph.
    pub fn add_graph(&mut self, node_list: &[NodeDef]) {
        let node = node_list.iter().map(|NodeDef(node)| node.clone()).collect();
        self.log(Graph::TAG, 0, Graph::unchecked(node));
    }

    /// Writes an embedding for the projector, beside the log.
    pub fn add_embedding(&mut self, embedding: &Embedding) {
        if let Err(error) = Projector::new(&self.logdir).write(embedding) {
            say("add_embedding", "", &error);
        }
    }

    /// Logs a precision-recall curve of `predictions`, between 0 and 1.
    pub fn add_pr_curve(&mut self, tag: &str, labels: &[bool], predictions: &[f32], step: usize) {
        self.try_log("add_pr_curve", tag, step, PrCurve::of(predictions, labels));
    }

    /// Logs a ready-made precision-recall curve.
    pub fn add_pr_curve_raw(&mut self, tag: &str, counts: &PrCounts, step: usize) {
        self.try_log("add_pr_curve_raw", tag, step, PrCurve::from_counts(counts));
    }

    /// Shows the scalars `tags` in one chart, in a section of its own.
    pub fn add_custom_scalars_multilinechart(
        &mut self,
        tags: &[&str],
        category: &str,
        title: &str,
    ) {
        let layout = std::mem::take(&mut self.layout);
        self.add_custom_scalars(layout.section(category, [Chart::tags(title, tags)]));
    }

    /// Shows a value with a band around it, in a section of its own: `[value, lower, upper]`.
    pub fn add_custom_scalars_marginchart(
        &mut self,
        [value, lower, upper]: [&str; 3],
        category: &str,
        title: &str,
    ) {
        let band = crate::summary::Band {
            value: value.into(),
            lower: lower.into(),
            upper: upper.into(),
        };
        let layout = std::mem::take(&mut self.layout);
        self.add_custom_scalars(layout.section(category, [Chart::bands(title, [band])]));
    }

    /// Logs the layout of the custom scalars page, in the place of an earlier one.
    pub fn add_custom_scalars(&mut self, layout: Layout) {
        self.log(Layout::TAG, 0, layout.clone());
        self.layout = layout;
    }

    /// Logs a mesh.
    pub fn add_mesh(&mut self, tag: &str, mesh: &Mesh, step: usize) {
        if let Some(root) = self.root() {
            root.mesh(tag, step, mesh);
        }
    }

    /// Returns when all that was logged before is handed to the operating system.
    pub fn flush(&mut self) {
        if let Some(writer) = &self.writer {
            writer.flush();
        }
    }
}

impl Drop for SummaryWriter {
    fn drop(&mut self) {
        if self.has_hparams {
            let status = if std::thread::panicking() {
                SessionStatus::Failure
            } else {
                SessionStatus::Success
            };
            let (tag, value) = HParams::session_end(status, WallTime::now());
            self.log(tag, 0, value);
        }
    }
}

/// Says what could not be logged; tensorboard-rs panics there.
fn say(call: &str, tag: &str, error: &dyn Display) {
    eprintln!("modelpulse: {call} '{tag}': {error}; not logged");
}

fn json_text(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => json += &format!("\\u{:04x}", c as u32),
            c => json.push(c),
        }
    }
    json + "\""
}
