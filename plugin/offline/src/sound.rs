//! Renders a jam as audio: a built-in kit, and a simple plucked tone for the bass.

use std::f64::consts::TAU;
use std::io::{Cursor, Seek, Write};

use lockstep_core::representation::Voice;
use lockstep_engine::synth::{Kit, KitChoice, KitSettings, LONGEST_TAIL_S};
use lockstep_files::midi_file::{Note, Song};

use super::{SAMPLE_RATE_HZ, frames};

/// Gains of the kit and of the bass in the mix; together they stay below full scale.
const KIT_GAIN: f32 = 0.7;
const BASS_GAIN: f32 = 0.22;

/// Frames rendered at a time.
const CHUNK: usize = 4096;

/// The bytes of a WAV file: stereo, 16 bits, 48 kHz.
///
/// # Errors
/// If the audio is too long for a WAV file (about six hours).
pub fn wav(song: &Song, kit: KitChoice) -> Result<Vec<u8>, hound::Error> {
    let mut file = Cursor::new(Vec::new());
    write_wav(song, kit, &mut file)?;
    Ok(file.into_inner())
}

/// Writes the bytes of [`wav`] while rendering.
///
/// # Errors
/// If it cannot be written, or is too long for a WAV file.
pub fn write_wav(song: &Song, kit: KitChoice, to: impl Write + Seek) -> Result<(), hound::Error> {
    let mut writer = hound::WavWriter::new(to, spec(2, SAMPLE_RATE_HZ))?;
    render(song, SAMPLE_RATE_HZ, kit, |[left, right]| {
        writer.write_sample(pcm(left))?;
        writer.write_sample(pcm(right))
    })?;
    writer.finalize()
}

/// The bytes of a WAV file of one channel, 16 bits; samples beyond ±1 are clipped.
///
/// # Errors
/// If the audio is too long for a WAV file (2³¹ samples).
pub fn mono_wav(samples: &[f32], rate_hz: u32) -> Result<Vec<u8>, hound::Error> {
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec(1, rate_hz))?;
    for sample in samples {
        writer.write_sample(pcm(*sample))?;
    }
    writer.finalize()?;
    Ok(file.into_inner())
}

/// Renders a song from its first beat until its last note has decayed, and passes each frame to `sink`, left and right in
/// `[-1, 1]`. A sink can end the rendering early by returning an error.
///
/// # Errors
/// The first one of `sink`.
pub fn render<E>(
    song: &Song,
    rate_hz: u32,
    choice: KitChoice,
    mut sink: impl FnMut([f32; 2]) -> Result<(), E>,
) -> Result<(), E> {
    let mut hits: Vec<(u64, Voice, f32)> = song
        .drums
        .iter()
        .filter_map(|note| {
            let voice = Voice::from_gm_note(note.key)?;
            Some((
                frames(song.seconds_at(note.start), rate_hz),
                voice,
                f32::from(note.velocity) / 127.0,
            ))
        })
        .collect();
    hits.sort_by_key(|hit| hit.0);
    let end_s = song.seconds_at(song.end) + f64::from(LONGEST_TAIL_S);
    let end = frames(end_s, rate_hz);
    let mut bass = BassTone::new(song, rate_hz);
    let mut kit = Kit::new(rate_hz as f32);
    kit.set(&KitSettings::from(choice));
    let (mut left, mut right) = ([0.0; CHUNK], [0.0; CHUNK]);
    let mut hits = hits.into_iter().peekable();
    let mut now = 0;
    while now < end {
        while let Some((frame, voice, velocity)) = hits.next_if(|hit| hit.0 < now + CHUNK as u64) {
            kit.hit(
                usize::try_from(frame - now).unwrap_or_default(),
                voice,
                velocity,
            );
        }
        kit.render(&mut left, &mut right);
        for (i, (left, right)) in left.iter().zip(&right).enumerate() {
            let tone = bass.at(now + i as u64) * BASS_GAIN;
            sink([left * KIT_GAIN + tone, right * KIT_GAIN + tone])?;
        }
        now += CHUNK as u64;
    }
    Ok(())
}

fn spec(channels: u16, sample_rate: u32) -> hound::WavSpec {
    hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits first")]
fn pcm(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}

/// One plucked string at a time: four decaying harmonics; higher ones decay faster.
struct BassTone {
    /// Start and end frame of each note, sorted by start.
    notes: Vec<(u64, u64, Note)>,
    n_begun: usize,
    rate_hz: u32,
    string: Plucked,
}

/// The harmonics of a note, each a point in the complex plane that spirals in to 0; its imaginary part is the sample. That
/// costs one product per frame; computing sine and exponential would take most of the time of a jam.
#[derive(Clone, Copy, Default)]
struct Plucked([(Complex, Complex); 4]);

/// A point in the complex plane, or the factor that turns and shrinks it.
#[derive(Clone, Copy, Default)]
struct Complex {
    re: f64,
    im: f64,
}

impl Complex {
    fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

impl Plucked {
    /// A string plucked now.
    fn new(key: u8, rate_hz: u32) -> Self {
        let pitch_hz = 440.0 * ((f64::from(key) - 69.0) / 12.0).exp2();
        let frame_s = 1.0 / f64::from(rate_hz);
        Self([1.0, 2.0, 3.0, 4.0].map(|n| {
            let (sin, cos) = (TAU * pitch_hz * n * frame_s).sin_cos();
            let decay = (-frame_s * (0.8 + 1.5 * n)).exp();
            let at = Complex {
                re: 1.0 / n,
                im: 0.0,
            };
            let turn = Complex {
                re: cos * decay,
                im: sin * decay,
            };
            (at, turn)
        }))
    }

    /// The sample of the next frame.
    fn next(&mut self) -> f64 {
        let mut sum = 0.0;
        for (at, turn) in &mut self.0 {
            sum += at.im;
            *at = at.times(*turn);
        }
        sum
    }
}

impl BassTone {
    fn new(song: &Song, rate_hz: u32) -> Self {
        let span = |note: &Note| {
            let (start, end) = (song.seconds_at(note.start), song.seconds_at(note.end));
            (frames(start, rate_hz), frames(end, rate_hz), *note)
        };
        Self {
            notes: song.bass.iter().map(span).collect(),
            n_begun: 0,
            rate_hz,
            string: Plucked::default(),
        }
    }

    /// The sample at a frame; call it for every frame, in order.
    fn at(&mut self, frame: u64) -> f32 {
        while let Some((_, _, note)) = self.notes.get(self.n_begun).filter(|note| note.0 <= frame) {
            self.string = Plucked::new(note.key, self.rate_hz);
            self.n_begun += 1;
        }
        let Some((start, end, note)) = self.n_begun.checked_sub(1).and_then(|i| self.notes.get(i))
        else {
            return 0.0;
        };
        let next = self.notes.get(self.n_begun).map_or(u64::MAX, |next| next.0);
        // A fade of 20 ms at the end of the note, and before the next one begins.
        let end = end + u64::from(self.rate_hz / 50);
        if frame >= end {
            return 0.0;
        }
        let seconds = |frames: u64| frames as f64 / f64::from(self.rate_hz);
        let left_s = seconds(end.min(next) - frame);
        let fade = (left_s / 0.02).min(1.0) * (seconds(frame - start) / 0.003).min(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "samples are f32, at most about 2"
        )]
        let sample = (self.string.next() * fade * f64::from(note.velocity) / 127.0) as f32;
        sample
    }
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Position;

    use super::*;

    /// The intended tone: each harmonic a decaying sine.
    fn tone(key: u8, age_s: f64) -> f64 {
        let pitch_hz = 440.0 * ((f64::from(key) - 69.0) / 12.0).exp2();
        let harmonic =
            |n: f64| (TAU * pitch_hz * n * age_s).sin() * (-age_s * (0.8 + 1.5 * n)).exp() / n;
        [1.0, 2.0, 3.0, 4.0].map(harmonic).iter().sum()
    }

    #[test]
    fn a_plucked_string_is_four_decaying_sines() {
        for (key, rate_hz) in [(24, 48_000), (40, 44_100), (95, 48_000)] {
            let mut string = Plucked::new(key, rate_hz);
            // Ten seconds: no bass note is longer.
            for frame in 0..10 * rate_hz {
                let want = tone(key, f64::from(frame) / f64::from(rate_hz));
                let got = string.next();
                assert!((got - want).abs() < 1e-7, "{got}, not {want} at {frame}");
            }
        }
    }

    #[test]
    fn the_wav_holds_the_kit_and_the_bass_and_never_clips() -> Result<(), hound::Error> {
        let note = |start, key| Note {
            start: Position::at(start),
            end: Position::at(start + 0.5),
            key,
            velocity: 127,
        };
        let song = Song {
            bass: vec![note(0.0, 33), note(2.0, 40)],
            drums: vec![note(0.0, 36), note(0.0, 49), note(1.0, 38)],
            end: Position::at(4.0),
            ..Song::default()
        };
        let samples: Vec<i16> =
            hound::WavReader::new(Cursor::new(wav(&song, KitChoice::default())?))?
                .samples::<i16>()
                .collect::<Result<_, _>>()?;
        let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        assert!((8_000..32_767).contains(&peak), "peak {peak}");
        Ok(())
    }
}
