//! What the program said is in the log, whenever it is killed.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::{modelpulse, script};

const KILLS: usize = 10;
/// The first kill comes after so many seconds, the last but one before so many, the last one after.
const FIRST: f64 = 0.3;
const LAST: f64 = 20.0;
/// So many run at once: where too many share a core, a writer that is not run for long may drop a value, and says so.
const AT_ONCE: usize = 4;

/// Random moments, one in each part of the time, from a fixed seed (splitmix64).
fn moments() -> Vec<Duration> {
    let mut state = 20_260_101_u64;
    let mut random = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let part = (LAST - FIRST) / (KILLS - 1) as f64;
    (0..KILLS)
        .map(|kill| Duration::from_secs_f64(FIRST + part * (kill as f64 + random())))
        .collect()
}

/// Trains for ever, is killed after `moment`, and returns the epochs' lines that it had printed.
fn killed_after(moment: Duration, logdir: &Path, name: &str, seed: usize) -> Vec<String> {
    let since = Instant::now();
    let mut child = modelpulse()
        .args(["train", "--epochs", "100000", "--name", name])
        .args(["--seed", &seed.to_string(), "--logdir"])
        .arg(logdir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Reads on while the moment comes, so that the program never waits for a full pipe.
    let out = read(child.stdout.take().expect("is piped"));
    let err = read(child.stderr.take().expect("is piped"));
    std::thread::sleep(moment.saturating_sub(since.elapsed()));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(err.join().unwrap(), "", "{name} had something to say");
    let text = out.join().unwrap();
    // The last line may have been cut.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let epochs = whole.lines().filter(|line| line.starts_with("epoch "));
    epochs.map(str::to_owned).collect()
}

fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

#[test]
fn every_epoch_that_was_printed_is_in_the_log_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let printed = Mutex::new(vec![Vec::new(); KILLS]);
    // The longest first.
    let left = Mutex::new(moments().into_iter().enumerate().collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let next = || left.lock().unwrap().pop();
                while let Some((kill, moment)) = next() {
                    let lines = killed_after(moment, dir.path(), &format!("kill-{kill}"), kill);
                    printed.lock().unwrap()[kill] = lines;
                }
            });
        }
    });
    let printed = printed.into_inner().unwrap();
    let counts: Vec<usize> = printed.iter().map(Vec::len).collect();
    println!("epochs printed before the kill: {counts:?}");
    // A busy machine may kill the first before it says a word.
    assert!(counts[2..].iter().all(|&count| count > 0), "{counts:?}");

    let shown = script(
        "read_log.py",
        [dir.path().as_os_str(), "epoch_loss".as_ref()],
    );
    for (kill, lines) in printed.iter().enumerate() {
        for (loader, split) in [
            ("fast", "train"),
            ("fast", "eval"),
            ("slow", "train"),
            ("slow", "eval"),
        ] {
            let run = format!("kill-{kill}/{split}");
            let points = match shown[loader][&run]["epoch_loss"].as_array() {
                Some(points) => points.as_slice(),
                None => &[],
            };
            let steps = points.iter().map(|point| point[0].as_u64());
            assert!(
                steps.eq((0..points.len() as u64).map(Some)),
                "{loader} {run}: {points:?}"
            );
            assert!(
                points.len() >= lines.len(),
                "{loader} {run}: {} epochs printed, {} shown",
                lines.len(),
                points.len()
            );
            for (number, (line, point)) in lines.iter().zip(points).enumerate() {
                let loss = point[1].as_f64().unwrap();
                assert!(
                    line.starts_with(&format!("epoch {:>6}/100000 ", number + 1))
                        && line.contains(&format!("  {split} loss {loss:.4} ")),
                    "{loader} {run}: {line}: {point}"
                );
            }
        }
    }
}
