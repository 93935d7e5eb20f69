//! The system's own audio and MIDI: ALSA, Core Audio and Core MIDI, WASAPI and the Windows multimedia ports.
//!
//! Audio and MIDI have separate clocks here. Incoming MIDI is placed in the block by its arrival time. Outgoing MIDI is sent by
//! a separate thread, because sending is a system call, at the time when the audio of the same frame is due.

mod midi_ports;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{
    BufferSize, Device, ErrorKind, FromSample, I24, OutputCallbackInfo, SampleFormat, SizedSample,
    Stream, StreamConfig,
};

use super::{BackendRequest, OpenBackend, PortLists, PortName, Session};
use crate::live::audio_thread::engine::{Engine, EngineState};
use crate::live::audio_thread::midi::{IncomingMessage, IncomingMessages, OutgoingMessages};
use midi_ports::{MidiConnections, MidiInQueue, MidiOutQueue};

/// The name of the system's audio and MIDI.
pub(super) const NAME: &str = if cfg!(target_os = "macos") {
    "Core Audio and Core MIDI"
} else if cfg!(windows) {
    "WASAPI and WinMM"
} else {
    "ALSA"
};

/// Most frames played at once; a longer block is played in pieces.
const PIECE: usize = 1024;

/// Opens the sound device.
///
/// # Errors
/// If there is none, or the requested one does not exist.
pub(super) fn open(wanted: &BackendRequest) -> Result<Box<dyn OpenBackend>> {
    let device = device(wanted.audio.as_ref())?;
    let name = name_of(&device);
    let preferred = device
        .default_output_config()
        .with_context(|| {
            format!(
                "the sound device {name} does not answer: connect one, name another with --audio (`lockstep live --ports` \
                 lists them), or start a JACK server"
            )
        })?;
    let mut config = preferred.config();
    if let Some(rate) = wanted.rate {
        config.sample_rate = rate;
    }
    if let Some(period) = wanted.period {
        config.buffer_size = BufferSize::Fixed(period);
    }
    Ok(Box::new(OpenSystem {
        device,
        config,
        format: preferred.sample_format(),
        wanted: wanted.clone(),
    }))
}

/// The requested sound device, else the system's default.
fn device(wanted: Option<&PortName>) -> Result<Device> {
    let host = cpal::default_host();
    let default = || {
        host.default_output_device().with_context(|| {
            format!(
                "{NAME} has no sound device to play on: connect one, or start a JACK server (`jackd -d dummy` needs no device)"
            )
        })
    };
    let Some(wanted) = wanted else {
        return default();
    };
    if wanted.name == "none" {
        bail!("`--audio none` only works with JACK: {NAME} needs a sound device for its timing");
    }
    let mut devices: Vec<Device> = host
        .output_devices()
        .with_context(|| format!("asking {NAME} for its sound devices"))?
        .collect();
    let names: Vec<String> = devices.iter().map(name_of).collect();
    match wanted.or_warn(wanted.find("sound device", &names))? {
        Some(name) => {
            let place = names.iter().position(|other| other == name);
            Ok(devices.swap_remove(place.unwrap_or_default()))
        }
        None => default(),
    }
}

fn name_of(device: &Device) -> String {
    device
        .description()
        .map_or_else(|_| "(unnamed)".to_owned(), |about| about.name().to_owned())
}

/// The existing devices and ports.
///
/// # Errors
/// If audio or MIDI does not answer.
pub(super) fn ports() -> Result<PortLists> {
    let devices = cpal::default_host()
        .output_devices()
        .with_context(|| format!("asking {NAME} for its sound devices"))?;
    let (sources, sinks) = midi_ports::ports()?;
    Ok(vec![
        (
            "sound devices for --audio",
            devices.map(|d| name_of(&d)).collect(),
        ),
        ("MIDI ports for --bass and --clock", sources),
        ("MIDI ports for --drums", sinks),
    ])
}

struct OpenSystem {
    device: Device,
    config: StreamConfig,
    format: SampleFormat,
    wanted: BackendRequest,
}

impl OpenBackend for OpenSystem {
    fn sample_rate_hz(&self) -> u32 {
        self.config.sample_rate
    }

    fn start(self: Box<Self>, engine: Engine) -> Result<Box<dyn Session>> {
        let shared = Arc::clone(engine.shared());
        let (cables, arrivals, departures) = MidiConnections::connect(&self.wanted, &shared)?;
        let is_over = cables.is_over();
        let player = OutputCallback {
            sample_rate_hz: f64::from(self.config.sample_rate),
            n_channels: usize::from(self.config.channels).max(1),
            engine,
            arrivals,
            departures,
            inbox: IncomingMessages::new(),
            piece: IncomingMessages::new(),
            outbox: OutgoingMessages::new(),
            left: [0.0; PIECE],
            right: [0.0; PIECE],
        };
        let stream = match self.format {
            SampleFormat::F32 => self.stream::<f32>(player),
            SampleFormat::F64 => self.stream::<f64>(player),
            SampleFormat::I16 => self.stream::<i16>(player),
            SampleFormat::I24 => self.stream::<I24>(player),
            SampleFormat::I32 => self.stream::<i32>(player),
            SampleFormat::U16 => self.stream::<u16>(player),
            other => bail!("the sound device needs the sample format {other}, which is not supported"),
        }
        .with_context(|| {
            format!(
                "opening the sound device {} at {} Hz{}: another program may be using it, or it cannot do this \
                 --rate or --period",
                name_of(&self.device),
                self.config.sample_rate,
                match self.config.buffer_size {
                    BufferSize::Fixed(period) => format!(", {period} frames per block"),
                    BufferSize::Default => String::new(),
                }
            )
        })?;
        stream.play().context("starting the sound device")?;
        let block = stream.buffer_size().map_or_else(
            |_| "blocks of varying size".to_owned(),
            |n| format!("{n} frames per block"),
        );
        let mut lines = vec![format!(
            "{NAME}, sound device {}, {} Hz, {block}.",
            name_of(&self.device),
            self.config.sample_rate
        )];
        lines.extend(cables.lines().iter().cloned());
        Ok(Box::new(SystemSession {
            stream,
            cables,
            is_over,
            lines,
        }))
    }
}

impl OpenSystem {
    fn stream<T: SizedSample + FromSample<f32>>(
        &self,
        mut player: OutputCallback,
    ) -> Result<Stream, cpal::Error> {
        let shared = Arc::clone(player.engine.shared());
        self.device.build_output_stream(
            self.config,
            move |out: &mut [T], info: &OutputCallbackInfo| player.play(out, info),
            move |error| note_error(&shared, &error),
            None,
        )
    }
}

/// Handles an error of a running stream; may be called on the audio thread.
fn note_error(shared: &EngineState, error: &cpal::Error) {
    match error.kind() {
        ErrorKind::Xrun => {
            shared.n_xruns.fetch_add(1, Ordering::Relaxed);
        }
        // Audio continues.
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
        _ => shared.is_gone.store(true, Ordering::Release),
    }
}

/// The audio thread's part.
struct OutputCallback {
    sample_rate_hz: f64,
    n_channels: usize,
    engine: Engine,
    arrivals: MidiInQueue,
    departures: MidiOutQueue,
    inbox: IncomingMessages,
    /// The messages of `inbox` that belong to the current piece.
    piece: IncomingMessages,
    outbox: OutgoingMessages,
    left: [f32; PIECE],
    right: [f32; PIECE],
}

impl OutputCallback {
    fn play<T: SizedSample + FromSample<f32>>(&mut self, out: &mut [T], info: &OutputCallbackInfo) {
        // Reading the clock is no system call on Linux, macOS and Windows.
        let now = Instant::now();
        let timestamp = info.timestamp();
        let delay = timestamp
            .playback
            .saturating_duration_since(timestamp.callback);
        let n_frames = out.len() / self.n_channels;
        let block = self.frames_s(n_frames);
        self.arrivals.take(now, block, &mut self.inbox, |since| {
            frames_in(since, self.sample_rate_hz)
        });
        for (piece, samples) in out.chunks_mut(PIECE * self.n_channels).enumerate() {
            let n = samples.len() / self.n_channels;
            let begin = piece * PIECE;
            let due = now + delay + self.frames_s(begin);
            self.play_piece(n, begin, due);
            let frames = samples.chunks_mut(self.n_channels);
            for (frame, (left, right)) in frames.zip(self.left.iter().zip(&self.right)) {
                write_frame(frame, *left, *right);
            }
        }
        self.inbox.clear();
    }

    fn play_piece(&mut self, n: usize, begin: usize, due: Instant) {
        let (begin, end) = (whole(begin), whole(begin + n));
        self.piece.clear();
        for timed in self
            .inbox
            .iter()
            .filter(|timed| (begin..end).contains(&timed.frame))
        {
            // Cannot fail: the piece has as much room as the inbox.
            let _ = self.piece.try_push(IncomingMessage {
                frame: timed.frame - begin,
                ..*timed
            });
        }
        self.engine.process(
            (&mut self.left[..n], &mut self.right[..n]),
            &self.piece,
            None,
            &mut self.outbox,
        );
        for outgoing in &self.outbox {
            let at = due + self.frames_s(outgoing.frame as usize);
            self.departures
                .send(at, outgoing.bytes, self.engine.shared());
        }
    }

    fn frames_s(&self, n_frames: usize) -> Duration {
        Duration::from_secs_f64(n_frames as f64 / self.sample_rate_hz)
    }
}

/// Writes one frame: the kit on the first two channels, or mixed to mono if there is only one.
fn write_frame<T: SizedSample + FromSample<f32>>(frame: &mut [T], left: f32, right: f32) {
    match frame {
        [only] => *only = T::from_sample(0.5 * (left + right)),
        [first, second, others @ ..] => {
            *first = T::from_sample(left);
            *second = T::from_sample(right);
            others.fill(T::EQUILIBRIUM);
        }
        [] => {}
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates"
)]
fn frames_in(time: Duration, sample_rate_hz: f64) -> u32 {
    (time.as_secs_f64() * sample_rate_hz) as u32
}

fn whole(n_frames: usize) -> u32 {
    u32::try_from(n_frames).unwrap_or(u32::MAX)
}

struct SystemSession {
    stream: Stream,
    cables: MidiConnections,
    is_over: Arc<AtomicBool>,
    lines: Vec<String>,
}

impl Session for SystemSession {
    fn lines(&self) -> &[String] {
        &self.lines
    }

    fn gone_message(&self) -> &'static str {
        "the sound device has gone away"
    }

    fn close(self: Box<Self>) {
        let Self {
            stream,
            cables,
            is_over,
            ..
        } = *self;
        drop(stream);
        is_over.store(true, Ordering::Release);
        // Dropping the cables sends what is still due.
        drop(cables);
    }
}
