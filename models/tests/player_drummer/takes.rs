//! What the player remembers of a take, its idea, and the knobs.

use lockstep_core::generator::{FillLength, FillWish, Generator as _, Request};
use lockstep_core::representation::{
    MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Voice, WINDOW_STEPS, is_impossible,
};
use lockstep_models::network::player::ear::N_FAMILIES;
use lockstep_models::predict::Predictor;
use lockstep_models::weights::{PerVoice, PlayerConfig};

use super::TestResult;
use super::song::{LOOSE, Song, config, hits, last_plan, measures, parameters, plans, player};

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
fn a_touch_on_the_grid_has_no_offsets_and_one_without_dynamics_no_draws() -> TestResult {
    let song = Song::default();
    // Velocities and offsets of the first step; at this temperature the draws do not decide what is hit.
    let cells = |touch, variation| -> TestResult<Vec<(f32, f32)>> {
        let config = PlayerConfig {
            temperature: PerVoice::All(0.0),
            ..config()
        };
        let mut request = song.request(1);
        request.settings.variation = variation;
        let plan = Predictor::player(config, &parameters(touch)?)?.predict(&request)?;
        let first = Voice::ALL.map(|voice| plan.hit(0, voice));
        Ok(first.map(|hit| (hit.velocity(), hit.offset())).to_vec())
    };
    let velocities = |cells: &[(f32, f32)]| cells.iter().map(|cell| cell.0).collect::<Vec<_>>();
    let is_on_grid = |cells: &[(f32, f32)]| cells.iter().all(|(_, offset)| *offset == 0.0);
    for (touch, on_grid, even) in [
        (LOOSE, false, false),
        ([1.0, 0.0, 0.3, 0.0], true, false),
        ([0.0, 0.4, 0.0, 0.1], false, true),
    ] {
        let (held, fresh) = (cells(touch, 0.0)?, cells(touch, 0.1)?);
        assert_eq!(is_on_grid(&held) && is_on_grid(&fresh), on_grid);
        assert_eq!(velocities(&held) == velocities(&fresh), even);
    }
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
