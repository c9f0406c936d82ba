//! What an event of `tracing` says: its step, its numbers, its text.
//!
//! The text is bounded, and formatting stops where it is full.

use std::fmt::{self, Debug, Write};

use tracing_core::Field;
use tracing_core::field::Visit;

use crate::types::Step;

/// The bytes that a text may have.
const MAX_TEXT: usize = 4 << 10;

/// Visits the fields of an event.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// The tag of each field, in their order.
    tags: &'a [String],
    pub(super) step: Option<Step>,
    pub(super) numbers: Vec<(&'a str, f64)>,
    /// The message, then the fields; only where text is asked for.
    text: Option<[Bounded; 2]>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(tags: &'a [String], with_text: bool) -> Self {
        Self {
            tags,
            step: None,
            numbers: Vec::new(),
            text: with_text.then(Default::default),
        }
    }

    /// The message and the fields, as `message a=1 b="x"`.
    pub(super) fn text(&self) -> Option<String> {
        let [message, fields] = self.text.as_ref()?;
        let parts = [&*message.0, &*fields.0].map(str::trim);
        let mut text = parts.join(" ").trim().to_owned();
        if text.len() > MAX_TEXT {
            while text.len() > MAX_TEXT {
                text.pop();
            }
            text.push('…');
        }
        Some(text)
    }

    fn number(&mut self, field: &Field, value: f64, shown: &dyn Debug) {
        // Where the `log` crate's records were written, which its bridge adds as fields.
        if field.name().starts_with("log.") {
            return;
        }
        if let Some(tag) = self.tags.get(field.index()) {
            self.numbers.push((tag, value));
        }
        self.say(field, shown);
    }

    fn say(&mut self, field: &Field, value: &dyn Debug) {
        let Some([message, fields]) = &mut self.text else {
            return;
        };
        // An error says that there is no room, or that a value refused to be formatted.
        let _ = match field.name() {
            "message" => write!(message, "{value:?}"),
            name if name.starts_with("log.") => Ok(()),
            name => write!(fields, " {name}={value:?}"),
        };
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, value, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            "step" => self.step = Some(value.into()),
            _ => self.number(field, value as f64, &value),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "step" => self.step = Some(value.into()),
            _ => self.number(field, value as f64, &value),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field, value as f64, &value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.number(field, value as f64, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.say(field, value);
    }
}

/// Text that takes a little more than is shown of it, and then no more.
#[derive(Debug, Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            // One more than is shown, so that it is seen that something is missing.
            if self.0.len() > MAX_TEXT {
                return Err(fmt::Error);
            }
            self.0.push(character);
        }
        Ok(())
    }
}
