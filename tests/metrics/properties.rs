//! What must hold for any data.

use modelpulse::metrics::{
    Accumulator, Average, Batch, BinaryBatch, BinaryMetrics, Bootstrap, Decayed, Memory,
    MetricError, MulticlassBatch, MulticlassMetrics, MultilabelBatch, MultilabelMetrics,
    OwnedBinary, RegressionBatch, RegressionMetrics, Sliding, Tumbling, Undefined,
};

/// Numbers that repeat: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.unit() * limit as f64) as usize
    }
}

/// Columns of every kind over the same number of samples, with ties and weights.
struct Data {
    rows: usize,
    positive: Vec<bool>,
    score: Vec<f64>,
    class: Vec<usize>,
    proba: Vec<f64>,
    own: Vec<bool>,
    truth: Vec<f64>,
    guess: Vec<f64>,
    weight: Vec<f64>,
}

const CLASSES: usize = 4;

fn data(seed: u64, rows: usize) -> Data {
    let mut random = Random(seed);
    let mut data = Data {
        rows,
        positive: Vec::new(),
        score: Vec::new(),
        class: Vec::new(),
        proba: Vec::new(),
        own: Vec::new(),
        truth: Vec::new(),
        guess: Vec::new(),
        weight: Vec::new(),
    };
    for _ in 0..rows {
        let positive = random.below(3) == 0;
        let score = (random.unit() + f64::from(positive) / 2.0) / 1.5;
        // Some tie.
        let score = if random.below(2) == 0 {
            (score * 20.0).round() / 20.0
        } else {
            score
        };
        data.positive.push(positive);
        data.score.push(score);
        let class = random.below(CLASSES);
        let mut row: Vec<f64> = (0..CLASSES)
            .map(|c| random.unit() + f64::from(c == class))
            .collect();
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|score| *score /= sum);
        data.class.push(class);
        data.own.extend((0..CLASSES).map(|_| random.below(3) == 0));
        data.proba.extend(row);
        let truth = random.unit() * 10.0 + 0.1;
        data.truth.push(truth);
        data.guess.push(truth * (0.5 + random.unit()));
        data.weight.push(random.unit() * 3.0);
    }
    data
}

/// The answers as bits, so that the last one counts.
fn bits(
    named: Vec<(&'static str, Result<f64, Undefined>)>,
) -> Vec<(&'static str, Result<u64, Undefined>)> {
    let bits = |(name, answer): (_, Result<f64, _>)| (name, answer.map(f64::to_bits));
    named.into_iter().map(bits).collect()
}

/// Every kind of accumulator over the rows in this order, sharded at `cuts`, merged from the last shard to the first.
fn answers(
    data: &Data,
    cuts: &[usize],
    weighted: bool,
    memory: Memory,
) -> Vec<(&'static str, Result<u64, Undefined>)> {
    fn run<'a, A: Accumulator>(like: A, batch: A::Batch<'a>, cuts: &[usize]) -> A {
        let ends = cuts.iter().copied().chain([batch.len()]);
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let shards = starts.zip(ends).map(|(start, end)| {
            let mut shard = like.fresh();
            shard.update(batch.slice(start, end)).unwrap();
            shard
        });
        let mut all: Vec<A> = shards.collect();
        let mut whole = all.pop().unwrap();
        while let Some(shard) = all.pop() {
            whole.merge(&shard).unwrap();
        }
        assert_eq!(whole.samples() as usize, batch.len());
        whole
    }
    let weights = weighted.then_some(&data.weight[..]);
    let mut binary = BinaryBatch::new(&data.positive, &data.score);
    let mut multiclass = MulticlassBatch::new(&data.class, &data.proba);
    let mut multilabel = MultilabelBatch::new(CLASSES, &data.own, &data.proba);
    let mut regression = RegressionBatch::new(&data.truth, &data.guess);
    binary.weights = weights;
    multiclass.weights = weights;
    multilabel.weights = weights;
    regression.weights = weights;
    let mut named = run(BinaryMetrics::new().memory(memory), binary, cuts)
        .compute()
        .named();
    named.extend(
        run(
            MulticlassMetrics::new(CLASSES).memory(memory),
            multiclass,
            cuts,
        )
        .compute()
        .named(),
    );
    named.extend(
        run(
            MultilabelMetrics::new(CLASSES).memory(memory),
            multilabel,
            cuts,
        )
        .compute()
        .named(),
    );
    named.extend(
        run(RegressionMetrics::new().memory(memory), regression, cuts)
            .compute()
            .named(),
    );
    bits(named)
}

#[test]
fn merging_shards_is_one_pass() {
    let mut compared = 0;
    for (seed, rows) in [(1, 1), (2, 7), (3, 500), (4, 3000)] {
        let data = data(seed, rows);
        for weighted in [false, true] {
            for memory in [Memory::Exact, Memory::Bounded { thresholds: 101 }] {
                let whole = answers(&data, &[], weighted, memory);
                for cuts in [
                    vec![0],
                    vec![rows],
                    vec![rows / 3, rows / 2],
                    (1..rows.min(40)).collect(),
                ] {
                    assert_eq!(
                        answers(&data, &cuts, weighted, memory),
                        whole,
                        "{rows} rows cut at {cuts:?}"
                    );
                    compared += whole.len();
                }
            }
        }
    }
    println!("compared {compared} answers, bit for bit");
}

#[test]
fn order_does_not_matter() {
    for (seed, rows) in [(5, 40), (6, 2000)] {
        let straight = data(seed, rows);
        let mut order: Vec<usize> = (0..rows).collect();
        let mut random = Random(seed);
        for i in (1..rows).rev() {
            order.swap(i, random.below(i + 1));
        }
        fn pick<T: Copy>(column: &[T], order: &[usize]) -> Vec<T> {
            let width = column.len() / order.len();
            order
                .iter()
                .flat_map(|&row| column[row * width..][..width].to_vec())
                .collect()
        }
        let shuffled = Data {
            rows,
            positive: pick(&straight.positive, &order),
            score: pick(&straight.score, &order),
            class: pick(&straight.class, &order),
            proba: pick(&straight.proba, &order),
            own: pick(&straight.own, &order),
            truth: pick(&straight.truth, &order),
            guess: pick(&straight.guess, &order),
            weight: pick(&straight.weight, &order),
        };
        assert_eq!(shuffled.rows, rows);
        for weighted in [false, true] {
            for memory in [Memory::Exact, Memory::bounded()] {
                let expected = answers(&straight, &[], weighted, memory);
                assert_eq!(answers(&shuffled, &[rows / 2], weighted, memory), expected);
            }
        }
    }
}

#[test]
fn weights_are_repetitions() {
    let data = data(7, 300);
    let times: Vec<usize> = (0..300).map(|row| row % 4).collect();
    let weights: Vec<f64> = times.iter().map(|&times| times as f64).collect();
    let rows: Vec<usize> = times
        .iter()
        .enumerate()
        .flat_map(|(row, &times)| vec![row; times])
        .collect();
    fn both<A: Accumulator>(
        like: &A,
        batch: A::Batch<'_>,
        weights: &[f64],
        rows: &[usize],
    ) -> [A; 2]
    where
        for<'a> A::Batch<'a>: Batch<'a, Owned = A::Owned>,
    {
        let owned = batch.draw(rows);
        let all: Vec<usize> = (0..batch.len()).collect();
        let once = batch.draw(&all);
        let (mut weighted, mut repeated) = (like.fresh(), like.fresh());
        weighted
            .update(A::Batch::of(&once).weighted(weights))
            .unwrap();
        repeated.update(A::Batch::of(&owned)).unwrap();
        [weighted, repeated]
    }
    let mut compared = 0;
    let mut same = |[weighted, repeated]: [Vec<(&'static str, Result<f64, Undefined>)>; 2]| {
        for ((name, a), (_, b)) in weighted.into_iter().zip(repeated) {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!(
                (a - b).abs() <= 1e-12 * b.abs().max(1.0),
                "{name}: {a} and {b}"
            );
            compared += 1;
        }
    };
    let binary = BinaryBatch::new(&data.positive, &data.score);
    same(both(&BinaryMetrics::new(), binary, &weights, &rows).map(|it| it.compute().named()));
    let multiclass = MulticlassBatch::new(&data.class, &data.proba);
    same(
        both(
            &MulticlassMetrics::new(CLASSES),
            multiclass,
            &weights,
            &rows,
        )
        .map(|it| it.compute().named()),
    );
    let multilabel = MultilabelBatch::new(CLASSES, &data.own, &data.proba);
    same(
        both(
            &MultilabelMetrics::new(CLASSES),
            multilabel,
            &weights,
            &rows,
        )
        .map(|it| it.compute().named()),
    );
    let regression = RegressionBatch::new(&data.truth, &data.guess);
    same(
        both(&RegressionMetrics::new(), regression, &weights, &rows).map(|it| it.compute().named()),
    );
    println!("compared {compared} answers");
}

#[test]
fn bounded_answers_are_within_their_bounds() {
    for (seed, rows) in [(8, 50), (9, 5000)] {
        let data = data(seed, rows);
        for weighted in [false, true] {
            let mut batch = BinaryBatch::new(&data.positive, &data.score);
            batch.weights = weighted.then_some(&data.weight);
            let mut exact = BinaryMetrics::new();
            exact.update(batch).unwrap();
            for thresholds in [2, 11, 257, 8193] {
                let mut bounded = BinaryMetrics::new().memory(Memory::Bounded { thresholds });
                bounded.update(batch).unwrap();
                let (ours, theirs) = (bounded.steps(), exact.steps());
                for (bounds, value) in [
                    (ours.roc_auc_bounds(), theirs.roc_auc()),
                    (ours.average_precision_bounds(), theirs.average_precision()),
                ] {
                    let ((low, high), value) = (bounds.unwrap(), value.unwrap());
                    assert!(
                        low - 1e-12 <= value && value <= high + 1e-12,
                        "{low} {value} {high}"
                    );
                }
                // Sums and counts lose nothing.
                let (ours, theirs) = (bounded.compute(), exact.compute());
                assert_eq!(
                    (ours.log_loss, ours.brier, ours.f1, ours.ece),
                    (theirs.log_loss, theirs.brier, theirs.f1, theirs.ece)
                );
            }
        }
    }
}

#[test]
fn windows_are_their_samples() {
    let data = data(10, 1000);
    let batch = BinaryBatch::new(&data.positive, &data.score);
    let over = |start: usize, end: usize| {
        let mut metrics = BinaryMetrics::new();
        metrics.update(batch.slice(start, end)).unwrap();
        metrics.compute()
    };
    let mut tumbling = Tumbling::new(BinaryMetrics::new(), 300);
    let mut sliding = Sliding::new(BinaryMetrics::new(), 4, 50);
    let mut ended = Vec::new();
    // Batches that fit no window.
    for start in (0..1000).step_by(70) {
        let part = batch.slice(start, (start + 70).min(1000));
        ended.extend(tumbling.update(part).unwrap());
        sliding.update(part).unwrap();
        let end = (start + 70).min(1000);
        let held = sliding.samples() as usize;
        assert!(
            held == end.min(200) || (150..=200).contains(&held),
            "{held} of {end}"
        );
        assert_eq!(sliding.compute(), over(end - held, end));
    }
    assert_eq!(ended, [over(0, 300), over(300, 600), over(600, 900)]);
    assert_eq!(tumbling.compute(), over(900, 1000));

    let half_life = 2.5;
    let mut decayed = Decayed::new(BinaryMetrics::new(), half_life);
    for start in (0..1000).step_by(7) {
        decayed
            .update(batch.slice(start, (start + 7).min(1000)))
            .unwrap();
    }
    let mut plain = BinaryMetrics::new();
    let weights: Vec<f64> = (0..1000)
        .map(|i| (f64::from(i - 999) / half_life).exp2())
        .collect();
    plain.update(batch.weighted(&weights)).unwrap();
    for ((name, ours), (_, plain)) in decayed
        .compute()
        .named()
        .into_iter()
        .zip(plain.compute().named())
    {
        let (ours, plain) = (ours.unwrap(), plain.unwrap());
        assert!((ours - plain).abs() < 1e-12, "{name}: {ours} and {plain}");
    }

    // A batch that is refused changes no window.
    let bad = BinaryBatch::new(&[true; 3], &[0.1, 0.2, f64::NAN]);
    let (before, held) = (tumbling.compute(), sliding.samples());
    assert!(
        tumbling.update(bad).is_err()
            && sliding.update(bad).is_err()
            && decayed.update(bad).is_err()
    );
    assert_eq!((tumbling.compute(), sliding.samples()), (before, held));
}

#[test]
fn degenerate_input_has_a_typed_answer() {
    // Nothing: no metric has a number.
    let empty = [
        BinaryMetrics::new().compute().named(),
        MulticlassMetrics::new(3).compute().named(),
        MultilabelMetrics::new(3).compute().named(),
        RegressionMetrics::new().compute().named(),
    ];
    for (name, answer) in empty.concat() {
        assert!(answer.is_err(), "{name} of nothing is {answer:?}");
    }
    // One class.
    let mut one = BinaryMetrics::new();
    one.update(BinaryBatch::new(&[true, true], &[0.2, 0.8]))
        .unwrap();
    let report = one.compute();
    assert_eq!(report.roc_auc, Err(Undefined::NoNegatives));
    assert_eq!(report.specificity, Err(Undefined::NoNegatives));
    assert_eq!(report.mcc, Err(Undefined::Constant));
    let mut other = BinaryMetrics::new();
    other.update(BinaryBatch::new(&[false], &[0.2])).unwrap();
    assert_eq!(
        other.compute().average_precision,
        Err(Undefined::NoPositives)
    );
    assert_eq!(other.compute().precision, Err(Undefined::NeverPredicted));
    // Scores that are no probabilities rank, and no more.
    let mut logits = BinaryMetrics::new().threshold(0.0);
    logits
        .update(BinaryBatch::new(&[true, false], &[3.0, f64::NEG_INFINITY]))
        .unwrap();
    assert_eq!(logits.compute().roc_auc, Ok(1.0));
    assert_eq!(logits.compute().log_loss, Err(Undefined::NotProbabilities));
    assert_eq!(logits.compute().ece, Err(Undefined::NotProbabilities));
    // What is refused changes nothing, wherever in the batch it is.
    let before = one.compute();
    let nan = one.update(BinaryBatch::new(&[false, true], &[0.3, f64::NAN]));
    assert_eq!(
        nan,
        Err(MetricError::NanScore {
            sample: 3,
            class: 1
        })
    );
    let weight = one.update(BinaryBatch::new(&[false], &[0.3]).weighted(&[-1.0]));
    assert_eq!(weight, Err(MetricError::Weight { sample: 2 }));
    let short = one.update(BinaryBatch::new(&[false, true], &[0.3]));
    assert!(matches!(
        short,
        Err(MetricError::Lengths {
            column: "scores",
            expected: 2,
            got: 1
        })
    ));
    assert_eq!((one.compute(), one.samples()), (before, 2));
    let mut classes = MulticlassMetrics::new(2);
    let label = classes.update(MulticlassBatch::new(&[0, 2], &[0.5; 4]));
    assert_eq!(
        label,
        Err(MetricError::LabelOutOfRange {
            sample: 1,
            label: 2,
            classes: 2
        })
    );
    let nan = classes.update(MulticlassBatch::new(&[0, 1], &[0.5, 0.5, f64::NAN, 0.5]));
    assert_eq!(
        nan,
        Err(MetricError::NanScore {
            sample: 1,
            class: 0
        })
    );
    assert_eq!(classes.samples(), 0);
    assert!(
        MulticlassMetrics::new(0)
            .update(MulticlassBatch::new(&[], &[]))
            .is_ok()
    );
    assert!(
        MultilabelMetrics::new(0)
            .update(MultilabelBatch::new(0, &[], &[]))
            .is_ok()
    );
    let mut regression = RegressionMetrics::new();
    let infinite = regression.update(RegressionBatch::new(&[1.0], &[f64::INFINITY]));
    assert_eq!(
        infinite,
        Err(MetricError::NotFinite {
            sample: 0,
            column: "prediction"
        })
    );
    regression
        .update(RegressionBatch::new(&[1e200, -1e200], &[0.0, 0.0]))
        .unwrap();
    assert_eq!(regression.compute().mse, Err(Undefined::Overflow));
    assert_eq!(regression.compute().msle, Err(Undefined::OutOfDomain));
    // Weights of nothing are no samples.
    let mut nothing = BinaryMetrics::new();
    nothing
        .update(BinaryBatch::new(&[true, false], &[0.1, 0.9]).weighted(&[0.0, 0.0]))
        .unwrap();
    for (name, answer) in nothing.compute().named() {
        assert!(answer.is_err(), "{name} of no weight is {answer:?}");
    }
    // Bounded memory says what it cannot tell.
    let mut bounded = MulticlassMetrics::new(2).memory(Memory::bounded());
    bounded
        .update(MulticlassBatch::new(&[0, 1], &[0.6, 0.4, 0.1, 0.9]))
        .unwrap();
    assert_eq!(bounded.roc_auc_ovo(Average::Macro), Err(Undefined::NotKept));
    let outside = bounded.update(MulticlassBatch::new(&[0], &[1.5, -0.5]));
    assert_eq!(outside, Err(MetricError::ScoreOutsideUnit { sample: 2 }));
    let merged = MulticlassMetrics::new(2).merge(&bounded);
    assert_eq!(merged, Err(MetricError::SettingsDiffer { what: "memory" }));
}

#[test]
fn symmetric_error_is_its_definition() {
    let data = data(11, 200);
    let mut metrics = RegressionMetrics::new();
    metrics
        .update(RegressionBatch::new(&data.truth, &data.guess))
        .unwrap();
    metrics
        .update(RegressionBatch::new(&[0.0, 0.0], &[0.0, 2.0]))
        .unwrap();
    let pairs = data.truth.iter().zip(&data.guess);
    let each = pairs.map(|(y, p)| (y - p).abs() / ((y.abs() + p.abs()) / 2.0));
    let expected = (each.sum::<f64>() + 0.0 + 2.0) / 202.0;
    let got = metrics.compute().smape.unwrap();
    assert!((got - expected).abs() < 1e-12, "{got} and {expected}");
}

#[test]
fn bootstrap_covers_as_often_as_it_says() {
    // The share of positives is 0.3: an interval of level 0.9 holds it in about 90 of 100 samples of the kind.
    let mut random = Random(12);
    let mut held = 0;
    for seed in 0..100 {
        let labels: Vec<bool> = (0..200).map(|_| random.unit() < 0.3).collect();
        let scores = vec![1.0; 200];
        let batch = BinaryBatch::new(&labels, &scores);
        let bootstrap = Bootstrap::new(seed).resamples(200).level(0.9);
        let interval = bootstrap
            .interval(&BinaryMetrics::new(), batch, |report| report.accuracy)
            .unwrap();
        held += usize::from(interval.low <= 0.3 && 0.3 <= interval.high);
        assert_eq!(interval.defined, 200);
    }
    // Three standard deviations around 90.
    assert!((81..=99).contains(&held), "{held}");
    println!("{held} of 100 intervals of level 0.9 hold the truth");
}

#[test]
fn paired_bootstrap_tells_models_apart() {
    let data = data(13, 400);
    let better: Vec<f64> = data
        .score
        .iter()
        .zip(&data.positive)
        .map(|(s, &y)| s + f64::from(y))
        .collect();
    let batch = |scores| BinaryBatch::new(&data.positive, scores);
    let bootstrap = Bootstrap::new(3).resamples(200);
    let auc = |steps: modelpulse::metrics::Steps| steps.roc_auc();
    let like = modelpulse::metrics::Ranking::new();
    let gain = bootstrap
        .paired(&like, batch(&data.score), batch(&better), auc)
        .unwrap();
    assert!(gain.p_value < 0.02 && gain.difference.low > 0.0, "{gain:?}");
    let same = bootstrap
        .paired(&like, batch(&data.score), batch(&data.score), auc)
        .unwrap();
    assert_eq!((same.p_value, same.difference.value), (1.0, Ok(0.0)));
    let again = bootstrap
        .paired(&like, batch(&data.score), batch(&better), auc)
        .unwrap();
    assert_eq!(gain, again, "the same seed gives the same interval");
    let _: OwnedBinary = batch(&better).draw(&[0, 0, 1]);
}
