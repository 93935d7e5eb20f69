//! The meaning of a generator's outputs: for each step and voice whether it is hit, how loud, and when.

use candle_core::{Result, Tensor};
use lockstep_core::representation::N_VOICES;

use super::CELL_OUTPUTS;
use crate::voices::VoiceSet;

/// Least and most spread of a velocity, in units of the full scale; the least is that of a sequencer.
const VELOCITY_SPREAD: (f32, f32) = (0.02, 0.3);

/// Least and most spread of an offset, in steps.
const OFFSET_SPREAD: (f32, f32) = (0.01, 0.25);

/// A generator's outputs by meaning. Every tensor is `(B, K, 16, V)`.
#[derive(Clone, Debug)]
pub struct CellTensors {
    /// Log-odds that the voice is hit.
    pub presence: Tensor,
    /// Mean velocity of a hit, in (0, 1).
    pub velocity: Tensor,
    /// Standard deviation of the velocity.
    pub velocity_spread: Tensor,
    /// Mean distance of a hit from its step, in steps, in (−½, ½).
    pub offset: Tensor,
    /// Standard deviation of the offset, in steps.
    pub offset_spread: Tensor,
}

impl CellTensors {
    /// Splits outputs of shape `(B, K, 16, 5 · V)`.
    ///
    /// # Errors
    /// Those of candle, if the shape does not fit.
    pub fn new(outputs: &Tensor) -> Result<Self> {
        let n = outputs.dim(3)? / CELL_OUTPUTS;
        let part = |i: usize| outputs.narrow(3, i * n, n)?.contiguous();
        const { assert!(CELL_OUTPUTS == 5, "one part for each field") };
        let between = |i, (least, most): (f32, f32)| {
            (sigmoid(&part(i)?)? * f64::from(most - least))? + f64::from(least)
        };
        Ok(Self {
            presence: part(0)?,
            velocity: sigmoid(&part(1)?)?,
            velocity_spread: between(2, VELOCITY_SPREAD)?,
            offset: (part(3)?.tanh()? * 0.5)?,
            offset_spread: between(4, OFFSET_SPREAD)?,
        })
    }
}

/// One voice at one step of a generator's outputs, in plain numbers; the fields are those of [`CellTensors`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellOutputs {
    /// Log-odds that the voice is hit.
    pub presence: f32,
    /// Mean velocity of a hit.
    pub velocity: f32,
    /// Its standard deviation.
    pub velocity_spread: f32,
    /// Mean distance of a hit from its step.
    pub offset: f32,
    /// Its standard deviation.
    pub offset_spread: f32,
}

/// A generator's outputs for one step, in plain numbers: [`CELL_OUTPUTS`] parts, each with a number for each voice's column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOutputs {
    /// Those of a smaller kit fill the beginning.
    numbers: [f32; CELL_OUTPUTS * N_VOICES],
    n_voices: usize,
}

impl StepOutputs {
    /// The same number everywhere.
    pub fn filled(voices: VoiceSet, number: f32) -> Self {
        Self {
            numbers: [number; CELL_OUTPUTS * N_VOICES],
            n_voices: voices.n(),
        }
    }

    /// The numbers of one step; those that are missing are NaN.
    pub fn new(voices: VoiceSet, numbers: &[f32]) -> Self {
        let mut outputs = Self::filled(voices, f32::NAN);
        for (output, number) in outputs.numbers_mut().iter_mut().zip(numbers) {
            *output = *number;
        }
        outputs
    }

    /// All numbers.
    pub fn numbers(&self) -> &[f32] {
        &self.numbers[..CELL_OUTPUTS * self.n_voices]
    }

    /// All numbers, to change them.
    pub fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[..CELL_OUTPUTS * self.n_voices]
    }

    /// The log-odds of each column, to change them.
    pub fn presences_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[..self.n_voices]
    }

    /// The cell of a voice's column.
    pub fn cell(&self, column: usize) -> CellOutputs {
        let at = |i: usize| self.numbers[i * self.n_voices + column];
        let between = |x: f32, (least, most): (f32, f32)| logistic(x) * (most - least) + least;
        CellOutputs {
            presence: at(0),
            velocity: logistic(at(1)),
            velocity_spread: between(at(2), VELOCITY_SPREAD),
            offset: 0.5 * at(3).tanh(),
            offset_spread: between(at(4), OFFSET_SPREAD),
        }
    }
}

/// Logistic function.
pub fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Logistic function with a finite gradient for any `x`; computed with exponentials, the gradient is NaN below −88.
///
/// # Errors
/// Those of candle.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    ((x * 0.5)?.tanh()? + 1.0)? * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::n_outputs;
    use candle_core::{Device, Var};

    #[test]
    fn a_cell_is_the_same_in_plain_numbers_as_in_tensors() -> Result<()> {
        for voices in [VoiceSet::Version1, VoiceSet::Version2] {
            let n = n_outputs(voices);
            let numbers: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
            let tensor = Tensor::from_slice(&numbers, (1, 1, 1, n), &Device::Cpu)?;
            let cells = CellTensors::new(&tensor)?;
            let column = voices.n() - 1;
            let at = |tensor: &Tensor| -> Result<f32> {
                Ok(tensor.flatten_all()?.to_vec1::<f32>()?[column])
            };
            let cell = StepOutputs::new(voices, &numbers).cell(column);
            for (plain, tensor) in [
                (cell.presence, &cells.presence),
                (cell.velocity, &cells.velocity),
                (cell.velocity_spread, &cells.velocity_spread),
                (cell.offset, &cells.offset),
                (cell.offset_spread, &cells.offset_spread),
            ] {
                assert!((plain - at(tensor)?).abs() < 1e-5);
            }
        }
        Ok(())
    }

    #[test]
    fn the_logistic_function_has_a_finite_gradient_everywhere() -> Result<()> {
        let x = Var::new(&[-200.0_f32, -1.0, 0.0, 1.0, 200.0], &Device::Cpu)?;
        let y = sigmoid(&x)?;
        let slopes = y.sum_all()?.backward()?;
        let slopes = slopes
            .get(&x)
            .map_or(Ok(Vec::new()), Tensor::to_vec1::<f32>)?;
        for (y, (slope, expected)) in y
            .to_vec1::<f32>()?
            .iter()
            .zip(slopes.iter().zip([0.0, 0.268_941, 0.5, 0.731_059, 1.0]))
        {
            assert!((y - expected).abs() < 1e-5, "{y} for {expected}");
            assert!((slope - expected * (1.0 - expected)).abs() < 1e-5);
        }
        assert_eq!(slopes.len(), 5);
        Ok(())
    }
}
