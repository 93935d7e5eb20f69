//! The songs that excerpts are drawn from.

use rand::Rng as _;
use rand::rngs::StdRng;

use crate::corpus::SongView;

/// Songs of one kind, drawn in proportion to their weights.
#[derive(Clone, Debug, Default)]
pub(super) struct SongPool {
    /// Indices in the corpus.
    songs: Vec<usize>,
    /// Running sums of the songs' weights.
    cumulative: Vec<f32>,
}

impl SongPool {
    /// Songs with their own weights.
    pub(super) fn new<'a>(songs: impl Iterator<Item = SongView<'a>>) -> Self {
        let mut pool = Self::default();
        songs.for_each(|song| pool.add(song.idx, song.weight));
        pool
    }

    /// Adds the song of this index in the corpus.
    pub(super) fn add(&mut self, song: usize, weight: f32) {
        let sum = self.cumulative.last().copied().unwrap_or_default();
        self.songs.push(song);
        self.cumulative.push(sum + weight);
    }

    /// How many songs there are.
    pub(super) fn n(&self) -> usize {
        self.songs.len()
    }

    pub(super) fn draw(&self, rng: &mut StdRng) -> Option<usize> {
        let total = self.cumulative.last().filter(|total| **total > 0.0)?;
        let at = rng.random_range(0.0..*total);
        let place = self.cumulative.partition_point(|sum| *sum <= at);
        self.songs.get(place.min(self.songs.len() - 1)).copied()
    }
}
