//! The inputs beside the bass of a generator that hears itself, with people's drums in place of its own, and what it is made
//! to forget.

use candle_core::{Device, Result, Tensor};
use lockstep_core::representation::{Voice, is_fill};
use lockstep_models::network::{
    Architecture, Conditioning, Context, NET_MEASURES, NET_STEPS, energy, lateness, mark_known,
    n_own_planes,
};
use lockstep_models::voices::VoiceSet;
use rand::Rng as _;
use rand::rngs::StdRng;

use super::builder::column;
use super::{JUDGED, SPAN};
use crate::corpus::{DrumHit, MeasureView, SongView};
use crate::training::run::HistoryDropout;

/// Velocity of a hit that was never played but is remembered by mistake.
const SLIP_VELOCITY: f32 = 0.7;

/// The contexts of a batch while it is filled.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    own: Vec<f32>,
    accents: Vec<f32>,
    lateness: Vec<f32>,
    given: Vec<f32>,
}

/// What determines an excerpt's context.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExcerptContext<'a> {
    pub(super) architecture: &'a Architecture,
    pub(super) forgetting: &'a HistoryDropout,
    /// How many measures later the heard bass is than in playing.
    pub(super) shift: usize,
    /// The song's style, if it has one.
    pub(super) style: Option<usize>,
}

impl Contexts {
    /// Adds an excerpt; returns whether the network must not hear its bass.
    pub(super) fn write(
        &mut self,
        song: &SongView<'_>,
        first: usize,
        excerpt_context: ExcerptContext<'_>,
        rng: &mut StdRng,
    ) -> bool {
        let ExcerptContext {
            architecture,
            forgetting,
            shift,
            style,
        } = excerpt_context;
        let start = self.own.len();
        let voices = architecture.voices;
        let n = (SPAN - 1) * NET_STEPS * n_own_planes(voices);
        self.own.resize(start + n, 0.0);
        write_own(voices, song, first, &mut self.own[start..]);
        forget((forgetting, voices), &mut self.own[start..], rng);
        // Draws nothing for inputs the network does not hear, so that runs without controls stay reproducible.
        let is_told =
            |rng: &mut StdRng| architecture.controls && !rng.random_bool(forgetting.given);
        let forgets_bass = forgetting.bass > 0.0 && rng.random_bool(forgetting.bass);
        let start = self.accents.len();
        for values in [&mut self.accents, &mut self.lateness] {
            values.resize(start + (SPAN - 1) * NET_STEPS, 0.0);
        }
        if !forgets_bass {
            let onsets = (&mut self.accents[start..], &mut self.lateness[start..]);
            write_onsets(song, first + shift, onsets);
        }
        let style = style.filter(|_| is_told(rng));
        for k in 0..JUDGED {
            let heard = start + k * NET_STEPS..start + (k + NET_MEASURES) * NET_STEPS;
            let accents = &self.accents[heard.clone()];
            let measure = song.measure(first + k);
            let before = song.measure(first + k - 1);
            let given = Conditioning {
                measure: (first + k) as u64,
                tempo_bpm: before.tempo_bpm,
                n_steps: measure.meter.n_steps(),
                counts_eighths: measure.meter.denominator() == 8,
                energy: energy(accents, NET_STEPS),
                lateness: lateness(accents, &self.lateness[heard]),
                fill: is_told(rng).then(|| plays_fill(voices, measure)),
            };
            self.given.extend(given.numbers());
            self.given
                .extend((0..architecture.n_styles).map(|s| f32::from(u8::from(style == Some(s)))));
        }
        forgets_bass
    }

    pub(super) fn tensors(self, voices: VoiceSet, n: usize) -> Result<Context> {
        let cpu = &Device::Cpu;
        let n_given = self.given.len() / (n * JUDGED).max(1);
        let m = SPAN - 1;
        Ok(Context {
            own: Tensor::from_vec(self.own, (n, m, NET_STEPS, n_own_planes(voices)), cpu)?,
            accents: Tensor::from_vec(self.accents, (n, m, NET_STEPS, 1), cpu)?,
            given: Tensor::from_vec(self.given, (n, JUDGED, n_given), cpu)?,
        })
    }
}

/// What people played in the measures before each predicted one; measures without a hit are unknown.
fn write_own(voices: VoiceSet, song: &SongView<'_>, first: usize, planes: &mut [f32]) {
    let n_planes = n_own_planes(voices);
    let measures = planes.chunks_exact_mut(NET_STEPS * n_planes);
    for (offset, planes) in measures.enumerate() {
        let Some(measure) = (first + offset).checked_sub(NET_MEASURES) else {
            continue;
        };
        for hit in song.measure(measure).hits {
            let Some(column) = column(voices, *hit) else {
                continue;
            };
            let step = &mut planes[usize::from(hit.step_idx) * n_planes..][..n_planes];
            step[column] = 1.0;
            let velocity = &mut step[voices.n() + column];
            *velocity = velocity.max(f32::from(hit.velocity) / 127.0);
        }
        mark_known(voices, planes);
    }
}

/// Velocity of the loudest note that begins at each step of the measures heard, and its offset.
fn write_onsets(song: &SongView<'_>, first: usize, (accents, lateness): (&mut [f32], &mut [f32])) {
    let rows = accents.chunks_exact_mut(NET_STEPS);
    let rows = rows.zip(lateness.chunks_exact_mut(NET_STEPS));
    for (offset, (accents, lateness)) in rows.enumerate() {
        let Some(measure) = (first + offset).checked_sub(NET_MEASURES) else {
            continue;
        };
        for note in song.measure(measure).bass {
            let step_idx = usize::from(note.step_idx);
            let velocity = f32::from(note.velocity) / 127.0;
            if velocity > accents[step_idx] {
                accents[step_idx] = velocity;
                lateness[step_idx] = f32::from(note.offset) / 254.0;
            }
        }
    }
}

/// Clears the measures that an excerpt forgets, and flips a few cells of the others.
fn forget(
    (forgetting, voices): (&HistoryDropout, VoiceSet),
    measures: &mut [f32],
    rng: &mut StdRng,
) {
    let n_planes = n_own_planes(voices);
    let draw = rng.random_range(0.0..1.0);
    for planes in measures.chunks_exact_mut(NET_STEPS * n_planes) {
        let is_gap = draw < forgetting.all + forgetting.gaps && rng.random_bool(0.5);
        if draw < forgetting.all || is_gap {
            planes.fill(0.0);
            continue;
        }
        if forgetting.slips > 0.0 {
            for step in planes.chunks_exact_mut(n_planes) {
                for column in 0..voices.n() {
                    if rng.random_bool(forgetting.slips) {
                        step[column] = 1.0 - step[column];
                        step[voices.n() + column] = SLIP_VELOCITY * step[column];
                    }
                }
            }
        }
        mark_known(voices, planes);
    }
}

/// Whether the measure is a fill as a network with these voices hears it.
pub(in crate::training) fn plays_fill(voices: VoiceSet, measure: MeasureView<'_>) -> bool {
    let hit = |hit: &DrumHit| {
        let voice = *Voice::ALL.get(usize::from(hit.voice))?;
        Some((hit.step_idx.into(), voices.heard_as(voice)?))
    };
    is_fill(measure.hits.iter().filter_map(hit), measure.meter.n_steps())
}
