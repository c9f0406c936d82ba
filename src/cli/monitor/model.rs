//! The model of a run of `train`: the last checkpoint, and whatever replaces it.
//!
//! A checkpoint that cannot be used changes nothing: the model that was there goes on answering.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::{Context, bail};
use candle_core::{D, DType, Device, Module, Tensor};
use candle_nn::ops::softmax;
use sha2::{Digest, Sha256};

use super::stamp::{Stamp, stamp};
use crate::health::{MonitorError, Rows};
use crate::train::callbacks::Checkpoint;
use crate::train::candle::{CheckpointInfo, Mlp, Parameters};

/// The model, as often as it is replaced.
pub(super) struct Live {
    path: PathBuf,
    sizes: Vec<usize>,
    seed: u64,
    /// Of the file that was read last, whether it could be used or not.
    seen: Mutex<Stamp>,
    model: RwLock<Arc<Loaded>>,
}

pub(super) struct Loaded {
    mlp: Mlp,
    pub(super) info: CheckpointInfo,
    pub(super) sha256: String,
}

impl Live {
    /// The model of the run in `dir`, of these numbers of units.
    pub(super) fn open(dir: &Path, sizes: Vec<usize>, seed: u64) -> anyhow::Result<Self> {
        let path = Checkpoint::last_in(dir.join("checkpoints"));
        if !path.exists() {
            bail!(
                "{} has no checkpoint yet: there is no {}",
                dir.display(),
                path.display()
            );
        }
        let seen = stamp(&path);
        let model = Loaded::read(&path, &sizes, seed)
            .map_err(|error| anyhow::anyhow!("cannot monitor {}: {error}", dir.display()))?;
        Ok(Self {
            path,
            sizes,
            seed,
            seen: Mutex::new(seen),
            model: RwLock::new(Arc::new(model)),
        })
    }

    pub(super) fn current(&self) -> Arc<Loaded> {
        self.model
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a checkpoint that has replaced the one that was there. One that cannot be used is an error each time.
    pub(super) fn refresh(&self) -> Result<(), MonitorError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.path);
        if now.is_some() && now == *seen {
            return Ok(());
        }
        let model = Loaded::read(&self.path, &self.sizes, self.seed)?;
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
        *seen = now;
        Ok(())
    }
}

impl Loaded {
    fn read(path: &Path, sizes: &[usize], seed: u64) -> Result<Self, MonitorError> {
        let parameters = Parameters::seeded(seed);
        let mlp = Mlp::new(sizes, parameters.builder(DType::F32, &Device::Cpu))?;
        let info = parameters.load_checkpoint(path).map_err(|error| {
            match std::error::Error::source(&error) {
                // That it is resumed from is not what is done here.
                Some(source) => format!("{}: {source}", path.display()),
                None => error.to_string(),
            }
        })?;
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let digest = Sha256::digest(&bytes);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { mlp, info, sha256 })
    }

    /// The probability of each class, for each row.
    pub(super) fn predict(&self, rows: Rows<'_>) -> Result<Vec<f32>, MonitorError> {
        let shape = (rows.len(), rows.width());
        let inputs = Tensor::from_slice(rows.values(), shape, &Device::Cpu)?;
        let scores = softmax(&self.mlp.forward(&inputs)?, D::Minus1)?;
        Ok(scores.flatten_all()?.to_vec1()?)
    }
}
