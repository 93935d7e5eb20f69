//! Spectral normalisation (Miyato et al. 2018): each weight of the critic is divided by its largest singular value, so
//! that the critic stays 1-Lipschitz layer by layer and its hinge loss gives a useful slope.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use lockstep_core::draws;
use lockstep_models::network::NetworkParameters;

/// One power iteration per step; that is enough, because the weights change slowly.
#[derive(Debug, Default)]
pub(super) struct SpectralNorm {
    /// Right singular vectors, `(n_out, 1)`, by weight name.
    vectors: BTreeMap<String, Tensor>,
}

impl SpectralNorm {
    /// The same parameters with normalised weights; gradients flow through the norm.
    pub(super) fn apply(&mut self, parameters: &NetworkParameters) -> Result<NetworkParameters> {
        let mut normalised = parameters.clone();
        for (name, weight) in &mut normalised.0 {
            let Ok((_, n_out)) = weight.dims2() else {
                continue;
            };
            let fixed = weight.detach();
            let v = if let Some(v) = self.vectors.get(name) {
                v.clone()
            } else {
                let start: Vec<f32> = (0..n_out).map(|i| draws::normal(&[i as u64])).collect();
                unit(&Tensor::from_vec(start, (n_out, 1), &Device::Cpu)?)?
            };
            let u = unit(&fixed.matmul(&v)?)?;
            let v = unit(&fixed.t()?.matmul(&u)?)?;
            let norm = u.t()?.matmul(&weight.matmul(&v)?)?;
            self.vectors.insert(name.clone(), v);
            *weight = weight.broadcast_div(&norm)?;
        }
        Ok(normalised)
    }
}

impl SpectralNorm {
    /// The vectors, under names that begin with `prefix`.
    pub(super) fn state(&self, prefix: &str) -> Vec<(String, Tensor)> {
        let named = |(name, v): (&String, &Tensor)| (format!("{prefix}.{name}"), v.clone());
        self.vectors.iter().map(named).collect()
    }

    /// Restores the vectors of [`Self::state`].
    pub(super) fn restore(&mut self, prefix: &str, state: &BTreeMap<String, Tensor>) {
        let prefix = format!("{prefix}.");
        self.vectors = state
            .iter()
            .filter_map(|(name, v)| Some((name.strip_prefix(&prefix)?.to_owned(), v.clone())))
            .collect();
    }
}

fn unit(v: &Tensor) -> Result<Tensor> {
    v.broadcast_div(&(v.sqr()?.sum_all()?.sqrt()? + 1e-12)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_singular_value_becomes_one() -> Result<()> {
        let weight = Tensor::new(&[[3.0_f32, 0.0], [0.0, 0.5]], &Device::Cpu)?;
        let parameters = NetworkParameters([("w.weight".to_owned(), weight)].into());
        let mut norm = SpectralNorm::default();
        for _ in 0..20 {
            norm.apply(&parameters)?;
        }
        let values = norm.apply(&parameters)?.0["w.weight"].to_vec2::<f32>()?;
        assert!((values[0][0] - 1.0).abs() < 1e-4, "{values:?}");
        assert!((values[1][1] - 0.5 / 3.0).abs() < 1e-4, "{values:?}");
        Ok(())
    }
}
