//! The player plays in plain numbers, measure by measure and hit by hit; its network is trained on all of them at once. Both
//! must agree.

use candle_core::{Device, Tensor};
use lockstep_core::draws;
use lockstep_core::representation::{Limb, Swing, Voice, is_impossible};
use lockstep_models::network::player::ear::{N_FAMILIES, N_GROOVES};
use lockstep_models::network::player::returns::{N_CHOICES, N_RETURNS, N_STRANDS};
use lockstep_models::network::player::touch::N_TOUCHES;
use lockstep_models::network::player::{
    BassRow, Brain, DrumRow, Given, Heard, HeardMeasure, MEMORY, Mind, N_BASS, N_BESIDE, N_GIVEN,
    N_OWN, N_VOICES, PlayerNet, Rehearsal, Returns, WIDTH, behind, beside, first_remembered,
    layers, take_turns,
};
use lockstep_models::network::{NET_STEPS, NetworkParameters, StepOutputs};
use lockstep_models::voices::VoiceSet;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Untrained weights, with biases and with tables that count.
fn parameters() -> TestResult<NetworkParameters> {
    let (NetworkParameters(mut tensors), _) = NetworkParameters::initialise(&layers(), 7)?;
    for (idx, (name, tensor)) in (0_u64..).zip(&mut tensors) {
        if name.contains("bias") || name.contains("within") || name.contains("after") {
            let n = tensor.elem_count() as u64;
            let values = (0..n).map(|i| 0.3 * draws::normal(&[99, idx, i]));
            *tensor = Tensor::from_iter(values, &Device::Cpu)?.reshape(tensor.shape())?;
        }
    }
    Ok(NetworkParameters(tensors))
}

fn is(at: &[u64], share: f32) -> bool {
    draws::uniform(at) < share
}

fn bass(measure: u64) -> BassRow {
    let mut row = BassRow::default();
    for step in 0..16_u8 {
        let at = |stream| [1, stream, measure, u64::from(step)];
        if is(&at(0), 0.4) {
            let pitch = 5 + usize::from(step * 7 % 19);
            let velocity = 0.3 + 0.7 * draws::uniform(&at(1));
            row.begin(step.into(), pitch, velocity, draws::uniform(&at(2)) - 0.5);
        }
    }
    row
}

fn drums(measure: u64) -> DrumRow {
    let mut row = DrumRow::default();
    for step in 0..NET_STEPS {
        for voice in 0..N_VOICES {
            let at = |stream| [2, stream, measure, step as u64, voice as u64];
            if is(&at(0), 0.15) {
                row.hit(step, voice, 0.2 + 0.8 * draws::uniform(&at(1)));
            }
        }
    }
    row
}

fn given(measure: u64) -> Given {
    Given {
        measure,
        tempo_bpm: 97.0,
        n_steps: if measure.is_multiple_of(3) { 12 } else { 16 },
        counts_eighths: measure.is_multiple_of(3),
        swing: Swing::STRAIGHT,
        fill: measure.is_multiple_of(4).then_some(true),
        energy: measure.is_multiple_of(2).then_some(0.5),
        touch: Some([0.0, 0.4, 0.3, -0.2, 1.0, 0.0, 0.0]),
        family: Some(5),
        is_by_the_book: false,
        groove: Some(11),
    }
}

/// A measure of which now and then something is not heard.
fn heard(measure: u64) -> HeardMeasure {
    HeardMeasure {
        bass: (measure % 5 != 3).then(|| bass(measure)),
        own: (measure >= 2 && measure % 7 != 4).then(|| drums(measure).remembered()),
        given: given(measure + 1).numbers(),
    }
}

fn song(n: u64) -> Vec<HeardMeasure> {
    (0..n).map(heard).collect()
}

fn differ(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    differences.fold(0.0, f32::max)
}

/// What the tensors mean after each of these measures, `(M, WIDTH)`.
fn meant_in_tensors(net: &PlayerNet, measures: &[HeardMeasure]) -> TestResult<Vec<f32>> {
    let m = measures.len();
    let tensor = |rows: Vec<f32>, n: usize| Tensor::from_vec(rows, (1, m, n), &Device::Cpu);
    let bass = measures.iter().flat_map(|of| of.bass.unwrap_or_default().0);
    let own = measures
        .iter()
        .flat_map(|of| of.own.unwrap_or_default().row.0);
    let given = measures.iter().flat_map(|of| of.given);
    let hidden = |is: fn(&HeardMeasure) -> bool| {
        let flags = measures.iter().map(|of| f32::from(u8::from(is(of))));
        tensor(flags.collect(), 1)
    };
    let heard = Heard {
        bass: tensor(bass.collect(), N_BASS)?,
        own: tensor(own.collect(), N_OWN)?,
        given: tensor(given.collect(), N_GIVEN)?,
        no_bass: hidden(|of| of.bass.is_none())?,
        no_own: hidden(|of| of.own.is_none())?,
    };
    Ok(net.remember(&heard)?.flatten_all()?.to_vec1()?)
}

#[test]
fn what_is_meant_is_the_same_in_plain_numbers_as_in_tensors() -> TestResult {
    let parameters = parameters()?;
    let (net, brain) = (PlayerNet::new(&parameters)?, Brain::new(&parameters)?);
    let song = song(MEMORY as u64);
    let expected = meant_in_tensors(&net, &song)?;
    let mut mind = Mind::default();
    for n in 1..=song.len() {
        let meant = mind.meant(&brain, &song[..n]);
        let off = differ(&meant, &expected[(n - 1) * WIDTH..n * WIDTH]);
        assert!(off < 1e-4, "off by {off} after {n} measures");
    }
    // The measures of this song do mean different things.
    assert!(differ(&expected[..WIDTH], &expected[WIDTH..2 * WIDTH]) > 0.1);
    Ok(())
}

#[test]
fn a_measure_is_decoded_the_same_in_plain_numbers_as_in_tensors() -> TestResult {
    let parameters = parameters()?;
    let (net, brain) = (PlayerNet::new(&parameters)?, Brain::new(&parameters)?);
    let (song, played) = (song(11), drums(11));
    let meant = Mind::default().meant(&brain, &song);
    let mut behind = behind(&song);
    behind.returns = Some(Returns([Some(2), None, Some(0), Some(3)]));
    let mut numbers = [0.0; N_BESIDE];
    let (mut all_beside, mut said) = (Vec::new(), Vec::<f32>::new());
    for step in 0..NET_STEPS {
        beside(&mut numbers, step, &behind, &played);
        all_beside.extend(numbers);
        said.extend(played.hits(step));
    }
    let shape = |n| (1, NET_STEPS, n);
    let expected = net.decode(
        &Tensor::from_slice(&meant, (1, WIDTH), &Device::Cpu)?,
        &Tensor::from_slice(&all_beside, shape(N_BESIDE), &Device::Cpu)?,
        &Tensor::from_slice(&said, shape(N_VOICES), &Device::Cpu)?,
    )?;
    let expected: Vec<f32> = expected.flatten_all()?.to_vec1()?;
    let mut decoding = brain.begin(&meant);
    for (step, expected) in expected.chunks_exact(5 * N_VOICES).enumerate() {
        beside(&mut numbers, step, &behind, &played);
        let mut outputs = brain.outputs(&mut decoding, step, &numbers);
        let hits: [bool; N_VOICES] = std::array::from_fn(|i| played.hits(step)[i] > 0.0);
        for (column, _) in hits.iter().enumerate().filter(|(_, hit)| **hit) {
            brain.hit(&mut outputs, column);
        }
        brain.decided(&mut outputs, &hits);
        let off = differ(outputs.numbers(), expected);
        assert!(off < 1e-4, "off by {off} at step {step}");
    }
    Ok(())
}

#[test]
fn what_comes_back_is_as_likely_in_plain_numbers_as_in_tensors() -> TestResult {
    let parameters = parameters()?;
    let (net, brain) = (PlayerNet::new(&parameters)?, Brain::new(&parameters)?);
    // So many that the measures of all lags are known.
    let song = song(18);
    let meant = Mind::default().meant(&brain, &song);
    let mut own = behind(&song).own;
    for chosen in [[0, 0, 0, 0], [3, 0, 8, 1], [2, 4, 0, 7]] {
        let returns = Returns(chosen.map(|choice: usize| choice.checked_sub(1)));
        let mut heard = Vec::new();
        let decided = brain.returns(&meant, &own, |strand, choice, log_odds| {
            heard.push(log_odds);
            f32::from(u8::from(choice == chosen[strand]))
        });
        assert_eq!(decided, returns);
        let expected = net.returns(
            &Tensor::from_slice(&meant, (1, WIDTH), &Device::Cpu)?,
            &Tensor::from_slice(&returns.numbers(), (1, N_RETURNS), &Device::Cpu)?,
        )?;
        let off = differ(&heard, &expected.flatten_all()?.to_vec1::<f32>()?);
        assert!(off < 1e-4, "off by {off}");
    }
    // What is not known cannot come back.
    own[1] = None;
    let mut asked = [0; N_STRANDS];
    brain.returns(&meant, &own, |strand, choice, _| {
        assert_ne!(choice, 2);
        asked[strand] += 1;
        0.0
    });
    assert_eq!(asked, [N_CHOICES - 1; N_STRANDS]);
    Ok(())
}

#[test]
fn the_ear_hears_the_same_in_plain_numbers_as_in_tensors() -> TestResult {
    let parameters = parameters()?;
    let (net, brain) = (PlayerNet::new(&parameters)?, Brain::new(&parameters)?);
    let rows: Vec<(BassRow, Given)> = (0..3).map(|m| (bass(m), given(m))).collect();
    let (m, device) = (rows.len(), &Device::Cpu);
    let all: Vec<f32> = rows.iter().flat_map(|(bass, _)| bass.0).collect();
    let around: Vec<f32> = rows.iter().flat_map(|(_, given)| given.around()).collect();
    let n_around = around.len() / m;
    let heard = net.ear().hear(
        &Tensor::from_slice(&all, (1, m, N_BASS), device)?,
        &Tensor::from_slice(&around, (1, m, n_around), device)?,
        &Tensor::ones((1, m, 1), candle_core::DType::F32, device)?,
    )?;
    let plain = brain
        .ear()
        .hear(rows.iter().map(|(bass, given)| (bass, given)));
    let off = |tensor: &Tensor, plain: &[f32]| -> TestResult<f32> {
        Ok(differ(&tensor.flatten_all()?.to_vec1::<f32>()?, plain))
    };
    let families = brain.ear().family(&plain);
    assert!(off(&net.ear().family(&heard)?, &families)? < 1e-4);
    assert!(differ(&families[..1], &families[1..2]) > 1e-3);
    for family in [None, Some(0), Some(N_FAMILIES - 1)] {
        let mut one_hot = [0.0_f32; N_FAMILIES];
        if let Some(family) = family {
            one_hot[family] = 1.0;
        }
        let one_hot = Tensor::from_slice(&one_hot, (1, N_FAMILIES), device)?;
        let (groove, touch) = net.ear().rest(&heard, &one_hot)?;
        let (plain_groove, plain_touch) = brain.ear().rest(&plain, family);
        assert_eq!(
            (plain_groove.len(), plain_touch.len()),
            (N_GROOVES, N_TOUCHES)
        );
        assert!(off(&groove, &plain_groove)? < 1e-4);
        assert!(off(&touch, &plain_touch)? < 1e-4);
    }
    Ok(())
}

#[test]
fn what_is_meant_does_not_depend_on_what_was_asked_before() -> TestResult {
    let brain = Brain::new(&parameters()?)?;
    let song = song(75);
    let mut mind = Mind::default();
    let fresh = |measures: &[HeardMeasure]| Mind::default().meant(&brain, measures);
    let bits = |meant: [f32; WIDTH]| meant.map(f32::to_bits);
    let mut last = None;
    // Forwards through two turns of the memory, with a measure that changes while it is heard.
    for n_heard in 1..=song.len() {
        let remembered = &song[first_remembered(n_heard)..n_heard];
        assert!(remembered.len() <= MEMORY);
        let mut changed = remembered.to_vec();
        if let Some(last) = changed.last_mut() {
            last.bass = Some(bass(1000));
        }
        assert_eq!(bits(mind.meant(&brain, &changed)), bits(fresh(&changed)));
        let meant = mind.meant(&brain, remembered);
        assert_eq!(bits(meant), bits(fresh(remembered)), "{n_heard}");
        assert_ne!(last.replace(bits(meant)), Some(bits(meant)));
    }
    // Backwards, with a change in the middle, and without one.
    let mut other = song[..20].to_vec();
    for n in [20, 3, 20, 11] {
        assert_eq!(
            bits(mind.meant(&brain, &song[..n])),
            bits(fresh(&song[..n]))
        );
        other[7].own = None;
        assert_eq!(
            bits(mind.meant(&brain, &other[..n])),
            bits(fresh(&other[..n]))
        );
    }
    Ok(())
}

/// A rehearsal of a song of `n` measures.
fn rehearse(brain: &Brain, temperature: f32, key: u64, n: usize) -> Vec<DrumRow> {
    let bass: Vec<BassRow> = (0..50).map(bass).collect();
    let given: Vec<Given> = (1..51).map(given).collect();
    let own = [DrumRow::default(), drums(1)];
    let rehearsal = Rehearsal {
        bass: &bass,
        given: &given,
        own: &own,
        levels: [0.0; N_VOICES],
        hears_bass: true,
        temperature: [temperature; N_VOICES],
        looseness: temperature,
        key,
    };
    rehearsal.play(brain, n)
}

#[test]
fn a_rehearsal_is_played_as_far_as_there_is_bass_and_within_its_measures() -> TestResult {
    let brain = Brain::new(&parameters()?)?;
    let rows = rehearse(&brain, 1.0, 1, 60);
    // Two measures are given, and the last of fifty measures of bass is followed by one.
    assert_eq!(rows.len(), 49);
    for (measure, row) in (2_u64..).zip(&rows) {
        assert!(!row.is_empty(), "measure {measure}");
        for step in 0..NET_STEPS {
            let hits = row.hits(step);
            let voices = Voice::ALL.into_iter().zip(hits);
            let played = voices.filter_map(|(voice, hit)| (*hit > 0.0).then_some(voice));
            assert!(!is_impossible(played), "measure {measure}, step {step}");
            assert!(step < given(measure).n_steps || hits.iter().all(|hit| *hit == 0.0));
        }
    }
    assert_eq!(rehearse(&brain, 1.0, 1, 7), rows[..7]);
    assert_ne!(rehearse(&brain, 1.0, 2, 7), rows[..7]);
    Ok(())
}

#[test]
fn a_rehearsal_keeps_the_level_of_a_voice_that_has_one() -> TestResult {
    let brain = Brain::new(&parameters()?)?;
    let bass: Vec<BassRow> = (0..12).map(bass).collect();
    let given: Vec<Given> = (1..13).map(given).collect();
    let mut levels = [0.0; N_VOICES];
    levels[0] = 0.6;
    let rehearsal = Rehearsal {
        bass: &bass,
        given: &given,
        own: &[],
        levels,
        hears_bass: true,
        temperature: [1.0; N_VOICES],
        looseness: 1.0,
        key: 1,
    };
    let rows = rehearsal.play(&brain, 12);
    let velocities = |voice: usize| {
        let steps = rows
            .iter()
            .flat_map(|row| (0..NET_STEPS).map(move |step| row.velocities(step)[voice]));
        steps.filter(|velocity| *velocity > 0.0).collect::<Vec<_>>()
    };
    let differs = |velocities: Vec<f32>| {
        velocities
            .iter()
            .filter(|of| (**of - 0.6).abs() > 1e-6)
            .count()
    };
    assert!(velocities(0).len() > 20);
    assert_eq!(differs(velocities(0)), 0);
    let others: usize = (1..N_VOICES).map(|voice| differs(velocities(voice))).sum();
    assert!(others > 20);
    Ok(())
}

#[test]
fn a_rehearsal_that_brings_nothing_back_and_has_no_temperature_is_the_same_for_every_key()
-> TestResult {
    let mut parameters = parameters()?;
    let bias = (0..N_RETURNS).map(|i| if i % N_CHOICES == 0 { 30.0 } else { 0.0 });
    let bias = Tensor::from_vec(bias.collect::<Vec<f32>>(), N_RETURNS, &Device::Cpu)?;
    parameters.0.insert("returns.bias".to_owned(), bias);
    let brain = Brain::new(&parameters)?;
    let played = rehearse(&brain, 0.0, 1, 12);
    assert_eq!(played, rehearse(&brain, 0.0, 2, 12));
    assert_ne!(played, rehearse(&brain, 1.0, 1, 12));
    Ok(())
}

#[test]
fn a_network_answers_with_its_variables_as_they_are_now() -> TestResult {
    let (values, variables) = NetworkParameters::initialise(&layers(), 7)?;
    let net = PlayerNet::new(&values)?;
    let heard = song(11);
    let meant = Mind::default().meant(&Brain::new(&values)?, &heard);
    let meant = Tensor::from_slice(&meant, (1, WIDTH), &Device::Cpu)?;
    let ones = |shape: &[usize]| Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu);
    let said = ones(&[1, N_RETURNS])?;
    let (beside, hits) = (
        ones(&[1, NET_STEPS, N_BESIDE])?,
        ones(&[1, NET_STEPS, N_VOICES])?,
    );
    for (name, variable) in &variables {
        variable.set(&(variable.as_tensor() + 0.1)?)?;
        let now = PlayerNet::new(&values)?;
        for (net, now) in [
            (net.returns(&meant, &said)?, now.returns(&meant, &said)?),
            (
                net.decode(&meant, &beside, &hits)?,
                now.decode(&meant, &beside, &hits)?,
            ),
        ] {
            let values = |tensor: Tensor| tensor.flatten_all()?.to_vec1::<f32>();
            let off = differ(&values(net)?, &values(now)?);
            assert!(off < 1e-6, "{name}");
        }
    }
    Ok(())
}

#[test]
fn two_hands_keep_the_likeliest_two_sticks() -> TestResult {
    let brain = Brain::new(&parameters()?)?;
    for seed in 0..50 {
        let numbers: Vec<f32> = (0..5 * N_VOICES as u64)
            .map(|i| draws::normal(&[4, seed, i]))
            .collect();
        let mut outputs = StepOutputs::new(VoiceSet::default(), &numbers);
        let mut likely = [0.0; N_VOICES];
        let decided = take_turns(&brain, &mut outputs, |column, log_odds| {
            likely[column] = log_odds;
            // Everybody wants to play.
            5.0
        });
        let mut sticks: Vec<usize> = Voice::ALL
            .into_iter()
            .filter(|voice| voice.limb() == Limb::Stick)
            .map(Voice::index)
            .collect();
        sticks.sort_by(|a, b| likely[*b].total_cmp(&likely[*a]));
        for voice in Voice::ALL.map(Voice::index) {
            let plays = !sticks[2..].contains(&voice);
            let expected: f32 = if plays { 5.0 } else { -5.0 };
            assert_eq!(decided[voice].to_bits(), expected.to_bits(), "{voice}");
        }
        // The velocities know who plays in the end, not who wanted to.
        let mut told = StepOutputs::new(VoiceSet::default(), &numbers);
        brain.decided(&mut told, &decided.map(|log_odds| log_odds > 0.0));
        let velocities = N_VOICES..2 * N_VOICES;
        assert_eq!(
            outputs.numbers()[velocities.clone()],
            told.numbers()[velocities]
        );
    }
    Ok(())
}
