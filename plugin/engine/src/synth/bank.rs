//! All sounds of the kits at one sample rate: the recordings and the rendered voices of the drum machine.
//!
//! A bank begins empty. Threads that may block put its sounds in, one by one and in any order; the audio thread reads those
//! that have been made. All kits of the process that play at one rate share a bank.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "reads the recordings once, off the audio thread"
)]

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use lockstep_core::representation::{N_VOICES, Voice};

use super::resample::resample;
use super::voices;

/// The recordings, cut from a sound font by `cargo lab kit-samples`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recording {
    Kick,
    FeltKick,
    Snare,
    BrushedSnare,
    SweptSnare,
    ClosedHat,
    OpenHat,
    LowTom,
    MidTom,
    HighTom,
    Crash,
    DarkCrash,
    Ride,
    DarkRide,
    /// The snare's drum, struck so that it rings more in its upper modes.
    HardSnare,
    SlappedSnare,
    SideStick,
    Clap,
    PedalHat,
    Tambourine,
    /// The way forth.
    Shaker,
    /// The way back.
    ShakerBack,
}

/// How many recordings there are.
const N_RECORDINGS: usize = 22;

/// How many sounds a bank has.
pub(super) const N_SOUNDS: usize = N_RECORDINGS + N_VOICES;

/// The files, in the order of [`Recording`]: FLAC, 44.1 kHz.
static FILES: [&[u8]; N_RECORDINGS] = [
    include_bytes!("../../kit/kick.flac"),
    include_bytes!("../../kit/kick-felt.flac"),
    include_bytes!("../../kit/snare.flac"),
    include_bytes!("../../kit/snare-brush.flac"),
    include_bytes!("../../kit/snare-sweep.flac"),
    include_bytes!("../../kit/hat-closed.flac"),
    include_bytes!("../../kit/hat-open.flac"),
    include_bytes!("../../kit/tom-low.flac"),
    include_bytes!("../../kit/tom-mid.flac"),
    include_bytes!("../../kit/tom-high.flac"),
    include_bytes!("../../kit/crash.flac"),
    include_bytes!("../../kit/crash-dark.flac"),
    include_bytes!("../../kit/ride.flac"),
    include_bytes!("../../kit/ride-dark.flac"),
    include_bytes!("../../kit/snare-hard.flac"),
    include_bytes!("../../kit/snare-slap.flac"),
    include_bytes!("../../kit/side-stick.flac"),
    include_bytes!("../../kit/clap.flac"),
    include_bytes!("../../kit/hat-pedal.flac"),
    include_bytes!("../../kit/tambourine.flac"),
    include_bytes!("../../kit/shaker.flac"),
    include_bytes!("../../kit/shaker-back.flac"),
];

/// Silent frames before a sound, so that a player can read one frame back.
pub(super) const N_BEFORE: usize = 1;

/// Silent frames after a sound.
const N_BEHIND: usize = 2;

/// Index of a sound in its bank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SoundIdx(usize);

impl From<Recording> for SoundIdx {
    fn from(recording: Recording) -> Self {
        Self(recording as usize)
    }
}

impl SoundIdx {
    /// A voice of the drum machine, whose frames are body and brightness.
    pub(super) const fn machine(voice: Voice) -> Self {
        Self(N_RECORDINGS + voice.index())
    }

    /// Every sound of a bank: the recordings, then the voices of the drum machine.
    pub(super) fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..N_SOUNDS).map(Self)
    }

    /// Makes the sound for a sample rate from [`voices::sane_rate_hz`], with silence before and after it; `None` if it is no
    /// longer wanted, which is checked about every millisecond.
    ///
    /// # Realtime safety
    /// Allocates and computes, for up to a quarter of a second at 384 kHz.
    pub(super) fn make(self, rate_hz: f32, is_wanted: &dyn Fn() -> bool) -> Option<Box<Frames>> {
        let frames = if let Some(file) = FILES.get(self.0) {
            // A damaged file would be silent, not crash a host; a test reads every file.
            let (frames, file_hz) = decode(file).unwrap_or_default();
            let to_hz = voices::whole_hz(rate_hz);
            resample(&frames, file_hz.max(1), to_hz, is_wanted)?
        } else {
            let voice = Voice::ALL.get(self.0 - N_RECORDINGS)?;
            voices::render(*voice, rate_hz, is_wanted)?
        };
        Some(padded(&frames))
    }
}

/// A sound, of frames of two channels.
pub(super) type Frames = [[f32; 2]];

/// The sounds at one sample rate.
#[derive(Debug)]
pub(super) struct Bank {
    rate_hz: f32,
    /// The recordings, then the voices of the drum machine, each with silence before and after it. Once made, a sound does not
    /// change until the bank is dropped.
    sounds: [OnceLock<Box<Frames>>; N_SOUNDS],
}

/// The banks in use.
static BANKS: Mutex<Vec<Weak<Bank>>> = Mutex::new(Vec::new());

impl Bank {
    /// The bank for a sample rate in hertz from [`voices::sane_rate_hz`]: the one in use, with its sounds, or an empty one.
    pub(super) fn of_process(rate_hz: f32) -> Arc<Self> {
        let mut banks = BANKS.lock().unwrap_or_else(PoisonError::into_inner);
        banks.retain(|bank| bank.strong_count() > 0);
        let known = banks.iter().filter_map(Weak::upgrade);
        let same = |bank: &Arc<Self>| bank.rate_hz.to_bits() == rate_hz.to_bits();
        if let Some(bank) = known.into_iter().find(same) {
            return bank;
        }
        let bank = Arc::new(Self {
            rate_hz,
            sounds: [const { OnceLock::new() }; N_SOUNDS],
        });
        banks.push(Arc::downgrade(&bank));
        bank
    }

    /// Its sample rate in hertz.
    pub(super) fn rate_hz(&self) -> f32 {
        self.rate_hz
    }

    /// Makes all missing sounds on this thread.
    ///
    /// It starts with the last sound, and the background thread starts with those of its client's kit; neither waits for the
    /// other.
    ///
    /// # Realtime safety
    /// Safe if all have been made; otherwise it takes up to 0.1 s at 44.1 kHz, 0.8 s at 384 kHz.
    pub(super) fn complete(&self) {
        for at in SoundIdx::all().rev() {
            if self.sound(at).is_none()
                && let Some(sound) = at.make(self.rate_hz, &|| true)
            {
                self.put(at, sound);
            }
        }
    }

    /// Whether all sounds have been made.
    pub(super) fn is_complete(&self) -> bool {
        SoundIdx::all().all(|at| self.sound(at).is_some())
    }

    /// Puts a sound in, unless another thread has already put in the same one.
    pub(super) fn put(&self, at: SoundIdx, sound: Box<Frames>) {
        if let Some(place) = self.sounds.get(at.0) {
            let _the_same = place.set(sound);
        }
    }

    /// The frames of a sound, with [`N_BEFORE`] silent ones before it and two after it; `None` until it is made.
    ///
    /// # Realtime safety
    /// Safe.
    pub(super) fn sound(&self, at: SoundIdx) -> Option<&Frames> {
        self.sounds.get(at.0)?.get().map(|frames| &**frames)
    }
}

/// Trims leading silence from a sound, then puts silent frames around it.
fn padded(frames: &Frames) -> Box<Frames> {
    let begin = frames
        .iter()
        .position(|frame| frame.iter().any(|x| x.abs() > 0.0));
    let sound = frames.get(begin.unwrap_or(0)..).unwrap_or_default();
    let silence = |n| std::iter::repeat_n([0.0; 2], n);
    silence(N_BEFORE)
        .chain(sound.iter().copied())
        .chain(silence(N_BEHIND))
        .collect()
}

/// The frames of a FLAC file, and their rate in hertz; a mono file is heard on both sides.
fn decode(file: &[u8]) -> Result<(Vec<[f32; 2]>, u32), claxon::Error> {
    let mut reader = claxon::FlacReader::new(file)?;
    let info = reader.streaminfo();
    let scale = 1.0 / (1_u64 << (info.bits_per_sample - 1)) as f32;
    let samples: Vec<f32> = reader
        .samples()
        .map(|sample| sample.map(|sample| sample as f32 * scale))
        .collect::<Result<_, _>>()?;
    let frames = samples
        .chunks_exact(info.channels as usize)
        .map(|channels| {
            let left = channels[0];
            [left, channels.get(1).copied().unwrap_or(left)]
        })
        .collect();
    Ok((frames, info.sample_rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_can_be_read_and_ends_in_silence() -> Result<(), claxon::Error> {
        for (idx, file) in FILES.iter().enumerate() {
            let (frames, rate_hz) = decode(file)?;
            assert_eq!(rate_hz, 44_100, "{idx}");
            let peak = frames
                .iter()
                .flatten()
                .fold(0.0_f32, |peak, x| peak.max(x.abs()));
            assert!((0.8..1.0).contains(&peak), "{idx} peaks at {peak}");
            let seconds = frames.len() as f32 / 44_100.0;
            assert!((0.1..=3.5).contains(&seconds), "{idx} lasts {seconds} s");
            let tail = &frames[frames.len() - 50..];
            assert!(
                tail.iter().flatten().all(|x| x.abs() < 1e-3),
                "{idx} is cut off"
            );
        }
        assert_eq!(Recording::ShakerBack as usize, FILES.len() - 1);
        Ok(())
    }

    #[test]
    fn kits_at_one_rate_share_a_bank_and_the_last_one_frees_it() {
        // A rate that no other test plays at.
        let rate_hz = 23_456.0;
        let (one, other) = (Bank::of_process(rate_hz), Bank::of_process(rate_hz));
        assert!(Arc::ptr_eq(&one, &other));
        let freed = Arc::downgrade(&one);
        drop((one, other));
        assert!(freed.upgrade().is_none());
        assert!(!Arc::ptr_eq(
            &Bank::of_process(rate_hz),
            &Bank::of_process(30_000.0)
        ));
    }

    #[test]
    fn a_bank_begins_empty_and_complete_fills_it() {
        let bank = Bank::of_process(12_345.0);
        let n_made = || {
            let all = SoundIdx::all();
            all.filter(|at| bank.sound(*at).is_some()).count()
        };
        assert_eq!(n_made(), 0);
        let kick = Recording::Kick.into();
        let made = SoundIdx::make(kick, 12_345.0, &|| true);
        let first = made.unwrap_or_default();
        let place = first.as_ptr();
        bank.put(kick, first);
        assert_eq!(n_made(), 1);
        assert!(!bank.is_complete());
        bank.complete();
        assert!(bank.is_complete());
        // The audio thread may be reading it, so it must stay in place.
        assert_eq!(bank.sound(kick).map(<[_]>::as_ptr), Some(place));
        for at in SoundIdx::all() {
            assert!(bank.sound(at).is_some_and(|sound| sound.len() > 100));
        }
    }

    #[test]
    fn a_sound_that_is_no_longer_wanted_is_not_made() {
        for at in SoundIdx::all() {
            assert!(at.make(12_345.0, &|| false).is_none(), "{at:?}");
        }
    }

    /// A hash of sounds at a rate (Fowler, Noll and Vo, 64 bits, variant 1a).
    fn fingerprint(rate_hz: f32, sounds: impl Iterator<Item = SoundIdx>) -> u64 {
        let bank = Bank::of_process(rate_hz);
        bank.complete();
        sounds
            .flat_map(|at| bank.sound(at).unwrap_or_default())
            .flatten()
            .flat_map(|sample| sample.to_bits().to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    }

    // Offline renders of a song must not change from version to version. If you change a sound on purpose, change these
    // hashes and say so in the changelog. The drum machine's voices use the system's `exp`, `sin` and `tanh`, which other
    // systems may round differently.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    #[test]
    fn the_sounds_equal_those_of_earlier_versions_to_the_bit() {
        let of_nine_voices = || {
            let recordings = (0..=Recording::DarkRide as usize).map(SoundIdx);
            recordings.chain(Voice::VERSION_1.map(SoundIdx::machine))
        };
        for (rate_hz, of_nine, of_all) in [
            (44_100.0, 0xe1ea_e615_e9e6_4bc0, 0x9b4b_148e_dd85_7ce1),
            (48_000.0, 0x15ed_13eb_8a93_46de, 0x186c_42e0_1461_d619),
            (96_000.0, 0x79cd_8db4_139a_5b06, 0x790d_eadf_8079_5313),
            (384_000.0, 0xddb4_3b4f_099f_2235, 0xeba7_47d7_e428_1c7a),
        ] {
            let got = fingerprint(rate_hz, of_nine_voices());
            assert_eq!(got, of_nine, "nine voices at {rate_hz} Hz: {got:#x}");
            let got = fingerprint(rate_hz, SoundIdx::all());
            assert_eq!(got, of_all, "all at {rate_hz} Hz: {got:#x}");
        }
    }
}
