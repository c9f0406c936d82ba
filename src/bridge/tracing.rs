//! A layer for `tracing`: numbers in events become scalars, warnings and errors text, spans durations.
//!
//! It never panics, and what it keeps is bounded: a name and a counter for each place in the program.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing_core::callsite::Identifier;
use tracing_core::span::Id;
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Target;
use super::fields::Fields;
use super::places::{Counter, Places, Statement};
use crate::summary::Text;

/// Logs what a program reports to `tracing` to a run.
///
/// - A number in an event becomes the scalar `target/field`; [`prefix`](Self::prefix) sets another first part.
///   The field `step`, a whole number, is its step; without it each event statement counts its own, from 0 on.
/// - An event of level WARN or ERROR also becomes the text `target/warn` or `target/error`: message and fields,
///   up to 4 KiB.
/// - How long a span was entered becomes the scalar `time/<span name>`, in seconds; its step counts the spans of
///   that name, from 0 on.
///
/// Filters of `tracing-subscriber` choose what it sees.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, bridge::TracingLayer};
/// use tracing_subscriber::{filter::LevelFilter, prelude::*};
///
/// let session = Session::create(dir.path())?;
/// let layer = TracingLayer::new((&session, "train")).prefix("loop");
/// let subscriber = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO));
/// let _guard = subscriber.set_default();
/// // tracing::info!(step = 3, loss = 0.25);   is the scalar loop/loss
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TracingLayer {
    /// Tells this layer's timings from those of another one.
    id: u64,
    target: Target,
    prefix: Option<String>,
    statements: Places<Identifier, Statement>,
    /// How many spans of a name were closed.
    spans: Places<&'static str, Counter>,
}

/// How long a span was entered; one for each layer.
#[derive(Debug)]
struct Timing {
    layer: u64,
    /// By how many threads, or how often by one.
    entered: usize,
    since: Instant,
    busy: Duration,
}

impl TracingLayer {
    /// A layer that logs to `run`: a [`RunWriter`](crate::log::RunWriter), or a session and the name of a run.
    pub fn new(run: impl Into<Target>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            target: run.into(),
            prefix: None,
            statements: Places::default(),
            spans: Places::default(),
        }
    }

    /// What tags of events begin with, in the place of the event's target; nothing where it is empty.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Calls `change` with this layer's timing of a span, if it has one.
    fn timing<S>(&self, id: &Id, context: &Context<'_, S>, change: impl FnOnce(&mut Vec<Timing>))
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if let Some(span) = context.span(id) {
            let mut extensions = span.extensions_mut();
            if extensions.get_mut::<Vec<Timing>>().is_none() {
                extensions.insert(Vec::<Timing>::new());
            }
            if let Some(timings) = extensions.get_mut() {
                change(timings);
            }
        }
    }
}

impl<S> Layer<S> for TracingLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let make = || Statement::new(metadata, self.prefix.as_deref());
        let Some(statement) = self.statements.find(metadata.callsite(), make) else {
            return;
        };
        let mut fields = Fields::new(&statement.tags, statement.text.is_some());
        event.record(&mut fields);
        let text = statement.text.as_deref().zip(fields.text());
        if fields.numbers.is_empty() && text.is_none() {
            return;
        }
        let step = fields.step.unwrap_or_else(|| statement.steps.next());
        let numbers = fields
            .numbers
            .iter()
            .map(|&(tag, value)| (tag, value.into()));
        let text = text.map(|(tag, text)| (tag, Text::new(text).into()));
        self.target.log(step, numbers.chain(text));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.timing(id, &context, |timings| {
            let known = timings.iter_mut().find(|timing| timing.layer == self.id);
            match known {
                Some(timing) => {
                    if timing.entered == 0 {
                        timing.since = Instant::now();
                    }
                    timing.entered += 1;
                }
                None => timings.push(Timing {
                    layer: self.id,
                    entered: 1,
                    since: Instant::now(),
                    busy: Duration::ZERO,
                }),
            }
        });
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.timing(id, &context, |timings| {
            if let Some(timing) = timings.iter_mut().find(|timing| timing.layer == self.id) {
                timing.entered = timing.entered.saturating_sub(1);
                if timing.entered == 0 {
                    timing.busy = timing.busy.saturating_add(timing.since.elapsed());
                }
            }
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let mut busy = None;
        self.timing(&id, &context, |timings| {
            let mine = timings.iter().find(|timing| timing.layer == self.id);
            busy = mine.map(|timing| timing.busy);
        });
        // A span that was never entered took no time, and is not logged.
        let name = context.metadata(&id).map(Metadata::name);
        if let (Some(busy), Some(name)) = (busy, name)
            && let Some(closed) = self.spans.find(name, Counter::default)
        {
            let value = busy.as_secs_f64().into();
            self.target
                .log(closed.next(), [(format!("time/{name}"), value)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_core::{Dispatch, dispatcher};
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::prelude::*;

    use super::super::statements::{event, span, statement};
    use super::super::tests::events;
    use super::*;
    use crate::log::Writer;

    /// What is logged while `report` runs: tag, step and number or text of each value.
    fn logged(
        layer: impl FnOnce(TracingLayer) -> TracingLayer,
        level: LevelFilter,
        report: impl FnOnce(),
    ) -> Vec<(String, i64, String)> {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::create(dir.path()).unwrap();
        let layer = layer(TracingLayer::new(writer.run("train"))).with_filter(level);
        let subscriber = tracing_subscriber::registry().with(layer);
        dispatcher::with_default(&Dispatch::new(subscriber), report);
        writer.finish().unwrap();
        let events = events(dir.path()).into_iter();
        events
            .map(|event| {
                let text = |_| Text::try_from(&event.value).unwrap().markdown().to_owned();
                let value = event
                    .value
                    .scalar()
                    .ok_or(())
                    .map(|value| value.to_string());
                (
                    event.tag.to_string(),
                    event.step.as_i64(),
                    value.unwrap_or_else(text),
                )
            })
            .collect()
    }

    fn is(tag: &str, step: i64, value: impl ToString) -> (String, i64, String) {
        (tag.to_owned(), step, value.to_string())
    }

    #[test]
    fn numbers_are_read_back_at_their_step() {
        let read = logged(
            |layer| layer,
            LevelFilter::TRACE,
            || {
                let step = statement!("a", INFO, EVENT, "step", "loss", "count", "who");
                event(step, &[&7_u64, &0.25, &-3_i64, &"me"]);
                event(step, &[&8_i64, &f64::NAN, &u128::MAX, &"me"]);
                for loss in [0.5, f64::INFINITY] {
                    event(statement!("b", DEBUG, EVENT, "loss"), &[&loss]);
                }
                event(
                    statement!("c", INFO, EVENT, "who", "ok"),
                    &[&"no number", &true],
                );
                event(
                    statement!("d", INFO, EVENT, "message", "log.line"),
                    &[&"", &7_u64],
                );
            },
        );
        assert_eq!(
            read,
            [
                is("my_app::fit/loss", 7, 0.25),
                is("my_app::fit/count", 7, -3.0),
                is("my_app::fit/loss", 8, "NaN"),
                is("my_app::fit/count", 8, u128::MAX as f32),
                is("my_app::fit/loss", 0, 0.5),
                is("my_app::fit/loss", 1, "inf"),
            ]
        );
    }

    #[test]
    fn warnings_and_errors_are_text_too() {
        let read = logged(
            |layer| layer.prefix("fit"),
            LevelFilter::TRACE,
            || {
                let warn = statement!("a", WARN, EVENT, "message", "norm", "layer", "step");
                let message = format_args!("the gradient {}", "explodes");
                event(warn, &[&message, &12_i64, &"w1", &5_i64]);
                let long = "ü".repeat(1 << 20);
                event(
                    statement!("b", ERROR, EVENT, "message"),
                    &[&format_args!("{long}")],
                );
            },
        );
        let long = "ü".repeat(2048) + "…";
        assert_eq!(
            read,
            [
                is("fit/warn", 5, "the gradient explodes norm=12 layer=\"w1\""),
                is("fit/norm", 5, 12.0),
                is("fit/error", 0, long),
            ]
        );
    }

    #[test]
    fn an_empty_prefix_leaves_the_field() {
        let read = logged(
            |layer| layer.prefix(""),
            LevelFilter::TRACE,
            || {
                event(statement!("a", INFO, EVENT, "loss"), &[&1.0]);
            },
        );
        assert_eq!(read, [is("loss", 0, 1.0)]);
    }

    #[test]
    fn spans_leave_the_time_that_they_were_entered() {
        let read = logged(
            |layer| layer,
            LevelFilter::TRACE,
            || {
                for entered in [1, 0, 2] {
                    span(statement!("batch", INFO, SPAN,), entered);
                }
                span(statement!("batch", DEBUG, SPAN,), 1);
            },
        );
        let steps: Vec<_> = read.iter().map(|(tag, step, _)| (&**tag, *step)).collect();
        assert_eq!(
            steps,
            [("time/batch", 0), ("time/batch", 1), ("time/batch", 2)]
        );
        let seconds = |(_, _, time): &(String, i64, String)| time.parse::<f32>().unwrap();
        assert!(
            read.iter()
                .map(seconds)
                .all(|time| (0.0..60.0).contains(&time))
        );
    }

    #[test]
    fn a_filter_keeps_events_and_spans_out() {
        let read = logged(
            |layer| layer,
            LevelFilter::INFO,
            || {
                event(statement!("a", DEBUG, EVENT, "loss"), &[&1.0]);
                span(statement!("quiet", DEBUG, SPAN,), 1);
                event(statement!("b", INFO, EVENT, "loss"), &[&2.0]);
            },
        );
        assert_eq!(read, [is("my_app::fit/loss", 0, 2.0)]);
    }

    #[test]
    fn two_layers_time_one_span_each() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::create(dir.path()).unwrap();
        let layer = |run| TracingLayer::new(writer.run(run));
        let subscriber = tracing_subscriber::registry()
            .with(layer("a"))
            .with(layer("b"));
        dispatcher::with_default(&Dispatch::new(subscriber), || {
            span(statement!("batch", INFO, SPAN,), 1);
        });
        writer.finish().unwrap();
        let paths: Vec<_> = events(dir.path())
            .iter()
            .map(|event| event.path())
            .collect();
        assert_eq!(paths.len(), 2, "{paths:?}");
        for path in ["a/time/batch", "b/time/batch"] {
            assert!(paths.iter().any(|found| found == path), "{paths:?}");
        }
    }
}
