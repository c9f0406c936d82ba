//! Meshes and point clouds: vertices, the triangles between them, and their colours.
//!
//! A mesh takes up to three tags, for its tensors `[batch, n, 3]` of vertices (`f32`), faces (`i32`)
//! and colours (`u8`); all carry one bit mask of the parts that there are (TensorBoard,
//! `plugins/mesh/summary_v2.py`). A reader takes that mask, and the scene's settings, from the first
//! step of a tag, so a mesh keeps its parts from step to step; how many vertices it has may change.

use prost::Message;

use super::{Tensor, Value};
use crate::proto::mesh::{MeshPluginData, mesh_plugin_data::ContentType};

/// One mesh or point cloud, or several of one size.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{log::Writer, summary::Mesh};
/// let writer = Writer::create(dir.path())?;
/// let run = writer.run("scan");
/// let mesh = Mesh::new(&[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])?
///     .faces(&[[0, 1, 2]])?
///     .colours(&[[255, 0, 0], [0, 255, 0], [0, 0, 255]])?
///     .config(r#"{"camera": {"cls": "PerspectiveCamera", "fov": 75}}"#)?;
/// for (tag, value) in mesh.values("triangle") {
///     run.log(tag, 0, value);
/// }
/// assert_eq!(writer.finish()?.written, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    batch: usize,
    vertices: Vec<[f32; 3]>,
    faces: Vec<[i32; 3]>,
    colours: Vec<[u8; 3]>,
    config: String,
    description: String,
}

/// Why there is no mesh.
///
/// ```
/// use modelpulse::summary::Mesh;
/// let triangle = Mesh::new(&[[0.0; 3], [1.0; 3], [2.0; 3]])?;
/// let error = triangle.faces(&[[0, 1, 3]]).unwrap_err();
/// assert_eq!(error.to_string(), "face 0 names vertex 3, but there are 3");
/// # Ok::<(), modelpulse::summary::MeshError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeshError {
    /// No vertices, no faces where faces were given, or no meshes in a batch.
    #[error("a mesh needs at least one {0}")]
    Empty(&'static str),
    /// Not one colour a vertex.
    #[error("{vertices} vertices need as many colours, got {colours}")]
    Colours {
        /// Vertices of the mesh.
        vertices: usize,
        /// Colours given.
        colours: usize,
    },
    /// A face names a vertex that there is not.
    #[error("face {face} names vertex {vertex}, but there are {vertices}")]
    Face {
        /// Which face.
        face: usize,
        /// The vertex that it names.
        vertex: i32,
        /// Vertices of the mesh.
        vertices: usize,
    },
    /// Meshes of one batch have different sizes: vertices, faces, colours.
    #[error(
        "mesh {index} has shape {got:?} (vertices, faces, colours), the first one {expected:?}"
    )]
    Batch {
        /// Which mesh.
        index: usize,
        /// The sizes of the first one.
        expected: [usize; 3],
        /// Its own sizes.
        got: [usize; 3],
    },
    /// The settings are no JSON object; the page would show nothing at all.
    #[error("the scene's settings are no JSON object: wrong at byte {at}")]
    Config {
        /// Where reading ended.
        at: usize,
    },
}

impl Mesh {
    /// A point cloud: x, y and z of each vertex.
    ///
    /// # Errors
    /// [`MeshError::Empty`] for no vertices.
    pub fn new(vertices: &[[f32; 3]]) -> Result<Self, MeshError> {
        if vertices.is_empty() {
            return Err(MeshError::Empty("vertex"));
        }
        Ok(Self {
            batch: 1,
            vertices: vertices.to_vec(),
            faces: Vec::new(),
            colours: Vec::new(),
            config: "{}".to_owned(),
            description: String::new(),
        })
    }

    /// Adds triangles: the numbers of three vertices each, counted from 0. In a batch, all meshes get
    /// them.
    ///
    /// # Errors
    /// [`MeshError::Face`] for a vertex that there is not, [`MeshError::Empty`] for no faces.
    pub fn faces(mut self, faces: &[[i32; 3]]) -> Result<Self, MeshError> {
        let vertices = self.vertices.len() / self.batch;
        let outside = |&vertex: &i32| usize::try_from(vertex).map_or(true, |v| v >= vertices);
        for (face, corners) in faces.iter().enumerate() {
            if let Some(&vertex) = corners.iter().find(|vertex| outside(vertex)) {
                return Err(MeshError::Face {
                    face,
                    vertex,
                    vertices,
                });
            }
        }
        if faces.is_empty() {
            return Err(MeshError::Empty("face"));
        }
        self.faces = faces.repeat(self.batch);
        Ok(self)
    }

    /// Adds the red, green and blue of each vertex. In a batch, all meshes get them.
    ///
    /// # Errors
    /// [`MeshError::Colours`] unless there is one a vertex.
    pub fn colours(mut self, colours: &[[u8; 3]]) -> Result<Self, MeshError> {
        let vertices = self.vertices.len() / self.batch;
        if colours.len() != vertices {
            return Err(MeshError::Colours {
                vertices,
                colours: colours.len(),
            });
        }
        self.colours = colours.repeat(self.batch);
        Ok(self)
    }

    /// Sets the scene: a JSON object with `camera`, `lights` and `material`, each naming a class of
    /// three.js by `cls` and its settings (TensorBoard, `plugins/mesh/README.md`). The text is checked to be
    /// a JSON object and stored as it stands.
    ///
    /// # Errors
    /// [`MeshError::Config`] where it is none.
    pub fn config(mut self, json: &str) -> Result<Self, MeshError> {
        super::json::check_object(json).map_err(|at| MeshError::Config { at })?;
        self.config = json.to_owned();
        Ok(self)
    }

    /// Describes the series, in Markdown.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.description = markdown.into();
        self
    }

    /// Several meshes of one step, with as many vertices, faces and colours each. Settings and
    /// description are those of the first.
    ///
    /// ```
    /// use modelpulse::summary::Mesh;
    /// let clouds = [Mesh::new(&[[0.0; 3], [1.0; 3]])?, Mesh::new(&[[0.5; 3], [2.0; 3]])?];
    /// let (_, value) = Mesh::batch(clouds)?.values("clouds").remove(0);
    /// assert_eq!(value.tensor().unwrap().shape().unwrap(), [2, 2, 3]);
    /// # Ok::<(), modelpulse::summary::MeshError>(())
    /// ```
    ///
    /// # Errors
    /// [`MeshError::Batch`] where the sizes differ, [`MeshError::Empty`] for no meshes.
    pub fn batch(meshes: impl IntoIterator<Item = Self>) -> Result<Self, MeshError> {
        let mut meshes = meshes.into_iter();
        let mut batch = meshes.next().ok_or(MeshError::Empty("mesh"))?;
        let expected = batch.sizes();
        for (index, mesh) in meshes.enumerate() {
            let got = mesh.sizes();
            if got != expected {
                return Err(MeshError::Batch {
                    index: index + 1,
                    expected,
                    got,
                });
            }
            batch.batch += mesh.batch;
            batch.vertices.extend(mesh.vertices);
            batch.faces.extend(mesh.faces);
            batch.colours.extend(mesh.colours);
        }
        Ok(batch)
    }

    /// The values to log at one step, with their tags: `name_VERTEX`, and `name_FACE` and `name_COLOR`
    /// where there are faces and colours.
    pub fn values(&self, name: &str) -> Vec<(String, Value)> {
        let parts = [
            (true, ContentType::Vertex),
            (!self.faces.is_empty(), ContentType::Face),
            (!self.colours.is_empty(), ContentType::Color),
        ];
        let parts = || {
            parts
                .iter()
                .filter(|(there, _)| *there)
                .map(|&(_, part)| part)
        };
        let components = parts().map(|part| 1 << part as u32).sum();
        let value = |part: ContentType| {
            let shape = |items: usize| [self.batch, items / self.batch, 3];
            let (shape, tensor) = match part {
                ContentType::Face => {
                    let shape = shape(self.faces.len());
                    (
                        shape,
                        Tensor::new("mesh", &shape, self.faces.as_flattened()),
                    )
                }
                ContentType::Color => {
                    let shape = shape(self.colours.len());
                    (
                        shape,
                        Tensor::new("mesh", &shape, self.colours.as_flattened()),
                    )
                }
                _ => {
                    let shape = shape(self.vertices.len());
                    (
                        shape,
                        Tensor::new("mesh", &shape, self.vertices.as_flattened()),
                    )
                }
            };
            let content = MeshPluginData {
                version: 0,
                name: name.to_owned(),
                content_type: part.into(),
                json_config: self.config.clone(),
                shape: shape.map(|size| size as i32).to_vec(),
                components,
            };
            // Every part holds whole meshes.
            let tensor = tensor.unwrap_or_default();
            let tensor = tensor.content(content.encode_to_vec());
            let tag = format!("{name}_{}", part.as_str_name());
            (tag, tensor.description(&self.description).into())
        };
        parts().map(value).collect()
    }

    /// Vertices, faces and colours of one mesh.
    fn sizes(&self) -> [usize; 3] {
        [self.vertices.len(), self.faces.len(), self.colours.len()].map(|items| items / self.batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [[f32; 3]; 4] = [
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [1.0, 1.0, 0.0],
        [0.0, 1.0, 0.0],
    ];

    fn content(value: &Value) -> MeshPluginData {
        let metadata = &value.tensor().unwrap().metadata;
        MeshPluginData::decode(metadata.plugin_data.clone().unwrap().content).unwrap()
    }

    #[test]
    fn the_parts_have_tags_shapes_and_one_mask() {
        let mesh = Mesh::new(&SQUARE)
            .unwrap()
            .faces(&[[0, 1, 2], [0, 2, 3]])
            .unwrap();
        let mesh = Mesh::batch([mesh.clone(), mesh])
            .unwrap()
            .colours(&[[9; 3]; 4])
            .unwrap();
        let values = mesh.values("x");
        let seen: Vec<_> = values
            .iter()
            .map(|(tag, value)| {
                let content = content(value);
                assert_eq!(content.components, 0b1110);
                assert_eq!(content.name, "x");
                let shape = value.tensor().unwrap().shape().unwrap();
                assert_eq!(
                    content.shape,
                    shape.iter().map(|&size| size as i32).collect::<Vec<_>>()
                );
                (
                    &tag[..],
                    shape[1],
                    value.tensor().unwrap().as_f64s().unwrap().len(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [("x_VERTEX", 4, 24), ("x_FACE", 2, 12), ("x_COLOR", 4, 24)]
        );
        let cloud = Mesh::new(&SQUARE).unwrap().values("c");
        assert_eq!(cloud.len(), 1);
        assert_eq!(
            (
                content(&cloud[0].1).components,
                content(&cloud[0].1).json_config
            ),
            (0b10, "{}".into())
        );
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let square = || Mesh::new(&SQUARE).unwrap();
        assert_eq!(Mesh::new(&[]), Err(MeshError::Empty("vertex")));
        assert_eq!(Mesh::batch([]), Err(MeshError::Empty("mesh")));
        let said = |error: Result<Mesh, MeshError>| error.unwrap_err().to_string();
        assert_eq!(
            said(square().faces(&[[0, 1, 2], [0, 4, 1]])),
            "face 1 names vertex 4, but there are 4"
        );
        assert_eq!(
            said(square().faces(&[[0, -1, 2]])),
            "face 0 names vertex -1, but there are 4"
        );
        assert_eq!(
            said(square().colours(&[[0; 3]])),
            "4 vertices need as many colours, got 1"
        );
        let other = square().faces(&[[0, 1, 2]]).unwrap();
        let error = Mesh::batch([square(), other]).unwrap_err();
        assert!(matches!(
            error,
            MeshError::Batch {
                index: 1,
                expected: [4, 0, 0],
                got: [4, 1, 0]
            }
        ));
        assert_eq!(
            square().config("{'a': 1}"),
            Err(MeshError::Config { at: 1 })
        );
    }
}
