//! `histograms` and `png`: values of many bytes.
//!
//! Histograms include their making from the values; PNGs are ready bytes.

use std::path::Path;

use anyhow::Context;
use modelpulse::proto::summary_metadata::PluginData;
use modelpulse::proto::tensor_shape_proto::Dim;
use modelpulse::proto::{DataClass, DataType, SummaryMetadata, TensorProto, TensorShapeProto};
use modelpulse::summary::{Image, Tensor};
use prost::bytes::Bytes;

use super::timed;
use crate::contest::{Contender, Work, interleave, rows};
use crate::limit::Limit;
use crate::noise::Noise;
use crate::peers::{Histograms, Ours, Scalars, TensorboardRs, Tfrecord, tags};
use crate::report::{Bound, Report};

const HISTOGRAMS: usize = 10_000;
const VALUES: usize = 10_000;
const PNGS: usize = 2_000;
/// Different inputs, so that no cache holds the one that comes next.
const POOL: usize = 16;

/// Adds histograms of ten thousand values each.
pub(super) fn histograms(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    let mut noise = Noise::new(1);
    let pool: Vec<Vec<f32>> = (0..POOL)
        .map(|_| (0..VALUES).map(|_| noise.normal()).collect())
        .collect();
    let mut contenders = [
        histogram::<Ours>(&pool),
        histogram::<TensorboardRs>(&pool),
        histogram::<Tfrecord>(&pool),
        histogram::<Limit>(&pool),
    ];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: "histograms",
        items: HISTOGRAMS as f64,
        item: "histograms",
    };
    let mut rows = rows(work, &contenders);
    for row in &mut rows {
        let ns = row.seconds.unwrap_or(f64::NAN) * 1e9 / (HISTOGRAMS * VALUES) as f64;
        row.extras.push(("ns a value", ns));
    }
    let ours = &mut rows[0];
    ours.extra_goal("ns a value", Bound::AtMost(1.5));
    ours.extra_goal("bytes each", Bound::AtMost(800.0));
    report.add(rows);
    Ok(())
}

fn histogram<W: Histograms>(pool: &[Vec<f32>]) -> Contender<'_> {
    Contender::new(W::NAME, || {
        timed(W::create, HISTOGRAMS, |mut writer: W| {
            for (step, values) in pool.iter().cycle().take(HISTOGRAMS).enumerate() {
                writer.histogram(step as i64, values);
            }
            writer.finish()
        })
    })
}

/// Adds PNGs of about 50 KB that are ready before the clock starts.
pub(super) fn pngs(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    const SIZE: u32 = 129;
    let mut noise = Noise::new(2);
    let mut png = || -> anyhow::Result<Bytes> {
        let pixels: Vec<u8> = (0..SIZE * SIZE * 3).map(|_| noise.next() as u8).collect();
        Ok(Image::rgb(SIZE, SIZE, &pixels)?.png().clone())
    };
    let pool = (0..POOL)
        .map(|_| png())
        .collect::<anyhow::Result<Vec<_>>>()?;
    let each = || pool.iter().cycle().take(PNGS).enumerate();

    let ours = || {
        timed(Ours::create, PNGS, |ours| {
            for (step, png) in each() {
                ours.run.log("picture", step, image(SIZE, png.clone()));
            }
            ours.finish()
        })
    };
    let create_limit = |dir: &Path| Limit::create(dir, &tags()).context("the limit's file");
    let limit = || {
        timed(create_limit, PNGS, |mut limit| {
            for (step, png) in each() {
                limit.png(step as i64, (SIZE, SIZE), png);
            }
            Ok(limit.finish()?)
        })
    };
    let mut contenders = [
        Contender::new(Ours::NAME, ours),
        Contender::new(Limit::NAME, limit),
    ];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: "png",
        items: PNGS as f64,
        item: "PNGs",
    };
    let mut rows = rows(work, &contenders);
    for row in &mut rows {
        let bytes = row.extra("bytes each") * row.per_second.unwrap_or(f64::NAN);
        row.extras.push(("MB/s", bytes * 1e-6));
    }
    let ours = &mut rows[0];
    ours.goal("× limit", ours.ratio_to_limit, Bound::AtLeast(0.8));
    report.add(rows);
    report.note("png: no peer takes an encoded image; the limit gathers it by the system call, without a copy");
    Ok(())
}

/// An image of ready bytes, which the library has no call for: the tensor that TensorBoard reads.
fn image(size: u32, png: Bytes) -> Tensor {
    let decimal = Bytes::from(size.to_string());
    let strings = vec![decimal.clone(), decimal, png];
    Tensor {
        metadata: SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: "images".to_owned(),
                content: Bytes::new(),
            }),
            data_class: DataClass::BlobSequence.into(),
            ..SummaryMetadata::default()
        },
        tensor: TensorProto {
            dtype: DataType::DtString.into(),
            tensor_shape: Some(TensorShapeProto {
                dim: vec![Dim {
                    size: strings.len() as i64,
                    name: String::new(),
                }],
                unknown_rank: false,
            }),
            string_val: strings,
            ..TensorProto::default()
        },
    }
}
