//! `kinds`: images, sounds and histograms beside Python's tensorboardX, from the values to the event file.
//!
//! Both have one core: this process and its children are held to it, and so are the threads of ours.

use anyhow::Context;
use clap::ValueEnum;
use modelpulse::log::RunWriter;
use modelpulse::summary::{Audio, Compression, Image, PixelLayout};
use tempfile::TempDir;

use crate::Common;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::noise::Noise;
use crate::peers::{Ours, Scalars};
use crate::python;
use crate::report::{Bound, OURS, Report};
use crate::write::{bytes_in, timed};

const SCRIPT: &str = include_str!("kinds.py");
/// Different inputs, so that no cache holds the one that comes next.
const POOL: usize = 16;
const RATIO: &str = "× tensorboardX";

/// Images, sounds and histograms beside Python's tensorboardX, on one core
///
/// Works: photographs and drawings of 256 × 256 RGB pixels, encoded as PNG; a second of sound at 44.1 kHz as
/// WAV; histograms of 10,000 values. The time is from the values in memory until the log is closed. The whole
/// program, and the Python that it starts, is held to one core.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,

    /// Only these works
    #[arg(long, value_name = "WORK,…", value_delimiter = ',')]
    only: Vec<Kind>,
}

const EXAMPLES: &str = "\
Examples:
  kinds
  kinds --quick --only images,audio
  MODELPULSE_PYTHON=/usr/bin/python3 kinds --json

tensorboardX needs soundfile for audio and pillow for images.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Images,
    Drawings,
    Audio,
    Histograms,
}

/// Values in memory, as both sides take them.
enum Pool {
    Bytes(Vec<Vec<u8>>),
    Floats(Vec<Vec<f32>>),
}

/// Runs the works that were asked for.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    match hold_to_one_core() {
        Some(core) => report.note(format!(
            "this process and its children are held to core {core}"
        )),
        None => report.note("this process could not be held to one core: more may have been used"),
    }
    let version = python::run(SCRIPT, &python::python(), &[]);
    if version.is_err() {
        report.note(format!(
            "tensorboardX is not measured: {} does not have it; MODELPULSE_PYTHON names another Python",
            python::python().display()
        ));
    }
    let repetitions = args.common.repetitions(5);
    for kind in Kind::value_variants() {
        if args.only.is_empty() || args.only.contains(kind) {
            eprintln!("measuring {} …", kind.name());
            contest(*kind, version.as_deref().ok(), repetitions, &mut report)?;
        }
    }
    Ok(report)
}

fn contest(
    kind: Kind,
    version: Option<&str>,
    repetitions: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let pool = kind.pool();
    let (count, slow) = kind.counts();
    let mut contenders = vec![ours(OURS, kind, &pool, Compression::default())];
    if let Kind::Images | Kind::Drawings = kind {
        contenders.push(ours("modelpulse, fast", kind, &pool, Compression::Fast));
    }
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let file = dir.path().join("pool");
    std::fs::write(&file, pool.bytes())?;
    if let Some(version) = version {
        let time = move || -> anyhow::Result<Sample> {
            let logdir = TempDir::with_prefix("modelpulse-bench-")?;
            let (name, logged) = (kind.name(), slow.to_string());
            let paths = (python::path(&file)?, python::path(logdir.path())?);
            let arguments = [&name, paths.0, kind.shape(), paths.1, &logged];
            let printed = python::run(SCRIPT, &python::python(), &arguments)?;
            let seconds: f64 = printed.parse().context("the script prints seconds")?;
            let bytes = bytes_in(logdir.path())? as f64 / slow as f64;
            let scale = count as f64 / slow as f64;
            Ok(Sample::of(seconds * scale).with("bytes each", bytes))
        };
        contenders.push(Contender::new(
            format!("tensorboardX {version} (Python)"),
            time,
        ));
    }
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: kind.title(),
        items: count as f64,
        item: "values",
    };
    let mut rows = rows(work, &contenders);
    if version.is_some() {
        report.note(format!(
            "{}: Python logs {slow}; its time is scaled up",
            kind.name()
        ));
        let theirs = rows.last().and_then(|row| row.seconds).unwrap_or(f64::NAN);
        for row in &mut rows {
            let ratio = theirs / row.seconds.unwrap_or(f64::NAN);
            row.extras.push((RATIO, ratio));
        }
        rows[0].extra_goal(RATIO, Bound::AtLeast(5.0));
    }
    report.add(rows);
    Ok(())
}

fn ours<'a>(who: &str, kind: Kind, pool: &'a Pool, compression: Compression) -> Contender<'a> {
    let count = kind.counts().0;
    Contender::new(who, move || {
        timed(Ours::create, count, |ours: Ours| {
            for step in 0..count {
                pool.log(kind, &ours.run, step, compression)?;
            }
            ours.finish()
        })
    })
}

impl Kind {
    fn name(self) -> String {
        let name = self.to_possible_value();
        name.map(|name| name.get_name().to_owned())
            .unwrap_or_default()
    }

    fn title(self) -> &'static str {
        match self {
            Self::Images => "images: photographs, 256 × 256 RGB",
            Self::Drawings => "drawings, 256 × 256 RGB",
            Self::Audio => "audio: one second at 44.1 kHz, mono",
            Self::Histograms => "histograms of 10,000 values",
        }
    }

    /// How many values are logged by us, and by Python.
    fn counts(self) -> (usize, usize) {
        match self {
            Self::Images | Self::Drawings => (100, 50),
            Self::Audio => (1000, 200),
            Self::Histograms => (10_000, 500),
        }
    }

    /// The shape of a value, for Python.
    fn shape(self) -> &'static str {
        match self {
            Self::Images | Self::Drawings => "256x256x3",
            Self::Audio => "44100",
            Self::Histograms => "10000",
        }
    }

    fn pool(self) -> Pool {
        let mut noise = Noise::new(3);
        match self {
            Self::Images => Pool::Bytes((0..POOL).map(|it| photograph(it, &mut noise)).collect()),
            Self::Drawings => Pool::Bytes((0..POOL).map(drawing).collect()),
            Self::Audio => {
                let tone = |pitch: usize| {
                    let radians = (220.0 + 20.0 * pitch as f32) * std::f32::consts::TAU / 44_100.0;
                    let sample = |at: usize| 0.5 * (at as f32 * radians).sin();
                    (0..44_100).map(sample).collect()
                };
                Pool::Floats((0..POOL).map(tone).collect())
            }
            Self::Histograms => {
                let mut values = |_| (0..10_000).map(|_| noise.normal()).collect();
                Pool::Floats((0..POOL).map(&mut values).collect())
            }
        }
    }
}

impl Pool {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(values) => values.concat(),
            Self::Floats(values) => {
                let numbers = values.iter().flatten();
                numbers.flat_map(|number| number.to_le_bytes()).collect()
            }
        }
    }

    fn log(
        &self,
        kind: Kind,
        run: &RunWriter,
        step: usize,
        compression: Compression,
    ) -> anyhow::Result<()> {
        match self {
            Self::Bytes(values) => {
                let (pixels, shape) = (&values[step % POOL], [256, 256, 3]);
                let image = Image::from_pixels_with(pixels, shape, PixelLayout::Hwc, compression)?;
                run.log("value", step, image);
            }
            Self::Floats(values) if kind == Kind::Audio => {
                run.log("value", step, Audio::mono(44_100, &values[step % POOL])?);
            }
            Self::Floats(values) => run.histogram("value", step, &values[step % POOL]),
        }
        Ok(())
    }
}

/// Soft shapes under the noise of a sensor.
fn photograph(number: usize, noise: &mut Noise) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(256 * 256 * 3);
    for y in 0..256 {
        for x in 0..256 {
            let (x, y) = (x as f32 / 40.0, y as f32 / 50.0);
            for channel in 0..3 {
                let phase = number as f32 + channel as f32 * 0.7;
                let light = 128.0 + 60.0 * (x + phase).sin() + 50.0 * (y * 1.3 - phase).cos();
                pixels.push((light + 4.0 * noise.normal()) as u8);
            }
        }
    }
    pixels
}

/// Flat squares with lines between, as a confusion matrix has.
fn drawing(number: usize) -> Vec<u8> {
    let colour = |x: usize, y: usize| match (x % 24, y % 24) {
        (0, _) | (_, 0) => [255; 3],
        (8..12, 6..18) => [20, 20, 40],
        _ => {
            let shade = ((x / 24 * 7 + y / 24 * 13 + number * 5) % 16 * 12) as u8;
            [240 - shade, 245 - shade / 2, 250]
        }
    };
    (0..256 * 256)
        .flat_map(|at| colour(at % 256, at / 256))
        .collect()
}

/// Holds this process, its threads and its children to one core; its number.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the standard library has no call for it")]
fn hold_to_one_core() -> Option<usize> {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: a set of cores is plain bits, for which all zero is the empty set.
    let (mut allowed, mut one): (libc::cpu_set_t, libc::cpu_set_t) = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes at most `size` bytes to the set, which outlives it.
    if unsafe { libc::sched_getaffinity(0, size, &raw mut allowed) } != 0 {
        return None;
    }
    // SAFETY: the numbers are below the size of a set.
    let last = (0..libc::CPU_SETSIZE as usize)
        .rfind(|&core| unsafe { libc::CPU_ISSET(core, &allowed) })?;
    // SAFETY: as above; the call only reads the set.
    let held = unsafe {
        libc::CPU_SET(last, &mut one);
        libc::sched_setaffinity(0, size, &raw const one)
    };
    (held == 0).then_some(last)
}

#[cfg(not(target_os = "linux"))]
fn hold_to_one_core() -> Option<usize> {
    None
}
