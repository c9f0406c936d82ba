//! The routes: each asks the library and puts its answer into HTTP.
//!
//! What takes long, the model, runs on threads apart from those that answer scrapes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::actuator::{self, Health, MEDIA_TYPE};
use super::listener::Busy;
use super::observe::{Intake, Refused};
use super::{Server, predict};
use crate::export::{Exposition, json_number};
use crate::health::{Evaluated, Rows, Watch};

struct App {
    server: Server,
    intake: Option<Intake>,
    /// Whether what changes state is refused, for anyone could do it.
    open: bool,
    stopping: Arc<AtomicBool>,
}

type Shared = State<Arc<App>>;

pub(super) fn router(
    server: Server,
    intake: Option<Intake>,
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
) -> Router {
    let limits = server.limits;
    let open = server.token.is_none() && !address.ip().is_loopback();
    let app = Arc::new(App {
        server,
        intake,
        open,
        stopping,
    });
    let guarded = |routes: Router<Arc<App>>| {
        routes.route_layer(middleware::from_fn_with_state(app.clone(), guard))
    };
    let changing = guarded(Router::new().route("/evaluate", get(evaluate).post(evaluate)));
    let taking = guarded(
        Router::new()
            .route("/observations", post(observations))
            .route("/labels", post(labels)),
    );
    let reading = Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics))
        .route("/predict", post(predict))
        .route("/actuator", get(links))
        .route("/actuator/health", get(health))
        .route("/actuator/health/{component}", get(component))
        .route("/actuator/info", get(info))
        .route("/actuator/metrics", get(names))
        .route("/actuator/metrics/{name}", get(metric))
        .route("/actuator/prometheus", get(prometheus));
    let late = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limits.time);
    // How long an evaluation takes is the model's matter.
    let routes = reading.merge(taking).layer(late).merge(changing);
    routes
        .layer(DefaultBodyLimit::max(limits.body))
        .layer(RequestBodyLimitLayer::new(limits.body))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn(answer))
        .with_state(app)
}

/// While there is something to answer, a connection may be silent.
async fn answer(ConnectInfo(busy): ConnectInfo<Busy>, request: Request, next: Next) -> Response {
    let _answering = busy.answering();
    next.run(request).await
}

/// Lets pass who may change state.
async fn guard(State(app): Shared, request: Request, next: Next) -> Response {
    let sent = request.headers().get(header::AUTHORIZATION);
    let sent = sent.and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.split_once(' '));
    match &app.server.token {
        Some(token) => match sent {
            Some((scheme, sent)) if scheme.eq_ignore_ascii_case("bearer") && same(sent, token) => {
                next.run(request).await
            }
            _ => {
                let asked = [(header::WWW_AUTHENTICATE, "Bearer")];
                let text = "this needs the header 'Authorization: Bearer TOKEN'";
                (asked, failure(StatusCode::UNAUTHORIZED, text)).into_response()
            }
        },
        None if app.open => failure(
            StatusCode::FORBIDDEN,
            "this changes state, and the server listens beyond loopback without a token",
        ),
        None => next.run(request).await,
    }
}

/// Compares without telling by its time where they part.
fn same(a: &str, b: &str) -> bool {
    let differing = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && differing == 0
}

fn failure(status: StatusCode, text: impl Into<String>) -> Response {
    (status, axum::Json(json!({ "error": text.into() }))).into_response()
}

fn page(app: &App, headers: &HeaderMap, wanted: Option<&str>) -> Response {
    let accept: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let format = Exposition::negotiate(&accept.join(","));
    let text = format.page_of(&app.server.registry, |family| {
        let base = family.prometheus_name();
        wanted.is_none_or(|wanted| {
            wanted.split(',').any(|name| {
                let suffix = name.trim().strip_prefix(base);
                suffix.is_some_and(|suffix| {
                    ["", "_total", "_info", "_count", "_sum", "_bucket"].contains(&suffix)
                })
            })
        })
    });
    ([(header::CONTENT_TYPE, format.content_type())], text).into_response()
}

async fn metrics(State(app): Shared, headers: HeaderMap) -> Response {
    page(&app, &headers, None)
}

type Pairs = Query<Vec<(String, String)>>;

async fn prometheus(State(app): Shared, headers: HeaderMap, Query(query): Pairs) -> Response {
    let included = query.iter().filter(|(key, _)| key == "includedNames");
    let names: Vec<&str> = included.map(|(_, names)| names.as_str()).collect();
    let names = (!names.is_empty()).then(|| names.join(","));
    page(&app, &headers, names.as_deref())
}

fn spring(status: StatusCode, answer: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, MEDIA_TYPE)];
    (status, kind, answer.to_string()).into_response()
}

async fn links(State(_): Shared, headers: HeaderMap) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let base = format!("http://{}/actuator", host.unwrap_or("localhost"));
    let mut links = Map::new();
    links.insert(
        "self".to_owned(),
        json!({ "href": base, "templated": false }),
    );
    for (name, path, templated) in [
        ("health", "health", false),
        ("health-path", "health/{*path}", true),
        ("info", "info", false),
        ("metrics", "metrics", false),
        (
            "metrics-requiredMetricName",
            "metrics/{requiredMetricName}",
            true,
        ),
        ("prometheus", "prometheus", false),
    ] {
        let link = json!({ "href": format!("{base}/{path}"), "templated": templated });
        links.insert(name.to_owned(), link);
    }
    spring(StatusCode::OK, &json!({ "_links": links }))
}

fn health_of(app: &App, path: &str) -> Response {
    let Server { watch, alerts, .. } = &app.server;
    let stopping = app.stopping.load(Ordering::Relaxed);
    let mut health = Health::of(
        watch.as_ref(),
        alerts.as_ref(),
        app.intake.as_ref(),
        stopping,
    );
    for (component, check) in &app.server.health {
        health.add(component, check());
    }
    match health.answer(path) {
        Some((answer, true)) => spring(StatusCode::OK, &answer),
        Some((answer, false)) => spring(StatusCode::SERVICE_UNAVAILABLE, &answer),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn health(State(app): Shared) -> Response {
    health_of(&app, "")
}

async fn component(State(app): Shared, Path(name): Path<String>) -> Response {
    health_of(&app, &name)
}

async fn info(State(app): Shared) -> Response {
    let build = json!({ "name": "modelpulse", "version": env!("CARGO_PKG_VERSION") });
    let mut info = Map::from_iter([("build".to_owned(), build)]);
    let told = app.server.info.iter();
    info.extend(told.map(|(name, value)| (name.clone(), value())));
    spring(StatusCode::OK, &Value::Object(info))
}

async fn names(State(app): Shared) -> Response {
    spring(
        StatusCode::OK,
        &actuator::names(&app.server.registry.families()),
    )
}

async fn metric(State(app): Shared, Path(name): Path<String>, Query(query): Pairs) -> Response {
    let mut tags = Vec::new();
    for (_, tag) in query.iter().filter(|(key, _)| key == "tag") {
        match tag.split_once(':') {
            Some(tag) => tags.push(tag),
            None => {
                let text = format!("the tag '{tag}' is not KEY:VALUE");
                return failure(StatusCode::BAD_REQUEST, text);
            }
        }
    }
    match actuator::metric(&app.server.registry.families(), &name, &tags) {
        Some(answer) => spring(StatusCode::OK, &answer),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn no_model() -> Response {
    failure(StatusCode::NOT_FOUND, "there is no model here")
}

/// Calls the model on a thread that may be kept busy.
async fn apart(
    app: Arc<App>,
    call: impl FnOnce(&App, &Watch) -> Response + Send + 'static,
) -> Response {
    let called = tokio::task::spawn_blocking(move || match &app.server.watch {
        Some(watch) => call(&app, watch),
        None => no_model(),
    });
    let failed = |_| failure(StatusCode::INTERNAL_SERVER_ERROR, "the call did not end");
    called.await.unwrap_or_else(failed)
}

async fn evaluate(State(app): Shared) -> Response {
    apart(app, |app, watch| match watch.evaluate() {
        Ok(evaluated) => axum::Json(evaluation(app, &evaluated)).into_response(),
        Err(error) => failure(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    })
    .await
}

fn evaluation(app: &App, evaluated: &Evaluated) -> Value {
    let [metrics, live] = [&evaluated.metrics, &evaluated.live].map(|metrics| {
        let metrics = metrics.iter();
        let named = metrics.map(|(name, value)| (name.clone(), json_number(*value)));
        named.collect::<Map<String, Value>>()
    });
    let alerts = app.server.alerts.iter().flat_map(|board| board.firing());
    let alerts: Vec<Value> = alerts.map(|alert| json!(*alert.rule)).collect();
    json!({
        "step": evaluated.step,
        "wall_time": evaluated.wall_time,
        "rows": evaluated.rows,
        "seconds": evaluated.time.as_secs_f64(),
        "metrics": metrics,
        "live": { "rows": evaluated.live_rows, "metrics": live },
        "firing": alerts,
    })
}

async fn predict(State(app): Shared, body: Bytes) -> Response {
    apart(app, move |app, watch| {
        let (values, width) = match predict::rows(&body) {
            Ok(rows) => rows,
            Err(why) => {
                watch.refused(1, &why);
                return failure(StatusCode::BAD_REQUEST, why);
            }
        };
        let Some(rows) = Rows::new(&values, width) else {
            return failure(StatusCode::BAD_REQUEST, "rows are not whole");
        };
        if !watch.takes(width) {
            let said = watch.predict(rows).err().map(|error| error.to_string());
            return failure(StatusCode::BAD_REQUEST, said.unwrap_or_default());
        }
        match watch.predict(rows) {
            Ok(said) => {
                let names = &app.server.class_names;
                let answer = predict::answer(watch.task(), &said, names);
                let kind = [(header::CONTENT_TYPE, "application/json")];
                (kind, Body::from(answer.to_string())).into_response()
            }
            Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    })
    .await
}

async fn observations(app: Shared, headers: HeaderMap, body: Bytes) -> Response {
    take(app, headers, body, Intake::observations).await
}

async fn labels(app: Shared, headers: HeaderMap, body: Bytes) -> Response {
    take(app, headers, body, Intake::labels).await
}

/// Takes a request of JSON. A page in a browser cannot send that elsewhere without asking first.
async fn take(
    State(app): Shared,
    headers: HeaderMap,
    body: Bytes,
    call: fn(&Intake, &[u8]) -> Result<Value, Refused>,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().contains("json") {
        let text = "the header 'Content-Type' must be application/json";
        return failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
    }
    let taken = tokio::task::spawn_blocking(move || {
        let Some(intake) = &app.intake else {
            return failure(StatusCode::NOT_FOUND, "no observations are taken here");
        };
        match call(intake, &body) {
            Ok(taken) => axum::Json(taken).into_response(),
            Err(Refused::Malformed(why)) => {
                if let Some(watch) = &app.server.watch {
                    watch.refused(1, &why);
                }
                failure(StatusCode::BAD_REQUEST, why)
            }
            Err(Refused::NotKept(error)) => {
                let text = format!("it cannot be kept: {error}");
                failure(StatusCode::SERVICE_UNAVAILABLE, text)
            }
        }
    });
    let failed = |_| failure(StatusCode::INTERNAL_SERVER_ERROR, "the call did not end");
    taken.await.unwrap_or_else(failed)
}

const INDEX: &str = "\
modelpulse
  GET  /metrics
  GET  /evaluate
  POST /predict        {\"rows\": [[...], ...]}
  POST /observations   {\"id\": ..., \"prediction\": ...}
  POST /labels         {\"id\": ..., \"label\": ...}
  GET  /actuator/health  /actuator/info  /actuator/metrics  /actuator/prometheus
";

async fn index() -> &'static str {
    INDEX
}
