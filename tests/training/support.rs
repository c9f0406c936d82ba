//! A small model and data, and a hook that writes down what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::ParamsAdamW;
use modelpulse::train::candle::{
    AdamW, FitReport, LabelledTensors, Mlp, Parameters, Pass, TrainError, Trainer,
};
use modelpulse::train::{Hook, Tensors};

/// Items of the training split and of the held-out one.
pub const ITEMS: [usize; 2] = [70, 20];

/// Points of two spirals that turn around each other, by a fixed pattern: class and place in the plane.
pub fn spirals(items: usize) -> (Vec<u32>, Vec<[f32; 2]>) {
    let point = |item: usize| {
        let class = item % 2;
        let along = 0.3 + (item * 37 % 101) as f32 / 101.0;
        let angle = 4.0 * along + std::f32::consts::PI * class as f32;
        (class as u32, [along * angle.cos(), along * angle.sin()])
    };
    (0..items).map(point).unzip()
}

pub fn data(items: usize) -> LabelledTensors {
    let (labels, points) = spirals(items);
    LabelledTensors::new(matrix(&points), labels).unwrap()
}

/// A row an item.
pub fn matrix<const N: usize>(rows: &[[f32; N]]) -> Tensor {
    Tensor::from_slice(rows.as_flattened(), (rows.len(), N), &Device::Cpu).unwrap()
}

/// A model of two inputs, a hidden layer and so many outputs, and its optimizer.
pub struct Model {
    pub parameters: Parameters,
    pub mlp: Mlp,
    pub optimizer: AdamW,
}

impl Model {
    pub fn new(outputs: usize) -> Self {
        Self::of(outputs, DType::F32)
    }

    pub fn of(outputs: usize, dtype: DType) -> Self {
        let parameters = Parameters::seeded(5);
        let builder = parameters.builder(dtype, &Device::Cpu);
        let mlp = Mlp::new(&[2, 8, outputs], builder).unwrap();
        let settings = ParamsAdamW {
            lr: 0.02,
            ..Default::default()
        };
        let optimizer = AdamW::of(&parameters, settings).unwrap();
        Self {
            parameters,
            mlp,
            optimizer,
        }
    }

    pub fn fit(
        &mut self,
        trainer: Trainer,
        train: &LabelledTensors,
        eval: &LabelledTensors,
    ) -> Result<FitReport, TrainError> {
        let mlp = &self.mlp;
        let forward = |inputs: &Tensor, pass: &Pass| mlp.forward_in(inputs, pass);
        trainer.fit(&self.parameters, forward, &mut self.optimizer, train, eval)
    }

    /// Fits the two spirals.
    pub fn fit_spirals(&mut self, trainer: Trainer) -> Result<FitReport, TrainError> {
        let [train, eval] = ITEMS;
        self.fit(trainer, &data(train), &data(eval))
    }

    /// The bits of each parameter.
    pub fn bits(&self) -> BTreeMap<String, Vec<u64>> {
        let mut bits = BTreeMap::new();
        self.parameters
            .visit(&mut |name, _, values| {
                bits.insert(name.to_owned(), values.iter().map(f64::to_bits).collect());
            })
            .unwrap();
        bits
    }

    pub fn logits(&self, inputs: &Tensor) -> Tensor {
        self.mlp.forward(inputs).unwrap()
    }
}

/// What hooks were told, line by line.
#[derive(Debug, Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub fn push(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Any hook as a boxed one.
pub fn boxed(hook: impl Hook + 'static) -> Box<dyn Hook> {
    Box::new(hook)
}
