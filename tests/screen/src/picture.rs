//! Pictures, and how much two of them differ.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::Path;

use crate::palette::Palette;
use anyhow::{Context as _, Result, ensure};
use png::{BitDepth, ColorType, Compression, Decoder, Encoder, FilterType, Transformations};

/// Side of the squares whose mean colours are compared, in pixels at a width of 960.
const SQUARE: u32 = 16;

/// How much a square's means may differ in each channel, out of 255: more than the rounding of edges.
const TOLERANCE: u32 = 8;

/// A picture without transparency.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    /// Red, green, blue for each pixel, row by row.
    rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

impl Picture {
    /// Makes a picture from red, green and blue bytes, row by row.
    ///
    /// # Errors
    /// If the number of bytes does not match the size.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self> {
        let n_bytes = u64::from(width) * u64::from(height) * 3;
        ensure!(
            n_bytes == rgb.len() as u64,
            "{width} x {height} pixels are {n_bytes} bytes, not {}",
            rgb.len()
        );
        Ok(Self { width, height, rgb })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Whether all pixels have the same colour, as in a window where nothing has been drawn.
    pub fn is_blank(&self) -> bool {
        let (pixels, _) = self.rgb.as_chunks::<3>();
        pixels.iter().all(|pixel| Some(pixel) == pixels.first())
    }

    /// Number of pixels close to this colour.
    pub fn n_of(&self, colour: [u8; 3]) -> usize {
        /// Levels by which antialiased text and a driver's rounding may change a channel.
        const TOLERANCE: u8 = 24;
        let (pixels, _) = self.rgb.as_chunks::<3>();
        let is_near = |pixel: &&[u8; 3]| {
            let channels = pixel.iter().zip(colour);
            channels
                .into_iter()
                .all(|(a, b)| a.abs_diff(b) <= TOLERANCE)
        };
        pixels.iter().filter(is_near).count()
    }

    /// The picture with a rectangle `(left, top, width, height)` filled with one colour.
    #[must_use]
    pub fn painted(
        mut self,
        (left, top, width, height): (u32, u32, u32, u32),
        to: [u8; 3],
    ) -> Self {
        for y in top..(top + height).min(self.height) {
            for x in left..(left + width).min(self.width) {
                let at = ((y * self.width + x) * 3) as usize;
                if let Some(pixel) = self.rgb.get_mut(at..at + 3) {
                    pixel.copy_from_slice(&to);
                }
            }
        }
        self
    }

    /// Reads a PNG.
    ///
    /// # Errors
    /// If the file cannot be read as an RGB picture.
    pub fn read(path: &Path) -> Result<Self> {
        let what = || format!("reading the picture {}", path.display());
        let mut decoder = Decoder::new(BufReader::new(File::open(path).with_context(what)?));
        decoder.set_transformations(Transformations::EXPAND);
        let mut reader = decoder.read_info().with_context(what)?;
        let mut rgb = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut rgb).with_context(what)?;
        ensure!(
            info.color_type == ColorType::Rgb && info.bit_depth == BitDepth::Eight,
            "{} is not an 8-bit RGB picture as `write` makes it",
            path.display()
        );
        rgb.truncate(info.buffer_size());
        Self::new(info.width, info.height, rgb)
    }

    /// Writes a PNG with a small palette, and makes its folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let what = || format!("writing the picture {}", path.display());
        let palette = Palette::of(&self.rgb);
        let file = BufWriter::new(File::create(path).with_context(what)?);
        let mut encoder = Encoder::new(file, self.width, self.height);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(palette.colours.concat());
        encoder.set_compression(Compression::Best);
        // Filters do not help, because adjacent palette indices are unrelated.
        encoder.set_filter(FilterType::NoFilter);
        let mut writer = encoder.write_header().with_context(what)?;
        let (pixels, _) = self.rgb.as_chunks();
        let indices: Vec<u8> = pixels.iter().map(|pixel| palette.index(*pixel)).collect();
        writer.write_image_data(&indices).with_context(what)
    }

    /// How much two pictures differ: the share of squares whose mean colours differ by more than a little, in `[0, 1]`;
    /// 1 if their sizes differ.
    pub fn difference(&self, other: &Self) -> f64 {
        if self.size() != other.size() {
            return 1.0;
        }
        let (mine, others) = (self.squares(), other.squares());
        let differs = |(a, b): &(&[u32; 3], &[u32; 3])| {
            a.iter()
                .zip(b.iter())
                .any(|(a, b)| a.abs_diff(*b) > TOLERANCE)
        };
        let n_differing = mine.iter().zip(&others).filter(differs).count();
        n_differing as f64 / mine.len().max(1) as f64
    }

    /// Mean colours of all squares.
    fn squares(&self) -> Vec<[u32; 3]> {
        let side = (SQUARE * self.width / 960).max(1);
        let (across, down) = (self.width.div_ceil(side), self.height.div_ceil(side));
        let mut sums = vec![([0_u32; 3], 0_u32); (across * down) as usize];
        for (idx, pixel) in (0_u32..).zip(self.rgb.chunks_exact(3)) {
            let (x, y) = (idx % self.width, idx / self.width);
            let (sum, n) = &mut sums[(y / side * across + x / side) as usize];
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += u32::from(*value);
            }
            *n += 1;
        }
        sums.iter()
            .map(|(sum, n)| sum.map(|sum| sum / (*n).max(1)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey background with a chequered area in two colours.
    fn drawn() -> Result<Picture> {
        let (width, height) = (960, 640);
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let is_light = (x / 8 + y / 8) % 2 == 0 && x < 480;
                rgb.extend(if is_light {
                    [230, 159, 0]
                } else {
                    [20, 22, 26]
                });
            }
        }
        Picture::new(width, height, rgb)
    }

    #[test]
    fn a_written_picture_reads_back() -> Result<()> {
        let path = std::env::temp_dir().join(format!("lockstep-{}.png", std::process::id()));
        let drawn = drawn()?;
        drawn.write(&path)?;
        let read = Picture::read(&path);
        fs::remove_file(&path)?;
        assert!(read? == drawn, "other pixels");
        Ok(())
    }

    #[test]
    fn a_missing_part_counts_by_area_and_another_size_counts_fully() -> Result<()> {
        let drawn = drawn()?;
        assert!(drawn.difference(&drawn) < f64::EPSILON);
        // 160 x 160 pixels are 100 of the 2400 squares.
        let gone = drawn.clone().painted((0, 0, 160, 160), [20, 22, 26]);
        assert!(
            !gone.is_blank()
                && gone
                    .clone()
                    .painted((0, 0, 480, 640), [20, 22, 26])
                    .is_blank()
        );
        assert!((drawn.difference(&gone) - 100.0 / 2400.0).abs() < 1e-9);
        // Small colour changes do not count.
        let paler = Picture::new(
            960,
            640,
            drawn.rgb.iter().map(|v| v.saturating_add(5)).collect(),
        )?;
        assert!(drawn.difference(&paler) < f64::EPSILON);
        let small = Picture::new(1, 1, vec![0; 3])?;
        assert!((drawn.difference(&small) - 1.0).abs() < f64::EPSILON);
        Ok(())
    }

    #[test]
    fn the_number_of_bytes_must_match_the_size() {
        let refused = Picture::new(2, 2, vec![0; 11])
            .err()
            .map(|error| error.to_string());
        assert_eq!(
            refused.as_deref(),
            Some("2 x 2 pixels are 12 bytes, not 11")
        );
    }
}
