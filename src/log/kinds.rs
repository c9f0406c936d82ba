//! What a run takes that is more than one value under one tag.

use std::sync::PoisonError;

use super::charts::Charts;
use super::{Embedding, Projector, ProjectorError, RunWriter};
use crate::summary::{Layout, Mesh};
use crate::types::Step;

impl RunWriter {
    /// Logs numbers of one step that share a chart: `group/name` each, as one event. The first time that a
    /// name comes, also the layout that joins them on TensorBoard's page of custom scalars.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::log::Writer;
    /// let writer = Writer::create(dir.path())?;
    /// let run = writer.run("train");
    /// for step in 0..10 {
    ///     run.scalars("loss", step, [("train", 0.5), ("eval", 0.6)]);
    /// }
    /// assert_eq!(writer.finish()?.written, 10 * 2 + 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scalars<N: AsRef<str>>(
        &self,
        group: &str,
        step: impl Into<Step>,
        values: impl IntoIterator<Item = (N, f64)>,
    ) {
        let values: Vec<(N, f64)> = values.into_iter().collect();
        let names = values.iter().map(|(name, _)| name.as_ref());
        let layout = self.add_chart(group, names);
        let mut guard = self.step(step);
        for (name, value) in &values {
            let series = self.series(format!("{group}/{}", name.as_ref()));
            guard.scalar(&series, *value);
        }
        drop(guard);
        if let Some(layout) = layout {
            self.log(Layout::TAG, Step::ZERO, layout);
        }
    }

    /// Sets which scalars of this run share a chart, in the place of what was set before; the charts of
    /// [`scalars`](Self::scalars) stay.
    pub fn layout(&self, layout: Layout) {
        let layout = self.set_charts(layout);
        self.log(Layout::TAG, Step::ZERO, layout);
    }

    /// Logs a mesh under up to three tags: `tag_VERTEX`, `tag_FACE`, `tag_COLOR`.
    pub fn mesh(&self, tag: &str, step: impl Into<Step>, mesh: &Mesh) {
        let step = step.into();
        for (tag, value) in mesh.values(tag) {
            self.log(tag, step, value);
        }
    }

    /// Writes an embedding into the run's directory, for TensorBoard's projector. Unlike what is logged it is
    /// a matter of files, and waits for the disk.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::log::{Embedding, Writer};
    /// let writer = Writer::create(dir.path())?;
    /// let words = Embedding::new("words", 2, &[0.0, 1.0, 1.0, 0.0])?.column("word", ["yes", "no"])?;
    /// writer.run("train").embedding(&words)?;
    /// assert!(dir.path().join("train/projector_config.pbtxt").exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Projector::write`], and [`ProjectorError::Run`] where the run was refused.
    pub fn embedding(&self, embedding: &Embedding) -> Result<(), ProjectorError> {
        let shared = &self.inner.shared;
        if shared.config.discard {
            return Ok(());
        }
        let dir = self.id.and_then(|id| {
            let tables = shared.registry.tables();
            let name = tables.runs.get(id as usize)?;
            Some(match name.as_str() {
                "." => shared.config.dir.clone(),
                name => shared.config.dir.join(name),
            })
        });
        Projector::new(dir.ok_or(ProjectorError::Run)?).write(embedding)
    }

    /// Sets the run's layout. What is to be logged.
    pub(crate) fn set_charts(&self, layout: Layout) -> Layout {
        match self.id {
            Some(run) => self.charts(|charts| charts.set(run, layout)),
            None => layout,
        }
    }

    /// Takes note of scalars that share a chart. What is to be logged, if one is new.
    pub(crate) fn add_chart<'a>(
        &self,
        group: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<Layout> {
        self.charts(|charts| charts.add(self.id?, group, names))
    }

    fn charts<T>(&self, with: impl FnOnce(&mut Charts) -> T) -> T {
        let charts = self.inner.shared.charts.lock();
        with(&mut charts.unwrap_or_else(PoisonError::into_inner))
    }
}
