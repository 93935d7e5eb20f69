//! Writing files, and that playing does not notice.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use lockstep_engine::shared_thread::{Service, SharedThread};
use lockstep_files::midi_file::{self, Note, Pick};

use super::super::archive::{ArchiveClient, ArchiveService};
use super::super::export::ArchiveRequest;
use super::super::files;
use super::super::save_outcome::SaveOutcome;
use super::*;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn short_song() -> Song {
    let note = |key, start| Note {
        start: Position::at(start),
        end: Position::at(start + 0.25),
        key,
        velocity: 100,
    };
    Song {
        bass: vec![note(33, 0.0)],
        drums: vec![note(36, 0.0), note(38, 1.0)],
        end: Position::at(1.25),
        ..Song::default()
    }
}

#[test]
fn takes_of_the_same_second_get_their_own_names_and_overwrite_nothing() -> TestResult {
    let folder = tempfile::tempdir()?;
    let folder = folder.path().join("music/Lockstep");
    fs::create_dir_all(&folder)?;
    // The third name is taken by a WAV file alone.
    fs::write(folder.join("take-3.wav"), b"mine")?;
    for _ in 0..3 {
        files::write(&folder, "take", &short_song(), KitChoice::default())?;
    }
    let expected = [
        "take-2.mid",
        "take-2.wav",
        "take-3.wav",
        "take-4.mid",
        "take-4.wav",
        "take.mid",
        "take.wav",
    ];
    assert_eq!(names(&folder), expected);
    assert_eq!(fs::read(folder.join("take-3.wav"))?, b"mine");
    for stem in ["take", "take-2", "take-4"] {
        let song = midi_file::read(
            &fs::read(folder.join(stem).with_extension("mid"))?,
            Pick::default(),
        )?;
        assert_eq!(
            (song.bass, song.drums),
            (short_song().bass, short_song().drums)
        );
        let wav = hound::WavReader::open(folder.join(stem).with_extension("wav"))?;
        let samples: Vec<i16> = wav.into_samples().collect::<Result<_, _>>()?;
        assert!(samples.iter().any(|sample| sample.unsigned_abs() > 3000));
    }
    Ok(())
}

/// An archive that saves to a folder, and the outcomes it reports.
fn service(folder: &Path) -> (ArchiveService, Arc<Mutex<Vec<SaveOutcome>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (folder, sink) = (folder.to_owned(), Arc::clone(&log));
    let service = ArchiveService::new(
        move || Ok(folder.clone()),
        move |outcome| sink.lock().map_or((), |mut log| log.push(outcome)),
        at_once,
    );
    (service, log)
}

/// The outcomes since the last call.
fn reported(outcomes: &Mutex<Vec<SaveOutcome>>) -> Vec<SaveOutcome> {
    outcomes
        .lock()
        .map(|mut outcomes| std::mem::take(&mut *outcomes))
        .unwrap_or_default()
}

#[test]
fn saving_while_playing_loses_nothing_and_changes_no_drums() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (mut service, outcomes) = service(folder.path());
    let (mut saving, tape) = Instance::new(512);
    service.join(0, ArchiveClient::new(tape).0);
    let (mut n_blocks, mut places) = (0, Vec::new());
    saving.play(Stretch::rolling(0.0, 24.0), |instance| {
        n_blocks += 1;
        if n_blocks % 300 == 0 {
            instance.recorder.save();
            places.push(instance.recorder.now().beats());
        }
        if n_blocks % 20 == 0 {
            service.poll();
        }
    });
    service.poll();
    let (mut plain, _tape) = Instance::new(512);
    plain.play(Stretch::rolling(0.0, 24.0), |_| {});
    assert_eq!(saving.struck, plain.struck);

    let outcomes = reported(&outcomes);
    assert!(places.len() > 2 && outcomes.len() == places.len());
    for (outcome, now) in outcomes.iter().zip(places) {
        let SaveOutcome::Saved {
            path, n_lost: 0, ..
        } = outcome
        else {
            return Err(format!("{outcome:?}").into());
        };
        let song = midi_file::read(&fs::read(path)?, Pick::default())?;
        let mut until_now = expected(&saving, 0.0);
        for notes in &mut until_now {
            notes.retain(|note| note.0 < ticks(now));
        }
        assert_eq!(begun(&song), until_now);
        assert!(path.with_extension("wav").is_file());
    }
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_playing_goes_on() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("a file");
    fs::write(&file, b"in the way")?;
    let (mut service, outcomes) = service(&file.join("Lockstep"));
    let (mut instance, tape) = Instance::new(512);
    service.join(0, ArchiveClient::new(tape).0);
    for from in [0.0, 8.0] {
        instance.play(Stretch::rolling(from, 8.0), |_| {});
        instance.recorder.save();
        service.poll();
        let outcomes = reported(&outcomes);
        let [SaveOutcome::Failed(error)] = outcomes.as_slice() else {
            return Err(format!("{outcomes:?}").into());
        };
        let words = error.to_string();
        let path = file.join("Lockstep").display().to_string();
        assert!(
            words.contains(&path) && words.contains(FOLDER_VARIABLE),
            "{words}"
        );
    }
    assert!(
        instance
            .drums
            .iter()
            .any(|drum| drum.0 > 12 * i64::from(PPQ))
    );
    assert_eq!(names(folder.path()), ["a file"]);
    Ok(())
}

#[test]
fn without_notes_no_file_is_written_and_the_player_is_told() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (mut service, outcomes) = service(folder.path());
    let (mut instance, tape) = Instance::new(512);
    service.join(0, ArchiveClient::new(tape).0);
    instance.recorder.save();
    service.poll();
    assert!(matches!(reported(&outcomes)[..], [SaveOutcome::Nothing]));
    assert!(names(folder.path()).is_empty());
    Ok(())
}

#[test]
fn records_lost_to_a_full_tape_are_counted_and_a_save_request_still_gets_through() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (mut service, outcomes) = service(folder.path());
    let (mut instance, tape) = Instance::new(4096);
    service.join(0, ArchiveClient::new(tape).0);
    // The tape is not emptied meanwhile.
    while instance.recorder.n_lost() < 10 {
        let from = instance.played;
        instance.play(Stretch::rolling(from, 64.0), |_| {});
    }
    let n_lost = instance.recorder.n_lost();
    instance.recorder.save();
    service.poll();
    let outcomes = reported(&outcomes);
    let [
        SaveOutcome::Saved {
            n_lost: n_reported, ..
        },
    ] = outcomes.as_slice()
    else {
        return Err(format!("{outcomes:?}").into());
    };
    assert_eq!(*n_reported, n_lost);
    Ok(())
}

#[test]
fn a_take_is_saved_once_however_often_it_is_asked_for() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (mut service, outcomes) = service(folder.path());
    let (mut instance, tape) = Instance::new(512);
    let (client, requests) = ArchiveClient::new(tape);
    let save_status = client.save_status();
    service.join(0, client);
    let mut paths = Vec::new();
    for from in [0.0, 8.0] {
        instance.play(Stretch::rolling(from, 8.0), |_| {});
        // By key, by button, and after a rest without notes.
        for _ in 0..20 {
            instance.recorder.save();
            let _ = requests.try_send(ArchiveRequest::Save);
            service.poll();
            let stopped = Stretch {
                is_playing: false,
                ..Stretch::rolling(from + 8.0, 4.0)
            };
            instance.play(stopped, |_| {});
        }
        let outcomes = reported(&outcomes);
        assert_eq!(outcomes.len(), 40);
        let Some(SaveOutcome::Saved { path, .. }) = outcomes.first() else {
            return Err(format!("{outcomes:?}").into());
        };
        assert!(
            outcomes[1..].iter().all(
                |outcome| matches!(outcome, SaveOutcome::Again { path: again } if again == path)
            )
        );
        let shown = save_status
            .read()
            .map(|message| message.text)
            .unwrap_or_default();
        assert!(shown.contains(&path.display().to_string()), "{shown}");
        paths.push(path.clone());
        assert_eq!(names(folder.path()).len(), 2 * paths.len());
    }
    // Files that the player has deleted are written again.
    for path in &paths {
        fs::remove_file(path)?;
    }
    instance.recorder.save();
    service.poll();
    assert!(matches!(
        reported(&outcomes)[..],
        [SaveOutcome::Saved { .. }]
    ));
    Ok(())
}

#[test]
fn each_press_of_the_button_saves_once_and_its_first_state_never_does() {
    let (mut recorder, mut tape) = recording();
    for is_down in [true, true, false, true, true, false, false, true] {
        recorder.hold_save(is_down);
    }
    let requests =
        std::iter::from_fn(|| tape.read()).filter(|record| record.kind == RecordKind::Save);
    assert_eq!(requests.count(), 2);
}

#[test]
fn instances_that_share_the_archive_get_their_own_takes_even_if_they_leave_at_once() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (service, outcomes) = service(folder.path());
    let archive = SharedThread::start("archive", Duration::from_millis(1), service)?;
    let mut instances = Vec::new();
    for _ in 0..3 {
        let (instance, tape) = Instance::new(512);
        instances.push((instance, archive.join(ArchiveClient::new(tape).0)));
    }
    drop(archive);
    for (idx, (mut instance, place)) in instances.into_iter().enumerate() {
        instance.play(Stretch::rolling(0.0, 8.0 + 4.0 * idx as f64), |_| {});
        instance.recorder.save();
        drop(place);
    }
    let mut lengths: Vec<usize> = reported(&outcomes)
        .iter()
        .map(|outcome| match outcome {
            SaveOutcome::Saved { n_measures, .. } => *n_measures,
            _ => 0,
        })
        .collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [2, 3, 4]);
    assert_eq!(names(folder.path()).len(), 6);
    Ok(())
}

#[test]
fn records_own_nothing() {
    fn owns_nothing<T: Copy + Send + 'static>() {}
    owns_nothing::<Record>();
}
