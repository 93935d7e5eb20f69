//! `cargo lab prepare`: turns folders and archives of MIDI files into one training file.
//!
//! One thread unpacks, the others read songs in chunks. Each chunk's result is kept beside the output until all are
//! done, so that an interrupted run can resume.

mod census;
mod parts;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use crate::corpus::{self, Corpus, Repetition, SongRecord};
use crate::labels::classifier;
use anyhow::{Context as _, Result, ensure};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::sources::{SongFile, Source};
use census::Census;
use parts::{ChunkFolder, ChunkResult};

/// Songs in a chunk: a few seconds of work.
pub(crate) const SONGS_PER_CHUNK: usize = 256;

/// What to read, and where the training file goes.
#[derive(Clone, Debug, clap::Args)]
pub struct Prepare {
    /// Folders, or .tar.xz or .zip archives, of MIDI files. An `index_dev.tsv` or the Groove MIDI Dataset's `info.csv` in
    /// one is used; without one, a hash of a song's music decides its split.
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// The training file.
    #[arg(short, long, default_value = "corpus.lockstep")]
    output: PathBuf,
}

impl Prepare {
    /// Makes the file and prints what it contains.
    ///
    /// # Errors
    /// Says which file or value is wrong.
    pub fn run(&self) -> Result<()> {
        let begun = Instant::now();
        let report = prepare(&self.sources, &self.output, SONGS_PER_CHUNK)?;
        if report.n_resumed > 0 {
            println!(
                "{} chunks were left by an interrupted run",
                report.n_resumed
            );
        }
        println!("{}", report.table);
        let size = std::fs::metadata(&self.output)?.len();
        println!(
            "{}: {} songs, {} in {:.1} s",
            self.output.display(),
            report.n_songs,
            HumanBytes(size),
            begun.elapsed().as_secs_f64()
        );
        Ok(())
    }
}

/// What a run produced.
pub(crate) struct Report {
    /// What was read, what was rejected, and why.
    pub(crate) table: String,
    n_songs: usize,
    /// Chunks reused from an interrupted run.
    n_resumed: usize,
}

/// Writes one file of every song in the sources.
pub(crate) fn prepare(paths: &[PathBuf], output: &Path, songs_per_chunk: usize) -> Result<Report> {
    let sources = paths
        .iter()
        .map(|path| Source::open(path))
        .collect::<Result<Vec<_>>>()?;
    let parts = ChunkFolder::beside(output)?;
    let gathered = gather(&sources, &parts, songs_per_chunk)?;
    let n_resumed = gathered.iter().filter(|part| part.is_resumed).count();
    let mut census = Census::default();
    for part in &gathered {
        census.add(&part.census);
    }
    let names: Vec<&str> = sources.iter().map(Source::name).collect();
    ensure!(
        census.n_kept() > 0,
        "no song could be used in {}\n{}",
        names.join(", "),
        census.reasons()
    );

    let corpora = gathered
        .iter()
        .map(|part| Ok(Corpus::open(&part.path)?))
        .collect::<Result<Vec<_>>>()?;
    let songs = || {
        corpora
            .iter()
            .flat_map(|corpus| (0..corpus.n_songs()).map(|idx| corpus.song(idx)))
    };
    let mut repetition = Repetition::default();
    songs().for_each(|song| repetition.add(song));
    let weighted: Vec<_> = songs()
        .map(|mut song| {
            song.weight = repetition.weight(song.source);
            song
        })
        .collect();
    let labels = classifier::label_rest(&weighted)?;
    let labelled = weighted.iter().zip(labels).map(|(song, label)| SongRecord {
        label: song.label.or(label),
        ..SongRecord::from(*song)
    });
    corpus::write(output, labelled)?;
    drop(corpora);

    let corpus = Corpus::open(output)?;
    let mut table = census.table(&corpus, &repetition);
    for source in sources.iter().filter(|source| !source.has_index()) {
        let note = format!(
            "\n{}: no index; split by a hash of each song's music (80 % train, 10 % valid, 10 % test), licence unknown",
            source.name()
        );
        table.push_str(&note);
    }
    parts.remove()?;
    Ok(Report {
        table,
        n_songs: corpus.n_songs(),
        n_resumed,
    })
}

/// Songs that one worker reads in one go.
struct Chunk {
    idx: usize,
    songs: Vec<SongFile>,
}

/// Reads every source and returns the parts in the order of their chunks.
fn gather(
    sources: &[Source],
    parts: &ChunkFolder,
    songs_per_chunk: usize,
) -> Result<Vec<ChunkResult>> {
    let n_listed: usize = sources.iter().map(Source::n_listed).sum();
    let bar = ProgressBar::new(n_listed as u64).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} songs {elapsed}",
    )?);
    let n_workers = thread::available_parallelism().map_or(1, NonZero::get);
    // Two chunks may wait in the channel; more would only use memory.
    let (sender, receiver) = sync_channel(2);
    // Only the workers own the receiver: when the last one stops on an error, sending fails and nobody waits.
    let receiver = Arc::new(Mutex::new(receiver));
    let gathered = thread::scope(|scope| {
        let workers: Vec<_> = (0..n_workers)
            .map(|_| {
                let (receiver, bar) = (receiver.clone(), &bar);
                scope.spawn(move || work(&receiver, parts, bar))
            })
            .collect();
        drop(receiver);
        let outcome = send_chunks(sources, &sender, songs_per_chunk, &bar);
        drop(sender);
        let mut gathered = Vec::new();
        for worker in workers {
            let made = worker.join();
            gathered.extend(made.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        outcome.map(|()| gathered)
    });
    bar.finish_and_clear();
    let mut gathered = gathered?;
    gathered.sort_by_key(|part| part.idx);
    Ok(gathered)
}

fn send_chunks(
    sources: &[Source],
    sender: &SyncSender<Chunk>,
    songs_per_chunk: usize,
    bar: &ProgressBar,
) -> Result<()> {
    let (mut idx, mut songs) = (0, Vec::new());
    let mut send = |songs: &mut Vec<SongFile>| {
        let songs = std::mem::take(songs);
        idx += 1;
        let chunk = Chunk { idx, songs };
        // This fails only when every worker has stopped on an error; that error is reported instead.
        sender
            .send(chunk)
            .context("sending a chunk of songs to a worker")
    };
    for source in sources {
        source.read(&mut |song| {
            if !source.has_index() {
                bar.inc_length(1);
            }
            songs.push(song);
            if songs.len() < songs_per_chunk {
                return Ok(());
            }
            send(&mut songs)
        })?;
    }
    if songs.is_empty() {
        return Ok(());
    }
    send(&mut songs)
}

/// Turns chunks into parts until there are no more.
fn work(
    receiver: &Mutex<Receiver<Chunk>>,
    parts: &ChunkFolder,
    bar: &ProgressBar,
) -> Result<Vec<ChunkResult>> {
    let mut made = Vec::new();
    loop {
        // A lock poisoned by a panicking worker is still usable; the panic is passed on when that worker is joined.
        let next = match receiver.lock() {
            Ok(receiver) => receiver.recv(),
            Err(poisoned) => poisoned.into_inner().recv(),
        };
        let Ok(Chunk { idx, songs }) = next else {
            return Ok(made);
        };
        let n_songs = songs.len();
        made.push(parts.make(idx, &songs)?);
        bar.inc(n_songs as u64);
    }
}

#[cfg(test)]
mod tests;
