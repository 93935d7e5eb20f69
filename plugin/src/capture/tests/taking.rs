//! What is held, and where its notes are.

use super::*;

/// The instance after these stretches, and the song that would be saved. Nothing may be lost.
fn saved(block_frames: u32, stretches: &[Stretch]) -> (Instance, Option<(Song, usize)>) {
    let (mut instance, mut tape) = Instance::new(block_frames);
    let mut recent = RecentMeasures::default();
    let mut n_lost = 0;
    for stretch in stretches {
        instance.play(*stretch, |_| n_lost += take_in(&mut tape, &mut recent));
    }
    assert_eq!(n_lost, 0);
    let song = recent.song(instance.recorder.now(), N_MEASURES);
    (instance, song)
}

#[test]
fn the_last_64_of_a_hundred_measures_are_held_with_every_note_in_place() {
    let mut songs = Vec::new();
    for block_frames in [64, 511, 4096] {
        let (instance, song) = saved(block_frames, &[Stretch::rolling(0.0, 400.0)]);
        let Some((song, n_measures)) = song else {
            panic!("something was played");
        };
        assert_eq!(n_measures, 64);
        assert_eq!(begun(&song), expected(&instance, 36.0 * 4.0));
        assert!(song.bass.len() > 600 && song.drums.len() > 600);
        songs.push(lockstep_files::midi_file::write(&song));
    }
    assert_eq!(songs[0], songs[1]);
    assert_eq!(songs[0], songs[2]);
}

#[test]
fn the_measure_that_is_being_played_is_one_of_the_64() {
    let (instance, song) = saved(512, &[Stretch::rolling(0.0, 401.5)]);
    let Some((song, n_measures)) = song else {
        panic!("something was played");
    };
    assert_eq!(n_measures, 64);
    assert_eq!(begun(&song), expected(&instance, 37.0 * 4.0));
}

#[test]
fn loops_jumps_and_stops_are_saved_as_they_were_played() {
    let three = Meter::new(3, 4).unwrap_or_default();
    let stretches = [
        // A loop of two measures, one of them cut short by a jump in its middle.
        Stretch::rolling(0.0, 8.0),
        Stretch::rolling(0.0, 8.0),
        Stretch::rolling(0.0, 6.0),
        Stretch::rolling(20.0, 8.0),
        // From the middle of a measure to the middle of another.
        Stretch::rolling(40.0, 3.0),
        Stretch::rolling(46.0, 2.0),
        // A stop, then on in another meter and tempo.
        Stretch {
            is_playing: false,
            ..Stretch::rolling(48.0, 2.0)
        },
        Stretch {
            tempo_bpm: 90.0,
            meter: three,
            ..Stretch::rolling(100.0, 6.0)
        },
    ];
    let mut files = Vec::new();
    for block_frames in [64, 500] {
        let (instance, song) = saved(block_frames, &stretches);
        let Some((song, n_measures)) = song else {
            panic!("something was played");
        };
        assert_eq!(begun(&song), expected(&instance, 0.0));
        let meters: Vec<_> = song
            .meters
            .iter()
            .map(|(at, meter)| (ticks(at.beats()), meter.numerator))
            .collect();
        // The meter is repeated after the measures that were cut to two, three and two beats.
        let beat = i64::from(PPQ);
        assert_eq!(
            meters,
            [(0, 4), (22 * beat, 4), (33 * beat, 4), (35 * beat, 3)]
        );
        let tempos: Vec<_> = song
            .tempos
            .iter()
            .map(|(at, bpm)| (ticks(at.beats()), bpm.round()))
            .collect();
        assert_eq!(tempos, [(0, 120.0), (35 * beat, 90.0)]);
        assert_eq!(n_measures, 12);
        files.push(lockstep_files::midi_file::write(&song));
    }
    assert_eq!(files[0], files[1]);
}

#[test]
fn free_run_is_held_from_its_first_note() {
    let free = Stretch {
        from: None,
        ..Stretch::rolling(0.0, 16.0)
    };
    let (instance, song) = saved(300, &[free]);
    let Some((song, _)) = song else {
        panic!("something was played");
    };
    let first = instance.bass.first().map_or(0, |note| note.0) as f64 / f64::from(PPQ);
    assert!(first > 0.0);
    let [bass, drums] = begun(&song);
    let expected = expected(&instance, first);
    assert_eq!(bass.first().map(|note| note.0), Some(0));
    assert_eq!(bass.len(), expected[0].len());
    assert_eq!(drums.len(), expected[1].len());
    assert!(drums.len() > 20);
    // The first note is between two ticks.
    for (is, should) in bass.iter().chain(&drums).zip(expected.iter().flatten()) {
        assert!(
            (is.0 - should.0).abs() <= 1 && is.1 == should.1,
            "{is:?} {should:?}"
        );
    }
}

#[test]
fn a_note_that_sounds_when_it_is_saved_or_the_transport_stops_ends_there() {
    let (mut instance, mut tape) = Instance::new(512);
    let mut recent = RecentMeasures::default();
    // The last note begins shortly before the end and would sound beyond it.
    let end = 3.82;
    instance.play(Stretch::rolling(0.0, end), |_| {});
    take_in(&mut tape, &mut recent);
    let at_save = recent.song(instance.recorder.now(), N_MEASURES);
    let stopped = Stretch {
        is_playing: false,
        ..Stretch::rolling(end, 4.0)
    };
    instance.play(stopped, |_| {});
    instance.play(Stretch::rolling(8.0, 4.0), |_| {});
    take_in(&mut tape, &mut recent);
    let later = recent.song(instance.recorder.now(), N_MEASURES);
    assert_eq!(at_save.iter().chain(&later).count(), 2);
    for (song, _) in at_save.iter().chain(&later) {
        let before = || song.bass.iter().filter(|note| note.start.beats() < end);
        let last = before().map(|note| note.end.beats()).fold(0.0, f64::max);
        assert!((last - end).abs() < 1e-3, "{last}");
        assert!(before().all(|note| note.end > note.start));
    }
}

#[test]
fn nothing_played_is_nothing_to_save() {
    let (mut instance, mut tape) = Instance::new(512);
    let mut recent = RecentMeasures::default();
    let stopped = Stretch {
        is_playing: false,
        ..Stretch::rolling(0.0, 8.0)
    };
    instance.play(stopped, |_| {});
    take_in(&mut tape, &mut recent);
    assert!(recent.song(instance.recorder.now(), N_MEASURES).is_none());
}

#[test]
fn as_many_of_the_last_measures_are_taken_as_requested() {
    let (mut instance, mut tape) = Instance::new(512);
    let mut recent = RecentMeasures::default();
    instance.play(Stretch::rolling(0.0, 42.0), |_| {
        take_in(&mut tape, &mut recent);
    });
    // Ten and a half measures; the half one counts.
    for (n_wished, n_there, first) in [(1, 1, 40.0), (4, 4, 28.0), (11, 11, 0.0), (64, 11, 0.0)] {
        let Some((song, n_measures)) = recent.song(instance.recorder.now(), n_wished) else {
            panic!("something was played");
        };
        assert_eq!(n_measures, n_there);
        assert_eq!(begun(&song), expected(&instance, first));
    }
}

#[test]
fn notes_after_now_are_not_taken() {
    let (mut instance, mut tape) = Instance::new(512);
    let mut recent = RecentMeasures::default();
    instance.play(Stretch::rolling(0.0, 16.0), |_| {});
    take_in(&mut tape, &mut recent);
    let now = instance.recorder.now();
    let at_once = recent.song(now, 4);
    instance.play(Stretch::rolling(16.0, 9.0), |_| {});
    take_in(&mut tape, &mut recent);
    let later = recent.song(now, 4);
    let songs: Vec<_> = [at_once, later].into_iter().flatten().collect();
    assert_eq!(songs.len(), 2);
    assert_eq!(begun(&songs[0].0), begun(&songs[1].0));
    assert_eq!((songs[0].1, songs[1].1), (4, 4));
}
