//! A domain classifier: can a model tell current rows from those of the reference?

use candle_core::{Device, Result as CandleResult, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use super::Undefined;
use super::data::mann_whitney::{self, Side};
use super::data::{Sample, Test};
use super::rows::Rows;
use crate::metrics::DeLong;
use crate::metrics::random::SplitMix;

/// A classifier two-sample test (D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", 2017): a small
/// perceptron learns from half of the rows of both samples to tell them apart, and is judged by the other half.
///
/// It sees what no test of one feature sees, such as features that no longer hang together. As the rows that judge were
/// not learned from, their scores are those of two samples of one distribution if nothing has changed, however badly or
/// well the model has learned: so the Mann–Whitney test of them has its level. Rows from both folds together would not
/// have it, since models of the one and of the other err alike.
///
/// ```
/// use modelpulse::drift::{candle::DomainClassifier, rows::Rows};
///
/// // The same values of either feature, but they no longer rise together.
/// let rows = |sign: i32| (0..400).flat_map(|i| [f64::from(i * 37 % 101), f64::from(sign * (i * 37 % 101))]).collect();
/// let (reference, current) = (Rows::new(2, rows(1))?, Rows::new(2, rows(-1))?);
/// let told = DomainClassifier::default().compare(&reference, &current)?;
/// assert!(told.auc > 0.9 && told.p_value < 1e-6);
/// let told = DomainClassifier::default().compare(&reference, &reference)?;
/// assert!(told.auc < 0.65 && told.p_value > 0.001);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct DomainClassifier {
    /// Units of the hidden layer.
    pub hidden: usize,
    /// How often it learns from a batch of 64 rows of either sample.
    pub steps: usize,
    /// The learning rate of AdamW.
    pub learning_rate: f64,
    /// So many rows of a sample are learned from at most, and ten times as many judge.
    pub most: usize,
    /// The seed of the split, of the first weights and of the batches: the same seed, the same answer.
    pub seed: u64,
}

impl Default for DomainClassifier {
    /// 32 units, 200 steps at a rate of 0.01, 20,000 rows.
    fn default() -> Self {
        Self {
            hidden: 32,
            steps: 200,
            learning_rate: 0.01,
            most: 20_000,
            seed: 0,
        }
    }
}

/// How well the samples can be told apart.
///
/// ```
/// # use modelpulse::drift::{candle::DomainClassifier, rows::Rows};
/// let rows = Rows::new(1, (0..100).map(f64::from).collect())?;
/// let told = DomainClassifier::default().compare(&rows, &rows)?;
/// assert!(told.interval.0 <= told.auc && told.auc <= told.interval.1);
/// assert_eq!(told.judged, [50, 50]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Told {
    /// The area under the ROC curve, of rows that were not learned from: 0.5 by chance, 1 if they are told apart.
    pub auc: f64,
    /// Its 95 % interval (E. R. DeLong et al., 1988, doi 10.2307/2531595).
    pub interval: (f64, f64),
    /// The chance of as large an area if both samples are of one distribution.
    pub p_value: f64,
    /// How many rows of the reference and of the current sample judged.
    pub judged: [usize; 2],
}

/// Why samples could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifierError {
    /// The samples do not define it.
    #[error(transparent)]
    Undefined(#[from] Undefined),
    /// The model could not be trained.
    #[error("the domain classifier cannot be trained: {0}")]
    Train(#[from] candle_core::Error),
}

/// Rows of a sample in a batch.
const BATCH: usize = 64;
/// Standardised values are kept within so many deviations: one that is far out must not be all that is learned.
const REACH: f64 = 10.0;
const WEIGHT_DECAY: f64 = 0.01;

impl DomainClassifier {
    /// Trains and judges. Missing values are told from those that are there, and infinite ones are very large.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if a sample has fewer than four rows or rows of another width, [`ClassifierError::Train`].
    pub fn compare(&self, reference: &Rows, current: &Rows) -> Result<Told, ClassifierError> {
        let samples = [reference, current];
        if samples.iter().any(|rows| rows.len() < 4) || reference.width() != current.width() {
            return Err(Undefined::TooFew.into());
        }
        let mut random = SplitMix::new(self.seed);
        let halves = samples.map(|rows| {
            let order = shuffled(rows.len(), &mut random);
            let (learn, judge) = order.split_at(rows.len() / 2);
            let learn = learn[..learn.len().min(self.most)].to_vec();
            let judge = judge[..judge.len().min(self.most.saturating_mul(10))].to_vec();
            (learn, judge)
        });
        let learned = [0, 1].map(|side| (samples[side], halves[side].0.as_slice()));
        let scales = Scales::of(learned);
        let [a, b] = learned.map(|(rows, chosen)| scales.inputs(rows, chosen));
        let model = self.train(scales.inputs_of_a_row(), [&a, &b], &mut random)?;
        let score = |side: usize| -> CandleResult<Vec<f64>> {
            let mut scores = Vec::new();
            // A part at a time, so that memory is bounded.
            for part in halves[side].1.chunks(4096) {
                scores.extend(model.scores(scales.inputs(samples[side], part), part.len())?);
            }
            Ok(scores)
        };
        Ok(judge(&score(0)?, &score(1)?)?)
    }

    fn train(
        &self,
        width: usize,
        samples: [&[f32]; 2],
        random: &mut SplitMix,
    ) -> CandleResult<Model> {
        let model = Model::new(width, self.hidden.max(1), random)?;
        let settings = ParamsAdamW {
            lr: self.learning_rate,
            weight_decay: WEIGHT_DECAY,
            ..ParamsAdamW::default()
        };
        let mut optimizer = AdamW::new(model.vars(), settings)?;
        let mut targets = vec![0_f32; BATCH];
        targets.resize(2 * BATCH, 1.0);
        let targets = Tensor::from_vec(targets, (2 * BATCH, 1), &Device::Cpu)?;
        for _ in 0..self.steps {
            // As many of either, whatever their sizes.
            let mut batch = Vec::with_capacity(2 * BATCH * width);
            for sample in samples {
                for _ in 0..BATCH {
                    let row = random.below(sample.len() / width) * width;
                    batch.extend_from_slice(&sample[row..row + width]);
                }
            }
            let inputs = Tensor::from_vec(batch, (2 * BATCH, width), &Device::Cpu)?;
            let logits = model.forward(&inputs)?;
            // ln(1 + e^x) - x y, where e^-|x| cannot overflow.
            let rest = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
            let loss = ((logits.relu()? + rest)? - (&logits * &targets)?)?.mean_all()?;
            optimizer.backward_step(&loss)?;
        }
        Ok(model)
    }
}

fn shuffled(length: usize, random: &mut SplitMix) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    for at in (1..length).rev() {
        order.swap(at, random.below(at + 1));
    }
    order
}

fn judge(reference: &[f64], current: &[f64]) -> Result<Told, Undefined> {
    let (a, b) = (Sample::new(reference), Sample::new(current));
    let judged = [a.len(), b.len()];
    let Test { statistic, p_value } = mann_whitney::auto(&a, &b, Side::Less)?;
    let auc = 1.0 - statistic / (a.len() as f64 * b.len() as f64);
    let labels: Vec<bool> = (0..judged[0] + judged[1])
        .map(|at| at >= judged[0])
        .collect();
    let scores = [reference, current].concat();
    let area = DeLong::of(&labels, &scores, &scores);
    let interval = area.ok().and_then(Result::ok);
    Ok(Told {
        auc,
        interval: interval.map_or((0.0, 1.0), |area| area.candidate_interval(0.95)),
        p_value,
        judged,
    })
}

/// How features become inputs: of mean 0 and deviation 1 over what is learned from, and a flag for what is missing.
struct Scales {
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// The features of which values are missing.
    missing: Vec<usize>,
}

impl Scales {
    fn of(samples: [(&Rows, &[usize]); 2]) -> Self {
        let width = samples[0].0.width();
        let mut scales = Self {
            means: Vec::with_capacity(width),
            deviations: Vec::with_capacity(width),
            missing: Vec::new(),
        };
        for at in 0..width {
            let values = samples.iter().flat_map(|(rows, chosen)| {
                let value = move |&row: &usize| rows.row(row)[at];
                chosen.iter().map(value)
            });
            let (mut n, mut sum, mut missing) = (0.0, 0.0, false);
            for value in values.clone() {
                missing |= value.is_nan();
                if value.is_finite() {
                    n += 1.0;
                    sum += value;
                }
            }
            let mean = if n > 0.0 { sum / n } else { 0.0 };
            let finite = values.filter(|value| value.is_finite());
            let squares: f64 = finite.map(|value| (value - mean).powi(2)).sum();
            let deviation = (squares / n).sqrt();
            scales.means.push(mean);
            scales
                .deviations
                .push(if deviation > 0.0 { deviation } else { 1.0 });
            if missing {
                scales.missing.push(at);
            }
        }
        scales
    }

    fn inputs_of_a_row(&self) -> usize {
        self.means.len() + self.missing.len()
    }

    fn inputs(&self, rows: &Rows, chosen: &[usize]) -> Vec<f32> {
        let mut inputs = Vec::with_capacity(chosen.len() * self.inputs_of_a_row());
        for &at in chosen {
            let row = rows.row(at);
            let scales = self.means.iter().zip(&self.deviations);
            inputs.extend(row.iter().zip(scales).map(|(value, (mean, deviation))| {
                let scaled = ((value - mean) / deviation).clamp(-REACH, REACH);
                if scaled.is_nan() { 0.0 } else { scaled as f32 }
            }));
            inputs.extend(
                self.missing
                    .iter()
                    .map(|&at| f32::from(u8::from(row[at].is_nan()))),
            );
        }
        inputs
    }
}

/// Two layers with ReLU between them, to one logit.
struct Model {
    hidden: [Var; 2],
    output: [Var; 2],
    width: usize,
}

impl Model {
    /// Weights are uniform, with the variance of K. He et al. (2015, doi 10.1109/ICCV.2015.123).
    fn new(width: usize, hidden: usize, random: &mut SplitMix) -> CandleResult<Self> {
        let mut layer = |from: usize, to: usize| -> CandleResult<[Var; 2]> {
            let reach = (6.0 / from as f64).sqrt();
            let weights: Vec<f32> = (0..from * to)
                .map(|_| ((2.0 * random.unit() - 1.0) * reach) as f32)
                .collect();
            let weights = Var::from_vec(weights, (from, to), &Device::Cpu)?;
            Ok([weights, Var::from_vec(vec![0_f32; to], to, &Device::Cpu)?])
        };
        Ok(Self {
            hidden: layer(width, hidden)?,
            output: layer(hidden, 1)?,
            width,
        })
    }

    fn vars(&self) -> Vec<Var> {
        self.hidden.iter().chain(&self.output).cloned().collect()
    }

    fn forward(&self, inputs: &Tensor) -> CandleResult<Tensor> {
        let [weights, bias] = &self.hidden;
        let hidden = inputs.matmul(weights)?.broadcast_add(bias)?.relu()?;
        let [weights, bias] = &self.output;
        hidden.matmul(weights)?.broadcast_add(bias)
    }

    fn scores(&self, inputs: Vec<f32>, rows: usize) -> CandleResult<Vec<f64>> {
        let inputs = Tensor::from_vec(inputs, (rows, self.width), &Device::Cpu)?;
        let scores: Vec<f32> = self.forward(&inputs)?.flatten_all()?.to_vec1()?;
        Ok(scores.into_iter().map(f64::from).collect())
    }
}
