//! All that the kits play, at one sample rate: the recordings and the rendered voices of the drum machine.
//!
//! Made when a kit is made, never on the audio thread. All kits of the process that play at one rate share one bank.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use lockstep_models::representation::Voice;

use super::resample::resample;
use super::voices;

/// What was recorded; how it was cut says `cargo xtask kit-samples`.
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
}

/// The files, in the order of [`Recording`]: FLAC, 44.1 kHz.
const FILES: [&[u8]; 14] = [
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
];

/// Silent frames before a sound, for [`Bank::sound`]'s reader to look back into.
pub(super) const N_BEFORE: usize = 1;

/// Silent frames behind it.
const N_BEHIND: usize = 2;

/// Names a sound of its bank.
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
        Self(FILES.len() + voice.index())
    }
}

/// The sounds at one sample rate.
#[derive(Debug)]
pub(super) struct Bank {
    rate_hz: f32,
    /// The recordings, then the voices of the drum machine, each with silence before and behind it.
    sounds: Box<[Box<[[f32; 2]]>]>,
}

/// The banks that are in use.
static BANKS: Mutex<Vec<Weak<Bank>>> = Mutex::new(Vec::new());

impl Bank {
    /// The bank for a sample rate in hertz that [`voices::sane_rate_hz`] gave: the one in use, or a new one.
    pub(super) fn of_process(rate_hz: f32) -> Arc<Self> {
        let mut banks = BANKS.lock().unwrap_or_else(PoisonError::into_inner);
        banks.retain(|bank| bank.strong_count() > 0);
        let known = banks.iter().filter_map(Weak::upgrade);
        let same = |bank: &Arc<Self>| bank.rate_hz.to_bits() == rate_hz.to_bits();
        if let Some(bank) = known.into_iter().find(same) {
            return bank;
        }
        let bank = Arc::new(Self::new(rate_hz));
        banks.push(Arc::downgrade(&bank));
        bank
    }

    fn new(rate_hz: f32) -> Self {
        let recorded = FILES.iter().map(|file| {
            // What a damaged build could hold is silence, not a crash in a host; a test reads every file.
            let (frames, file_hz) = decode(file).unwrap_or_default();
            padded(&resample(
                &frames,
                file_hz.max(1),
                voices::whole_hz(rate_hz),
            ))
        });
        let machine = Voice::ALL
            .into_iter()
            .map(|voice| padded(&voices::render(voice, rate_hz)));
        Self {
            rate_hz,
            sounds: recorded.chain(machine).collect(),
        }
    }

    /// The frames of a sound, with [`N_BEFORE`] silent ones before it and two behind it.
    ///
    /// # Realtime safety
    /// Safe.
    pub(super) fn sound(&self, at: SoundIdx) -> &[[f32; 2]] {
        self.sounds
            .get(at.0)
            .map(|frames| &**frames)
            .unwrap_or_default()
    }
}

/// Puts silence around a sound, which begins with its first frame that is none.
fn padded(frames: &[[f32; 2]]) -> Box<[[f32; 2]]> {
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

/// The frames of a FLAC file, one channel being heard on both sides, and their rate in hertz.
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
    fn every_recording_is_read_and_begins_and_ends_as_it_should() -> Result<(), claxon::Error> {
        for (idx, file) in FILES.iter().enumerate() {
            let (frames, rate_hz) = decode(file)?;
            assert_eq!(rate_hz, 44_100, "{idx}");
            let peak = frames
                .iter()
                .flatten()
                .fold(0.0_f32, |peak, x| peak.max(x.abs()));
            assert!((0.8..1.0).contains(&peak), "{idx} peaks at {peak}");
            let seconds = frames.len() as f32 / 44_100.0;
            assert!((0.2..=3.5).contains(&seconds), "{idx} lasts {seconds} s");
            let tail = &frames[frames.len() - 50..];
            assert!(
                tail.iter().flatten().all(|x| x.abs() < 1e-3),
                "{idx} is cut off"
            );
        }
        assert_eq!(Recording::DarkRide as usize, FILES.len() - 1);
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
}
