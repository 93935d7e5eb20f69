//! Tensors as the bytes of a weights file: floats of 32 or, in half the space, of 16 bits.

use candle_core::{Device, Tensor};
use gemm::f16;
use safetensors::tensor::{Dtype, TensorView};

/// How a tensor's numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// With 32 bits, exactly.
    #[default]
    Whole,
    /// With 16 bits: three digits, up to 65504.
    Half,
}

impl Precision {
    pub(super) fn dtype(self) -> Dtype {
        match self {
            Self::Whole => Dtype::F32,
            Self::Half => Dtype::F16,
        }
    }

    /// The numbers as bytes; `None` if one of them is too large.
    pub(super) fn bytes(self, numbers: &[f32]) -> Option<Vec<u8>> {
        match self {
            Self::Whole => Some(numbers.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Self::Half => {
                let mut bytes = Vec::with_capacity(2 * numbers.len());
                for number in numbers {
                    let half = f16::from_f32(*number);
                    if !half.is_finite() {
                        return None;
                    }
                    bytes.extend(half.to_le_bytes());
                }
                Some(bytes)
            }
        }
    }
}

/// The tensor of a file, in 32 bits; `None` if a number is not finite or of another type.
pub(super) fn tensor(view: &TensorView<'_>) -> Option<candle_core::Result<Tensor>> {
    let bytes = view.data();
    let numbers: Vec<f32> = match view.dtype() {
        Dtype::F32 => {
            let numbers = bytes.as_chunks().0.iter();
            numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect()
        }
        Dtype::F16 => {
            let numbers = bytes.as_chunks().0.iter();
            let numbers = numbers.map(|bytes| f16::from_le_bytes(*bytes));
            numbers.map(f16::to_f32).collect()
        }
        _ => return None,
    };
    let are_finite = numbers.iter().all(|x| x.is_finite());
    are_finite.then(|| Tensor::from_vec(numbers, view.shape(), &Device::Cpu))
}
