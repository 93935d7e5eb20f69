//! What comes back of the measures before.

use candle_core::{Device, Tensor};
use lockstep_core::generator::{FillLength, FillWish, Generator as _};
use lockstep_core::representation::{N_VOICES, Voice, WINDOW_STEPS, is_impossible};
use lockstep_models::network::NetworkParameters;
use lockstep_models::network::player::LAGS;
use lockstep_models::network::player::returns::{N_CHOICES, N_RETURNS};
use lockstep_models::predict::Predictor;
use lockstep_models::weights::PlayerConfig;

use super::TestResult;
use super::song::{LOOSE, Song, config, parameters};

/// Makes every strand bring back the measure two before the one asked, with these log-odds more than the rest.
fn bring_back(parameters: &mut NetworkParameters, log_odds: f32) -> TestResult {
    let bias = (0..N_RETURNS).map(|i| if i % N_CHOICES == 2 { log_odds } else { 0.0 });
    let bias = Tensor::from_vec(bias.collect::<Vec<f32>>(), N_RETURNS, &Device::Cpu)?;
    parameters.0.insert("returns.bias".to_owned(), bias);
    Ok(())
}

/// A player of whom every strand brings back the measure two before the one asked.
fn who_brings_back() -> TestResult<Predictor> {
    let mut parameters = parameters(LOOSE)?;
    bring_back(&mut parameters, 30.0)?;
    Ok(Predictor::player(config(), &parameters)?)
}

/// How many cells of each voice differ from those two measures before, over sixteen measures, with this wish for a fill; without
/// steps that nobody could play.
fn cells_that_differ(fill: FillWish) -> TestResult<[usize; N_VOICES]> {
    let mut predictor = who_brings_back()?;
    let mut n = [0; N_VOICES];
    for measure in 4..20 {
        let mut request = Song::default().request(measure);
        request.settings.fill = fill;
        let plan = predictor.predict(&request)?;
        for step in 0..16 {
            let then = &request.played[WINDOW_STEPS - 32 + step];
            let did = |voice: Voice| then[voice.index()] > 0.0;
            if is_impossible(Voice::ALL.into_iter().filter(|voice| did(*voice))) {
                continue;
            }
            for voice in Voice::ALL {
                let hits = plan.hit(step, voice).presence().sounds_at(0.5);
                n[voice.index()] += usize::from(hits != did(voice));
            }
        }
    }
    Ok(n)
}

#[test]
fn what_comes_back_is_played_hit_for_hit() -> TestResult {
    let n = cells_that_differ(FillWish::Without)?;
    for voice in Voice::ALL {
        assert_eq!(n[voice.index()], 0, "{voice:?}");
    }
    Ok(())
}

#[test]
fn a_fill_that_is_asked_for_brings_back_nothing_but_the_time() -> TestResult {
    let n = cells_that_differ(FillWish::With(FillLength::Measure))?;
    // Neither needs a stick that another voice may take.
    let [clap, shaker] = [Voice::Clap, Voice::Shaker].map(|voice| n[voice.index()]);
    assert!(clap > 20, "{clap}");
    assert_eq!(shaker, 0);
    Ok(())
}

/// In how many of 64 measures the shakers are those of one of the measures that can come back.
fn n_brought_back(config: PlayerConfig, style: Option<u8>) -> TestResult<usize> {
    let mut predictor = Predictor::player(config, &parameters(LOOSE)?)?;
    let shaker = Voice::Shaker.index();
    let mut n = 0;
    for measure in 18..82 {
        let mut request = Song::default().request(measure);
        request.settings.style = style;
        request.settings.variation = 0.1;
        let plan = predictor.predict(&request)?;
        let now: Vec<bool> = (0..16)
            .map(|step| plan.hit(step, Voice::Shaker).presence().sounds_at(0.5))
            .collect();
        n += usize::from(LAGS.into_iter().any(|lag| {
            let start = (usize::try_from(measure).unwrap_or_default() - lag) * 16;
            (0..16).all(|step| now[step] == (Song::default().drums(start + step, shaker) > 0.0))
        }));
    }
    Ok(n)
}

#[test]
fn what_comes_back_can_be_asked_for_more_or_less_and_of_a_family_apart() -> TestResult {
    let with = |returning, family_returning| PlayerConfig {
        returning: [returning; 4],
        family_returning: [family_returning; 4],
        ..config()
    };
    for style in [None, Some(3)] {
        let is_asked = style.is_some();
        let often = if is_asked {
            with(-4.0, 4.0)
        } else {
            with(4.0, -4.0)
        };
        let seldom = if is_asked {
            with(4.0, -4.0)
        } else {
            with(-4.0, 4.0)
        };
        let (often, seldom) = (
            n_brought_back(often, style)?,
            n_brought_back(seldom, style)?,
        );
        // Of so many measures some have the same shakers by chance.
        assert!(often > 55 && seldom < 45, "{often} and {seldom}");
    }
    Ok(())
}

/// In how many of sixteen measures the kick is that of two measures before, of a player who likes to bring that back.
fn n_kicks_brought_back(answering: f32, repeats: bool, variation: f32) -> TestResult<usize> {
    let mut parameters = parameters(LOOSE)?;
    bring_back(&mut parameters, 8.0)?;
    let config = PlayerConfig {
        answering,
        ..config()
    };
    let mut predictor = Predictor::player(config, &parameters)?;
    let song = Song {
        repeats,
        ..Song::default()
    };
    let mut n = 0;
    for measure in 4..20 {
        let mut request = song.request(measure);
        request.settings.variation = variation;
        let plan = predictor.predict(&request)?;
        n += usize::from((0..16).all(|step| {
            let then = request.played[WINDOW_STEPS - 32 + step][Voice::Kick.index()] > 0.0;
            plan.hit(step, Voice::Kick).presence().sounds_at(0.5) == then
        }));
    }
    Ok(n)
}

#[test]
fn the_kick_comes_back_where_the_bass_before_it_did() -> TestResult {
    assert_eq!(n_kicks_brought_back(20.0, true, 0.1)?, 16);
    assert_eq!(n_kicks_brought_back(0.0, false, 0.1)?, 16);
    // Also of a drummer who varies little, as far as he repeats himself.
    for variation in [0.1, 0.0] {
        let n = n_kicks_brought_back(20.0, false, variation)?;
        assert!(n < 4, "{n} at variation {variation}");
    }
    Ok(())
}
