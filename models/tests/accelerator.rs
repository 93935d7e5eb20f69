//! A trunk on another device, as the predictor uses it: taken if it agrees with the CPU, dropped if it fails, and in neither
//! case heard in the drums.

use candle_core::{Device, Tensor};
use lockstep_core::generator::{Generator as _, Request};
use lockstep_core::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, N_VOICES, Onset, Voice, WINDOW_STEPS, Window,
};
use lockstep_models::network::{
    Architecture, BassEmbedding, Drumming, GeneratorNet, N_FEATURES, NET_STEPS, NetworkParameters,
};
use lockstep_models::predict::{NetworkTrunk, Predictor, Trunk, TrunkError, TrunkInputs};
use lockstep_models::voices::VoiceSet;
use lockstep_models::weights::{Config, PerVoice, save};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Untrained weights, as a file's bytes.
fn weights(bass: BassEmbedding) -> TestResult<Vec<u8>> {
    let config = Config {
        architecture: Architecture {
            bass,
            generator: Drumming::Autoregressive,
            controls: true,
            n_styles: 2,
            voices: VoiceSet::default(),
        },
        temperature: PerVoice::All(1.0),
        lean: PerVoice::All(0.0),
        looseness: 1.0,
        truncation: 1.0,
        memory: 0.5,
        guidance: 1.0,
    };
    let layers = GeneratorNet::layers(&config.architecture);
    let (NetworkParameters(mut tensors), _) = NetworkParameters::initialise(&layers, 7)?;
    if let BassEmbedding::Vocabulary { n_words } = config.architecture.bass {
        let words = Tensor::zeros((n_words, 2), candle_core::DType::F32, &Device::Cpu)?;
        tensors.insert(lockstep_models::network::WORDS.to_owned(), words);
    }
    let metadata = [
        ("architecture", "autoregressive".to_owned()),
        ("representation", config.voices().version().to_string()),
        ("config", serde_json::to_string(&config)?),
    ];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("weights.safetensors");
    save(&path, &tensors, metadata.into_iter().collect())?;
    Ok(std::fs::read(&path)?)
}

/// The request for a measure.
fn request(measure: u64) -> Request {
    let mut window = Window::default();
    let mut played = [[0.0; N_VOICES]; WINDOW_STEPS];
    for step_idx in (0..WINDOW_STEPS).step_by(3) {
        window.begin(step_idx, Onset::new(40, 0.8));
        played[step_idx][step_idx % N_VOICES] = 0.6;
    }
    let mut request = Request {
        measure,
        window,
        played,
        ..Request::default()
    };
    // Three views: with the bass counting more than learnt, with and without own drums, and one with neither.
    request.settings.follow = 0.8;
    request
}

fn drums(predictor: &mut Predictor) -> TestResult<Vec<HitMap>> {
    let maps = (0..6).map(|measure| predictor.predict(&request(measure)));
    Ok(maps.collect::<Result<_, _>>()?)
}

/// Whether two measures differ only by rounding: batches of views are multiplied in other blocks, so sums run in another order.
fn is_alike(a: &HitMap, b: &HitMap) -> bool {
    (0..MAX_STEPS_PER_MEASURE).all(|step_idx| {
        Voice::ALL.into_iter().all(|voice| {
            let (a, b) = (a.hit(step_idx, voice), b.hit(step_idx, voice));
            let is_hit = |hit: Hit| hit.presence().sounds_at(0.5);
            let is_near = |a: f32, b: f32| (a - b).abs() < 1e-3;
            is_hit(a) == is_hit(b)
                && is_near(a.presence().value(), b.presence().value())
                && is_near(a.velocity(), b.velocity())
                && is_near(a.offset(), b.offset())
        })
    })
}

/// Asserts that the first `n_by_device` measures are alike, and that all later ones are the CPU's to the bit.
#[track_caller]
fn assert_drums(got: &[HitMap], cpu: &[HitMap], n_by_device: usize, what: &str) {
    assert_eq!(got.len(), cpu.len());
    for (measure, (got, cpu)) in got.iter().zip(cpu).enumerate() {
        if measure < n_by_device {
            assert!(is_alike(got, cpu), "{what}: measure {measure} differs");
        } else {
            assert!(got == cpu, "{what}: measure {measure} is not the CPU's");
        }
    }
}

type Spoil = fn(&TrunkInputs, Vec<f32>) -> Result<Vec<f32>, TrunkError>;

/// The network's own trunk, spoilt after some good answers.
#[derive(Debug)]
struct Spoilt {
    trunk: NetworkTrunk,
    n_good_answers: usize,
    spoil: Spoil,
}

impl Trunk for Spoilt {
    fn device(&self) -> &'static str {
        "a device"
    }

    fn features(&mut self, inputs: &TrunkInputs) -> Result<Vec<f32>, TrunkError> {
        let features = self.trunk.features(inputs)?;
        match self.n_good_answers.checked_sub(1) {
            Some(n) => {
                self.n_good_answers = n;
                Ok(features)
            }
            None => (self.spoil)(inputs, features),
        }
    }
}

const WAYS: [(&str, Spoil); 3] = [
    ("a device: gone", |_, _| {
        Err(TrunkError::Library("gone".to_owned()))
    }),
    ("a device: it returned NaN", |_, mut features| {
        features[3] = f32::NAN;
        Ok(features)
    }),
    ("a device: it returned", |inputs, mut features| {
        assert_eq!(features.len(), inputs.n() * NET_STEPS * N_FEATURES);
        features.pop();
        Ok(features)
    }),
];

#[test]
fn after_any_failure_the_drums_are_the_cpus_and_the_report_says_why() -> TestResult {
    let weights = weights(BassEmbedding::Convolution)?;
    let cpu = drums(&mut Predictor::new(&weights)?)?;
    for (why, spoil) in WAYS {
        for n_good_answers in 0..5 {
            let mut predictor = Predictor::new(&weights)?;
            predictor.accelerate(Box::new(Spoilt {
                trunk: NetworkTrunk::new(&weights)?,
                n_good_answers,
                spoil,
            }));
            let is_taken = predictor.device().name == "a device";
            assert_eq!(
                is_taken,
                n_good_answers > 0,
                "the first answer is the trial"
            );
            let n_by_device = n_good_answers.saturating_sub(1);
            assert_drums(&drums(&mut predictor)?, &cpu, n_by_device, why);
            let report = predictor.device();
            assert_eq!(report.name, "CPU");
            let refusal = report.refusal.unwrap_or_default();
            assert!(refusal.starts_with(why), "{refusal}");
        }
    }
    Ok(())
}

#[test]
fn each_kind_of_embedding_can_be_computed_on_another_device() -> TestResult {
    for bass in [
        BassEmbedding::Convolution,
        BassEmbedding::Transformer {
            n_blocks: 2,
            n_heads: 4,
        },
        BassEmbedding::Vocabulary { n_words: 3 },
    ] {
        let weights = weights(bass)?;
        let mut predictor = Predictor::new(&weights)?;
        let cpu = drums(&mut predictor)?;
        predictor.accelerate(Box::new(NetworkTrunk::new(&weights)?));
        assert_eq!(predictor.device().refusal, None);
        assert_ne!(predictor.device().name, "CPU");
        let what = format!(
            "{:?}",
            predictor.config().map(|config| &config.architecture.bass)
        );
        assert_drums(&drums(&mut predictor)?, &cpu, cpu.len(), &what);
    }
    Ok(())
}

#[test]
fn another_network_is_refused() -> TestResult {
    let weights = weights(BassEmbedding::Convolution)?;
    let mut predictor = Predictor::new(&weights)?;
    let cpu = drums(&mut predictor)?;
    predictor.accelerate(Box::new(Spoilt {
        trunk: NetworkTrunk::new(&weights)?,
        n_good_answers: 0,
        spoil: |_, features| Ok(features.iter().map(|x| 1.1 * x).collect()),
    }));
    let report = predictor.device();
    assert_eq!(report.name, "CPU");
    assert!(
        report
            .refusal
            .is_some_and(|why| why.contains("another version"))
    );
    assert_drums(&drums(&mut predictor)?, &cpu, 0, "another network");
    predictor.on_cpu();
    assert_eq!(predictor.device().refusal, None);
    Ok(())
}

#[test]
fn a_drummer_without_a_trunk_stays_on_the_cpu_and_says_so() -> TestResult {
    let weights = weights(BassEmbedding::Convolution)?;
    let gan = include_bytes!("../weights/base.safetensors");
    let mut predictor = Predictor::new(gan)?;
    assert!(!predictor.has_trunk());
    predictor.accelerate(Box::new(NetworkTrunk::new(&weights)?));
    let refusal = predictor.device().refusal.unwrap_or_default().to_owned();
    assert!(refusal.contains("conditional-gan"), "{refusal}");
    let refused = NetworkTrunk::new(gan).err();
    assert!(matches!(
        refused,
        Some(TrunkError::Family("conditional-gan"))
    ));
    Ok(())
}
