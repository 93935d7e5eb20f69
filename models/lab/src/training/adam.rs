//! Adam (Kingma & Ba 2015) with gradient clipping. Its state can be saved and resumed exactly.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};

use super::run::Schedule;

/// Gradients by variable name; a variable without one stays as it is.
pub(super) type Gradients = BTreeMap<String, Tensor>;

/// The gradients of these variables, detached from the graph.
pub(super) fn gradients_of(vars: &BTreeMap<String, Var>, store: &GradStore) -> Gradients {
    vars.iter()
        .filter_map(|(name, var)| Some((name.clone(), store.get(var)?.detach())))
        .collect()
}

/// The mean of the replicas' gradients.
pub(super) fn mean(replicas: Vec<Gradients>) -> Result<Gradients> {
    let n = replicas.len() as f64;
    let mut replicas = replicas.into_iter();
    let mut sum = replicas.next().unwrap_or_default();
    if n < 2.0 {
        return Ok(sum);
    }
    for other in replicas {
        for (name, gradient) in other {
            let total = match sum.get(&name) {
                Some(total) => (total + gradient)?,
                None => gradient,
            };
            sum.insert(name, total);
        }
    }
    for gradient in sum.values_mut() {
        *gradient = (&*gradient / n)?;
    }
    Ok(sum)
}

/// The optimiser of one network.
#[derive(Debug)]
pub(super) struct Adam {
    schedule: Schedule,
    vars: BTreeMap<String, Var>,
    /// First and second moments, by variable name.
    moments: BTreeMap<String, (Tensor, Tensor)>,
    n_steps: i32,
}

impl Adam {
    pub(super) fn new(vars: BTreeMap<String, Var>, schedule: &Schedule) -> Result<Self> {
        let moments = vars
            .iter()
            .map(|(name, var)| Ok((name.clone(), (var.zeros_like()?, var.zeros_like()?))))
            .collect::<Result<_>>()?;
        Ok(Self {
            schedule: schedule.clone(),
            vars,
            moments,
            n_steps: 0,
        })
    }

    /// The variables it trains.
    pub(super) fn vars(&self) -> &BTreeMap<String, Var> {
        &self.vars
    }

    /// Updates the variables; `scale` multiplies the step size. Returns the norm of all gradients before clipping. If the norm
    /// is not finite, the variables stay as they are.
    pub(super) fn step(&mut self, gradients: &Gradients, scale: f64) -> Result<f64> {
        let Schedule {
            learning_rate,
            beta1,
            beta2,
            clip,
            ..
        } = self.schedule;
        self.n_steps += 1;
        let mut square = 0.0;
        for gradient in gradients.values() {
            square += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        let norm = square.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let clip = (clip / (norm + 1e-6)).min(1.0);
        let correction1 = 1.0 - beta1.powi(self.n_steps);
        let correction2 = 1.0 - beta2.powi(self.n_steps);
        for (name, var) in &self.vars {
            let (Some(gradient), Some((first, second))) =
                (gradients.get(name), self.moments.get_mut(name))
            else {
                continue;
            };
            let gradient = (gradient * clip)?;
            *first = ((&*first * beta1)? + (&gradient * (1.0 - beta1))?)?;
            *second = ((&*second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
            let mean = (&*first / correction1)?;
            let deviation = ((&*second / correction2)?.sqrt()? + 1e-8)?;
            var.set(&(var.as_tensor() - (mean.div(&deviation)? * (learning_rate * scale))?)?)?;
        }
        Ok(norm)
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
        let n_steps = Tensor::new(&[self.n_steps as f32], &Device::Cpu)?;
        state.push((format!("{prefix}.steps"), n_steps));
        Ok(state)
    }

    /// Restores a saved [`Self::state`]; a tensor that is missing or has another shape is an error.
    pub(super) fn restore(&mut self, prefix: &str, state: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, var) in &self.vars {
            let value = find(state, &format!("{prefix}.value.{name}"), var.dims())?;
            var.set(&value.to_device(var.device())?)?;
        }
        for (name, (first, second)) in &mut self.moments {
            let dims = first.dims().to_vec();
            for (moment, which) in [(first, "first"), (second, "second")] {
                let saved = find(state, &format!("{prefix}.{which}.{name}"), &dims)?;
                *moment = saved.to_device(moment.device())?;
            }
        }
        let n_steps = find(state, &format!("{prefix}.steps"), &[1])?.to_vec1::<f32>()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it was saved from an i32 below 2^24"
        )]
        let n_steps = n_steps.first().map_or(0, |n| *n as i32);
        self.n_steps = n_steps;
        Ok(())
    }
}

/// A tensor of a checkpoint.
pub(super) fn find<'a>(
    state: &'a BTreeMap<String, Tensor>,
    name: &str,
    dims: &[usize],
) -> Result<&'a Tensor> {
    let tensor = state.get(name).ok_or_else(|| {
        candle_core::Error::Msg(format!(
            "the checkpoint lacks {name:?}: it is for another architecture"
        ))
    })?;
    if tensor.dims() != dims {
        return Err(candle_core::Error::Msg(format!(
            "the checkpoint's {name:?} has the shape {:?}, this run needs {dims:?}: it is for another architecture",
            tensor.dims()
        )));
    }
    Ok(tensor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Result<Adam> {
        let var = Var::from_vec(vec![1.0_f32, -2.0], 2, &Device::Cpu)?;
        let schedule = Schedule {
            learning_rate: 0.1,
            clip: 1e9,
            ..Schedule::default()
        };
        Adam::new([("x".to_owned(), var)].into(), &schedule)
    }

    fn descend(adam: &mut Adam, n: usize) -> Result<Vec<f32>> {
        let vars = adam.vars().clone();
        for _ in 0..n {
            let store = vars["x"].sqr()?.sum_all()?.backward()?;
            adam.step(&gradients_of(&vars, &store), 1.0)?;
        }
        vars["x"].to_vec1()
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
    fn a_resumed_run_is_identical_to_the_bit() -> Result<()> {
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

    #[test]
    fn the_gradients_of_replicas_are_averaged() -> Result<()> {
        let gradient = |x: f32| -> Result<Gradients> {
            Ok([("x".to_owned(), Tensor::new(&[x], &Device::Cpu)?)].into())
        };
        let mean = mean(vec![gradient(1.0)?, gradient(4.0)?])?;
        assert_eq!(mean["x"].to_vec1::<f32>()?, [2.5]);
        Ok(())
    }
}
