//! The model's graph, once.
//!
//! A resumed fit does not log it again.

use crate::summary::Graph;
use crate::train::{Control, EpochStart, FitStart, Hook, HookError, Session, State};

/// Logs, when the first epoch begins, the model's layers and parameters as a graph, to the session's directory:
/// the one that is given, or the one that the names and shapes of the parameters make.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = modelpulse::train::callbacks::GraphOnce::new(&session);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct GraphOnce {
    session: Session,
    graph: Option<Graph>,
    logged: bool,
}

impl GraphOnce {
    /// Logs to `session`.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            graph: None,
            logged: false,
        }
    }

    /// Logs this graph.
    pub fn graph(mut self, graph: Graph) -> Self {
        self.graph = Some(graph);
        self
    }
}

impl Hook for GraphOnce {
    fn state(&self) -> State {
        let mut state = State::new();
        state.set("logged", f64::from(self.logged));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.logged = state.number("logged") == Some(1.0);
        Ok(())
    }

    fn fit_start(&mut self, at: &FitStart<'_>) -> Result<Control, HookError> {
        if self.graph.is_none() {
            let mut shapes = Vec::new();
            at.parameters
                .visit(&mut |name, shape, _| shapes.push((name.to_owned(), shape.to_vec())))?;
            if !shapes.is_empty() {
                self.graph = Some(Graph::of_parameters(shapes)?);
            }
        }
        Ok(Control::Continue)
    }

    fn epoch_start(&mut self, _: &EpochStart<'_>) -> Result<Control, HookError> {
        if let Some(graph) = self.graph.take()
            && !std::mem::replace(&mut self.logged, true)
        {
            self.session.run(".").log(Graph::TAG, 0, graph);
        }
        Ok(Control::Continue)
    }
}
