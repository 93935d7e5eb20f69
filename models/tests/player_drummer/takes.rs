//! What the player remembers of a take, its idea, and the knobs.

use lockstep_core::generator::{FillLength, FillWish, Generator as _, Request};
use lockstep_core::representation::{
    HitMap, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Voice, WINDOW_STEPS, is_impossible,
};
use lockstep_models::network::player::ear::N_FAMILIES;
use lockstep_models::predict::Predictor;
use lockstep_models::weights::{PerVoice, PlayerConfig};

use super::TestResult;
use super::song::{
    LOOSE, Song, config, hits, last_plan, measures, parameters, parameters_with, plans, player,
};

#[test]
fn the_same_measures_give_the_same_plan_whichever_requests_arrived() -> TestResult {
    let song = Song::default();
    let expected = plans(&mut player()?, &measures(&song, 1..=45))?;
    let mut all = player()?;
    let mut few = player()?;
    let mut n_others = 0;
    for measure in 1..=45 {
        let expected = &expected[usize::try_from(measure)? - 1];
        for heard_steps in [3, 9, 15] {
            let plan = all.predict(&song.request_after(measure, heard_steps))?;
            n_others += usize::from(plan != *expected);
        }
        for _ in 0..2 {
            assert!(
                all.predict(&song.request(measure))? == *expected,
                "{measure}"
            );
        }
        if measure % 4 == 1 {
            assert!(
                few.predict(&song.request(measure))? == *expected,
                "{measure}"
            );
        }
    }
    // Before the end of a measure it is another plan.
    assert!(n_others > 90, "{n_others}");
    Ok(())
}

#[test]
fn a_measure_is_remembered_that_the_window_no_longer_holds() -> TestResult {
    let song = Song::default();
    let step = (5 * 16..6 * 16).find(|step| song.onset(*step).is_some());
    let other_bass = Song {
        without: step,
        ..song
    };
    let other_drums = Song {
        other_drums: Some(5),
        ..song
    };
    let last = |song: &Song, first| last_plan(&measures(song, first..=20));
    for other in [other_bass, other_drums] {
        assert!(other.request(20).window == song.request(20).window);
        assert!(last(&other, 1)? != last(&song, 1)?);
        // Who comes later has not heard it.
        assert!(last(&other, 11)? == last(&song, 11)?);
    }
    // Nor who played something else since.
    let mut late = player()?;
    plans(&mut late, &measures(&other_bass, 1..=9))?;
    let again: Vec<Request> = measures(&song, 1..=20)
        .into_iter()
        .map(|request| Request {
            playback: 2,
            ..request
        })
        .collect();
    let plans = plans(&mut late, &again)?;
    assert!(plans.last() == Some(&last(&song, 1)?));
    Ok(())
}

#[test]
fn after_a_gap_that_the_window_does_not_span_only_the_window_and_the_idea_are_known() -> TestResult
{
    let song = Song::default();
    let other = Song {
        other_drums: Some(7),
        ..song
    };
    let with_gap = |song: &Song, to: u64| {
        let mut requests = measures(song, 1..=10);
        requests.extend(measures(song, to..=to));
        last_plan(&requests)
    };
    // Measure 10 is heard to its end, so fourteen is the last to bring all that came after it.
    assert!(with_gap(&song, 14)? != with_gap(&other, 14)?);
    assert!(with_gap(&song, 15)? == with_gap(&other, 15)?);
    Ok(())
}

#[test]
fn clients_that_share_the_drummer_do_not_hear_each_other() -> TestResult {
    let songs = [1, 2, 3].map(|seed| Song {
        seed,
        ..Song::default()
    });
    let mut shared = player()?;
    let mut alone = [player()?, player()?, player()?];
    for measure in 1..=12 {
        for (client, (song, alone)) in (0..).zip(songs.iter().zip(&mut alone)) {
            let request = song.request(measure);
            let shared = shared.predict(&Request { client, ..request })?;
            assert!(
                shared == alone.predict(&request)?,
                "client {client}, measure {measure}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_new_idea_forgets_what_was_played_and_keeps_the_bass() -> TestResult {
    let song = Song::default();
    let with_idea = |song: &Song| {
        let mut requests = measures(song, 1..=12);
        let mut asked = song.request(13);
        asked.settings.idea = 1;
        // The performer no longer reports drums of the idea before.
        asked.played = [[0.0; N_VOICES]; WINDOW_STEPS];
        requests.push(asked);
        last_plan(&requests)
    };
    let (other_drums, other_bass) = (
        Song {
            other_drums: Some(6),
            ..song
        },
        Song {
            without: (6 * 16..7 * 16).find(|step| song.onset(*step).is_some()),
            ..song
        },
    );
    assert!(with_idea(&song)? == with_idea(&other_drums)?);
    assert!(with_idea(&song)? != with_idea(&other_bass)?);
    assert!(with_idea(&song)? != last_plan(&measures(&song, 1..=13))?);
    Ok(())
}

#[test]
fn the_idea_is_drawn_from_the_first_measures_and_held() -> TestResult {
    // The idea of two songs with the same bass in the last eight measures, as far as it shows in a measure where neither the
    // bass nor the drums are known: the memory begins anew in measure 30.
    let plan = |seed, opening: u64| {
        let (song, first) = (
            Song::default(),
            Song {
                seed: opening,
                ..Song::default()
            },
        );
        let mut requests = measures(&first, 1..=6);
        requests.extend(measures(&song, 30..=34));
        for request in &mut requests {
            request.settings.seed = seed;
            request.settings.follow = 0.5;
        }
        last_plan(&requests)
    };
    let differ = (0..20).filter(|seed| {
        let (a, b) = (plan(*seed, 8), plan(*seed, 9));
        a.is_ok_and(|a| b.is_ok_and(|b| a != b))
    });
    // Untrained, the ear draws one of 26 families and of 24 grooves.
    assert!(differ.count() >= 18);
    assert!(plan(1, 8)? == plan(1, 8)?);
    Ok(())
}

#[test]
fn without_following_the_bass_that_is_playing_now_does_not_count() -> TestResult {
    let song = Song::default();
    let step = (18 * 16..19 * 16).find(|step| song.onset(*step).is_some());
    let other = Song {
        without: step,
        ..song
    };
    for (follow, style, is_heard) in [
        (0.0, None, false),
        (0.0, Some(3), false),
        (0.1, None, true),
        (0.5, Some(3), true),
    ] {
        let plan = |song: &Song| {
            let mut requests = measures(song, 1..=19);
            for request in &mut requests {
                (request.settings.follow, request.settings.style) = (follow, style);
            }
            last_plan(&requests)
        };
        let is_same = plan(&song)? == plan(&other)?;
        assert_eq!(is_same, !is_heard, "follow {follow}");
    }
    Ok(())
}

#[test]
fn every_family_and_a_fill_are_heard_when_asked_for() -> TestResult {
    let song = Song::default();
    let mut predictor = player()?;
    plans(&mut predictor, &measures(&song, 1..=9))?;
    let mut seen = Vec::new();
    let n_families = u8::try_from(N_FAMILIES)?;
    let styles = (0..n_families).map(Some).chain([None]);
    for (style, fill) in styles
        .map(|style| (style, FillWish::Without))
        .chain([(None, FillWish::With(FillLength::Measure))])
    {
        let mut request = song.request(10);
        (request.settings.style, request.settings.fill) = (style, fill);
        let plan = predictor.predict(&request)?;
        assert!(!seen.contains(&plan), "{style:?}, fill {fill:?}");
        seen.push(plan);
    }
    Ok(())
}

#[test]
fn a_fill_is_wanted_of_the_measure_asked_alone() -> TestResult {
    let song = Song::default();
    let plan = |fill| {
        let mut requests = measures(&song, 1..=10);
        requests[8].settings.fill = fill;
        last_plan(&requests)
    };
    assert!(plan(FillWish::With(FillLength::Measure))? == plan(FillWish::Without)?);
    Ok(())
}

#[test]
fn no_step_needs_three_sticks_and_the_ends_of_measures_are_rests() -> TestResult {
    let mut predictor = player()?;
    for (numerator, denominator) in [(4, 4), (3, 4), (5, 4), (7, 8), (12, 8), (8, 4), (1, 16)] {
        let song = Song {
            meter: Meter::new(numerator, denominator).ok_or("a meter")?,
            ..Song::default()
        };
        let n_steps = song.meter.n_steps();
        let mut sounded = [false; MAX_STEPS_PER_MEASURE];
        for measure in 1..=24 {
            let plan = predictor.predict(&song.request(measure))?;
            for (step, hits) in hits(&plan).into_iter().enumerate() {
                let voices = Voice::ALL.into_iter().zip(&hits).filter(|(_, hit)| **hit);
                assert!(!is_impossible(voices.map(|(voice, _)| voice)));
                sounded[step] |= hits.contains(&true);
            }
        }
        let of = |step| if step < n_steps { "sounds" } else { "rests" };
        for (step, sounded) in sounded.into_iter().enumerate() {
            assert_eq!(
                sounded,
                step < n_steps,
                "step {step} of {n_steps} {}",
                of(step)
            );
        }
    }
    Ok(())
}

#[test]
fn a_touch_on_the_grid_has_no_offsets() -> TestResult {
    for on_grid in [true, false] {
        let touch = [f32::from(u8::from(on_grid)), 0.4, 0.3, 0.1, 0.0, 0.0, 0.0];
        let plan = Predictor::player(config(), &parameters(touch)?)?;
        let plan = { plan }.predict(&Song::default().request(1))?;
        let hits = Voice::ALL.map(|voice| plan.hit(0, voice));
        assert_eq!(hits.iter().all(|hit| hit.offset() == 0.0), on_grid);
    }
    Ok(())
}

#[test]
fn a_voice_that_is_played_evenly_keeps_its_velocity_unless_an_energy_is_asked_for() -> TestResult {
    let mut levels = [0.0; N_VOICES];
    levels[Voice::Kick.index()] = 0.7;
    let mut predictor = Predictor::player(config(), &parameters_with(LOOSE, levels)?)?;
    let mut request = Song::default().request(3);
    let mut velocities = |request: &Request, voice| -> TestResult<Vec<f32>> {
        let plan = predictor.predict(request)?;
        Ok((0..16)
            .map(|step| plan.hit(step, voice).velocity())
            .collect())
    };
    let is_held = |velocities: &[f32]| velocities.iter().all(|of| (of - 0.7).abs() < 1e-6);
    assert!(is_held(&velocities(&request, Voice::Kick)?));
    assert!(!is_held(&velocities(&request, Voice::Snare)?));
    request.settings.energy = Some(0.2);
    assert!(!is_held(&velocities(&request, Voice::Kick)?));
    Ok(())
}

/// The plans of some measures with this configuration, and with a family asked for or not.
fn plans_with(config: PlayerConfig, style: Option<u8>) -> TestResult<Vec<HitMap>> {
    let mut predictor = Predictor::player(config, &parameters(LOOSE)?)?;
    let plan = |measure| {
        let mut request = Song::default().request(measure);
        request.settings.style = style;
        request.settings.variation = 0.1;
        Ok(predictor.predict(&request)?)
    };
    (4..12).map(plan).collect()
}

#[test]
fn what_is_unlikely_never_happens_and_a_family_has_a_temperature_of_its_own() -> TestResult {
    let with = |temperature, least_chance, family_temperature| PlayerConfig {
        temperature: PerVoice::All(temperature),
        least_chance,
        family_temperature,
        ..config()
    };
    for style in [None, Some(3)] {
        let sure = plans_with(with(0.0, 0.0, 1.0), style)?;
        let drawn = plans_with(with(1.0, 0.0, 1.0), style)?;
        assert!(sure != drawn);
        // What is less likely than one half never happens, so that nothing is left to the draws.
        assert!(plans_with(with(1.0, 0.5, 1.0), style)? == sure);
        let family = plans_with(with(1.0, 0.0, 0.0), style)?;
        assert!(family == if style.is_some() { sure } else { drawn });
    }
    Ok(())
}

#[test]
fn a_family_of_his_own_can_be_preferred_to_none() -> TestResult {
    let with = |naming| PlayerConfig { naming, ..config() };
    assert!(plans_with(with(-4.0), None)? != plans_with(with(4.0), None)?);
    assert!(plans_with(with(-4.0), Some(3))? == plans_with(with(4.0), Some(3))?);
    Ok(())
}

#[test]
fn less_density_removes_hits_of_the_take_and_more_adds_some() -> TestResult {
    let song = Song::default();
    let mut predictor = player()?;
    let (mut n_less, mut n_take, mut n_more) = (0, 0, 0);
    for measure in 1..=6 {
        let mut request = song.request(measure);
        request.settings.seed = 5;
        let plan = predictor.predict(&request)?;
        for step in 0..16 {
            for voice in Voice::ALL {
                let presence = plan.hit(step, voice).presence();
                n_less += usize::from(presence.sounds_at(0.3));
                n_take += usize::from(presence.sounds_at(0.5));
                n_more += usize::from(presence.sounds_at(0.7));
            }
        }
    }
    assert!(0 < n_less && n_less < n_take && n_take < n_more);
    Ok(())
}
