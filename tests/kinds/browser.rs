//! A headless Chromium, driven by WebDriver (W3C), on pages that hide what they show in shadow trees.
//!
//! Nothing is fetched but from this machine; the profile is new, and gone afterwards.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use modelpulse::summary::Image;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than a page takes on a busy machine, without a graphics card.
const PATIENCE: Duration = Duration::from_secs(60);
const WIDTH: usize = 1440;
const HEIGHT: usize = 900;

/// A browser with one window; it is closed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    /// The address of the session.
    session: String,
    _profile: TempDir,
}

impl Browser {
    pub fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("no chromedriver: {error}; use tests/run"));
        let lines = BufReader::new(driver.stdout.take().expect("is piped")).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.expect("chromedriver says its port");
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: tempfile::tempdir().unwrap(),
        };
        let profile = browser._profile.path().display().to_string();
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).into();
        arguments.push(format!("--user-data-dir={profile}"));
        arguments.push(format!("--window-size={WIDTH},{HEIGHT}"));
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.post("", &capabilities);
        browser.session += "/";
        browser.session += session["sessionId"].as_str().expect("a session");
        // Without the browser's own frame, of which a headless one has an invisible one.
        let size =
            json!({"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size});
        browser.post("/goog/cdp/execute", &command);
        browser
    }

    /// Opens a page, from nothing: a page that differs only behind the `#` would not be loaded again.
    pub fn open(&self, url: &str) {
        for url in ["about:blank", url] {
            self.post("/url", &json!({"url": url}));
        }
    }

    /// Runs a script, which has the functions of `page.js`, and takes what it returns.
    pub fn run(&self, script: &str) -> Value {
        let script = format!("{}\n{script}", include_str!("page.js"));
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What the script returns, as soon as it is neither nothing nor false.
    #[track_caller]
    pub fn until(&self, what: &str, script: &str) -> Value {
        let since = Instant::now();
        loop {
            let answer = self.run(script);
            if answer != Value::Null && answer != false {
                return answer;
            }
            if since.elapsed() > PATIENCE {
                let texts = self.run("return texts(document.body)");
                panic!("the page does not show {what}, but: {texts}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Looks until a part of the window, which `place()` told, is drawn in so many colours or more.
    #[track_caller]
    pub fn until_coloured(&self, place: &Value, least: usize) {
        let since = Instant::now();
        loop {
            let colours = colours(&self.screenshot(), place);
            if colours >= least {
                return;
            }
            let patient = since.elapsed() < PATIENCE;
            assert!(patient, "only {colours} colours at {place}");
        }
    }

    /// The window, as a PNG file.
    pub fn screenshot(&self) -> Image {
        let answer = self.get("/screenshot");
        let encoded = answer.as_str().expect("a picture");
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
        Image::from_png(decoded.expect("base64")).unwrap()
    }

    /// What the page's scripts complained of since this was asked last: errors, and files that could not be had.
    pub fn complaints(&self) -> Vec<String> {
        let answer = self.post("/se/log", &json!({"type": "browser"}));
        let entries = answer.as_array().expect("a log");
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].to_string()).collect()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let request = ureq::post(url).config().http_status_as_error(false).build();
        answer(
            request
                .content_type("application/json")
                .send(body.to_string()),
        )
    }

    fn get(&self, path: &str) -> Value {
        let request = ureq::get(format!("{}{path}", self.session));
        answer(request.config().http_status_as_error(false).build().call())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes the browser, which would outlive its driver.
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[track_caller]
fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    let read = |mut answer: ureq::http::Response<ureq::Body>| {
        let text = answer
            .body_mut()
            .with_config()
            .limit(1 << 26)
            .read_to_string()?;
        Ok((answer.status(), text))
    };
    let (status, text) = answer
        .and_then(read)
        .unwrap_or_else(|error| panic!("the browser does not answer: {error}"));
    assert!(status.is_success(), "the browser refuses: {text}");
    let mut answer: Value = serde_json::from_str(&text).expect("JSON");
    answer["value"].take()
}

/// How many colours a part of a picture has.
fn colours(picture: &Image, place: &Value) -> usize {
    let side = |name: &str| place[name].as_f64().unwrap().max(0.0) as usize;
    let (channels, pixels) = picture.decode().unwrap();
    let rows = pixels.chunks(picture.width() as usize * channels);
    let rows = rows.skip(side("y")).take(side("height"));
    let pixels = rows.flat_map(|row| row.chunks(channels).skip(side("x")).take(side("width")));
    pixels.collect::<HashSet<_>>().len()
}

/// WebGL without a graphics card needs SwiftShader; containers have little shared memory.
const ARGUMENTS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
    "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];
