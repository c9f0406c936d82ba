//! Several sinks as one.
//!
//! Every sink sees every instant, whatever the others do: fail, or panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Event, Sink, SinkError};

/// Sends each instant to all of its sinks; fails with the first failure among them.
///
/// ```
/// use modelpulse::flow::{Event, Sink, SinkError, Tee};
/// # struct Count(usize);
/// # impl Sink for Count {
/// #     fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> { self.0 += 1; Ok(()) }
/// # }
/// let mut tee = Tee::default();
/// tee.push(Box::new(Count(0)));
/// tee.accept(&[])?;
/// # Ok::<(), SinkError>(())
/// ```
#[derive(Default)]
pub struct Tee {
    sinks: Vec<Box<dyn Sink>>,
}

impl Tee {
    /// Adds a sink.
    pub fn push(&mut self, sink: Box<dyn Sink>) {
        self.sinks.push(sink);
    }

    /// Whether there is no sink.
    pub fn is_empty(&self) -> bool {
        self.sinks.is_empty()
    }

    /// Calls each sink; one that panics is not called again, for what it left behind cannot be trusted.
    fn each(
        &mut self,
        mut call: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let mut result = Ok(());
        let mut index = 0;
        while let Some(sink) = self.sinks.get_mut(index) {
            let this = match catch_unwind(AssertUnwindSafe(|| call(sink.as_mut()))) {
                Ok(this) => {
                    index += 1;
                    this
                }
                Err(panic) => {
                    let sink = self.sinks.remove(index);
                    let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
                    Err(panic_message(&*panic).into())
                }
            };
            result = result.and(this);
        }
        result
    }
}

/// Nor does a sink that panics when it is dropped.
impl Drop for Tee {
    fn drop(&mut self) {
        for sink in self.sinks.drain(..) {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
        }
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "panicked: {}",
        text.as_deref().unwrap_or("without a message")
    )
}

impl std::fmt::Debug for Tee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tee of {} sinks", self.sinks.len())
    }
}

impl Sink for Tee {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        self.each(|sink| sink.accept(instant))
    }

    /// That of all sinks. One that panics here has nothing to say, and is not called again.
    fn feedback(&mut self) -> Vec<Event> {
        let mut all = Vec::new();
        // A panic has no other consequence: there is nobody to tell of it.
        let _ = self.each(|sink| {
            all.append(&mut sink.feedback());
            Ok(())
        });
        all
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.each(|sink| sink.finish())
    }
}
