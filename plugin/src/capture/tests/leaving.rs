//! An instance that leaves waits for no file, and what it asked for is still written.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use lockstep_engine::shared_thread::SharedThread;

use super::super::archive::{ArchiveClient, ArchiveService};
use super::super::export::ArchiveRequest;
use super::super::save_outcome::SaveOutcome;
use super::super::writer::Writer;
use super::*;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Longer than anything takes that does not wait: a test that waits this long has failed.
const TOO_LONG: Duration = Duration::from_mins(1);

/// A disk that writes nothing until it is released.
struct Disk {
    folder: tempfile::TempDir,
    release: Sender<()>,
    outcomes: Receiver<SaveOutcome>,
}

/// An archive that writes to such a disk.
fn slow() -> std::io::Result<(ArchiveService, Disk)> {
    let folder = tempfile::tempdir()?;
    let (release, may_go) = channel();
    let (report, outcomes) = channel();
    let may_go = std::sync::Mutex::new(may_go);
    let path = folder.path().to_owned();
    let writer = Writer::default();
    let service = ArchiveService::new(
        move || {
            let _ = may_go.lock().map(|may_go| may_go.recv());
            Ok(path.clone())
        },
        move |outcome| {
            let _ = report.send(outcome);
        },
        move |job| writer.put(job),
    );
    let disk = Disk {
        folder,
        release,
        outcomes,
    };
    Ok((service, disk))
}

fn n_files(disk: &Disk) -> std::io::Result<usize> {
    Ok(std::fs::read_dir(disk.folder.path())?.count())
}

#[test]
fn the_last_instance_leaves_without_waiting_and_all_takes_are_written() -> TestResult {
    let (service, disk) = slow()?;
    let archive = SharedThread::start("archive", Duration::from_millis(1), service)?;
    let mut places = Vec::new();
    for n in 0..3 {
        let (mut instance, tape) = Instance::new(512);
        places.push(archive.join(ArchiveClient::new(tape).0));
        instance.play(Stretch::rolling(0.0, 8.0 + f64::from(n)), |_| {});
        for _ in 0..20 {
            instance.recorder.save();
        }
    }
    let (left, has_left) = channel();
    let leaving = thread::spawn(move || {
        drop((places, archive));
        let _ = left.send(());
    });
    // No take can have been written yet.
    has_left.recv_timeout(TOO_LONG)?;
    assert!(leaving.join().is_ok());
    assert_eq!(n_files(&disk)?, 0);
    drop(disk.release);
    for _ in 0..3 {
        let outcome = disk.outcomes.recv_timeout(TOO_LONG)?;
        assert!(matches!(outcome, SaveOutcome::Saved { .. }), "{outcome:?}");
    }
    // No further outcomes: one take per instance, for sixty presses.
    assert!(disk.outcomes.recv_timeout(TOO_LONG).is_err());
    let n_files = std::fs::read_dir(disk.folder.path())?.count();
    assert_eq!(n_files, 6);
    Ok(())
}

#[test]
fn presses_while_a_take_is_on_its_way_add_none_and_the_tape_goes_on() -> TestResult {
    use lockstep_engine::shared_thread::Service as _;

    let (mut service, disk) = slow()?;
    let (mut instance, tape) = Instance::new(512);
    let (client, requests) = ArchiveClient::new(tape);
    service.join(0, client);
    // Far more than the tape can hold without being emptied.
    let mut n_lost = 0;
    for n in 0..40 {
        instance.play(Stretch::rolling(f64::from(n) * 16.0, 16.0), |_| {});
        instance.recorder.save();
        let _ = requests.try_send(ArchiveRequest::Save);
        n_lost += instance.recorder.n_lost();
        service.poll();
    }
    assert_eq!(n_lost, 0);
    assert!(disk.outcomes.try_recv().is_err());
    disk.release.send(())?;
    let first = disk.outcomes.recv_timeout(TOO_LONG)?;
    let SaveOutcome::Saved { n_measures: 4, .. } = first else {
        return Err(format!("{first:?}").into());
    };
    assert_eq!(n_files(&disk)?, 2);
    // The next press saves what was played in the meantime.
    disk.release.send(())?;
    instance.recorder.save();
    service.poll();
    let next = disk.outcomes.recv_timeout(TOO_LONG)?;
    let SaveOutcome::Saved { n_measures: 64, .. } = next else {
        return Err(format!("{next:?}").into());
    };
    assert_eq!(n_files(&disk)?, 4);
    Ok(())
}
