//! How likely the player finds people's drums, beside the same from the network in tensors.

use candle_core::{DType, Device, Tensor};
use lockstep_core::generator::{DrumHistory, Generator as _, Hits, Probabilities};
use lockstep_core::representation::{
    MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Swing, WINDOW_STEPS, pitch_index,
};
use lockstep_models::network::player::ear::N_GROOVES;
use lockstep_models::network::player::rows::OwnRow;
use lockstep_models::network::player::{
    BassRow, Behind, DrumRow, Given, Heard, LAGS, N_BASS, N_BESIDE, N_GIVEN, N_OWN, PlayerNet,
    WIDTH, beside, first_remembered,
};
use lockstep_models::network::{NET_STEPS, logistic};
use lockstep_models::noise::ORDINARY_VELOCITY;
use lockstep_models::predict::Predictor;

use super::TestResult;
use super::song::{LOOSE, Song, config, parameters};

/// What the tensors say of people's next measure: the log-odds become probabilities, with the weights of guidance left out.
fn in_tensors(
    net: &PlayerNet,
    song: &Song,
    (measure, family): (usize, usize),
    history: DrumHistory,
) -> TestResult<Vec<f32>> {
    let n_steps = song.meter.n_steps();
    let (mut basses, mut drums, mut past) = (Vec::new(), Vec::new(), Vec::new());
    for measure in 0..=measure {
        let mut bass = BassRow::default();
        let (mut own, mut remembered) = (DrumRow::default(), OwnRow::default());
        for step in 0..n_steps {
            let at = measure * n_steps + step;
            if let Some(onset) = song.onset(at) {
                let pitch = usize::from(pitch_index(onset.key));
                bass.begin(step, pitch, onset.velocity, onset.lateness);
            } else if at.checked_sub(1).and_then(|at| song.onset(at)).is_some() {
                bass.hold(step);
            }
            for voice in 0..N_VOICES {
                let velocity = song.drums(at, voice);
                if velocity > 0.0 {
                    own.hit(step, voice, velocity);
                    // Voice 0 is the kick.
                    if voice > 0 {
                        remembered.row.hit(step, voice, velocity);
                    }
                }
            }
        }
        // Of the kick only its mean velocity is remembered, at every step.
        let kicks: Vec<f32> = (0..NET_STEPS).map(|step| own.velocities(step)[0]).collect();
        let n_kicks = kicks.iter().filter(|velocity| **velocity > 0.0).count();
        for step in remembered.row.0.chunks_exact_mut(2 * N_VOICES) {
            step[N_VOICES] = kicks.iter().sum::<f32>() / n_kicks.max(1) as f32;
        }
        basses.push(bass);
        drums.push(own);
        past.push(remembered);
    }
    let known = |measure: usize| history == DrumHistory::People && measure > 0;
    let remembered = first_remembered(measure)..measure;
    let m = remembered.len();
    let rows = |rows: Vec<f32>, n: usize| Tensor::from_vec(rows, (1, m, n), &Device::Cpu);
    let all = |of: &dyn Fn(usize) -> Vec<f32>| remembered.clone().flat_map(of).collect();
    let given = |of: usize| Given {
        // A take begins in the song, after two phrases.
        measure: 16 + of as u64 + 1,
        tempo_bpm: 103.0,
        n_steps,
        counts_eighths: song.meter.denominator() == 8,
        swing: Swing::new(0.2, 0.0),
        touch: Some(LOOSE),
        family: Some(family),
        is_by_the_book: true,
        groove: Some(0),
        ..Given::default()
    };
    let silence = || vec![0.0; N_OWN];
    let own = |of: usize| {
        if known(of) {
            past[of].row.0.to_vec()
        } else {
            silence()
        }
    };
    let heard = Heard {
        bass: rows(all(&|of| basses[of].0.to_vec()), N_BASS)?,
        own: rows(all(&own), N_OWN)?,
        given: rows(all(&|of| given(of).numbers().to_vec()), N_GIVEN)?,
        no_bass: rows(vec![0.0; m], 1)?,
        no_own: rows(all(&|of| vec![f32::from(u8::from(!known(of)))]), 1)?,
    };
    let meant = net
        .remember(&heard)?
        .narrow(1, m - 1, 1)?
        .reshape((1, WIDTH))?;
    let before = |lag: usize| {
        measure
            .checked_sub(lag)
            .filter(|of| *of >= remembered.start)
    };
    let behind = Behind {
        bass: std::array::from_fn(|i| before(i + 1).map(|of| &basses[of])),
        own: LAGS.map(|lag| before(lag).filter(|of| known(*of)).map(|of| &past[of])),
        returns: None,
    };
    // The player is told the hits alone: each has an ordinary velocity.
    let mut now = DrumRow::default();
    let (mut seen, mut said) = (Vec::new(), Vec::<f32>::new());
    for step in 0..NET_STEPS {
        let mut numbers = [0.0; N_BESIDE];
        beside(&mut numbers, step, &behind, &now);
        seen.extend(numbers);
        for (voice, hit) in drums[measure].hits(step).iter().enumerate() {
            if *hit > 0.0 {
                now.hit(step, voice, ORDINARY_VELOCITY);
            }
        }
        said.extend(drums[measure].hits(step));
    }
    let step_shape = |n| (1, NET_STEPS, n);
    let outputs = net.decode(
        &meant,
        &Tensor::from_vec(seen, step_shape(N_BESIDE), &Device::Cpu)?,
        &Tensor::from_vec(said, step_shape(N_VOICES), &Device::Cpu)?,
    )?;
    let presence = outputs.narrow(2, 0, N_VOICES)?.narrow(1, 0, n_steps)?;
    let presence: Vec<f32> = presence.flatten_all()?.to_vec1()?;
    Ok(presence.into_iter().map(logistic).collect())
}

#[test]
fn peoples_next_measure_is_as_likely_as_the_trained_network_says() -> TestResult {
    let family = 3;
    for (meter, history) in [
        (Meter::COMMON, DrumHistory::People),
        (Meter::COMMON, DrumHistory::Empty),
        (Meter::new(6, 8).ok_or("a meter")?, DrumHistory::People),
    ] {
        let mut parameters = parameters(LOOSE)?;
        // The groove is drawn, and nobody else knows which: here it makes no difference.
        if let Some(given) = parameters.0.get_mut("given.weight") {
            let others = given.narrow(0, 0, N_GIVEN - N_GROOVES)?;
            let grooves = Tensor::zeros((N_GROOVES, WIDTH), DType::F32, &Device::Cpu)?;
            *given = Tensor::cat(&[&others, &grooves], 0)?;
        }
        let net = PlayerNet::new(&parameters)?;
        let mut predictor = Predictor::player(config(), &parameters)?;
        let song = Song {
            meter,
            ..Song::default()
        };
        let n_steps = meter.n_steps();
        for measure in 1..=40 {
            let mut request = song.request(measure);
            request.settings.style = Some(u8::try_from(family)?);
            if history == DrumHistory::Empty {
                request.played = [[0.0; N_VOICES]; WINDOW_STEPS];
            }
            let measure = usize::try_from(measure)?;
            let mut people: Hits = [[false; N_VOICES]; MAX_STEPS_PER_MEASURE];
            for (step, row) in people.iter_mut().enumerate().take(n_steps) {
                *row =
                    std::array::from_fn(|voice| song.drums(measure * n_steps + step, voice) > 0.0);
            }
            let answer = predictor.probabilities(&request, &people, history)?;
            let Probabilities(rows) = answer.ok_or("it has likelihoods")?;
            let expected = in_tensors(&net, &song, (measure, family), history)?;
            let got = rows[..n_steps].as_flattened();
            assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(&expected) {
                assert!(
                    (got - expected).abs() < 1e-4,
                    "{got} for {expected} in {measure}"
                );
            }
            assert!(rows[n_steps..].as_flattened().iter().all(|p| *p == 0.0));
        }
    }
    Ok(())
}
