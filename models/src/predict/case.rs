//! Writes predictions with all their inputs to a file, so that another runtime can be compared on the same inputs.
//!
//! For measurement only; a player never hears any of it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use candle_core::{Device, Tensor};
use lockstep_core::generator::{DrumHistory, Generator as _, PredictError, Request};
use lockstep_core::representation::N_VOICES;

use super::network_drummer::{Network, NetworkDrummer};
use super::parts::{MeasurePart, parts};
use crate::network::{N_PLANES, NET_MEASURES, NET_STEPS, n_own_planes};
use crate::noise;
use crate::weights::{self, WeightsError};

/// Why a case cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// Only a network that decides hit by hit has views and draws to write.
    #[error("the network is a {family}; only an autoregressive one can be compared")]
    Family {
        /// The network's family.
        family: &'static str,
    },
    /// The measure does not have the network's length.
    #[error("the measure has {got} steps; only those of {NET_STEPS} can be compared")]
    Meter {
        /// Its length in steps.
        got: usize,
    },
    /// The case does not have the same hits as the prediction.
    #[error(
        "step {step_idx} of the case differs from the prediction; `predict/case.rs` must draw as `predict.rs` does"
    )]
    Differs {
        /// The first such step.
        step_idx: usize,
    },
    /// A prediction failed.
    #[error("a prediction failed")]
    Predict(#[from] PredictError),
    /// The tensor library failed.
    #[error("the case cannot be assembled")]
    Tensor(#[from] candle_core::Error),
    /// The file cannot be written.
    #[error("the case cannot be written")]
    File(#[from] WeightsError),
}

impl NetworkDrummer {
    /// Writes requests and answers; see [`Predictor::write_case`](super::Predictor::write_case).
    pub(super) fn write_case(
        &mut self,
        path: &Path,
        requests: &[Request],
        times: &[Duration],
    ) -> Result<(), CaseError> {
        let mut stacks: BTreeMap<&str, Vec<Tensor>> = BTreeMap::new();
        for request in requests {
            for (name, tensor) in self.case(request)? {
                stacks.entry(name).or_default().push(tensor);
            }
        }
        let mut tensors = BTreeMap::new();
        for (name, rows) in stacks {
            tensors.insert(name.to_owned(), Tensor::stack(&rows, 0)?);
        }
        let times: Vec<f32> = times.iter().map(|t| 1e6 * t.as_secs_f32()).collect();
        let n_times = times.len();
        tensors.insert(
            "times_us".to_owned(),
            Tensor::from_vec(times, n_times, &Device::Cpu)?,
        );
        Ok(weights::save(path, &tensors, HashMap::new())?)
    }

    /// One request's tensors by name.
    fn case(&mut self, request: &Request) -> Result<Vec<(&'static str, Tensor)>, CaseError> {
        let got = request.meter.n_steps();
        let whole = parts(request.meter).find(|part| part.n_steps == got && got == NET_STEPS);
        let part = whole.ok_or(CaseError::Meter { got })?;
        if !matches!(self.network, Network::Autoregressive(..)) {
            let family = self.name();
            return Err(CaseError::Family { family });
        }
        let cpu = &Device::Cpu;
        let (shares, inputs) = self.heard(request, part, DrumHistory::Own);
        let n_minds = shares.len();
        let steps = |values: &[f32], n_channels: usize| {
            Tensor::from_slice(values, (n_minds, NET_MEASURES, NET_STEPS, n_channels), cpu)
        };
        let n_given = inputs.given.len() / n_minds.max(1);
        let (draws, presence) = self.log_odds(request, part)?;
        let voices = self.config.voices();
        let cells = |values| Tensor::from_vec(values, (NET_STEPS, voices.n()), cpu);
        Ok(vec![
            ("shares", Tensor::from_vec(shares, n_minds, cpu)?),
            ("bass", steps(&inputs.bass, N_PLANES)?),
            ("own", steps(&inputs.own, n_own_planes(voices))?),
            ("accents", steps(&inputs.accents, 1)?),
            (
                "given",
                Tensor::from_vec(inputs.given, (n_minds, n_given), cpu)?,
            ),
            ("draws", cells(draws)?),
            ("presence", cells(presence)?),
        ])
    }

    /// Draws and log-odds of all cells, `(16, V)` each, decided as in a prediction, and checked against one.
    fn log_odds(
        &mut self,
        request: &Request,
        part: MeasurePart,
    ) -> Result<(Vec<f32>, Vec<f32>), CaseError> {
        let map = self.predict(request)?;
        let voices = self.config.voices().voices();
        let (lean, temperature) = (self.config.lean.values(), self.config.temperature.values());
        let mut answer = self.answer(request, part, DrumHistory::Own)?;
        let (mut draws, mut log_odds) = (Vec::new(), Vec::new());
        for step_idx in 0..NET_STEPS {
            let mut outputs = answer.outputs(step_idx);
            let mut hits = [false; N_VOICES];
            for (column, voice) in voices.iter().enumerate() {
                let draw = noise::cell(request.settings, request.measure, step_idx, column);
                let cell = outputs.cell(column).presence;
                let presence = cell + lean[column] + temperature[column] * draw;
                let is_hit = presence > 0.0;
                if is_hit != map.hit(step_idx, *voice).presence().sounds_at(0.5) {
                    return Err(CaseError::Differs { step_idx });
                }
                if is_hit {
                    hits[column] = true;
                    answer.hit(&mut outputs, column);
                }
                draws.push(draw);
                log_odds.push(presence);
            }
            answer.decided(hits);
        }
        Ok((draws, log_odds))
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::generator::GeneratorSettings;
    use lockstep_core::representation::{Onset, Voice, Window};

    use super::*;
    use crate::network::{
        Architecture, BassEmbedding, Drumming, GeneratorNet, N_CONDITIONS, NetworkParameters,
    };
    use crate::voices::VoiceSet;
    use crate::weights::{Config, PerVoice, Weights};

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    fn predictor(generator: Drumming) -> Result<NetworkDrummer, WeightsError> {
        let architecture = Architecture {
            bass: BassEmbedding::Convolution,
            generator,
            controls: generator == Drumming::Autoregressive,
            n_styles: 0,
            voices: VoiceSet::default(),
        };
        let (parameters, _) =
            NetworkParameters::initialise(&GeneratorNet::layers(&architecture), 5)?;
        let config = Config {
            architecture,
            temperature: PerVoice::All(0.5),
            lean: PerVoice::All(0.2),
            looseness: 1.0,
            truncation: 1.0,
            memory: 0.25,
            guidance: 1.0,
        };
        NetworkDrummer::new(config, &parameters)
    }

    fn request(measure: u64) -> Request {
        let mut window = Window::default();
        window.begin(48, Onset::new(40, 0.9));
        let mut request = Request {
            measure,
            window,
            settings: GeneratorSettings {
                variation: 1.0,
                ..GeneratorSettings::default()
            },
            ..Request::default()
        };
        request.played[52][0] = 0.8;
        request
    }

    #[test]
    fn a_case_holds_the_inputs_of_each_mind_and_the_predicted_hits() -> TestResult {
        let mut predictor = predictor(Drumming::Autoregressive)?;
        let file = tempfile::NamedTempFile::new()?;
        let requests = [request(1), request(2)];
        predictor.write_case(file.path(), &requests, &[Duration::from_micros(300)])?;
        let case = Weights::parse(&std::fs::read(file.path())?)?.parameters;
        let values = |name: &str, shape: &[usize]| -> Result<Vec<f32>, WeightsError> {
            Ok(case.tensor(name, shape)?.flatten_all()?.to_vec1()?)
        };
        assert_eq!(values("shares", &[2, 2])?, [0.25, 0.75, 0.25, 0.75]);
        assert_eq!(values("times_us", &[1])?, [300.0]);
        // Both views hear the bass, only the first hears its own drums.
        let sum = |values: &[f32]| values.iter().sum::<f32>();
        let bass = values("bass", &[2, 2, 4, 16, N_PLANES])?;
        assert!(
            bass.chunks(4 * 16 * N_PLANES)
                .all(|network| sum(network) > 0.0)
        );
        let n_own = n_own_planes(VoiceSet::default());
        let own = values("own", &[2, 2, 4, 16, n_own])?;
        let inputs: Vec<bool> = own
            .chunks(4 * 16 * n_own)
            .map(|network| sum(network) > 0.0)
            .collect();
        assert_eq!(inputs, [true, false, true, false]);
        values("accents", &[2, 2, 4, 16, 1])?;
        values("given", &[2, 2, N_CONDITIONS])?;
        let draws = values("draws", &[2, 16, N_VOICES])?;
        let (first, second) = draws.split_at(16 * N_VOICES);
        assert_ne!(first, second);
        let presence = values("presence", &[2, 16, N_VOICES])?;
        for (request, presence) in requests.iter().zip(presence.chunks(16 * N_VOICES)) {
            let map = predictor.predict(request)?;
            for (i, log_odds) in presence.iter().enumerate() {
                let hit = map.hit(i / N_VOICES, Voice::ALL[i % N_VOICES]);
                let expected = crate::network::logistic(*log_odds);
                assert!((hit.presence().value() - expected).abs() < 1e-6);
            }
        }
        Ok(())
    }

    #[test]
    fn errors_name_the_family_or_the_length_that_cannot_be_compared() -> TestResult {
        let file = tempfile::NamedTempFile::new()?;
        let write = |generator, request: Request| -> Result<String, WeightsError> {
            let outcome = predictor(generator)?.write_case(file.path(), &[request], &[]);
            Ok(outcome.err().map(|e| e.to_string()).unwrap_or_default())
        };
        let text = write(Drumming::ThreeD, request(1))?;
        assert!(text.contains("conditional-gan"), "{text}");
        let waltz = Request {
            meter: lockstep_core::representation::Meter::new(3, 4).unwrap_or_default(),
            ..request(1)
        };
        let text = write(Drumming::Autoregressive, waltz)?;
        assert!(text.contains("12 steps"), "{text}");
        Ok(())
    }
}
