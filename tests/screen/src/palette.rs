//! The few colours that a picture is written in.

use std::collections::BTreeMap;

/// Most colours of a palette: with twice as many the files are an eighth larger, and no eye sees it.
const MAX_COLOURS: usize = 128;

/// The commonest colours of a picture, and for each of its colours the nearest of them.
pub(crate) struct Palette {
    pub(crate) colours: Vec<[u8; 3]>,
    nearest: BTreeMap<[u8; 3], u8>,
}

impl Palette {
    /// Of a picture's pixels: red, green and blue.
    pub(crate) fn of(rgb: &[u8]) -> Self {
        let mut counts = BTreeMap::<[u8; 3], u32>::new();
        for pixel in rgb.as_chunks().0 {
            *counts.entry(*pixel).or_default() += 1;
        }
        let mut ranked: Vec<_> = counts.keys().copied().collect();
        // Stable, so that the same picture gets the same file.
        ranked.sort_by_key(|colour| std::cmp::Reverse(counts[colour]));
        let colours: Vec<_> = ranked.iter().copied().take(MAX_COLOURS).collect();
        let nearest = ranked
            .into_iter()
            .map(|colour| (colour, nearest(&colours, colour)))
            .collect();
        Self { colours, nearest }
    }

    /// The place in the palette of what is nearest to a pixel of the picture.
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
