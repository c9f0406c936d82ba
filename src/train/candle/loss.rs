//! The losses of the tasks, and how a scalar comes off the device.
//!
//! They are finite wherever outputs are, and taken in single precision where outputs are halves.

use candle_core::{DType, Result, Tensor};
use candle_nn::loss::{cross_entropy, mse};
use candle_nn::ops::{sigmoid, softmax};

use crate::train::Task;

/// The mean loss of a batch; outputs and targets are of the task's form.
pub(super) fn loss(task: Task, outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let outputs = &wide(outputs)?;
    match task {
        Task::Multiclass { .. } => cross_entropy(outputs, targets),
        Task::Binary | Task::Multilabel { .. } => binary_cross_entropy(outputs, targets),
        Task::Regression { .. } => mse(outputs, &as_outputs(targets, outputs)?),
    }
}

/// What outputs say: probabilities of classes or labels, or the numbers themselves, a row an item.
pub(super) fn scores(task: Task, outputs: &Tensor) -> Result<Vec<f32>> {
    let outputs = wide(outputs)?;
    let scores = match task {
        Task::Multiclass { .. } => softmax(&outputs, 1)?,
        Task::Binary => {
            let yes = sigmoid(&outputs)?.flatten_all()?;
            Tensor::stack(&[yes.affine(-1.0, 1.0)?, yes], 1)?
        }
        Task::Multilabel { .. } => sigmoid(&outputs)?,
        Task::Regression { .. } => outputs,
    };
    scores.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// The number that a scalar tensor holds, whatever its type.
pub(super) fn pull(scalar: &Tensor) -> Result<f64> {
    scalar.to_dtype(DType::F64)?.to_scalar()
}

/// ln(1 + e^x) - x z, where e^x cannot overflow: with m = max(x, 0), that is
/// m + ln(e^-m + e^(x-m)) - x z, whose gradient is sigmoid(x) - z whatever m is.
fn binary_cross_entropy(outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let targets = as_outputs(targets, outputs)?;
    let most = outputs.detach().relu()?;
    let sum = (most.neg()?.exp()? + (outputs - &most)?.exp()?)?;
    ((sum.log()? + most)? - (outputs * targets)?)?.mean_all()
}

fn as_outputs(targets: &Tensor, outputs: &Tensor) -> Result<Tensor> {
    targets
        .to_dtype(outputs.dtype())?
        .reshape(outputs.shape().clone())
}

fn wide(outputs: &Tensor) -> Result<Tensor> {
    match outputs.dtype() {
        DType::F16 | DType::BF16 => outputs.to_dtype(DType::F32),
        _ => Ok(outputs.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    /// Loss and gradient of one logit.
    fn binary(logit: f64, target: f64) -> (f64, f64) {
        let logit = Var::new(&[logit], &Device::Cpu).unwrap();
        let target = Tensor::new(&[target], &Device::Cpu).unwrap();
        let loss = loss(Task::Binary, &logit, &target).unwrap();
        let gradients = loss.backward().unwrap();
        let gradient = gradients.get(&logit).unwrap().to_vec1::<f64>().unwrap()[0];
        (pull(&loss).unwrap(), gradient)
    }

    #[test]
    fn binary_cross_entropy_is_right_where_the_exponential_overflows() {
        for (logit, target, loss, gradient) in [
            (0.0, 0.0, 2_f64.ln(), 0.5),
            (0.0, 1.0, 2_f64.ln(), -0.5),
            (
                2.0,
                1.0,
                (1.0 + (-2_f64).exp()).ln(),
                -1.0 / (1.0 + 2_f64.exp()),
            ),
            (200.0, 1.0, 0.0, 0.0),
            (200.0, 0.0, 200.0, 1.0),
            (-800.0, 1.0, 800.0, -1.0),
        ] {
            let got = binary(logit, target);
            assert!(
                (got.0 - loss).abs() < 1e-12 && (got.1 - gradient).abs() < 1e-12,
                "logit {logit}, target {target}: {got:?}, expected {loss} and {gradient}"
            );
        }
        assert!(binary(f64::NAN, 1.0).0.is_nan());
    }

    #[test]
    fn losses_of_half_precision_are_taken_in_single() {
        let logits = Tensor::new(&[[1.0_f32, 1.0078125, 0.5]], &Device::Cpu).unwrap();
        let target = Tensor::new(&[1_u32], &Device::Cpu).unwrap();
        let task = Task::Multiclass { classes: 3 };
        let single = pull(&loss(task, &logits, &target).unwrap()).unwrap();
        // All three logits fit both halves exactly.
        for dtype in [DType::BF16, DType::F16] {
            let logits = logits.to_dtype(dtype).unwrap();
            let half = loss(task, &logits, &target).unwrap();
            assert_eq!(pull(&half).unwrap(), single, "{dtype:?}");
        }
    }

    #[test]
    fn binary_scores_are_of_both_classes() {
        let logits = Tensor::new(&[[0_f32], [200.0]], &Device::Cpu).unwrap();
        assert_eq!(scores(Task::Binary, &logits).unwrap(), [0.5, 0.5, 0.0, 1.0]);
    }
}
