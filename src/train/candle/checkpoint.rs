//! A checkpoint: one safetensors file that is whole or not there.
//!
//! Tensors of the model have their own names, so that anything that reads safetensors loads the weights;
//! all else is named `modelpulse.…`. The metadata holds a CRC-32 (ISO-HDLC) of the file, taken with zeros
//! in its own place, so that a damaged file is refused and never half believed. The format is that of
//! <https://huggingface.co/docs/safetensors>.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;

use super::TrainError;
use crate::log::replace;
use crate::train::{HookError, State, Values};

/// What is saved, by name.
pub(super) type Named = BTreeMap<String, Tensor>;

/// Before the names of all that is not the model's.
const OURS: &str = "modelpulse.";
const FORMAT: &str = "modelpulse checkpoint 1";
/// What stands for the checksum while it is taken: as long as one.
const NO_CRC: &str = "--------";

/// Replaces the file `path` by one that holds `model`, and `parts`, each under its prefix. Returns its size.
pub(super) fn write(
    path: &Path,
    model: Named,
    parts: impl IntoIterator<Item = (&'static str, Named)>,
    metadata: &[(&str, String)],
) -> Result<u64, HookError> {
    if let Some(name) = model.keys().find(|name| name.starts_with(OURS)) {
        return Err(format!(
            "the parameter {name} has a name that checkpoints keep for themselves"
        )
        .into());
    }
    let mut all = model;
    for (prefix, part) in parts {
        let named = part.into_iter();
        all.extend(named.map(|(name, tensor)| (format!("{OURS}{prefix}.{name}"), tensor)));
    }
    let mut info: HashMap<String, String> = metadata
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    info.insert("format".to_owned(), FORMAT.to_owned());
    info.insert("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    info.insert("crc32".to_owned(), NO_CRC.to_owned());
    let mut bytes = safetensors::serialize(all, Some(info))?;
    let crc = format!("{:08x}", crc32fast::hash(&bytes));
    let place = crc_place(&bytes).ok_or("the checkpoint has no place for its checksum")?;
    bytes[place..place + NO_CRC.len()].copy_from_slice(crc.as_bytes());
    replace(path, &bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(bytes.len() as u64)
}

/// What a checkpoint says of itself, without its tensors.
///
/// ```
/// use modelpulse::train::candle::CheckpointInfo;
/// match CheckpointInfo::read("runs/digits-001/checkpoints/last.safetensors") {
///     Ok(info) => println!("goes on at epoch {}, step {}", info.epochs, info.steps),
///     Err(error) => println!("starts over: {error}"),
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CheckpointInfo {
    /// How many epochs had ended.
    pub epochs: usize,
    /// How many steps there were.
    pub steps: usize,
    /// What the order of the data was drawn by.
    pub seed: u64,
    /// The version of this crate that saved it.
    pub version: String,
    /// The metrics of the held-out split in the last epoch that had ended.
    pub eval: BTreeMap<String, f64>,
}

impl CheckpointInfo {
    /// Reads the file `path`, and makes sure that it is as it was written.
    ///
    /// # Errors
    /// [`TrainError::Resume`] where it cannot be read, is damaged, or is no checkpoint.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TrainError> {
        let path = path.as_ref();
        let of = |source| TrainError::Resume {
            path: path.to_owned(),
            source,
        };
        let (_, info) = read_whole(path).map_err(of)?;
        Self::of(&info).map_err(of)
    }

    fn of(info: &HashMap<String, String>) -> Result<Self, HookError> {
        fn number<T: std::str::FromStr>(
            info: &HashMap<String, String>,
            name: &str,
        ) -> Result<T, HookError> {
            let number = info.get(name).and_then(|text| text.parse().ok());
            number.ok_or_else(|| format!("it does not say its {name}").into())
        }
        let eval = info.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("eval.")?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Ok(Self {
            epochs: number(info, "epochs")?,
            steps: number(info, "steps")?,
            seed: number(info, "seed")?,
            version: info.get("version").cloned().unwrap_or_default(),
            eval: eval.collect(),
        })
    }
}

/// A checkpoint that was read.
pub(super) struct Checkpoint {
    tensors: HashMap<String, Tensor>,
    info: HashMap<String, String>,
}

/// The bytes of a checkpoint that is as it was written, but for its checksum, and its metadata.
fn read_whole(path: &Path) -> Result<(Vec<u8>, HashMap<String, String>), HookError> {
    let mut bytes = fs::read(path)?;
    let (_, header) = SafeTensors::read_metadata(&bytes)?;
    let info = header.metadata().clone().unwrap_or_default();
    if info.get("format").map(String::as_str) != Some(FORMAT) {
        return Err("it is no checkpoint of a fit".into());
    }
    let said = info.get("crc32").map_or("", String::as_str);
    let place = crc_place(&bytes).filter(|_| said.len() == NO_CRC.len());
    let place = place.ok_or("it has no checksum")?;
    bytes[place..place + NO_CRC.len()].copy_from_slice(NO_CRC.as_bytes());
    let crc = format!("{:08x}", crc32fast::hash(&bytes));
    if crc != said {
        return Err(format!("it is damaged: its CRC-32 is {crc}, it says {said}").into());
    }
    Ok((bytes, info))
}

impl Checkpoint {
    /// Reads the file `path`, and makes sure that it is as it was written.
    pub(super) fn read(path: &Path) -> Result<Self, HookError> {
        let (bytes, info) = read_whole(path)?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)?;
        Ok(Self { tensors, info })
    }

    /// What it says of itself.
    pub(super) fn info(&self) -> Result<CheckpointInfo, HookError> {
        CheckpointInfo::of(&self.info)
    }

    /// The tensors of the model.
    pub(super) fn model(&self) -> Named {
        let named = self.tensors.iter();
        named
            .filter(|(name, _)| !name.starts_with(OURS))
            .map(|(name, tensor)| (name.clone(), tensor.clone()))
            .collect()
    }

    /// The tensors that were saved under a prefix.
    pub(super) fn part(&self, prefix: &str) -> Named {
        let rest = |name: &str| {
            let rest = name.strip_prefix(OURS)?.strip_prefix(prefix)?;
            Some(rest.strip_prefix('.')?.to_owned())
        };
        let named = self.tensors.iter();
        named
            .filter_map(|(name, tensor)| Some((rest(name)?, tensor.clone())))
            .collect()
    }

    /// The state that was saved under a prefix.
    pub(super) fn state(&self, prefix: &str) -> Result<State, HookError> {
        let mut state = State::new();
        for (name, tensor) in self.part(prefix) {
            super::tensors::show(&name, &tensor, &mut |name, shape, values| {
                state.insert(name, shape, values);
            })?;
        }
        Ok(state)
    }
}

/// A state as tensors.
pub(super) fn named(state: &State) -> candle_core::Result<Named> {
    let tensor = |(name, shape, values): (&str, &[usize], Values<'_>)| {
        let tensor = match values {
            Values::F32(values) => Tensor::from_slice(values, shape, &Device::Cpu)?,
            Values::F64(values) => Tensor::from_slice(values, shape, &Device::Cpu)?,
        };
        Ok((name.to_owned(), tensor))
    };
    state.iter().map(tensor).collect()
}

/// Where the eight characters of the checksum begin: behind the header's length, in its metadata, whose
/// entries are in no order.
fn crc_place(bytes: &[u8]) -> Option<usize> {
    const BEFORE: &[u8] = b"\"crc32\":\"";
    let length = u64::from_le_bytes(*bytes.first_chunk()?);
    let header = bytes.get(8..)?.get(..usize::try_from(length).ok()?)?;
    let at = header
        .windows(BEFORE.len())
        .position(|window| window == BEFORE)?;
    let place = 8 + at + BEFORE.len();
    (place + NO_CRC.len() <= 8 + header.len()).then_some(place)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use candle_core::DType;

    fn written(dir: &Path) -> PathBuf {
        let path = dir.join("a.safetensors");
        let weight = Tensor::new(&[[1.5_f32, -2.0]], &Device::Cpu).unwrap();
        let half = weight.to_dtype(DType::BF16).unwrap();
        let model = Named::from([
            ("layer.weight".to_owned(), weight),
            ("half".to_owned(), half),
        ]);
        let mut state = State::new();
        state.set("steps", 12.0);
        state.insert("hook.best", &[2], Values::F32(&[f32::NAN, 1.0]));
        let metadata = [
            ("seed", u64::MAX.to_string()),
            ("epochs", "3".to_owned()),
            ("steps", "12".to_owned()),
            ("eval.loss", "NaN".to_owned()),
        ];
        write(&path, model, [("loop", named(&state).unwrap())], &metadata).unwrap();
        path
    }

    #[test]
    fn what_was_saved_comes_back_and_other_programs_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let checkpoint = Checkpoint::read(&path).unwrap();
        let info = CheckpointInfo::read(&path).unwrap();
        assert_eq!((info.seed, info.epochs, info.steps), (u64::MAX, 3, 12));
        assert!(info.eval["loss"].is_nan() && info.version == env!("CARGO_PKG_VERSION"));
        let state = checkpoint.state("loop").unwrap();
        assert_eq!(state.number("steps"), Some(12.0));
        let (shape, values) = state.get("hook.best").unwrap();
        assert_eq!((shape, values.len()), (&[2][..], 2));
        assert_eq!(checkpoint.model().len(), 2);
        assert_eq!(checkpoint.model()["half"].dtype(), DType::BF16);
        let all = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        assert_eq!(all["layer.weight"].to_vec2::<f32>().unwrap(), [[1.5, -2.0]]);
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_checkpoint_in_which_any_byte_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(Checkpoint::read(&path).is_err(), "byte {at}");
        }
        for length in [0, 7, 8, 100, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(Checkpoint::read(&path).is_err(), "{length} bytes");
        }
        fs::write(&path, &whole).unwrap();
        assert!(Checkpoint::read(&path).is_ok());
    }

    #[test]
    fn a_checkpoint_that_cannot_be_written_leaves_the_older_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        let before = fs::read(&path).unwrap();
        // In the way of the file that is to take the place.
        fs::create_dir(dir.path().join("a.safetensors.partial")).unwrap();
        let error = write(&path, Named::new(), [], &[]).unwrap_err();
        assert!(error.to_string().contains("a.safetensors"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
