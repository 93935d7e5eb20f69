//! Styles: clusters of training songs with similar grooves.
//!
//! Almost all songs of the corpus are labelled pop or rock, so labels are no use. A style is a cluster of songs by how often
//! each cell of a 4/4 measure is hit (k-means, Lloyd 1982; seeded as in k-means++, Arthur & Vassilvitskii 2007). Distances are
//! between square roots of the shares (Hellinger's distance), so that a constant ride counts as much as a hat and a rare tom is
//! not lost. The most common style comes first.

use candle_core::{Device, Result, Tensor};
use lockstep_core::draws;
use lockstep_core::representation::{N_VOICES, Voice};
use lockstep_models::network::{Architecture, NET_STEPS};
use lockstep_models::voices::VoiceSet;
use lockstep_models::weights::styles;

use crate::corpus::{Corpus, SongView, Split};

/// Cells of a measure, by voice of the kit.
const N_CELLS: usize = NET_STEPS * N_VOICES;
/// Passes over the songs.
const N_PASSES: u64 = 20;
/// Least number of 4/4 measures with a hit for a song to have a style.
const MIN_MEASURES: usize = 8;

/// Mean hits of each cell, step by step.
type Groove = [f32; N_CELLS];

/// The styles' mean grooves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Styles {
    grooves: Vec<Groove>,
    /// Songs are heard as a network with these voices hears them.
    voices: VoiceSet,
}

impl Styles {
    /// The styles of a network, of the training songs or only of openly licensed ones; fewer than it can be asked for if the
    /// songs are not different enough.
    pub fn fit(corpus: &Corpus, architecture: &Architecture, open_only: bool) -> Self {
        Self::cluster(
            corpus,
            architecture.n_styles,
            architecture.voices,
            open_only,
        )
    }

    /// `n` styles of the whole kit, of the training songs or only of openly licensed ones.
    pub fn of_kit(corpus: &Corpus, n: usize, open_only: bool) -> Self {
        Self::cluster(corpus, n, VoiceSet::default(), open_only)
    }

    fn cluster(corpus: &Corpus, n: usize, voices: VoiceSet, open_only: bool) -> Self {
        if n == 0 {
            return Self::default();
        }
        let songs = corpus.songs(Split::Train);
        let songs = songs.filter(|song| song.is_open || !open_only);
        let songs: Vec<Groove> = songs.filter_map(|song| groove(voices, song)).collect();
        let mut grooves = begin(&songs, n);
        let mut members = Vec::new();
        for _ in 0..N_PASSES {
            members = vec![Vec::new(); grooves.len()];
            for song in &songs {
                if let Some((style, _)) = nearest(&grooves, song) {
                    members[style].push(song);
                }
            }
            for (groove, members) in grooves.iter_mut().zip(&members) {
                if !members.is_empty() {
                    *groove = mean(members);
                }
            }
        }
        let mut order: Vec<usize> = (0..grooves.len()).collect();
        order.sort_by_key(|style| std::cmp::Reverse(members[*style].len()));
        Self {
            grooves: order.into_iter().map(|style| grooves[style]).collect(),
            voices,
        }
    }

    /// The styles of a weights file, from its [`style_hits`](lockstep_models::weights::Weights::style_hits).
    pub fn new(hits: &[f32]) -> Self {
        let (grooves, _) = hits.as_chunks::<N_CELLS>();
        Self {
            grooves: grooves.to_vec(),
            voices: VoiceSet::default(),
        }
    }

    /// The same styles, compared with songs as a network with these voices hears them.
    #[must_use]
    pub fn heard_by(self, voices: VoiceSet) -> Self {
        Self { voices, ..self }
    }

    /// The style nearest to these 4/4 measures of hits, `(n, 16, N_VOICES)`; measures without a hit do not count. `None` if no
    /// measure has a hit.
    pub fn of_hits(&self, measures: &[[[bool; N_VOICES]; NET_STEPS]]) -> Option<usize> {
        let measures = measures.iter().map(|measure| {
            let steps = measure.iter().enumerate();
            let hits = steps.flat_map(|(step_idx, hits)| {
                let played = Voice::ALL.into_iter().zip(hits).filter(|(_, hit)| **hit);
                played.map(move |(voice, _)| (step_idx, voice))
            });
            heard(self.voices, hits)
        });
        let groove = mean_hits(measures.filter(|hits| hits.contains(&true)), 1)?;
        nearest(&self.grooves, &groove).map(|(style, _)| style)
    }

    /// A song's style; `None` if there are no styles, or the song has too few measures.
    pub fn of(&self, song: SongView<'_>) -> Option<usize> {
        if self.grooves.is_empty() {
            return None;
        }
        nearest(&self.grooves, &groove(self.voices, song)?).map(|(style, _)| style)
    }

    /// The grooves as a tensor of a network, `(n_styles, 16 · V)`; the rows of styles that were not found are 0.
    ///
    /// # Errors
    /// Those of candle.
    pub fn tensor(&self, architecture: &Architecture) -> Result<Tensor> {
        self.rows(architecture.n_styles, architecture.voices)
    }

    /// The grooves of `n` styles, `(n, 16 · V)`, in the columns of these voices; the rows of styles that were not found are 0.
    ///
    /// # Errors
    /// Those of candle.
    pub fn rows(&self, n: usize, voices: VoiceSet) -> Result<Tensor> {
        let voices = voices.voices();
        let shape = (n, NET_STEPS * voices.len());
        let steps = self.grooves.as_flattened().chunks_exact(N_VOICES);
        let mut values: Vec<f32> = steps
            .flat_map(|step| voices.iter().map(|voice| step[voice.index()]))
            .collect();
        values.resize(shape.0 * shape.1, 0.0);
        Tensor::from_vec(values, shape, &Device::Cpu)
    }

    /// A name for each style: what its groove plays, in a few words.
    pub fn names(&self) -> Vec<String> {
        styles::names(self.grooves.as_flattened())
    }
}

/// How often a song hits each cell, over its 4/4 measures with a hit, as a network with these voices hears it.
fn groove(voices: VoiceSet, song: SongView<'_>) -> Option<Groove> {
    let measures = song.measures();
    let measures = measures.filter(|measure| measure.meter.n_steps() == NET_STEPS);
    let hits = measures.map(|measure| {
        let hits = measure.hits.iter().filter_map(|hit| {
            let voice = *Voice::ALL.get(usize::from(hit.voice))?;
            Some((usize::from(hit.step_idx), voice))
        });
        heard(voices, hits)
    });
    mean_hits(hits.filter(|hits| hits.contains(&true)), MIN_MEASURES)
}

/// Which cells of a measure a network with these voices hears hit.
fn heard(voices: VoiceSet, hits: impl Iterator<Item = (usize, Voice)>) -> [bool; N_CELLS] {
    let mut cells = [false; N_CELLS];
    for (step_idx, voice) in hits {
        if let Some(voice) = voices.heard_as(voice) {
            cells[step_idx * N_VOICES + voice.index()] = true;
        }
    }
    cells
}

/// How often each cell is hit; `None` for fewer than `least` measures.
fn mean_hits(measures: impl Iterator<Item = [bool; N_CELLS]>, least: usize) -> Option<Groove> {
    let mut groove = [0.0; N_CELLS];
    let mut n = 0;
    for measure in measures {
        n += 1;
        for (sum, hit) in groove.iter_mut().zip(measure) {
            *sum += f32::from(u8::from(hit));
        }
    }
    (n >= least).then(|| groove.map(|hits: f32| hits / n as f32))
}

/// The first grooves: songs, each drawn in proportion to its squared distance from the ones before.
fn begin(songs: &[Groove], n: usize) -> Vec<Groove> {
    let mut grooves: Vec<Groove> = songs.first().copied().into_iter().collect();
    while grooves.len() < n.min(songs.len()) {
        let far: Vec<f32> = songs
            .iter()
            .map(|song| nearest(&grooves, song).map_or(0.0, |(_, distance)| distance))
            .collect();
        let at = draws::uniform(&[grooves.len() as u64]) * far.iter().sum::<f32>();
        let mut sum = 0.0;
        let drawn = far.iter().position(|distance| {
            sum += distance;
            sum > at
        });
        // Every song equals one of the grooves already, so there are no more styles.
        let Some(drawn) = drawn else { break };
        grooves.push(songs[drawn]);
    }
    grooves
}

/// The nearest groove and its squared distance.
fn nearest(grooves: &[Groove], song: &Groove) -> Option<(usize, f32)> {
    let distance = |groove: &Groove| -> f32 {
        let parts = groove.iter().zip(song);
        parts.map(|(a, b)| (a.sqrt() - b.sqrt()).powi(2)).sum()
    };
    grooves
        .iter()
        .map(distance)
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(&b.1))
}

/// The groove whose square roots are the mean of the members' square roots.
fn mean(members: &[&Groove]) -> Groove {
    let mut sum = [0.0; N_CELLS];
    for groove in members {
        for (sum, hits) in sum.iter_mut().zip(groove.iter()) {
            *sum += hits.sqrt();
        }
    }
    sum.map(|sum| (sum / members.len() as f32).powi(2))
}

#[cfg(test)]
mod tests {
    use lockstep_models::network::{BassEmbedding, Drumming};

    use super::*;

    fn beat(cells: &[(usize, Voice)]) -> Groove {
        let mut groove = [0.0; N_CELLS];
        for (step, voice) in cells {
            groove[step * N_VOICES + voice.index()] = 1.0;
        }
        groove
    }

    fn rock() -> Groove {
        let mut cells: Vec<_> = (0..16)
            .step_by(2)
            .map(|step| (step, Voice::ClosedHat))
            .collect();
        cells.extend([(0, Voice::Kick), (8, Voice::Kick)]);
        cells.extend([(4, Voice::Snare), (12, Voice::Snare)]);
        beat(&cells)
    }

    fn disco() -> Groove {
        let four = [0, 4, 8, 12];
        let mut cells: Vec<_> = four.map(|step| (step, Voice::Kick)).to_vec();
        cells.extend(four.map(|step| (step + 2, Voice::OpenHat)));
        cells.extend([(4, Voice::Snare), (12, Voice::Snare)]);
        beat(&cells)
    }

    #[test]
    fn a_song_belongs_to_the_most_similar_groove() {
        let mut song = disco();
        song[0] = 0.7;
        let style = nearest(&[rock(), disco()], &song).map(|(style, _)| style);
        assert_eq!(style, Some(1));
        assert_eq!(nearest(&[], &song), None);
    }

    #[test]
    fn the_first_grooves_are_all_different() {
        let songs = [rock(), rock(), disco(), rock()];
        let grooves = begin(&songs, 3);
        assert_eq!(grooves, [rock(), disco()]);
    }

    #[test]
    fn an_older_network_is_asked_for_the_styles_that_it_can_play() -> Result<()> {
        let side_stick = |song: &Groove| {
            let mut song = *song;
            for step in [4, 12] {
                song.swap(
                    step * N_VOICES + Voice::Snare.index(),
                    step * N_VOICES + Voice::SideStick.index(),
                );
            }
            song
        };
        let grooves = [rock(), side_stick(&rock())];
        let styles = Styles::new(grooves.as_flattened());
        let measure: [[bool; N_VOICES]; NET_STEPS] = std::array::from_fn(|step| {
            std::array::from_fn(|voice| grooves[1][step * N_VOICES + voice] > 0.0)
        });
        assert_eq!(styles.of_hits(&[measure]), Some(1));
        assert_eq!(styles.of_hits(&[[[false; N_VOICES]; NET_STEPS]]), None);
        let older = styles.heard_by(VoiceSet::Version1);
        assert_eq!(
            older.of_hits(&[measure]),
            Some(0),
            "a side stick is a snare"
        );
        let architecture = Architecture {
            bass: BassEmbedding::Convolution,
            generator: Drumming::Autoregressive,
            controls: true,
            n_styles: 3,
            voices: VoiceSet::Version1,
        };
        let rows = older.tensor(&architecture)?.to_vec2::<f32>()?;
        assert_eq!(rows.len(), 3);
        let hats: Vec<f32> = rows[0].iter().skip(2).step_by(9).copied().collect();
        assert_eq!(
            hats,
            [1.0, 0.0].repeat(8),
            "the closed hat is its third column"
        );
        assert!(rows[2].iter().all(|mean| *mean == 0.0));
        Ok(())
    }
}
