//! candle's tensors without candle, and back.
//!
//! On the CPU the values are shown where they lie; single and double precision come back bit by bit.

use candle_core::{CpuStorage, DType, Device, Result, Storage, Tensor};

use crate::train::{HookError, State, TensorVisitor, Values};

/// Shows a tensor: half precision as single, which holds it exactly, integers as double.
pub(super) fn show(
    name: &str,
    tensor: &Tensor,
    visit: &mut TensorVisitor<'_>,
) -> std::result::Result<(), HookError> {
    if show_in_place(name, tensor, visit) {
        return Ok(());
    }
    let flat = tensor.detach().flatten_all()?;
    match tensor.dtype() {
        DType::F32 | DType::F16 | DType::BF16 => {
            let values = flat.to_dtype(DType::F32)?.to_vec1::<f32>()?;
            visit(name, tensor.dims(), Values::F32(&values));
        }
        _ => {
            let values = flat.to_dtype(DType::F64)?.to_vec1::<f64>()?;
            visit(name, tensor.dims(), Values::F64(&values));
        }
    }
    Ok(())
}

/// Shows a tensor that lies row by row in this machine's memory, without a copy.
fn show_in_place(name: &str, tensor: &Tensor, visit: &mut TensorVisitor<'_>) -> bool {
    let (storage, layout) = tensor.storage_and_layout();
    let (Some((start, end)), Storage::Cpu(storage)) = (layout.contiguous_offsets(), &*storage)
    else {
        return false;
    };
    let values = match storage {
        CpuStorage::F32(values) => values.get(start..end).map(Values::F32),
        CpuStorage::F64(values) => values.get(start..end).map(Values::F64),
        _ => None,
    };
    values.is_some_and(|values| {
        visit(name, tensor.dims(), values);
        true
    })
}

/// The tensor `name` of `state`, as of the same type and on the same device as `tensor`.
pub(super) fn like(name: &str, tensor: &Tensor, state: &State) -> Result<Tensor> {
    let Some((shape, values)) = state.get(name) else {
        candle_core::bail!("there is no {name} to restore");
    };
    if shape != tensor.dims() {
        candle_core::bail!(
            "{name} has shape {:?}, but {shape:?} is to be restored",
            tensor.dims()
        );
    }
    let restored = match values {
        Values::F32(values) => Tensor::from_slice(values, shape, &Device::Cpu)?,
        Values::F64(values) => Tensor::from_slice(values, shape, &Device::Cpu)?,
    };
    restored
        .to_dtype(tensor.dtype())?
        .to_device(tensor.device())
}
