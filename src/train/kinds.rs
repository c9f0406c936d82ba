//! What a run of a session takes that is more than one value under one tag, or is still to be drawn.

#[cfg(feature = "figures")]
use super::callbacks::image_of;
use super::session::{Instant, Run};
#[cfg(feature = "figures")]
use crate::figure::Picture;
#[cfg(feature = "figures")]
use crate::log::Payload;
use crate::log::{Embedding, ProjectorError};
use crate::summary::{Layout, Mesh};
use crate::types::Step;

/// Kinds that are more than one value.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, log::Embedding, summary::Mesh};
/// let session = Session::create(dir.path())?;
/// let run = session.run("train");
/// for step in 0..10 {
///     run.scalars("loss", step, [("train", 0.5), ("eval", 0.6)]);
/// }
/// run.mesh("cloud", 0, &Mesh::new(&[[0.0; 3], [1.0; 3]])?);
/// run.embedding(&Embedding::new("points", 2, &[0.0, 1.0, 1.0, 0.0])?)?;
/// assert_eq!(session.finish()?.written, 10 * 2 + 1 + 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Run {
    /// Logs numbers of one step that share a chart: `group/name` each, of one wall time. The first time that a
    /// name comes, also the layout that joins them on TensorBoard's page of custom scalars.
    pub fn scalars<N: AsRef<str>>(
        &self,
        group: &str,
        step: impl Into<Step>,
        values: impl IntoIterator<Item = (N, f64)>,
    ) {
        self.session
            .instant()
            .scalars(&self.name, group, step, values);
    }

    /// Sets which scalars of this run share a chart, in the place of what was set before; the charts of
    /// [`scalars`](Self::scalars) stay.
    pub fn layout(&self, layout: Layout) {
        let layout = self.writer().set_charts(layout);
        self.log(Layout::TAG, Step::ZERO, layout);
    }

    /// Logs a mesh under up to three tags: `tag_VERTEX`, `tag_FACE`, `tag_COLOR`.
    pub fn mesh(&self, tag: &str, step: impl Into<Step>, mesh: &Mesh) {
        self.session.instant().mesh(&self.name, tag, step, mesh);
    }

    /// Logs a picture as an image, which is encoded off the loop.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::{Session, figure::confusion_matrix, metrics::ConfusionMatrix};
    /// let session = Session::create(dir.path())?;
    /// let matrix = ConfusionMatrix::from_rows(&[[8, 2], [1, 9]])?;
    /// session.run("eval").figure("confusion", 0, confusion_matrix(&matrix, &["cat".into(), "dog".into()])?);
    /// assert_eq!(session.finish()?.written, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "figures")]
    pub fn figure(&self, tag: &str, step: impl Into<Step>, picture: Picture) {
        let draw = Payload::Render(picture.rgb().len(), Box::new(move || image_of(&picture)));
        self.session
            .instant()
            .add(&self.name, tag, step.into(), draw);
    }

    /// Writes an embedding into the run's directory, for TensorBoard's projector. Unlike what is logged it is
    /// a matter of files, and waits for the disk.
    ///
    /// # Errors
    /// As [`RunWriter::embedding`](crate::log::RunWriter::embedding).
    pub fn embedding(&self, embedding: &Embedding) -> Result<(), ProjectorError> {
        self.writer().embedding(embedding)
    }
}

impl Instant<'_> {
    /// Adds numbers of one step that share a chart; see [`Run::scalars`].
    pub fn scalars<N: AsRef<str>>(
        &mut self,
        run: &str,
        group: &str,
        step: impl Into<Step>,
        values: impl IntoIterator<Item = (N, f64)>,
    ) {
        let step = step.into();
        let values: Vec<(N, f64)> = values.into_iter().collect();
        for (name, value) in &values {
            self.scalar(run, &format!("{group}/{}", name.as_ref()), step, *value);
        }
        let names = values.iter().map(|(name, _)| name.as_ref());
        if let Some(layout) = self.session.run(run).writer().add_chart(group, names) {
            self.log(run, Layout::TAG, Step::ZERO, layout);
        }
    }

    /// Adds a mesh; see [`Run::mesh`].
    pub fn mesh(&mut self, run: &str, tag: &str, step: impl Into<Step>, mesh: &Mesh) {
        let step = step.into();
        for (tag, value) in mesh.values(tag) {
            self.log(run, &tag, step, value);
        }
    }
}
