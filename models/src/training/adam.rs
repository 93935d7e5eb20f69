//! Adam (Kingma & Ba 2015) with gradient clipping, whose state can be saved and resumed exactly.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

/// Step size and memory of the optimiser.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    pub(super) learning_rate: f64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    /// Largest norm of all gradients together; larger ones are scaled down to it.
    pub(super) max_norm: f64,
}

/// The optimiser of one network.
#[derive(Debug)]
pub(super) struct Adam {
    rates: Rates,
    vars: BTreeMap<String, Var>,
    /// First and second moments, by the names of the variables.
    moments: BTreeMap<String, (Tensor, Tensor)>,
    n_steps: i32,
}

impl Adam {
    pub(super) fn new(vars: BTreeMap<String, Var>, rates: Rates) -> Result<Self> {
        let moments = vars
            .iter()
            .map(|(name, var)| Ok((name.clone(), (var.zeros_like()?, var.zeros_like()?))))
            .collect::<Result<_>>()?;
        Ok(Self {
            rates,
            vars,
            moments,
            n_steps: 0,
        })
    }

    pub(super) fn step(&mut self, gradients: &GradStore, scale: f64) -> Result<()> {
        let Rates {
            learning_rate,
            beta1,
            beta2,
            max_norm,
        } = self.rates;
        self.n_steps += 1;
        let mut square = 0.0;
        for var in self.vars.values() {
            if let Some(gradient) = gradients.get(var) {
                square += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
            }
        }
        let clip = (max_norm / (square.sqrt() + 1e-6)).min(1.0);
        let correction1 = 1.0 - beta1.powi(self.n_steps);
        let correction2 = 1.0 - beta2.powi(self.n_steps);
        for (name, var) in &self.vars {
            let (Some(gradient), Some((first, second))) =
                (gradients.get(var), self.moments.get_mut(name))
            else {
                continue;
            };
            let gradient = (gradient.detach() * clip)?;
            *first = ((&*first * beta1)? + (&gradient * (1.0 - beta1))?)?;
            *second = ((&*second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
            let mean = (&*first / correction1)?;
            let deviation = ((&*second / correction2)?.sqrt()? + 1e-8)?;
            var.set(&(var.as_tensor() - (mean.div(&deviation)? * (learning_rate * scale))?)?)?;
        }
        Ok(())
    }

    /// Everything that [`Self::restore`] needs, under names that begin with `prefix`.
    pub(super) fn state(&self, prefix: &str) -> Result<Vec<(String, Tensor)>> {
        let mut state = Vec::new();
        for (name, var) in &self.vars {
            state.push((format!("{prefix}.value.{name}"), var.as_detached_tensor()));
        }
        for (name, (first, second)) in &self.moments {
            state.push((format!("{prefix}.first.{name}"), first.clone()));
            state.push((format!("{prefix}.second.{name}"), second.clone()));
        }
        let n_steps = Tensor::new(&[self.n_steps as f32], &candle_core::Device::Cpu)?;
        state.push((format!("{prefix}.steps"), n_steps));
        Ok(state)
    }

    /// Goes on where [`Self::state`] was taken; a tensor that is missing is an error.
    pub(super) fn restore(&mut self, prefix: &str, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let find = |name: String| {
            state
                .get(&name)
                .cloned()
                .ok_or_else(|| candle_core::Error::Msg(format!("the checkpoint lacks {name:?}")))
        };
        for (name, var) in &self.vars {
            var.set(&find(format!("{prefix}.value.{name}"))?)?;
        }
        for (name, (first, second)) in &mut self.moments {
            *first = find(format!("{prefix}.first.{name}"))?;
            *second = find(format!("{prefix}.second.{name}"))?;
        }
        let n_steps = find(format!("{prefix}.steps"))?.to_vec1::<f32>()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it was an i32 below 2^24 when it was saved"
        )]
        let n_steps = n_steps.first().map_or(0, |n| *n as i32);
        self.n_steps = n_steps;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    const RATES: Rates = Rates {
        learning_rate: 0.1,
        beta1: 0.5,
        beta2: 0.9,
        max_norm: 1e9,
    };

    fn descend(adam: &mut Adam, n: usize) -> Result<Vec<f32>> {
        let var = adam.vars["x"].clone();
        for _ in 0..n {
            adam.step(&var.sqr()?.sum_all()?.backward()?, 1.0)?;
        }
        var.to_vec1()
    }

    fn start() -> Result<Adam> {
        let var = Var::from_vec(vec![1.0_f32, -2.0], 2, &Device::Cpu)?;
        Adam::new([("x".to_owned(), var)].into(), RATES)
    }

    #[test]
    fn the_first_step_is_the_learning_rate_against_the_sign() -> Result<()> {
        let x = descend(&mut start()?, 1)?;
        assert!(
            (x[0] - 0.9).abs() < 1e-5 && (x[1] + 1.9).abs() < 1e-5,
            "{x:?}"
        );
        Ok(())
    }

    #[test]
    fn a_resumed_run_goes_the_same_way_bit_by_bit() -> Result<()> {
        let mut whole = start()?;
        let expected = descend(&mut whole, 10)?;
        let mut first = start()?;
        descend(&mut first, 4)?;
        let saved = first.state("g")?.into_iter().collect();
        let mut second = start()?;
        second.restore("g", &saved)?;
        assert_eq!(descend(&mut second, 6)?, expected);
        Ok(())
    }
}
