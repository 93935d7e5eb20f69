//! Reduces a picture to a small palette.

use std::collections::BTreeMap;

/// Size limit of a palette. Twice as many colours make the files an eighth larger, with no visible gain.
const MAX_COLOURS: usize = 128;

/// A picture's most frequent colours, and the nearest of them for each of its colours.
pub(crate) struct Palette {
    pub(crate) colours: Vec<[u8; 3]>,
    nearest: BTreeMap<[u8; 3], u8>,
}

impl Palette {
    /// The palette for pixels given as red, green, blue.
    pub(crate) fn of(rgb: &[u8]) -> Self {
        let mut counts = BTreeMap::<[u8; 3], u32>::new();
        for pixel in rgb.as_chunks().0 {
            *counts.entry(*pixel).or_default() += 1;
        }
        let mut ranked: Vec<_> = counts.keys().copied().collect();
        // The sort is stable, so the same picture gives the same file.
        ranked.sort_by_key(|colour| std::cmp::Reverse(counts[colour]));
        let colours: Vec<_> = ranked.iter().copied().take(MAX_COLOURS).collect();
        let nearest = ranked
            .into_iter()
            .map(|colour| (colour, nearest(&colours, colour)))
            .collect();
        Self { colours, nearest }
    }

    /// Index of the palette colour nearest to a pixel of the picture.
    pub(crate) fn index(&self, pixel: [u8; 3]) -> u8 {
        self.nearest.get(&pixel).copied().unwrap_or_default()
    }
}

fn nearest(colours: &[[u8; 3]], to: [u8; 3]) -> u8 {
    let distance = |colour: &[u8; 3]| -> u32 {
        let squares = colour
            .iter()
            .zip(to)
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2));
        squares.sum()
    };
    let best = (0..=u8::MAX)
        .zip(colours)
        .min_by_key(|(_, colour)| distance(colour));
    best.map_or(0, |(idx, _)| idx)
}
