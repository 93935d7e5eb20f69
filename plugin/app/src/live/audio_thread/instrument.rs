//! Drives the instrument through the plugin framework's traits, as a plugin host does. Audio thread, except [`activate`] and
//! [`reserve`].

use anyhow::{Result, ensure};
use lockstep::Lockstep;
use nice_plug::context::process::SendEventError;
use nice_plug::prelude::{
    ActivateContext, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig, NoteEvent, Plugin as _,
    PluginApi, ProcessContext, ProcessMode, Transport,
};

use super::midi::{OutgoingMessages, outgoing};

/// The instrument's background task. The app ignores it, because it keeps the instrument until it exits.
type Task = <Lockstep as nice_plug::prelude::Plugin>::BackgroundTask;

/// Most frames per call to the instrument.
pub(crate) const MAX_BLOCK: u32 = 8192;

/// Makes the instrument ready for a sample rate in hertz.
///
/// # Errors
/// If it refuses.
pub(crate) fn activate(instrument: &mut Lockstep, sample_rate_hz: f32) -> Result<()> {
    let config = BufferConfig {
        sample_rate: sample_rate_hz,
        min_buffer_size: None,
        max_buffer_size: MAX_BLOCK,
        process_mode: ProcessMode::Realtime,
    };
    let layout = Lockstep::AUDIO_IO_LAYOUTS
        .first()
        .copied()
        .unwrap_or_else(AudioIOLayout::const_default);
    ensure!(
        instrument.activate(&layout, &config, &mut Activation),
        "the instrument cannot play at {sample_rate_hz} Hz"
    );
    Ok(())
}

/// Reserves room for two channels, once.
pub(crate) fn reserve(buffer: &mut Buffer<'static>) {
    set_slices(buffer, 0, |slices| slices.reserve_exact(2));
}

/// Lets the instrument play a piece.
///
/// # Realtime safety
/// Never allocates, once [`reserve`] was called.
#[allow(clippy::disallowed_methods, reason = "`reserve` has made room")]
pub(crate) fn play(
    instrument: &mut Lockstep,
    buffer: &mut Buffer<'static>,
    (left, right): (&mut [f32], &mut [f32]),
    context: &mut PluginContext<'_>,
) {
    let n_frames = left.len();
    set_slices(buffer, n_frames, |slices| {
        for samples in [left, right] {
            slices.push(extended(samples));
        }
    });
    let mut none = AuxiliaryBuffers {
        inputs: &mut [],
        outputs: &mut [],
    };
    instrument.process(buffer, &mut none, context);
    // Remove the borrowed slices before anything else can use them.
    set_slices(buffer, 0, Vec::clear);
}

#[expect(unsafe_code, reason = "the framework's buffer needs `'static` slices")]
fn set_slices(
    buffer: &mut Buffer<'static>,
    n_frames: usize,
    change: impl FnOnce(&mut Vec<&'static mut [f32]>),
) {
    // SAFETY: the slices have `n_frames` samples each, and outlive their time in the buffer: see `play`.
    unsafe { buffer.set_slices(n_frames, change) }
}

#[expect(unsafe_code, reason = "the framework's buffer needs `'static` slices")]
fn extended(samples: &mut [f32]) -> &'static mut [f32] {
    // SAFETY: only `play` calls this, and it empties the buffer before the borrow ends; `samples` is not used meanwhile.
    unsafe { std::slice::from_raw_parts_mut(samples.as_mut_ptr(), samples.len()) }
}

/// The context for `activate`; the instrument needs nothing from it.
struct Activation;

impl ActivateContext<Lockstep> for Activation {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }

    fn execute(&self, _task: Task) {}

    fn set_latency_samples(&self, _samples: u32) {}

    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

/// The process context for one piece of a block.
pub(crate) struct PluginContext<'a> {
    /// Transport position and tempo.
    pub(crate) transport: Transport,
    /// Incoming notes, sorted; those at or beyond `n_frames` belong to the next piece.
    pub(crate) notes: std::slice::Iter<'a, NoteEvent<()>>,
    /// Length of the piece.
    pub(crate) n_frames: u32,
    /// Outgoing notes.
    pub(crate) out: &'a mut OutgoingMessages,
    /// Where the piece begins in its block.
    pub(crate) offset: u32,
    /// Number of notes lost for lack of room.
    pub(crate) n_lost: u32,
}

impl ProcessContext<Lockstep> for PluginContext<'_> {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }

    fn execute_background(&self, _task: Task) {}

    fn execute_gui(&self, _task: Task) {}

    fn transport(&self) -> &Transport {
        &self.transport
    }

    fn next_event(&mut self) -> Option<NoteEvent<()>> {
        let next = self.notes.as_slice().first();
        next.filter(|note| note.timing() < self.n_frames)?;
        self.notes.next().copied()
    }

    fn try_send_event(
        &mut self,
        event: NoteEvent<()>,
    ) -> Result<(), (NoteEvent<()>, SendEventError)> {
        let Some(outgoing) = outgoing(&event, self.offset) else {
            return Ok(());
        };
        self.out.try_push(outgoing).map_err(|_| {
            self.n_lost += 1;
            (event, SendEventError::HostBufferFull)
        })
    }

    fn set_latency_samples(&self, _samples: u32) {}

    fn request_restart(&self) {}

    fn set_current_voice_capacity(&self, _capacity: u32) {}
}
