//! System MIDI: existing or virtual ports, a queue in each direction, and the thread that sends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use lockstep_engine::channel::{TapeReader, TapeWriter, tape};
use midir::{Ignore, MidiIO, MidiInput, MidiInputConnection, MidiOutput, MidiOutputConnection};

use crate::live::audio_thread::engine::EngineState;
use crate::live::audio_thread::midi::{
    self, IncomingMessage, IncomingMessages, MAX_MESSAGES, MidiMessage, MidiSource,
};
use crate::live::backend::{BackendRequest, PortName};

/// Name of our own virtual ports and of their client.
const NAME: &str = "Lockstep";

/// Polling interval of the sending thread, and so the jitter of outgoing MIDI.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A message and its arrival time.
type MidiArrival = (Instant, MidiSource, MidiMessage);

/// A message and the time when it is due.
type MidiDeparture = (Instant, [u8; 3]);

/// Names of the input ports and of the output ports.
///
/// # Errors
/// If the system's MIDI does not answer.
pub(super) fn ports() -> Result<(Vec<String>, Vec<String>)> {
    Ok((names(&input()?), names(&output()?)))
}

fn input() -> Result<MidiInput> {
    let mut input = MidiInput::new(NAME).context(no_midi())?;
    // Do not ignore the clock.
    input.ignore(Ignore::SysexAndActiveSense);
    Ok(input)
}

fn output() -> Result<MidiOutput> {
    MidiOutput::new(NAME).context(no_midi())
}

fn no_midi() -> String {
    let cure = if cfg!(target_os = "linux") {
        "load the ALSA sequencer (`modprobe snd-seq`), or start a JACK server"
    } else {
        "is its service running?"
    };
    format!("the system's MIDI does not answer: {cure}")
}

fn names<P: MidiIO>(io: &P) -> Vec<String> {
    io.ports()
        .iter()
        .filter_map(|port| io.port_name(port).ok())
        .filter(|name| !name.starts_with(NAME))
        .collect()
}

/// Finds a port by name.
fn port<P: MidiIO>(io: &P, wanted: &PortName, what: &str) -> Result<(P::Port, String)> {
    let name = wanted.find(what, &names(io))?.clone();
    io.ports()
        .into_iter()
        .find(|port| io.port_name(port).is_ok_and(|other| other == name))
        .map(|port| (port, name))
        .with_context(|| format!("{what} {} has just disappeared", wanted.name))
}

/// The connections. Dropping them sends what is still due and closes them.
pub(super) struct MidiConnections {
    _inputs: Vec<MidiInputConnection<()>>,
    sender: Option<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
    lines: Vec<String>,
}

/// Incoming messages, at the audio thread's end.
pub(super) struct MidiInQueue(TapeReader<MidiArrival>);

/// Outgoing messages, at the audio thread's end.
pub(super) struct MidiOutQueue(TapeWriter<MidiDeparture>);

impl MidiConnections {
    /// Connects the requested ports.
    ///
    /// # Errors
    /// If a port does not exist, or the system's MIDI does not answer.
    pub(super) fn connect(
        wanted: &BackendRequest,
        shared: &Arc<EngineState>,
    ) -> Result<(Self, MidiInQueue, MidiOutQueue)> {
        let (arrive, arrivals) = tape(MAX_MESSAGES);
        let (departures, due) = tape(MAX_MESSAGES);
        // The ports' threads share the writer; the audio thread, which reads, never meets their lock.
        let arrive = Arc::new(Mutex::new(arrive));
        let listen = |source| listener(source, Arc::clone(&arrive), Arc::clone(shared));
        let mut lines = Vec::new();
        let mut inputs = Vec::new();
        let (bass, line) = connect_input(wanted.bass.as_ref(), "bass", listen(MidiSource::Bass))?;
        inputs.push(bass);
        lines.push(line);
        if let Some(clock) = &wanted.clock {
            let attempt = connect_to(clock, "clock", listen(MidiSource::Clock));
            if let Some((connection, line)) = clock.or_warn(attempt)? {
                inputs.push(connection);
                lines.push(line);
            }
        }
        let (drums, line) = connect_output(wanted.drums.as_ref())?;
        lines.push(line);
        let is_over = Arc::new(AtomicBool::new(false));
        let sender = std::thread::Builder::new()
            .name("lockstep-midi".to_owned())
            .spawn({
                let (shared, is_over) = (Arc::clone(shared), Arc::clone(&is_over));
                move || send(drums, due, &is_over, &shared)
            })
            .context("starting the thread that sends the drums")?;
        let cables = Self {
            _inputs: inputs,
            sender: Some(sender),
            is_over,
            lines,
        };
        Ok((cables, MidiInQueue(arrivals), MidiOutQueue(departures)))
    }

    /// The connections, one line of text each.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The flag to set once nothing more will be sent.
    pub(super) fn is_over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_over)
    }
}

impl Drop for MidiConnections {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(sender) = self.sender.take() {
            let _ended = sender.join();
        }
    }
}

impl MidiInQueue {
    /// Moves the messages since the last block into the inbox of this one. Each is delayed by one block, which keeps the time
    /// between messages.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(super) fn take(
        &mut self,
        now: Instant,
        block: Duration,
        inbox: &mut IncomingMessages,
        frames: impl Fn(Duration) -> u32,
    ) {
        inbox.clear();
        let last = frames(block).saturating_sub(1);
        let mut earliest = 0;
        while !inbox.is_full() {
            let Some((at, source, message)) = self.0.read() else {
                return;
            };
            let ago = now.saturating_duration_since(at);
            let frame = frames(block.saturating_sub(ago)).clamp(earliest, last.max(earliest));
            earliest = frame;
            let _ = inbox.try_push(IncomingMessage {
                frame,
                source,
                message,
            });
        }
    }
}

impl MidiOutQueue {
    /// Queues a message for the sending thread.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(super) fn send(&mut self, at: Instant, bytes: [u8; 3], shared: &EngineState) {
        shared.lose(u32::from(!self.0.put((at, bytes))));
    }
}

/// A callback that queues incoming messages.
fn listener(
    source: MidiSource,
    arrive: Arc<Mutex<TapeWriter<MidiArrival>>>,
    shared: Arc<EngineState>,
) -> impl FnMut(u64, &[u8], &mut ()) + Send + Clone + 'static {
    move |_, bytes, ()| {
        if let Some(message) = midi::read(source, bytes) {
            let arrival = (Instant::now(), source, message);
            let mut arrive = arrive.lock().unwrap_or_else(PoisonError::into_inner);
            shared.lose(u32::from(!arrive.put(arrival)));
        }
    }
}

/// Sends each message when it is due, until `is_over` is set and the queue is empty.
fn send(
    mut drums: MidiOutputConnection,
    mut due: TapeReader<MidiDeparture>,
    is_over: &AtomicBool,
    shared: &EngineState,
) {
    loop {
        // Read before the queue, so that everything pushed before the end is sent.
        let is_last = is_over.load(Ordering::Acquire);
        while let Some((at, bytes)) = due.read() {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            shared.lose(u32::from(drums.send(&bytes).is_err()));
        }
        if is_last {
            return;
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// Connects an existing port.
fn connect_to(
    wanted: &PortName,
    own: &str,
    listener: impl FnMut(u64, &[u8], &mut ()) + Send + 'static,
) -> Result<(MidiInputConnection<()>, String)> {
    let input = input()?;
    let (port, name) = port(&input, wanted, "MIDI input port")?;
    let connection = input
        .connect(&port, own, listener, ())
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| format!("connecting the MIDI port {name}"))?;
    Ok((connection, format!("The {own} comes from {name}.")))
}

/// Connects the requested port, else opens a virtual one.
fn connect_input(
    wanted: Option<&PortName>,
    own: &str,
    listener: impl FnMut(u64, &[u8], &mut ()) + Send + Clone + 'static,
) -> Result<(MidiInputConnection<()>, String)> {
    if let Some(wanted) = wanted
        && let Some(connected) = wanted.or_warn(connect_to(wanted, own, listener.clone()))?
    {
        return Ok(connected);
    }
    virtual_input(listener)
}

#[cfg(unix)]
fn virtual_input(
    listener: impl FnMut(u64, &[u8], &mut ()) + Send + 'static,
) -> Result<(MidiInputConnection<()>, String)> {
    use midir::os::unix::VirtualInput as _;
    let connection = input()?
        .create_virtual(NAME, listener, ())
        .map_err(|error| anyhow!("{error}"))
        .context("opening a virtual MIDI port")?;
    let line = format!("Play the bass, and send a clock, to the MIDI port {NAME}.");
    Ok((connection, line))
}

#[cfg(not(unix))]
fn virtual_input(
    _listener: impl FnMut(u64, &[u8], &mut ()) + Send + 'static,
) -> Result<(MidiInputConnection<()>, String)> {
    let names = names(&input()?).join(", ");
    Err(anyhow!(
        "name the MIDI port of the bass with --bass PORT, because this system has no virtual ports; there are {names}"
    ))
}

/// Connects the requested port, else opens a virtual one.
fn connect_output(wanted: Option<&PortName>) -> Result<(MidiOutputConnection, String)> {
    if let Some(wanted) = wanted {
        let attempt = || {
            let output = output()?;
            let (port, name) = port(&output, wanted, "MIDI output port")?;
            let connection = output
                .connect(&port, "drums")
                .map_err(|error| anyhow!("{error}"))
                .with_context(|| format!("connecting the MIDI port {name}"))?;
            Ok((connection, format!("The drums go to {name}.")))
        };
        if let Some(connected) = wanted.or_warn(attempt())? {
            return Ok(connected);
        }
    }
    virtual_output()
}

#[cfg(unix)]
fn virtual_output() -> Result<(MidiOutputConnection, String)> {
    use midir::os::unix::VirtualOutput as _;
    let connection = output()?
        .create_virtual(NAME)
        .map_err(|error| anyhow!("{error}"))
        .context("opening a virtual MIDI port")?;
    Ok((
        connection,
        format!("The drums come out of the MIDI port {NAME}."),
    ))
}

#[cfg(not(unix))]
fn virtual_output() -> Result<(MidiOutputConnection, String)> {
    let names = names(&output()?).join(", ");
    Err(anyhow!(
        "name the MIDI port of the drums with --drums PORT, because this system has no virtual ports; there are {names}"
    ))
}
