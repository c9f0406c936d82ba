//! A model's parameters, ordered by name and initialised by a seed.
//!
//! candle's own map changes its order from process to process, and its CPU generator cannot be
//! seeded; here both are fixed, for any model that is built from a `VarBuilder`. The order of asking is
//! kept beside, for it is that of the layers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use candle_nn::init::NormalOrUniform;
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder, VarMap};
use rand::Rng;
use rand_distr::StandardNormal;

use super::tensors::{like, show};
use super::{CheckpointInfo, TrainError, checkpoint::Checkpoint};
use super::{Purpose, generator};
use crate::summary::{Graph, GraphError};
use crate::train::{HookError, State, TensorVisitor, Tensors};

/// The parameters of a model, by name.
///
/// ```
/// use candle_core::{DType, Device};
/// use modelpulse::train::candle::Parameters;
/// let parameters = Parameters::seeded(7);
/// let builder = parameters.builder(DType::F32, &Device::Cpu);
/// let layer = candle_nn::linear(4, 2, builder.pp("out"))?;
/// assert_eq!(parameters.names(), ["out.bias", "out.weight"]);
/// assert_eq!(parameters.count(), 10);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Parameters {
    seed: u64,
    vars: Arc<Mutex<BTreeMap<String, Parameter>>>,
}

#[derive(Debug)]
struct Parameter {
    var: Var,
    /// How many were asked for before.
    place: usize,
}

impl Parameters {
    /// No parameters yet; those that a model asks [`builder`](Self::builder) for are drawn by `seed`.
    /// A parameter's first values depend on the seed and on its name, not on the order of asking.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            vars: Arc::default(),
        }
    }

    /// The parameters that candle made. It does not keep the order of asking, for which that of the
    /// names is taken, `layer2` before `layer10`.
    pub fn from_var_map(map: &VarMap) -> Self {
        let data = map.data().lock().unwrap_or_else(PoisonError::into_inner);
        let mut named: Vec<(&String, &Var)> = data.iter().collect();
        named.sort_by_cached_key(|(name, _)| by_number(name));
        let parameter = |(place, (name, var)): (usize, (&String, &Var))| {
            let var = var.clone();
            (name.clone(), Parameter { var, place })
        };
        let vars = named.into_iter().enumerate().map(parameter).collect();
        Self {
            seed: 0,
            vars: Arc::new(Mutex::new(vars)),
        }
    }

    /// What candle's layers take their parameters from.
    pub fn builder(&self, dtype: DType, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), dtype, device.clone())
    }

    /// The variables, ordered by name: what an optimizer takes.
    pub fn vars(&self) -> Vec<Var> {
        self.lock().values().map(|it| it.var.clone()).collect()
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Name and shape of each, in order.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.lock()
            .iter()
            .map(|(name, it)| (name.clone(), it.var.dims().to_vec()))
            .collect()
    }

    /// How many numbers the model learns.
    pub fn count(&self) -> usize {
        self.lock().values().map(|it| it.var.elem_count()).sum()
    }

    /// Gives each parameter the value of its name in `state`.
    ///
    /// # Errors
    /// Where a parameter is missing or has another shape; then nothing has changed.
    pub fn restore(&self, state: &State) -> Result<()> {
        let vars = self.lock();
        let mut tensors = Vec::new();
        for (name, Parameter { var, .. }) in vars.iter() {
            tensors.push((var, like(name, var.as_tensor(), state)?));
        }
        for (var, tensor) in tensors {
            var.set(&tensor)?;
        }
        Ok(())
    }

    /// Gives each parameter the value that a checkpoint has of it: what a fit saved is used without it.
    ///
    /// # Errors
    /// [`TrainError::Resume`] where the checkpoint cannot be read, is damaged, or is of another model; then nothing has
    /// changed.
    pub fn load_checkpoint(
        &self,
        path: impl AsRef<Path>,
    ) -> std::result::Result<CheckpointInfo, TrainError> {
        let path = path.as_ref();
        let load = || {
            let checkpoint = Checkpoint::read(path)?;
            let info = checkpoint.info()?;
            self.load(&checkpoint.model())?;
            Ok(info)
        };
        load().map_err(|source| TrainError::Resume {
            path: path.to_owned(),
            source,
        })
    }

    /// The model's layers and parameters as a graph, by [`Graph::of_parameters`]. The layers are joined in
    /// the order in which the model asked for their parameters; most models ask in the order in which data
    /// flows through them. Where it flows otherwise, make a graph of [nodes](crate::summary::Node).
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use candle_core::{DType, Device};
    /// use modelpulse::{log::Writer, summary::Graph, train::candle::{Mlp, Parameters}};
    /// let parameters = Parameters::seeded(1);
    /// let model = Mlp::new(&[64, 32, 10], parameters.builder(DType::F32, &Device::Cpu))?;
    /// let graph = parameters.graph()?;
    /// let layers = graph.nodes().filter(|node| node.op == "Layer");
    /// assert_eq!(layers.map(|node| &node.name).collect::<Vec<_>>(), ["layer0/Layer", "layer1/Layer"]);
    /// let writer = Writer::create(dir.path())?;
    /// writer.run(".").log(Graph::TAG, 0, graph);
    /// # writer.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Graph::of_parameters`], for names that the page could not tell apart.
    pub fn graph(&self) -> std::result::Result<Graph, GraphError> {
        let parameters = self.lock();
        let mut all: Vec<_> = parameters.iter().collect();
        all.sort_by_key(|(_, it)| it.place);
        Graph::of_parameters(all.into_iter().map(|(name, it)| (name, it.var.dims())))
    }

    /// Gives each parameter the tensor of its name in `tensors`; then nothing has changed where one is
    /// missing or does not fit.
    pub(super) fn load(&self, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
        let named = self.named();
        if let Some(name) = tensors
            .keys()
            .find(|&name| !named.iter().any(|(known, _)| known == name))
        {
            candle_core::bail!("the model has no parameter {name}");
        }
        for (name, var) in &named {
            match tensors.get(name) {
                Some(tensor) if tensor.shape() == var.shape() && tensor.dtype() == var.dtype() => {}
                Some(tensor) => candle_core::bail!(
                    "parameter {name} is {:?} {:?} in the model, {:?} {:?} in the checkpoint",
                    var.dtype(),
                    var.dims(),
                    tensor.dtype(),
                    tensor.dims()
                ),
                None => candle_core::bail!("the checkpoint has no parameter {name}"),
            }
        }
        for (name, var) in &named {
            if let Some(tensor) = tensors.get(name) {
                var.set(&tensor.to_device(var.device())?)?;
            }
        }
        Ok(())
    }

    /// The value of each.
    pub(super) fn tensors(&self) -> BTreeMap<String, Tensor> {
        let named = self.named().into_iter();
        named
            .map(|(name, var)| (name, var.as_detached_tensor()))
            .collect()
    }

    /// Name and variable of each, in order.
    pub(super) fn named(&self) -> Vec<(String, Var)> {
        let vars = self.lock();
        vars.iter()
            .map(|(name, it)| (name.clone(), it.var.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Parameter>> {
        self.vars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimpleBackend for Parameters {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let mut vars = self.lock();
        if let Some(Parameter { var, .. }) = vars.get(name) {
            if var.shape() != &shape {
                candle_core::bail!(
                    "parameter {name} has shape {:?}, asked for as {shape:?}",
                    var.shape()
                );
            }
            return Ok(var.as_tensor().clone());
        }
        let values = draw(self.seed, name, &shape, init);
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?
            .to_dtype(dtype)?
            .to_device(device)?;
        let var = Var::from_tensor(&tensor)?;
        let tensor = var.as_tensor().clone();
        let place = vars.len();
        vars.insert(name.to_owned(), Parameter { var, place });
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        match self.lock().get(name) {
            Some(it) => it.var.as_tensor().to_dtype(dtype)?.to_device(device),
            None => candle_core::bail!("no parameter {name}"),
        }
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }
}

/// The first values of a parameter, by candle's formulas for `init`.
fn draw(seed: u64, name: &str, shape: &Shape, init: Init) -> Vec<f64> {
    let mut generator = generator(seed, Purpose::Parameter(name));
    let mut uniform = |lo: f64, up: f64| lo + (up - lo) * generator.random::<f64>();
    let count = shape.elem_count();
    let (mean, deviation) = match init {
        Init::Const(value) => return vec![value; count],
        Init::Uniform { lo, up } => return (0..count).map(|_| uniform(lo, up)).collect(),
        Init::Randn { mean, stdev } => (mean, stdev),
        Init::Kaiming {
            dist,
            fan,
            non_linearity,
        } => {
            let deviation = non_linearity.gain() / (fan.for_shape(shape) as f64).sqrt();
            if matches!(dist, NormalOrUniform::Uniform) {
                let bound = 3_f64.sqrt() * deviation;
                return (0..count).map(|_| uniform(-bound, bound)).collect();
            }
            (0.0, deviation)
        }
    };
    (0..count)
        .map(|_| mean + deviation * generator.sample::<f64, _>(StandardNormal))
        .collect()
}

impl Tensors for Parameters {
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> std::result::Result<(), HookError> {
        for (name, Parameter { var, .. }) in self.lock().iter() {
            show(name, var.as_tensor(), visit)?;
        }
        Ok(())
    }
}

/// A key that orders names as people do: numbers within them by their size.
fn by_number(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digit = |c: char| c.is_ascii_digit();
        let (text, tail) = rest.split_at(rest.find(digit).unwrap_or(rest.len()));
        let end = tail.find(|c| !digit(c)).unwrap_or(tail.len());
        parts.push((text.to_owned(), tail[..end].parse().unwrap_or_default()));
        rest = &tail[end..];
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_nn::{init, linear};

    fn drawn(seed: u64, names: &[&str]) -> Vec<(String, Vec<f32>)> {
        let parameters = Parameters::seeded(seed);
        let builder = parameters.builder(DType::F32, &Device::Cpu);
        for name in names {
            linear(300, 40, builder.pp(name)).unwrap();
        }
        let mut all = Vec::new();
        parameters
            .visit(&mut |name, _, values| {
                all.push((
                    name.to_owned(),
                    values.iter().map(|value| value as f32).collect(),
                ));
            })
            .unwrap();
        all
    }

    #[test]
    fn the_seed_decides_the_parameters_and_the_order_of_asking_does_not() {
        assert_eq!(drawn(1, &["a", "b"]), drawn(1, &["b", "a"]));
        assert_ne!(drawn(1, &["a", "b"]), drawn(2, &["a", "b"]));
        let all = drawn(1, &["a", "b"]);
        assert_ne!(all[1].1, all[3].1);
    }

    #[test]
    fn the_graph_has_the_layers_in_the_order_of_asking() {
        let layers = |graph: Graph| -> Vec<String> {
            let nodes = graph.nodes().filter(|node| node.op == "Layer");
            nodes.map(|node| node.name.clone()).collect()
        };
        let parameters = Parameters::seeded(1);
        let builder = parameters.builder(DType::F32, &Device::Cpu);
        for name in ["stem", "block10", "block2", "head"] {
            linear(2, 2, builder.pp(name)).unwrap();
        }
        let asked = ["stem/Layer", "block10/Layer", "block2/Layer", "head/Layer"];
        assert_eq!(layers(parameters.graph().unwrap()), asked);

        let map = VarMap::new();
        let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
        for number in (0..12).rev() {
            linear(2, 2, builder.pp("blocks").pp(number)).unwrap();
        }
        let graph = Parameters::from_var_map(&map).graph().unwrap();
        let numbered = (0..12).map(|number| format!("blocks/{number}/Layer"));
        assert_eq!(layers(graph), numbered.collect::<Vec<_>>());
    }

    #[test]
    fn parameters_are_drawn_from_the_distribution_that_was_asked_for() {
        let values = draw(
            3,
            "w",
            &Shape::from((200, 50)),
            init::DEFAULT_KAIMING_NORMAL,
        );
        let mean = values.iter().sum::<f64>() / 1e4;
        let variance = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / 1e4;
        assert!(
            mean.abs() < 0.01 && (variance / (2.0 / 50.0) - 1.0).abs() < 0.05,
            "{mean} {variance}"
        );
        let values = draw(
            3,
            "w",
            &Shape::from((200, 50)),
            Init::Uniform { lo: -2.0, up: 1.0 },
        );
        assert!(values.iter().all(|value| (-2.0..1.0).contains(value)));
        assert!((values.iter().sum::<f64>() / 1e4 + 0.5).abs() < 0.03);
    }
}
