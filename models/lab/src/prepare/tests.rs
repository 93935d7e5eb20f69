//! Whole runs on sources made by the tests.

use std::fs::{self, File};
use std::io::Write as _;

use lockstep_core::representation::{Position, Voice};
use lockstep_files::midi_file::{self, Note, Song};

use crate::corpus::Split;

use super::*;

/// A song of one measure; `variant` decides the position of its second kick.
fn midi(variant: u8, has_bass: bool) -> Vec<u8> {
    let note = |start: f64, key| Note {
        start: Position::at(start),
        end: Position::at(start + 0.25),
        key,
        velocity: 100,
    };
    midi_file::write(&Song {
        bass: Vec::from_iter(has_bass.then(|| note(0.0, 40))),
        drums: vec![
            note(0.0, 36),
            note(f64::from(variant % 15 + 1) / 4.0, 22),
            note(2.0, 38),
        ],
        ..Song::default()
    })
}

fn fill(folder: &Path, n_songs: u8) -> Result<()> {
    fs::create_dir_all(folder)?;
    for idx in 0..n_songs {
        fs::write(folder.join(format!("{idx:02}.mid")), midi(idx, true))?;
    }
    Ok(())
}

#[test]
fn a_plain_folder_is_read_and_bad_files_are_counted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let garage = folder.path().join("garage");
    fill(&garage.join("deep"), 3)?;
    fs::write(garage.join("garbage.mid"), b"MThd\0\0")?;
    fs::write(garage.join("empty.MIDI"), b"")?;
    fs::write(garage.join("text.mid"), b"all work and no play")?;
    let whole = midi(0, true);
    fs::write(garage.join("half.mid"), &whole[..whole.len() / 2])?;
    fs::write(garage.join("drums.mid"), midi(9, false))?;
    fs::write(garage.join("notes.txt"), b"no song")?;
    let output = folder.path().join("c.lockstep");
    let report = prepare(&[garage], &output, 2)?;
    let corpus = Corpus::open(&output)?;
    assert_eq!((corpus.n_songs(), report.n_songs), (4, 4));
    assert!((0..4).all(|idx| corpus.song(idx).source == "garage" && !corpus.song(idx).is_open));
    let deaf = (0..4).filter(|idx| !corpus.song(*idx).has_bass).count();
    assert_eq!(deaf, 1);
    for line in [
        "garage: 2 refused: cut off",
        "garage: 2 refused: not a MIDI file",
        "garage: no index; split by a hash",
    ] {
        assert!(report.table.contains(line), "{}", report.table);
    }
    assert!(!folder.path().join("c.lockstep.parts").exists());
    Ok(())
}

#[test]
fn a_folder_without_songs_is_a_clear_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("c.lockstep");
    let sources = [folder.path().join("void")];
    let missing = prepare(&sources, &output, 2)
        .err()
        .map(|e| format!("{e:#}"));
    assert!(missing.is_some_and(|text| text.starts_with("opening ")));
    fs::create_dir(&sources[0])?;
    let empty = prepare(&sources, &output, 2).err().map(|e| e.to_string());
    assert!(empty.is_some_and(|text| text.starts_with("no song could be used in void")));
    assert!(!output.exists());
    Ok(())
}

#[test]
fn a_tar_xz_with_an_index_follows_its_index() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("songs.tar.xz");
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut tar = tar::Builder::new(lzma_rust2::XzWriter::new(File::create(&path)?, options)?);
    let index = "path\tsource\ttier\tsplit\thumanised\tgenre\tlicence\n\
                 open/a.mid\tattic\topen\ttest\tTV\tdub\tCC0\n\
                 b.mid\tcellar\tresearch\tvalid\t-\t\t\n\
                 c.mid\tcellar\tresearch\ttrain\t-\t\t\n\
                 broken line\n";
    let stray = midi(3, true);
    let songs = [midi(1, true), midi(2, true)];
    for (name, bytes) in [
        ("./open/a.mid", songs[0].as_slice()),
        ("./b.mid", &songs[1]),
        ("./stray.mid", &stray),
        ("./index_dev.tsv", index.as_bytes()),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes)?;
    }
    tar.into_inner()?.finish()?.flush()?;

    let output = folder.path().join("c.lockstep");
    let report = prepare(std::slice::from_ref(&path), &output, 100)?;
    let corpus = Corpus::open(&output)?;
    let a = corpus.song(0);
    assert_eq!((a.name, a.source, a.style), ("open/a.mid", "attic", "dub"));
    assert!(a.is_open && a.has_dynamics && a.has_timing && a.split == Split::Test);
    let b = corpus.song(1);
    assert!(!b.is_open && !b.has_dynamics && !b.has_timing && b.split == Split::Valid);
    for line in [
        "cellar: 1 refused: in the index, but missing",
        "songs: 1 refused: not in the index",
    ] {
        assert!(report.table.contains(line), "{}", report.table);
    }

    // An archive that ends early is read as far as possible, or refused if nothing in it can be read.
    let bytes = fs::read(&path)?;
    fs::write(&path, &bytes[..bytes.len() / 2])?;
    if let Err(error) = prepare(&[path], &output, 100) {
        assert!(
            error.to_string().contains("the archive is damaged"),
            "{error:#}"
        );
    }
    Ok(())
}

#[test]
fn the_groove_dataset_supplies_its_meters_splits_and_drum_map() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("groove-v1.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path)?);
    let options = zip::write::SimpleFileOptions::default();
    let info = "drummer,style,bpm,time_signature,midi_filename,split\r\n\
                d1,funk/groove1,100,6-8,d1/1.mid,validation\r\n";
    for (name, bytes) in [
        ("groove/d1/1.mid", midi(0, false)),
        ("groove/info.csv", info.as_bytes().to_vec()),
        ("groove/Icon\r", Vec::new()),
    ] {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    zip.finish()?;
    let output = folder.path().join("c.lockstep");
    prepare(&[path], &output, 100)?;
    let corpus = Corpus::open(&output)?;
    let song = corpus.song(0);
    assert_eq!(
        (song.name, song.source, song.style),
        ("d1/1.mid", "groove", "funk")
    );
    assert!(song.is_open && !song.has_bass && song.split == Split::Valid);
    let measure = song.measure(0);
    assert_eq!(
        (measure.meter.numerator(), measure.meter.denominator()),
        (6, 8)
    );
    // Key 22, the edge of the closed hat.
    let voices: Vec<u8> = measure.hits.iter().map(|hit| hit.voice).collect();
    assert_eq!(
        voices,
        [Voice::Kick, Voice::ClosedHat, Voice::Snare].map(|voice| voice as u8)
    );
    Ok(())
}

#[test]
fn an_interrupted_run_resumes_to_the_same_bytes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let songs = folder.path().join("songs");
    fill(&songs, 10)?;
    let [whole, resumed] = ["whole", "resumed"].map(|name| folder.path().join(name));
    prepare(std::slice::from_ref(&songs), &whole, 3)?;

    // Interrupted after its four chunks, with one part half-written and one without its table.
    let parts = ChunkFolder::beside(&resumed)?;
    let made = gather(&[Source::open(&songs)?], &parts, 3)?;
    assert_eq!(made.len(), 4);
    fs::write(&made[1].path, b"LOCKSTEP")?;
    fs::remove_file(made[2].path.with_extension("tsv"))?;
    assert!(!resumed.exists());
    let report = prepare(&[songs], &resumed, 3)?;
    assert_eq!(report.n_resumed, 2);
    assert_eq!(fs::read(&whole)?, fs::read(&resumed)?);
    Ok(())
}
