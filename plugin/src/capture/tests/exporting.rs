//! Exporting the last measures to a folder that the player chooses.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use lockstep_engine::shared_thread::{Service, SharedThread};
use lockstep_files::midi_file::{self, Pick};

use super::super::archive::{ArchiveClient, ArchiveService};
use super::super::files::SaveError;
use super::super::save_outcome::SaveOutcome;
use super::*;

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn measures(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap_or(NonZeroUsize::MIN)
}

/// An archive that cannot save takes, and writes exports at once.
fn service() -> ArchiveService {
    ArchiveService::new(|| Err(SaveError::NoFolder), |_: SaveOutcome| {}, at_once)
}

fn written(path: &Path) -> Result<Song, Box<dyn std::error::Error>> {
    Ok(midi_file::read(&fs::read(path)?, Pick::default())?)
}

#[test]
fn the_last_measures_are_written_into_the_chosen_folder_while_playing_goes_on() -> TestResult {
    let folder = tempfile::tempdir()?;
    let chosen = folder.path().join("songs/new");
    let mut service = service();
    let (mut instance, tape) = Instance::new(512);
    let (client, requests) = ArchiveClient::new(tape);
    service.join(0, client);
    instance.play(Stretch::rolling(0.0, 38.0), |_| {});
    let few = PendingExport::request(&requests, measures(4), &chosen);
    let all = PendingExport::request(&requests, measures(N_MEASURES), &chosen);
    assert!(few.ready().is_none());
    service.poll();
    let mut exported = Vec::new();
    for (exporting, n_measures, first) in [(few, 4, 24.0), (all, 10, 0.0)] {
        let files = exporting.ready().ok_or("it is written by now")??;
        assert_eq!((files.n_measures, files.n_lost), (n_measures, 0));
        assert!(files.mid.starts_with(&chosen) && files.mid.with_extension("wav") == files.wav);
        assert_eq!(begun(&written(&files.mid)?), expected(&instance, first));
        let sound = hound::WavReader::open(&files.wav)?;
        let seconds = f64::from(sound.duration()) / f64::from(sound.spec().sample_rate);
        assert!(seconds > (38.0 - first) / 2.0, "{seconds}");
        exported.push(files);
    }
    assert_ne!(exported[0].mid, exported[1].mid);
    assert_eq!(fs::read_dir(&chosen)?.count(), 4);
    // The next export contains what was played since.
    instance.play(Stretch::rolling(38.0, 2.0), |_| {});
    let last = PendingExport::request(&requests, measures(1), &chosen);
    service.poll();
    let files = last.wait()?;
    assert_eq!(begun(&written(&files.mid)?), expected(&instance, 36.0));
    Ok(())
}

#[test]
fn a_stopped_instance_exports_what_it_played_last() -> TestResult {
    let folder = tempfile::tempdir()?;
    let archive = SharedThread::start("archive", Duration::from_millis(1), service())?;
    let (mut instance, tape) = Instance::new(512);
    let (client, requests) = ArchiveClient::new(tape);
    let place = archive.join(client);
    instance.play(Stretch::rolling(0.0, 16.0), |_| {});
    let stopped = Stretch {
        is_playing: false,
        ..Stretch::rolling(16.0, 4.0)
    };
    instance.play(stopped, |_| {});
    let files = PendingExport::request(&requests, measures(2), folder.path()).wait()?;
    assert_eq!(begun(&written(&files.mid)?), expected(&instance, 8.0));
    // A request made just before the instance leaves is still served.
    let last = PendingExport::request(&requests, measures(1), folder.path());
    drop((place, archive));
    let files = last.wait()?;
    assert_eq!(begun(&written(&files.mid)?), expected(&instance, 12.0));
    let late = PendingExport::request(&requests, measures(1), folder.path());
    assert!(matches!(late.ready(), Some(Err(ExportError::Gone))));
    Ok(())
}

#[test]
fn an_instance_exports_through_the_archive_of_the_process() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (mut instance, tape) = Instance::new(512);
    let place = Archive::of_process()?.register(tape);
    instance.play(Stretch::rolling(0.0, 12.0), |_| {});
    let files = place.export(measures(2), folder.path()).wait()?;
    assert_eq!(begun(&written(&files.mid)?), expected(&instance, 4.0));
    Ok(())
}

#[test]
fn a_take_is_rendered_with_the_current_kit_and_never_without_drums() -> TestResult {
    let (folder, archive) = (tempfile::tempdir()?, Archive::of_process()?);
    let mut sounds = Vec::new();
    for kit in KitChoice::ALL {
        let (mut instance, tape) = Instance::new(512);
        let place = archive.register(tape);
        instance.recorder.set_kit(kit);
        instance.play(Stretch::rolling(0.0, 12.0), |_| {});
        let files = place.export(measures(2), folder.path()).wait()?;
        sounds.push(fs::read(&files.wav)?);
    }
    let [acoustic, brushes, electronic, off] = &*sounds else {
        unreachable!("one for each kit");
    };
    assert!(acoustic != brushes && acoustic != electronic && brushes != electronic);
    assert!(off == acoustic);
    Ok(())
}

#[test]
fn too_many_exports_at_once_are_refused_and_the_others_written() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut service = service();
    let (mut instance, tape) = Instance::new(512);
    let (client, requests) = ArchiveClient::new(tape);
    service.join(0, client);
    instance.play(Stretch::rolling(0.0, 8.0), |_| {});
    let asked: Vec<_> = (0..20)
        .map(|_| PendingExport::request(&requests, measures(1), folder.path()))
        .collect();
    service.poll();
    let (written, refused): (Vec<_>, Vec<_>) = asked
        .into_iter()
        .map(PendingExport::wait)
        .partition(Result::is_ok);
    assert_eq!((written.len(), refused.len()), (8, 12));
    assert!(
        refused
            .iter()
            .all(|each| matches!(each, Err(ExportError::TooMany)))
    );
    assert_eq!(fs::read_dir(folder.path())?.count(), 16);
    Ok(())
}

#[test]
fn an_editor_can_share_the_place_and_hold_an_export_in_progress() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<ArchiveHandle>();
    is_shared::<PendingExport>();
}

#[test]
fn a_failed_export_names_the_folder_and_says_what_to_do() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("a file");
    fs::write(&file, b"in the way")?;
    let mut service = service();
    let (mut instance, tape) = Instance::new(512);
    let (client, requests) = ArchiveClient::new(tape);
    service.join(0, client);
    let nothing = PendingExport::request(&requests, measures(8), folder.path());
    service.poll();
    assert!(matches!(nothing.wait(), Err(ExportError::Nothing)));
    instance.play(Stretch::rolling(0.0, 8.0), |_| {});
    let exporting = PendingExport::request(&requests, measures(8), &file.join("songs"));
    service.poll();
    let words = exporting.wait().err().map(|error| error.to_string());
    let words = words.unwrap_or_default();
    let path = file.join("songs").display().to_string();
    assert!(
        words.contains(&path) && words.contains("choose another folder"),
        "{words}"
    );
    assert!(!words.contains(FOLDER_VARIABLE), "{words}");
    assert_eq!(fs::read_dir(folder.path())?.count(), 1);
    Ok(())
}
