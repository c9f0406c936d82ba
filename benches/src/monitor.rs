//! `monitor`: what watching a model costs, and how much the server answers, over loopback.
//!
//! The clients run in this process, on the same cores; what they take is in the numbers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use candle_core::{DType, Device, Module, Tensor};
use modelpulse::Session;
use modelpulse::export::{Pusher, Target};
use modelpulse::health::{LabelledRows, Monitor, Observations, Registry, Rows, Watch};
use modelpulse::serve::Server;
use modelpulse::train::candle::{Mlp, Parameters};
use tempfile::TempDir;

use crate::Common;
use crate::noise::Noise;
use crate::report::{Bound, OURS, Report, Row};
use crate::stats::{median, quantile};

/// What watching a model costs, and how much the server answers
///
/// A page of 1,000 series is scraped; a perceptron of 64 inputs, 64 hidden units and 10 classes predicts.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
}

const EXAMPLES: &str = "\
Examples:
  monitor
  monitor --quick --json";

const SERIES: usize = 1_000;
const FEATURES: usize = 64;
const BATCH: usize = 64;
const OBSERVED: usize = 1_000;
const NANOSECONDS: &str = "ns";
const P99: &str = "p99 ms";
const P50: &str = "median ms";
const LATE: &str = "p99 ms it was asked late";
const ANSWER: &str = "p99 ms from when it was asked";
const BYTES: &str = "bytes a page";
const SHARE: &str = "% of the route";
const RATIO: &str = "× alone";

/// Runs all of it.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let time = if args.common.quick {
        Duration::from_millis(500)
    } else {
        Duration::from_secs(5)
    };
    let mut report = Report::new();
    report.add(updates());
    let mut rows = scrapes(time)?;
    rows.extend(pushes()?);
    rows.extend(model(time)?);
    report.add(rows);
    Ok(report)
}

fn row(work: &'static str, item: &'static str, per_second: Option<f64>) -> Row {
    Row {
        work,
        who: OURS.to_owned(),
        seconds: None,
        per_second,
        item,
        peer: "",
        ratio_to_peer: None,
        ratio_to_limit: None,
        extras: Vec::new(),
        goals: Vec::new(),
    }
}

/// One call of each handle, in a loop of one thread.
fn updates() -> Vec<Row> {
    const CALLS: u32 = 1_000_000;
    let registry = Registry::new();
    let (counter, gauge) = (registry.counter("c", ""), registry.gauge("g", ""));
    let timer = registry.meter("t").buckets([0.001, 0.01, 0.1, 1.0]).timer();
    let each = |call: &dyn Fn(u32)| {
        let nanoseconds = (0..7).map(|_| {
            let began = Instant::now();
            (0..CALLS).for_each(call);
            began.elapsed().as_nanos() as f64 / f64::from(CALLS)
        });
        median(nanoseconds.collect::<Vec<_>>())
    };
    let of = |work, ns: f64, goal: bool| {
        let mut row = row(work, "calls", Some(1e9 / ns));
        row.extras.push((NANOSECONDS, ns));
        if goal {
            row.extra_goal(NANOSECONDS, Bound::AtMost(20.0));
        }
        row
    };
    vec![
        of("counter", each(&|_| counter.increment()), true),
        of("gauge", each(&|at| gauge.set(f64::from(at))), true),
        of(
            "timer, 4 buckets",
            each(&|at| timer.record(Duration::from_nanos(at.into()))),
            false,
        ),
    ]
}

/// A connection that is kept.
struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let answer = Vec::new();
        Ok(Self { stream, answer })
    }

    /// Sends a request and reads the whole answer; the bytes of its body.
    fn ask(&mut self, request: &[u8]) -> anyhow::Result<usize> {
        self.stream.write_all(request)?;
        self.answer.clear();
        let mut chunk = [0; 64 << 10];
        loop {
            let read = self.stream.read(&mut chunk)?;
            ensure!(read > 0, "the server ended the connection");
            self.answer.extend_from_slice(&chunk[..read]);
            let Some(end) = find(&self.answer, b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.answer[..end])?.to_ascii_lowercase();
            ensure!(head.starts_with("http/1.1 200"), "{head}");
            let body = self.answer.len() - end - 4;
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let whole = match length {
                Some(length) => body >= length.parse()?,
                None => self.answer.ends_with(b"0\r\n\r\n"),
            };
            if whole {
                return Ok(body);
            }
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n").into_bytes()
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n");
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// Answers a second to two clients that ask as fast as they can, and the bytes of an answer.
fn throughput(address: SocketAddr, request: &[u8], time: Duration) -> anyhow::Result<(f64, f64)> {
    let ask = || -> anyhow::Result<(f64, usize)> {
        let mut client = Client::new(address)?;
        let mut bytes = client.ask(request)?;
        let (mut count, began) = (0.0, Instant::now());
        while began.elapsed() < time {
            bytes = client.ask(request)?;
            count += 1.0;
        }
        Ok((count / began.elapsed().as_secs_f64(), bytes))
    };
    std::thread::scope(|scope| {
        let clients = [scope.spawn(ask), scope.spawn(ask)];
        let (mut sum, mut bytes) = (0.0, 0);
        for client in clients {
            let (rate, size) = client.join().map_err(|_| anyhow!("a client panicked"))??;
            sum += rate;
            bytes = size;
        }
        Ok((sum, bytes as f64))
    })
}

/// A registry of that many gauges.
fn series() -> Registry {
    let registry = Registry::new();
    let mut noise = Noise::new(5);
    for index in 0..SERIES {
        let meter = registry
            .meter("modelpulse_metric")
            .tag("run", format!("runs/{index}/eval"));
        meter.gauge().set(f64::from(noise.normal()));
    }
    registry
}

fn scrapes(time: Duration) -> anyhow::Result<Vec<Row>> {
    let registry = series();
    // As a monitor has it: a few series more, and now and then a look at the process.
    registry.process();
    let serving = Server::new(&registry).listen("127.0.0.1:0")?;
    let address = serving.address();
    let mut rows = Vec::new();
    for (work, headers) in [
        ("/metrics, identity", ""),
        ("/metrics, gzip", "accept-encoding: gzip\r\n"),
    ] {
        let (rate, bytes) = throughput(address, &get("/metrics", headers), time)?;
        let mut row = row(work, "scrapes", Some(rate));
        row.extras.push((BYTES, bytes));
        if headers.is_empty() {
            row.goal("scrapes/s", Some(rate), Bound::AtLeast(5_000.0));
        }
        rows.push(row);
    }
    // One every 5 ms, timed from when it was due. What of that is the client's own waking up, and what the answer,
    // is told apart: where others use the cores, both wait for one.
    const EVERY: Duration = Duration::from_millis(5);
    let (request, mut client) = (get("/metrics", ""), Client::new(address)?);
    let (mut waits, mut late, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    let began = Instant::now();
    for number in 0.. {
        let due = began + EVERY * number;
        if due.duration_since(began) > time {
            break;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        late.push(due.elapsed().as_secs_f64() * 1e3);
        client.ask(&request)?;
        waits.push(due.elapsed().as_secs_f64() * 1e3);
        answers.push(waits[waits.len() - 1] - late[late.len() - 1]);
    }
    let mut at_rate = row("/metrics at 200/s", "scrapes", Some(200.0));
    for (name, share, times) in [
        (P50, 0.5, &mut waits.clone()),
        (P99, 0.99, &mut waits),
        (LATE, 0.99, &mut late),
        (ANSWER, 0.99, &mut answers),
    ] {
        times.sort_by(f64::total_cmp);
        at_rate.extras.push((name, quantile(times, share)));
    }
    at_rate.extra_goal(P99, Bound::AtMost(2.0));
    rows.push(at_rate);
    Ok(rows)
}

/// What a push of the page's series costs its thread, to receivers that are not there; and a gauge meanwhile.
fn pushes() -> anyhow::Result<Vec<Row>> {
    const PUSHES: u32 = 20;
    let targets = [
        (
            "a push by remote write",
            Target::remote_write("http://127.0.0.1:9"),
        ),
        ("a push as OTLP", Target::otlp("http://127.0.0.1:9")),
    ];
    let mut rows = Vec::new();
    for (work, target) in targets {
        let registry = series();
        let pusher = Pusher::builder(&registry)
            .to(target)
            .interval(Duration::from_secs(3600))
            .patience(Duration::ZERO)
            .start()?;
        let times = (0..PUSHES).map(|_| {
            let began = Instant::now();
            pusher.push();
            began.elapsed().as_secs_f64()
        });
        let seconds = median(times.collect::<Vec<_>>());
        let mut row = row(work, "series", Some(SERIES as f64 / seconds));
        row.seconds = Some(seconds);
        rows.push(row);
    }
    Ok(rows)
}

fn perceptron() -> anyhow::Result<
    impl Fn(Rows<'_>) -> candle_core::Result<Vec<f32>> + Clone + Send + Sync + 'static,
> {
    let parameters = Parameters::seeded(1);
    let mlp = Arc::new(Mlp::new(
        &[FEATURES, 64, 10],
        parameters.builder(DType::F32, &Device::Cpu),
    )?);
    Ok(move |rows: Rows<'_>| {
        let inputs = Tensor::from_slice(rows.values(), (rows.len(), rows.width()), &Device::Cpu)?;
        let outputs = candle_nn::ops::softmax(&mlp.forward(&inputs)?, 1)?;
        outputs.flatten_all()?.to_vec1()
    })
}

fn model(time: Duration) -> anyhow::Result<Vec<Row>> {
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let (registry, model) = (Registry::new(), perceptron()?);
    let mut noise = Noise::new(7);
    let values: Vec<f32> = (0..1_000 * FEATURES).map(|_| noise.normal()).collect();
    let labels = (0..1_000).map(|row| row % 10).collect();
    let data = LabelledRows::classes(values.clone(), FEATURES, labels);
    let live = Observations::new(10);
    let session = Session::builder(dir.path().join("log"))
        .sink(registry.sink())
        .start()?;
    let watch = Monitor::new(model.clone())
        .task(10)
        .data(data.ok_or_else(|| anyhow!("rows that are not whole"))?)
        .observations(&live)
        .registry(&registry)
        .start(&session)?;
    let serving = Server::new(&registry)
        .watch(&watch)
        .observations(&live, dir.path())
        .listen("127.0.0.1:0")?;
    let address = serving.address();

    let batch = &values[..BATCH * FEATURES];
    let texts: Vec<String> = batch
        .chunks(FEATURES)
        .map(|row| format!("{row:?}"))
        .collect();
    let request = post("/predict", &format!("{{\"rows\": [{}]}}", texts.join(",")));
    let (rate, _) = throughput(address, &request, time)?;
    let mut predict = row("/predict, batches of 64", "rows", Some(rate * BATCH as f64));
    predict.goal("rows/s", predict.per_second, Bound::AtLeast(20_000.0));
    // A route does the same around the model, watched or not: what watching adds is the difference of the calls.
    let rows = Rows::new(batch, FEATURES).ok_or_else(|| anyhow!("rows that are not whole"))?;
    const CALLS: u32 = 10_000;
    let mut differences = Vec::new();
    for _ in 0..CALLS {
        // By turns, so that what else the machine does is in both.
        let began = Instant::now();
        std::hint::black_box(model(rows)?);
        let bare = began.elapsed();
        let began = Instant::now();
        std::hint::black_box(watch.predict(rows).map_err(|error| anyhow!(error))?);
        differences.push(began.elapsed().as_secs_f64() - bare.as_secs_f64());
    }
    let added = median(differences);
    // Two clients share the cores: a request takes one of them twice that long.
    let share = added * rate / 2.0 * 100.0;
    let mut watching = row("watching a call of 64 rows", "calls", None);
    watching.extras.push((NANOSECONDS, added * 1e9));
    watching.extras.push((SHARE, share));
    watching.extra_goal(SHARE, Bound::AtMost(5.0));

    let mut observe = row(
        "/observations, batches of 1,000",
        "rows",
        Some(observations(address, time)?),
    );
    observe.goal("rows/s", observe.per_second, Bound::AtLeast(50_000.0));
    let (alone, scraped) = evaluations(address, &watch)?;
    let mut evaluate = row(
        "an evaluation of 1,000 rows while scraped",
        "evaluations",
        Some(1.0 / scraped),
    );
    evaluate.extras.push((RATIO, scraped / alone));
    drop(serving);
    drop(watch);
    session.finish()?;
    Ok(vec![predict, watching, observe, evaluate])
}

/// Rows a second of one client, each with an id of its own and four features.
fn observations(address: SocketAddr, time: Duration) -> anyhow::Result<f64> {
    let mut client = Client::new(address)?;
    let (mut rows, mut spent) = (0.0, Duration::ZERO);
    for batch in 0.. {
        let lines = (0..OBSERVED).map(|row| {
            let id = batch * OBSERVED + row;
            format!(
                "{{\"id\":{id},\"prediction\":{},\"features\":[5.1,3.5,1.4,0.2]}}\n",
                id % 10
            )
        });
        let request = post("/observations", &lines.collect::<String>());
        let began = Instant::now();
        client.ask(&request)?;
        spent += began.elapsed();
        rows += OBSERVED as f64;
        if spent > time {
            break;
        }
    }
    Ok(rows / spent.as_secs_f64())
}

/// The seconds of an evaluation, alone and while a client scrapes 200 times a second; by turns, so that what else the
/// machine does is in both.
fn evaluations(address: SocketAddr, watch: &Watch) -> anyhow::Result<(f64, f64)> {
    const ROUNDS: usize = 10;
    const EACH: usize = 20;
    let evaluate = |seconds: &mut Vec<f64>| -> anyhow::Result<()> {
        for _ in 0..EACH {
            let began = Instant::now();
            watch.evaluate().map_err(|error| anyhow!(error))?;
            seconds.push(began.elapsed().as_secs_f64());
        }
        Ok(())
    };
    let (mut alone, mut scraped) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        evaluate(&mut alone)?;
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let scraping = scope.spawn(|| -> anyhow::Result<()> {
                let (request, mut client) = (get("/metrics", ""), Client::new(address)?);
                while !stop.load(Ordering::Relaxed) {
                    client.ask(&request)?;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(())
            });
            let evaluated = evaluate(&mut scraped);
            stop.store(true, Ordering::Relaxed);
            let scraper = scraping.join();
            scraper.map_err(|_| anyhow!("the scraper panicked"))??;
            evaluated
        })?;
    }
    Ok((median(alone), median(scraped)))
}
