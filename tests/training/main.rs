//! Training from outside: formulas beside PyTorch's numbers.
#![cfg(feature = "candle")]

mod formulas;
