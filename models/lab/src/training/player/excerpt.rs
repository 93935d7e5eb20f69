//! Excerpts: stretches of songs as rows.

use anyhow::Result;
use lockstep_core::family::Family;
use lockstep_core::representation::pitch_index;
use lockstep_models::network::NET_STEPS;
use lockstep_models::network::player::{BassRow, DrumRow, Given, Levels, MEMORY, N_VOICES};
use lockstep_models::voices::VoiceSet;
use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::book::Book;
use super::ideas::{Ideas, SongIdea};
use super::run::{Hidden, PlayerRun};
use crate::corpus::{Corpus, MeasureView, SongView, Split};
use crate::idioms;
use crate::training::batch::plays_fill;
use crate::training::pool::SongPool;

/// Rows of an excerpt: those remembered, the last one played, and one that a teacher hears ahead.
pub(super) const SPAN: usize = MEMORY + 2;
/// Measures before an excerpt whose notes may still sound in it.
const STILL_SOUNDING: usize = 4;
/// Measures of a song that count for how often it is drawn.
const MOST_MEASURES: usize = 120;
/// Draws after which a corpus without a usable place is given up.
const MAX_DRAWS: usize = 10_000;

/// One measure of an excerpt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// The bass.
    pub bass: BassRow,
    /// People's drums.
    pub drums: DrumRow,
    /// How far each hit is from its step, in steps, `(16, V)`.
    pub offsets: [[f32; N_VOICES]; NET_STEPS],
    /// What is known of it.
    pub given: Given,
    /// Whether the song has it.
    pub is_inside: bool,
}

/// A stretch of a song, or of two: [`MEMORY`] rows and two.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// Its rows.
    pub rows: Vec<Row>,
    /// Whether the bass of each row is hidden.
    pub hides_bass: bool,
    /// Whether people's drums of each row are hidden.
    pub hides_own: Vec<bool>,
    /// What the player is told of what comes back.
    pub told: Told,
    /// The song's idea, of which the rows' given numbers may hide a part; of two songs, the first's.
    pub idea: SongIdea,
    /// Whether a second song follows.
    pub is_spliced: bool,
    /// What it was drawn for.
    pub drawn: Drawn,
}

/// What a player is told of what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Of every strand.
    All,
    /// Of every strand but the kick, so that it learns to answer the bass without what it did before.
    NotTheKick,
    /// Of none.
    Nothing,
}

/// What an excerpt was drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// For nothing: songs as they are.
    AsSongsAre,
    /// For its family, so that rare ones are heard too.
    ForItsFamily,
    /// For its bass, to which a groove of the book is played.
    ForTheBook,
    /// For its drums, which have no bass.
    ForItsDrums,
}

impl Excerpt {
    /// Whether a bass note begins in one of the four rows up to `row`.
    pub fn is_accompanied(&self, row: usize) -> bool {
        let from = row.saturating_sub(3);
        self.rows[from..=row].iter().any(|row| !row.bass.is_empty())
    }
}

/// Draws excerpts of one split.
#[derive(Debug)]
pub struct Excerpts<'a> {
    corpus: &'a Corpus,
    run: &'a PlayerRun,
    all_ideas: &'a Ideas,
    /// By song of the corpus; those of other splits stay empty.
    ideas: Vec<SongIdea>,
    all: SongPool,
    labelled: SongPool,
    drums_only: SongPool,
    book: Book,
}

impl<'a> Excerpts<'a> {
    /// Those of a split.
    ///
    /// # Errors
    /// Says which groove of `models/book.toml` is wrong.
    pub fn new(
        corpus: &'a Corpus,
        run: &'a PlayerRun,
        ideas: &'a Ideas,
        split: Split,
    ) -> Result<Self> {
        let mut of = vec![SongIdea::default(); corpus.n_songs()];
        let data = &run.data;
        let is_used = |song: &SongView<'_>| song.is_open || !data.open_only;
        let mut counts = [0.0_f32; Family::ALL.len()];
        for song in corpus.songs(split).filter(is_used) {
            of[song.idx] = ideas.of(song, data);
            if let Some(family) = of[song.idx].family.filter(|_| song.has_bass) {
                counts[family] += song.weight;
            }
        }
        let (mut all, mut labelled, mut drums_only) = (
            SongPool::default(),
            SongPool::default(),
            SongPool::default(),
        );
        let weight_of =
            |song: &SongView<'_>| song.weight * song.n_measures().min(MOST_MEASURES) as f32;
        for song in corpus.songs(split).filter(is_used) {
            let weight = weight_of(&song);
            if !song.has_bass {
                drums_only.add(song.idx, weight);
                continue;
            }
            all.add(song.idx, weight);
            if let Some(family) = of[song.idx].family {
                labelled.add(song.idx, song.weight / counts[family].sqrt());
            }
        }
        let accompanied = corpus.songs(split).filter(is_used).filter(|s| s.has_bass);
        Ok(Self {
            corpus,
            run,
            all_ideas: ideas,
            ideas: of,
            all,
            labelled,
            drums_only,
            book: Book::new(accompanied.map(|song| (song, weight_of(&song))))?,
        })
    }

    /// How many songs with a bass there are.
    pub fn n_songs(&self) -> usize {
        self.all.n()
    }

    /// An excerpt, a function of the run's seed and of `place`; `None` if the corpus has none of use.
    pub fn draw(&self, place: &[u64]) -> Option<Excerpt> {
        let mut at = vec![self.run.seed];
        at.extend(place);
        let mut rng = StdRng::seed_from_u64(lockstep_core::draws::hash(&at));
        let data = &self.run.data;
        let kind = rng.random_range(0.0..1.0);
        let mut groove = None;
        let (drawn, pool) = if kind < data.drums_only && self.drums_only.n() > 0 {
            (Drawn::ForItsDrums, &self.drums_only)
        } else if kind < data.drums_only + data.labelled && self.labelled.n() > 0 {
            (Drawn::ForItsFamily, &self.labelled)
        } else if kind < data.drums_only + data.labelled + data.book
            && let Some((drawn, pool)) = self.book.draw(&mut rng)
        {
            groove = Some(drawn);
            (Drawn::ForTheBook, pool)
        } else {
            (Drawn::AsSongsAre, &self.all)
        };
        let transpose = rng.random_range(-data.transpose..=data.transpose);
        let (song, first, mut rows) = self.stretch(pool, transpose, &mut rng)?;
        let mut idea = self.ideas[song.idx];
        if let Some(groove) = groove {
            // A family may be asked for in the middle of a song.
            let from = if rng.random_bool(0.5) {
                0
            } else {
                rng.random_range(0..SPAN / 2)
            };
            for row in &mut rows[..from] {
                (row.given.family, row.given.is_by_the_book) = (None, false);
            }
            let touch = groove.play(&mut rows[from..], idea.touch, &mut rng);
            idea = SongIdea {
                family: Some(groove.family()),
                groove: None,
                touch: Some(touch),
                levels: Levels::default(),
                nearest_touch: self.all_ideas.nearest_touch(&touch),
                ..idea
            };
        }
        let mut excerpt_is_spliced = false;
        if groove.is_none() && song.has_bass && rng.random_bool(data.spliced) {
            let (_, _, second) = self.stretch(&self.all, transpose, &mut rng)?;
            let cut = rng.random_range(6..SPAN - 6);
            let fits = rows[0].given.n_steps == second[0].given.n_steps;
            if fits && rows[..cut].iter().all(|row| row.is_inside) {
                for (row, other) in rows.iter_mut().zip(&second).skip(cut) {
                    let measure = row.given.measure;
                    *row = *other;
                    row.given.measure = measure;
                }
                excerpt_is_spliced = true;
            }
        }
        let mut excerpt = Excerpt {
            rows,
            hides_bass: !song.has_bass,
            hides_own: vec![false; SPAN],
            told: Told::All,
            idea,
            is_spliced: excerpt_is_spliced,
            drawn,
        };
        hide(&mut excerpt, &self.run.hidden, first == 0, &mut rng);
        Some(excerpt)
    }

    /// Rows of a drawn song from a drawn measure on; all of one length.
    fn stretch(
        &self,
        pool: &SongPool,
        transpose: i32,
        rng: &mut StdRng,
    ) -> Option<(SongView<'a>, usize, Vec<Row>)> {
        for _ in 0..MAX_DRAWS {
            let song = self.corpus.song(pool.draw(rng)?);
            let n = song.n_measures();
            let first = rng.random_range(0..=n.saturating_sub(MEMORY + 1));
            let n_steps = song.measure(first).meter.n_steps();
            let last = n.min(first + SPAN);
            let is_even = (first..last).all(|idx| song.measure(idx).meter.n_steps() == n_steps);
            if n_steps > NET_STEPS || !is_even || last < first + 4 {
                continue;
            }
            let idea = self.ideas[song.idx];
            return Some((song, first, rows(&song, first, transpose, idea)));
        }
        None
    }
}

/// The rows of a song from measure `first` on, with everything that is known of them.
fn rows(song: &SongView<'_>, first: usize, transpose: i32, idea: SongIdea) -> Vec<Row> {
    let mut rows: Vec<Row> = (first..first + SPAN)
        .map(|idx| row(song, idx, idea))
        .collect();
    let n_steps = rows[0].given.n_steps.max(1);
    for idx in first.saturating_sub(STILL_SOUNDING)..(first + SPAN).min(song.n_measures()) {
        let measure = song.measure(idx);
        for note in measure.bass {
            let key = i32::from(note.key) + transpose;
            let key = u8::try_from(key.clamp(0, 127)).unwrap_or_default();
            let pitch = usize::from(pitch_index(key));
            let start = idx * n_steps + usize::from(note.step_idx);
            if idx >= first {
                let velocity = f32::from(note.velocity) / 127.0;
                let lateness = f32::from(note.offset) / 254.0;
                rows[idx - first]
                    .bass
                    .begin(usize::from(note.step_idx), pitch, velocity, lateness);
            }
            for step in start..start + usize::from(note.n_steps).min(STILL_SOUNDING * n_steps) {
                let place = (step / n_steps).checked_sub(first);
                if let Some(row) = place.and_then(|place| rows.get_mut(place)) {
                    row.bass.hold(step % n_steps);
                }
            }
        }
    }
    rows
}

/// A row without its bass.
fn row(song: &SongView<'_>, idx: usize, idea: SongIdea) -> Row {
    let measure = song.measure(idx);
    let mut row = Row {
        is_inside: idx < song.n_measures(),
        ..Row::default()
    };
    let mut loudness = 0.0;
    for hit in measure.hits {
        let (step, voice) = (usize::from(hit.step_idx), usize::from(hit.voice));
        let velocity = f32::from(hit.velocity) / 127.0;
        if step < NET_STEPS && voice < N_VOICES {
            row.drums.hit(step, voice, velocity);
            row.offsets[step][voice] = f32::from(hit.offset) / 254.0;
            loudness += velocity;
        }
    }
    row.given = Given {
        measure: idx as u64,
        tempo_bpm: measure.tempo_bpm,
        n_steps: measure.meter.n_steps(),
        counts_eighths: measure.meter.denominator() == 8,
        swing: measure.swing,
        fill: Some(plays_fill(VoiceSet::default(), measure)),
        energy: Some(
            ((loudness + 0.5) / (idea.loudness + 0.5))
                .log2()
                .clamp(-1.5, 1.5),
        ),
        touch: idea.touch,
        family: idea.family,
        is_by_the_book: idea
            .family
            .is_some_and(|family| sounds_like(family, measure)),
        groove: idea.groove,
    };
    row
}

/// Whether a measure plays what the name of its song's family promises. In meters of which its rule does not speak, every measure
/// does.
fn sounds_like(family: usize, measure: MeasureView<'_>) -> bool {
    let family = Family::ALL.get(family);
    family.is_some_and(|family| idioms::keeps(*family, measure).unwrap_or(true))
}

/// Hides parts of an excerpt.
fn hide(excerpt: &mut Excerpt, hidden: &Hidden, is_begin: bool, rng: &mut StdRng) {
    let draw = rng.random_range(0.0..1.0);
    if draw < hidden.own {
        excerpt.hides_own.fill(true);
    } else if draw < hidden.own + hidden.gaps {
        let share = rng.random_range(0.0..=hidden.gap_share);
        for hides in &mut excerpt.hides_own {
            *hides = rng.random_bool(share);
        }
    }
    // A take begins without own drums, and a song that is entered in the middle too.
    let mut begin = usize::from(is_begin) * rng.random_range(0..3);
    if rng.random_bool(hidden.past) {
        begin = rng.random_range(0..MEMORY / 2);
    }
    excerpt.hides_own[..begin].fill(true);
    excerpt.hides_bass |= rng.random_bool(hidden.bass);
    excerpt.told = if rng.random_bool(hidden.returns) {
        Told::Nothing
    } else if rng.random_bool(hidden.kick) {
        Told::NotTheKick
    } else {
        Told::All
    };
    let without_idea = excerpt.is_spliced && rng.random_bool(0.5);
    // What is played when no family is said must be what songs play, whatever is drawn for its family besides.
    let family = match excerpt.drawn {
        Drawn::ForItsFamily => 0.1 * hidden.family,
        Drawn::ForTheBook => 0.0,
        Drawn::AsSongsAre | Drawn::ForItsDrums => hidden.family,
    };
    let hides_family = without_idea || rng.random_bool(family);
    let by_the_book = excerpt.drawn == Drawn::ForTheBook || !rng.random_bool(hidden.freely);
    let hides_groove = without_idea || rng.random_bool(hidden.groove);
    let hides_touch = rng.random_bool(hidden.touch);
    // An energy is asked for now, and may not have been before.
    let hides_energy = if rng.random_bool(hidden.energy) {
        1.0
    } else {
        0.4
    };
    for row in &mut excerpt.rows {
        let given = &mut row.given;
        // Who asks for a family by its name gets what everybody knows it by: there, other measures have no family. Who has one
        // in mind plays it as people do.
        given.is_by_the_book &= by_the_book;
        given.family = given
            .family
            .filter(|_| !hides_family && (given.is_by_the_book || !by_the_book));
        given.groove = given.groove.filter(|_| !hides_groove);
        given.touch = given.touch.filter(|_| !hides_touch);
        given.energy = given.energy.filter(|_| !rng.random_bool(hides_energy));
        given.fill = given.fill.filter(|_| !rng.random_bool(hidden.fill));
    }
}
