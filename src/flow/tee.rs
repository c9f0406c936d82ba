//! Several sinks as one.
//!
//! Every sink sees every instant, whatever the others do.

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

    fn each(
        &mut self,
        mut call: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let mut result = Ok(());
        for sink in &mut self.sinks {
            let this = call(sink.as_mut());
            result = result.and(this);
        }
        result
    }
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

    fn finish(&mut self) -> Result<(), SinkError> {
        self.each(|sink| sink.finish())
    }
}
