//! One drummer plays every song, closed loop, and is measured.

use std::path::Path;

use anyhow::{Context as _, Result};
use lockstep_core::generator::{DEFAULT_SEED, DrumHistory};
use lockstep_files::measured_song::MeasuredSong;
use lockstep_files::midi_file::{self, Note, Song};
use rayon::prelude::*;

use crate::evaluation::{Likelihood, Report, RequestRecorder, score};
use crate::realism::{Habits, Realism};

use super::drummers::Candidate;
use super::playing::{controls, play};
use super::probes::{self, Probes};
use super::push::{PushResponse, Spliced};
use super::songs::{EvaluationSong, MEASURE};
use crate::whole;

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct ResultRow {
    /// Name of the drummer, or of the reference.
    pub(super) name: String,
    /// The figures.
    pub(super) report: Report,
    /// Surprise at people's drums with each [`DrumHistory`]; `None` where there is no likelihood.
    pub(super) likelihoods: [Option<Likelihood>; DrumHistory::ALL.len()],
    /// How well it can be told from people; `None` for people.
    pub(super) realism: Option<Realism>,
    /// What it plays how often.
    pub(super) habits: Habits,
    /// How it follows another bass; `None` for what cannot be asked.
    pub(super) push: Option<PushResponse>,
    /// Figures that only a drummer has; `None` for references, which have no generator.
    pub(super) drummer: Option<DrummerFigures>,
}

/// What is measured of a drummer besides its takes of whole songs.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrummerFigures {
    /// How it reacts.
    pub(super) probes: Probes,
    /// Trained parameters; 0 for a rule.
    pub(super) n_parameters: usize,
    /// Floating-point operations per prediction, a lower bound; 0 for a rule.
    pub(super) n_flops: u64,
    /// Size of its weights file, in bytes; `None` without one.
    pub(super) n_bytes: Option<usize>,
}

impl ResultRow {
    /// Whether a drummer plays as if there were no bass. References are never marked deaf.
    pub(super) fn is_deaf(&self) -> bool {
        self.drummer.is_some() && self.report.take.is_deaf()
    }

    /// The row of the people against whom the others were measured.
    pub(super) fn people(others: &[Self], pieces: &[EvaluationSong], spliced: &Spliced) -> Self {
        let report = others.first().map(|other| other.report).unwrap_or_default();
        Self {
            name: "people".to_owned(),
            report: Report {
                take: report.real,
                oa: 1.0,
                overlaps: report.overlaps.map(|_| 1.0),
                ..report
            },
            likelihoods: [None; DrumHistory::ALL.len()],
            realism: None,
            habits: Habits::of_people(
                pieces
                    .iter()
                    .map(|piece| MeasuredSong::from_song(&piece.song)),
            ),
            push: Some(spliced.played_by_people()),
            drummer: None,
        }
    }
}

/// Lets a drummer play every song as a player first hears it, with the default seed, and probes how it reacts.
pub(super) fn measure(
    drummer: &Candidate,
    pieces: &[EvaluationSong],
    spliced: &Spliced,
    takes: Option<&Path>,
) -> Result<ResultRow> {
    let played: Vec<_> = pieces
        .par_iter()
        .enumerate()
        .map(|(i, piece)| {
            let mut generator = drummer.generator()?;
            let mut overheard = RequestRecorder::new(generator.as_mut());
            let take = play(
                drummer,
                &mut overheard,
                &piece.song,
                &controls(DEFAULT_SEED),
            )
            .with_context(|| piece.path.clone())?;
            let requests = overheard.requests;
            let real = MeasuredSong::from_song(&piece.song);
            let mut likelihoods = [None; DrumHistory::ALL.len()];
            for (likelihood, history) in likelihoods.iter_mut().zip(DrumHistory::ALL) {
                *likelihood = Likelihood::of(generator.as_mut(), &requests, &real, history)?;
            }
            if let Some(folder) = takes {
                keep(folder, &drummer.name, i, &take)?;
                keep(folder, "people", i, &piece.song)?;
            }
            Ok(((MeasuredSong::from_song(&take), real), likelihoods))
        })
        .collect::<Result<_>>()?;
    let (sheets, likelihoods): (Vec<_>, Vec<[Option<Likelihood>; _]>) = played.into_iter().unzip();
    let sum = |history: usize| {
        let songs = likelihoods.iter().filter_map(|song| song[history]);
        songs.reduce(Likelihood::and)
    };
    let generator = drummer.generator()?;
    let realism = Realism::of(&sheets);
    Ok(ResultRow {
        name: drummer.name.clone(),
        report: score(&sheets),
        likelihoods: std::array::from_fn(sum),
        realism: Some(realism),
        habits: realism.take,
        push: Some(spliced.played_by(drummer)?),
        drummer: Some(DrummerFigures {
            probes: probes::probe(drummer, pieces)?,
            n_parameters: generator.n_parameters(),
            n_flops: generator.n_flops(),
            n_bytes: drummer.n_bytes,
        }),
    })
}

/// People's own previous measure, played again. Not a drummer, since it hears people; shows what repetition alone is
/// worth.
pub(super) fn open_loop(pieces: &[EvaluationSong]) -> ResultRow {
    let later = |note: &Note| Note {
        start: note.start + MEASURE,
        end: note.end + MEASURE,
        ..*note
    };
    let sheets: Vec<_> = pieces
        .iter()
        .map(|piece| {
            let take = Song {
                drums: piece.song.drums.iter().map(later).collect(),
                ..piece.song.clone()
            };
            (
                MeasuredSong::from_song(&take),
                MeasuredSong::from_song(&piece.song),
            )
        })
        .collect();
    let realism = Realism::of(&sheets);
    ResultRow {
        name: "(people's last measure, open loop)".to_owned(),
        report: score(&sheets),
        likelihoods: [None; DrumHistory::ALL.len()],
        realism: Some(realism),
        habits: realism.take,
        push: None,
        drummer: None,
    }
}

/// Saves a song as a MIDI file.
fn keep(folder: &Path, who: &str, i: usize, song: &Song) -> Result<()> {
    let folder = folder.join(who.replace(['/', '\\', ' ', '\''], "_"));
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    whole::write(&folder.join(format!("{i:04}.mid")), &midi_file::write(song))
}
