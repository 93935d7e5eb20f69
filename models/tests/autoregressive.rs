//! The drummer that hears itself decides hit by hit, in plain numbers; its network is trained on all steps at once. Both must
//! agree.

use candle_core::{Device, Tensor};
use lockstep_core::draws;
use lockstep_core::generator::{
    DrumHistory, FillLength, FillWish, Generator as _, GeneratorSettings, Hits, Probabilities,
    Request,
};
use lockstep_core::representation::{
    MAX_STEPS_PER_MEASURE, N_VOICES, Onset, Voice, WINDOW_STEPS, Window,
};
use lockstep_models::network::{
    Architecture, BassEmbedding, Conditioning, Context, Drumming, GeneratorNet, N_CONDITIONS,
    N_LATENT, N_PLANES, NET_MEASURES, NET_STEPS, NetworkParameters, energy, lateness, logistic,
    mark_known, n_own_planes,
};
use lockstep_models::predict::Predictor;
use lockstep_models::voices::VoiceSet;
use lockstep_models::weights::{Config, PerVoice};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

const N_STYLES: usize = 3;
const STYLE: usize = 1;

fn config(voices: VoiceSet, memory: f32) -> Config {
    Config {
        architecture: Architecture {
            bass: BassEmbedding::Convolution,
            generator: Drumming::Autoregressive,
            controls: true,
            n_styles: N_STYLES,
            voices,
        },
        temperature: PerVoice::All(1.0),
        lean: PerVoice::All(0.0),
        looseness: 1.0,
        truncation: 1.0,
        memory,
        guidance: 1.0,
    }
}

/// Untrained weights.
fn parameters(voices: VoiceSet) -> TestResult<NetworkParameters> {
    let layers = GeneratorNet::layers(&config(voices, 1.0).architecture);
    Ok(NetworkParameters::initialise(&layers, 7)?.0)
}

fn is_hit(coordinates: &[u64]) -> bool {
    draws::uniform(coordinates) < 0.2
}

fn onset(velocity: f32, lateness: f32) -> Onset {
    Onset {
        key: 40,
        velocity,
        lateness,
    }
}

fn request() -> Request {
    let mut window = Window::default();
    let mut played = [[0.0; N_VOICES]; WINDOW_STEPS];
    for step_idx in (0..WINDOW_STEPS).step_by(3) {
        let lateness = 0.01 * (step_idx % 7) as f32;
        window.begin(step_idx, onset(0.8, lateness));
    }
    for (step, row) in (0..).zip(&mut played) {
        for (voice, velocity) in (0..).zip(row) {
            *velocity = 0.8 * f32::from(u8::from(is_hit(&[1, step, voice])));
        }
    }
    Request {
        measure: 6,
        heard_steps: NET_STEPS,
        window,
        played,
        settings: GeneratorSettings {
            idea: 0,
            seed: 5,
            variation: 0.1,
            follow: 0.5,
            style: u8::try_from(STYLE).ok(),
            fill: FillWish::With(FillLength::Measure),
            ..GeneratorSettings::default()
        },
        ..Request::default()
    }
}

fn people() -> Hits {
    let mut hits = [[false; N_VOICES]; MAX_STEPS_PER_MEASURE];
    for (step, row) in (0..).zip(&mut hits).take(NET_STEPS) {
        for (voice, hit) in (0..).zip(row) {
            *hit = is_hit(&[2, step, voice]);
        }
    }
    hits
}

/// The probabilities for the same request, `(16, V)`, computed with tensors for all cells at once.
fn by_tensors(voices: VoiceSet, request: &Request, people: &Hits) -> TestResult<Vec<f32>> {
    let (n, n_own) = (voices.n(), n_own_planes(voices));
    let mut bass = vec![0_f32; NET_MEASURES * NET_STEPS * N_PLANES];
    let mut own = vec![0_f32; NET_MEASURES * NET_STEPS * n_own];
    for step_idx in 0..WINDOW_STEPS {
        for pitch in request.window.onsets(step_idx).indices() {
            bass[step_idx * N_PLANES + 2 * pitch] = 1.0;
        }
        for pitch in request.window.sounding(step_idx).indices() {
            bass[step_idx * N_PLANES + 2 * pitch + 1] = 1.0;
        }
        for (voice, velocity) in Voice::ALL.into_iter().zip(request.played[step_idx]) {
            let Some(column) = voices.column(voice).filter(|_| velocity > 0.0) else {
                continue;
            };
            own[step_idx * n_own + column] = 1.0;
            let loudest = &mut own[step_idx * n_own + n + column];
            *loudest = loudest.max(velocity);
        }
    }
    own.chunks_exact_mut(NET_STEPS * n_own)
        .for_each(|measure| mark_known(voices, measure));
    let mut said = vec![0_f32; NET_STEPS * n];
    for (step, hits) in said.chunks_exact_mut(n).zip(people) {
        for (voice, _) in Voice::ALL.into_iter().zip(hits).filter(|(_, hit)| **hit) {
            if let Some(column) = voices.column(voice) {
                step[column] = 1.0;
            }
        }
    }
    let cpu = &Device::Cpu;
    let accents: Vec<f32> = (0..WINDOW_STEPS)
        .map(|step_idx| request.window.accent(step_idx))
        .collect();
    let late: Vec<f32> = (0..WINDOW_STEPS)
        .map(|step_idx| request.window.lateness(step_idx))
        .collect();
    let given = Conditioning {
        measure: request.measure,
        tempo_bpm: request.tempo_bpm,
        n_steps: NET_STEPS,
        counts_eighths: false,
        energy: energy(&accents, NET_STEPS),
        lateness: lateness(&accents, &late),
        fill: request.settings.fill.asks_for_fill(),
    };
    let mut given = given.numbers().to_vec();
    given.extend((0..N_STYLES).map(|style| f32::from(u8::from(style == STYLE))));
    let context = Context {
        own: Tensor::from_vec(own, (1, NET_MEASURES, NET_STEPS, n_own), cpu)?,
        accents: Tensor::from_vec(accents, (1, NET_MEASURES, NET_STEPS, 1), cpu)?,
        given: Tensor::from_vec(given, (1, 1, N_CONDITIONS + N_STYLES), cpu)?,
    };
    let outputs = GeneratorNet::new(&config(voices, 1.0).architecture, &parameters(voices)?)?
        .forward(
            &Tensor::from_vec(bass, (1, NET_MEASURES, NET_STEPS, N_PLANES), cpu)?,
            &Tensor::zeros((1, 1, N_LATENT), candle_core::DType::F32, cpu)?,
            (
                &context,
                &Tensor::from_vec(said, (1, 1, NET_STEPS, n), cpu)?,
            ),
        )?;
    Ok(outputs
        .narrow(3, 0, n)?
        .flatten_all()?
        .to_vec1::<f32>()?
        .into_iter()
        .map(logistic)
        .collect())
}

fn ask(memory: f32, request: &Request, people: &Hits) -> TestResult<Probabilities> {
    ask_with(VoiceSet::default(), memory, request, people)
}

fn ask_with(
    voices: VoiceSet,
    memory: f32,
    request: &Request,
    people: &Hits,
) -> TestResult<Probabilities> {
    let mut predictor = Predictor::from_parameters(config(voices, memory), &parameters(voices)?)?;
    Ok(predictor
        .probabilities(request, people, DrumHistory::Own)?
        .ok_or("the predictor has no likelihoods")?)
}

#[test]
fn step_by_step_agrees_with_all_at_once_to_a_ten_thousandth() -> TestResult {
    for voices in [VoiceSet::Version1, VoiceSet::Version2] {
        let expected = by_tensors(voices, &request(), &people())?;
        let got = ask_with(voices, 1.0, &request(), &people())?;
        for (step, (expected, got)) in expected.chunks_exact(voices.n()).zip(&got.0).enumerate() {
            let mut heard = [0.0; N_VOICES];
            for (voice, expected) in voices.voices().iter().zip(expected) {
                heard[voice.index()] = *expected;
            }
            for (voice, (expected, got)) in Voice::ALL.into_iter().zip(heard.iter().zip(got)) {
                assert!(
                    (expected - got).abs() < 1e-4,
                    "{voices:?}, {voice:?} at step {step}: {got}, {expected}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn a_cell_knows_what_was_decided_before_it_and_nothing_after() -> TestResult {
    let (step_idx, voice) = (6, Voice::ClosedHat.index());
    let mut other = people();
    other[step_idx][voice] ^= true;
    let (a, b) = (
        ask(1.0, &request(), &people())?,
        ask(1.0, &request(), &other)?,
    );
    let cell = step_idx * N_VOICES + voice;
    let (a, b) = (a.0.as_flattened(), b.0.as_flattened());
    assert_eq!(a[..=cell], b[..=cell]);
    assert_ne!(
        a[cell + 1].to_bits(),
        b[cell + 1].to_bits(),
        "the next voice of the same step"
    );
    let next_step = (step_idx + 1) * N_VOICES;
    assert_ne!(a[next_step..], b[next_step..]);
    Ok(())
}

#[test]
fn memory_decides_whether_its_own_drums_count() -> TestResult {
    let mut other = request();
    other.played[WINDOW_STEPS - 20][Voice::Kick.index()] += 0.5;
    let answers = |memory| -> TestResult<[Probabilities; 2]> {
        Ok([
            ask(memory, &request(), &people())?,
            ask(memory, &other, &people())?,
        ])
    };
    let [a, b] = answers(0.0)?;
    assert_eq!(a, b, "without memory its own drums must not count");
    let [a, b] = answers(0.5)?;
    assert_ne!(a, b);
    Ok(())
}

#[test]
fn every_control_counts_and_at_follow_zero_the_bass_does_not() -> TestResult {
    let plain = request();
    let mut others = vec![plain; 5];
    others[0].settings.style = Some(2);
    others[1].settings.fill = FillWish::Without;
    others[2].settings.follow = 1.0;
    others[3]
        .window
        .begin(WINDOW_STEPS - 1, Onset::new(52, 1.0));
    // The same note, barely louder, but late.
    others[4].window.begin(0, onset(0.81, 0.3));
    let first = ask(0.5, &plain, &people())?;
    for other in &others {
        assert_ne!(ask(0.5, other, &people())?, first, "{:?}", other.settings);
    }
    let deaf = |mut request: Request| {
        request.settings.follow = 0.0;
        ask(0.5, &request, &people())
    };
    assert_eq!(deaf(plain)?, deaf(others[3])?);
    Ok(())
}

#[test]
fn the_same_request_is_the_same_measure_and_another_seed_another() -> TestResult {
    let mut predictor = Predictor::from_parameters(
        config(VoiceSet::default(), 1.0),
        &parameters(VoiceSet::default())?,
    )?;
    let first = predictor.predict(&request())?;
    assert_eq!(first, predictor.predict(&request())?);
    let mut other = request();
    other.settings.seed += 1;
    assert_ne!(first, predictor.predict(&other)?);
    Ok(())
}
