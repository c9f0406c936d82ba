//! A receiver of pushes that answers as a test wants: what real ones do when they are unwell. And what it was sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;

use prost::Message;

use crate::prometheus::{Labels, Series, bits};
use crate::support::PATIENCE;

/// What was sent.
#[derive(Debug)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    /// A status, and lines of the head with their ends.
    Status(u16, &'static str),
    /// A status, and why.
    Because(u16, &'static str),
    /// The connection stays, and nothing is ever said.
    Never,
}

pub const TAKEN: Reply = Reply::Status(204, "");

pub struct Receiver {
    pub url: String,
    pub requests: mpsc::Receiver<Request>,
}

impl Receiver {
    /// `answer` is told how many requests there were before.
    pub fn start(answer: impl FnMut(usize) -> Reply + Send + 'static) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    /// An address where nobody listens.
    pub fn nowhere() -> SocketAddr {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    }

    pub fn at(
        listener: TcpListener,
        mut answer: impl FnMut(usize) -> Reply + Send + 'static,
    ) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for (count, stream) in listener.incoming().enumerate() {
                let mut stream = BufReader::new(stream.unwrap());
                let Some(request) = read(&mut stream) else {
                    continue;
                };
                let (status, head, body) = match answer(count) {
                    Reply::Status(status, head) => (status, head, ""),
                    Reply::Because(status, body) => (status, "", body),
                    Reply::Never => {
                        silent.push(stream);
                        let _ = sender.send(request);
                        continue;
                    }
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} so\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}"
                );
                // What was answered is there when the pusher knows of it.
                let _ = sender.send(request);
                let _ = stream.get_mut().write_all(answer.as_bytes());
            }
        });
        Self { url, requests }
    }

    /// The next request.
    #[track_caller]
    pub fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }

    /// What was sent until now and not looked at.
    pub fn all(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

fn read(stream: &mut impl BufRead) -> Option<Request> {
    let mut first = String::new();
    stream.read_line(&mut first).ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request {
        path,
        headers,
        body,
    })
}

/// The messages of remote write 1.0 as its specification has them.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The samples of a remote write: labels, milliseconds, bits; and whether they end their series.
pub fn written(request: &Request) -> Vec<(Labels, i64, u64, bool)> {
    let message = snap::raw::Decoder::new().decompress_vec(&request.body);
    let message = WriteRequest::decode(&*message.unwrap()).unwrap();
    let mut all = Vec::new();
    for series in message.timeseries {
        let names: Vec<&str> = series.labels.iter().map(|label| &*label.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        let labels = series.labels.into_iter();
        let labels: Labels = labels.map(|label| (label.name, label.value)).collect();
        for sample in series.samples {
            let ends = sample.value.to_bits() == STALE;
            all.push((labels.clone(), sample.timestamp, bits(sample.value), ends));
        }
    }
    all
}

/// The samples of many remote writes by series, without those that end one.
pub fn by_series(requests: &[Request]) -> Series {
    let mut series = Series::new();
    for (labels, time, bits, ends) in requests.iter().flat_map(written) {
        if !ends {
            series.entry(labels).or_default().push((time, bits));
        }
    }
    series
}
