//! Styles: clusters of training songs with similar grooves.
//!
//! Almost all songs of the corpus are labelled pop or rock, so labels are no use. A style is a cluster of songs by how often
//! each cell of a 4/4 measure is hit (k-means, Lloyd 1982; seeded as in k-means++, Arthur & Vassilvitskii 2007). Distances are
//! between square roots of the shares (Hellinger's distance), so that a constant ride counts as much as a hat and a rare tom is
//! not lost. The most common style comes first.

use candle_core::{Device, Result, Tensor};
use lockstep_core::draws;
use lockstep_core::representation::N_VOICES;
use lockstep_models::network::NET_STEPS;
use lockstep_models::weights::styles;

use crate::corpus::{Corpus, SongView, Split};

/// Cells of a measure.
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
}

impl Styles {
    /// `n` styles of the training songs, or only of openly licensed ones; fewer if the songs are not different enough.
    pub fn fit(corpus: &Corpus, n: usize, open_only: bool) -> Self {
        if n == 0 {
            return Self::default();
        }
        let songs = corpus.songs(Split::Train);
        let songs = songs.filter(|song| song.is_open || !open_only);
        let songs: Vec<Groove> = songs.filter_map(groove).collect();
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
        }
    }

    /// The styles of a weights file, from its tensor [`STYLES`](lockstep_models::network::STYLES) in one row.
    pub fn new(hits: &[f32]) -> Self {
        let (grooves, _) = hits.as_chunks::<N_CELLS>();
        Self {
            grooves: grooves.to_vec(),
        }
    }

    /// The style nearest to these 4/4 measures of hits, `(n, 16, V)`; measures without a hit do not count. `None` if no measure
    /// has a hit.
    pub fn of_hits(&self, measures: &[[[bool; N_VOICES]; NET_STEPS]]) -> Option<usize> {
        let mut groove = [0.0; N_CELLS];
        let mut n = 0.0;
        for measure in measures {
            let hits = measure.as_flattened();
            n += f32::from(u8::from(hits.contains(&true)));
            for (mean, hit) in groove.iter_mut().zip(hits) {
                *mean += f32::from(u8::from(*hit));
            }
        }
        if n == 0.0 {
            return None;
        }
        nearest(&self.grooves, &groove.map(|hits| hits / n)).map(|(style, _)| style)
    }

    /// A song's style; `None` if there are no styles, or the song has too few measures.
    pub fn of(&self, song: SongView<'_>) -> Option<usize> {
        if self.grooves.is_empty() {
            return None;
        }
        nearest(&self.grooves, &groove(song)?).map(|(style, _)| style)
    }

    /// The grooves as a tensor, `(n, 16 · V)`; the rows of styles that were not found are 0.
    ///
    /// # Errors
    /// Those of candle.
    pub fn tensor(&self, n: usize) -> Result<Tensor> {
        let mut values = self.grooves.as_flattened().to_vec();
        values.resize(n * N_CELLS, 0.0);
        Tensor::from_vec(values, (n, N_CELLS), &Device::Cpu)
    }

    /// A name for each style: what its groove plays, in a few words.
    pub fn names(&self) -> Vec<String> {
        styles::names(self.grooves.as_flattened())
    }
}

/// How often a song hits each cell, over its 4/4 measures with a hit.
fn groove(song: SongView<'_>) -> Option<Groove> {
    let mut groove = [0.0; N_CELLS];
    let mut n = 0;
    for measure in song.measures() {
        if measure.meter.n_steps() != NET_STEPS || measure.hits.is_empty() {
            continue;
        }
        n += 1;
        for hit in measure.hits {
            groove[usize::from(hit.step_idx) * N_VOICES + usize::from(hit.voice)] += 1.0;
        }
    }
    (n >= MIN_MEASURES).then(|| groove.map(|hits: f32| hits / n as f32))
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
    use lockstep_core::representation::Voice;

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
}
