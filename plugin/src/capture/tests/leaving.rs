//! An instance that leaves waits for no file, and what it asked for is still written.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use lockstep_engine::shared_thread::SharedThread;

use super::super::archive::{Member, Shelf};
use super::super::export::Wish;
use super::super::outcome::Outcome;
use super::super::writer::Writer;
use super::*;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Longer than anything takes that does not wait: a test that waits this long has failed.
const TOO_LONG: Duration = Duration::from_mins(1);

/// A disk that writes nothing until it is released.
struct Disk {
    folder: tempfile::TempDir,
    let_go: Sender<()>,
    outcomes: Receiver<Outcome>,
}

/// A shelf that writes to such a disk.
fn slow() -> std::io::Result<(Shelf, Disk)> {
    let folder = tempfile::tempdir()?;
    let (let_go, may_go) = channel();
    let (tell, outcomes) = channel();
    let may_go = std::sync::Mutex::new(may_go);
    let path = folder.path().to_owned();
    let writer = Writer::default();
    let shelf = Shelf::new(
        move || {
            let _ = may_go.lock().map(|may_go| may_go.recv());
            Ok(path.clone())
        },
        move |outcome| {
            let _ = tell.send(outcome);
        },
        move |job| writer.put(job),
    );
    let disk = Disk {
        folder,
        let_go,
        outcomes,
    };
    Ok((shelf, disk))
}

fn n_files(disk: &Disk) -> std::io::Result<usize> {
    Ok(std::fs::read_dir(disk.folder.path())?.count())
}

#[test]
fn the_last_instance_leaves_without_waiting_and_all_takes_are_written() -> TestResult {
    let (shelf, disk) = slow()?;
    let archive = SharedThread::start("archive", Duration::from_millis(1), shelf)?;
    let mut places = Vec::new();
    for n in 0..3 {
        let (mut instance, tape) = Instance::new(512);
        places.push(archive.join(Member::new(tape).0));
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
    drop(disk.let_go);
    for _ in 0..3 {
        let outcome = disk.outcomes.recv_timeout(TOO_LONG)?;
        assert!(matches!(outcome, Outcome::Saved { .. }), "{outcome:?}");
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

    let (mut shelf, disk) = slow()?;
    let (mut instance, tape) = Instance::new(512);
    let (member, wishes) = Member::new(tape);
    shelf.join(0, member);
    // Far more than the tape can hold without being emptied.
    let mut n_lost = 0;
    for n in 0..40 {
        instance.play(Stretch::rolling(f64::from(n) * 16.0, 16.0), |_| {});
        instance.recorder.save();
        let _ = wishes.try_send(Wish::Save);
        n_lost += instance.recorder.n_lost();
        shelf.poll();
    }
    assert_eq!(n_lost, 0);
    assert!(disk.outcomes.try_recv().is_err());
    disk.let_go.send(())?;
    let first = disk.outcomes.recv_timeout(TOO_LONG)?;
    let Outcome::Saved { n_measures: 4, .. } = first else {
        return Err(format!("{first:?}").into());
    };
    assert_eq!(n_files(&disk)?, 2);
    // The next press saves what was played in the meantime.
    disk.let_go.send(())?;
    instance.recorder.save();
    shelf.poll();
    let next = disk.outcomes.recv_timeout(TOO_LONG)?;
    let Outcome::Saved { n_measures: 64, .. } = next else {
        return Err(format!("{next:?}").into());
    };
    assert_eq!(n_files(&disk)?, 4);
    Ok(())
}
