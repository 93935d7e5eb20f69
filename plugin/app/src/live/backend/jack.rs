//! JACK: sample-accurate MIDI in both directions, and the transport.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use jack::{
    AsyncClient, AudioOut, Client, ClientOptions, ClientStatus, Control, MidiIn, MidiOut,
    NotificationHandler, Port, PortFlags, ProcessHandler, ProcessScope, RawMidi, Transport,
    TransportState,
};

use super::{BackendRequest, OpenBackend, PortLists, PortName, Session};
use crate::live::audio_thread::engine::{Engine, EngineState};
use crate::live::audio_thread::midi::{
    self, IncomingMessage, IncomingMessages, MidiSource, OutgoingMessages,
};
use crate::live::audio_thread::song::{Bbt, JackTime};

/// Name of the client; JACK changes it if it is taken.
const NAME: &str = "lockstep";

/// Pattern for JACK's MIDI port type.
const MIDI: &str = "midi";

/// Pattern for JACK's audio port type.
const AUDIO: &str = "audio";

/// Connects to a running server; never starts one.
///
/// # Errors
/// If no server is running or JACK is not installed.
pub(super) fn client() -> Result<Client> {
    match Client::new(NAME, ClientOptions::NO_START_SERVER) {
        Ok((client, _)) => Ok(client),
        Err(jack::Error::LibraryError(why)) => bail!("JACK is not installed ({why})"),
        Err(jack::Error::ClientError(status)) if status.contains(ClientStatus::SERVER_FAILED) => {
            bail!("no JACK server is running")
        }
        Err(error) => Err(error).context("the JACK server refused the connection"),
    }
}

/// Opens JACK.
///
/// # Errors
/// Those of [`client`] and [`open_with`].
pub(super) fn open(wanted: &BackendRequest) -> Result<Box<dyn OpenBackend>> {
    open_with(client()?, wanted)
}

/// Opens JACK with an existing client.
///
/// # Errors
/// If the requested rate or period differs from the server's.
pub(super) fn open_with(client: Client, wanted: &BackendRequest) -> Result<Box<dyn OpenBackend>> {
    let (rate, period) = (client.sample_rate(), client.buffer_size());
    let differs = |wanted: Option<u32>, has: u32| wanted.is_some_and(|wanted| wanted != has);
    ensure!(
        !differs(wanted.rate, rate) && !differs(wanted.period, period),
        "the JACK server runs at {rate} Hz with {period} frames per period, and only it can change that: leave out --rate \
         and --period (`--fresh` ignores remembered ones), or restart the server with others (jackd -r, -p)"
    );
    Ok(Box::new(OpenJack {
        client,
        wanted: wanted.clone(),
    }))
}

/// The ports of other clients.
///
/// # Errors
/// Those of [`client`].
pub(super) fn ports() -> Result<PortLists> {
    let client = client()?;
    let find = |kind, flags| client.ports(None, Some(kind), flags);
    Ok(vec![
        (
            "MIDI ports for --bass and --clock",
            find(MIDI, PortFlags::IS_OUTPUT),
        ),
        ("MIDI ports for --drums", find(MIDI, PortFlags::IS_INPUT)),
        ("ports for --audio", find(AUDIO, PortFlags::IS_INPUT)),
    ])
}

struct OpenJack {
    client: Client,
    wanted: BackendRequest,
}

impl OpenBackend for OpenJack {
    fn sample_rate_hz(&self) -> u32 {
        self.client.sample_rate()
    }

    fn start(self: Box<Self>, engine: Engine) -> Result<Box<dyn Session>> {
        let Self { client, wanted } = *self;
        let shared = Arc::clone(engine.shared());
        let no_port = "the JACK server has no more ports";
        let handler = ProcessCallback {
            bass: client
                .register_port("bass", MidiIn::default())
                .context(no_port)?,
            clock: client
                .register_port("clock", MidiIn::default())
                .context(no_port)?,
            drums: client
                .register_port("drums", MidiOut::default())
                .context(no_port)?,
            left: client
                .register_port("out_left", AudioOut::default())
                .context(no_port)?,
            right: client
                .register_port("out_right", AudioOut::default())
                .context(no_port)?,
            transport: client.transport(),
            inbox: IncomingMessages::new(),
            outbox: OutgoingMessages::new(),
            engine,
        };
        let notices = Notifications {
            shared: Arc::clone(&shared),
        };
        let name = client.name().to_owned();
        let mut lines = vec![format!(
            "JACK, {} Hz, {} frames per period.",
            client.sample_rate(),
            client.buffer_size()
        )];
        let client = client
            .activate_async(notices, handler)
            .context("starting the JACK client")?;
        lines.extend(connect(client.as_client(), &name, &wanted)?);
        Ok(Box::new(JackSession {
            client: Some(client),
            shared,
            lines,
        }))
    }
}

/// Connects the requested ports. Returns lines of text that say what is connected and what is not.
fn connect(client: &Client, name: &str, wanted: &BackendRequest) -> Result<Vec<String>> {
    let midi = |flags| -> Vec<String> {
        let mut ports = client.ports(None, Some(MIDI), flags);
        ports.retain(|port| !port.starts_with(&format!("{name}:")));
        ports
    };
    let (sources, sinks) = (midi(PortFlags::IS_OUTPUT), midi(PortFlags::IS_INPUT));
    let join = |from: &str, to: &str| match client.connect_ports_by_name(from, to) {
        Ok(()) | Err(jack::Error::PortAlreadyConnected(..)) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("connecting {from} to {to}")),
    };
    let mut lines = Vec::new();
    for (own, port, others) in [
        ("bass", &wanted.bass, &sources),
        ("clock", &wanted.clock, &sources),
        ("drums", &wanted.drums, &sinks),
    ] {
        let own_name = format!("{name}:{own}");
        let connected = match port {
            None => None,
            Some(port) => port.or_warn(port.find("JACK MIDI port", others).and_then(|other| {
                if own == "drums" {
                    join(&own_name, other)?;
                } else {
                    join(other, &own_name)?;
                }
                Ok(other)
            }))?,
        };
        lines.push(match connected {
            Some(other) => format!("{own_name} is connected to {other}."),
            None => format!("{own_name} is not connected: connect it, or use --{own} PORT."),
        });
    }
    let outs = [format!("{name}:out_left"), format!("{name}:out_right")];
    let speakers = speakers(client, wanted.audio.as_ref())?;
    for (own, other) in outs.iter().zip(speakers.iter().cycle()) {
        join(own, other)?;
        lines.push(format!("{own} is connected to {other}."));
    }
    if speakers.is_empty() {
        lines.push("The kit is not connected; the drums go out as MIDI only.".to_owned());
    }
    Ok(lines)
}

/// The audio ports for the kit, at most two.
fn speakers(client: &Client, wanted: Option<&PortName>) -> Result<Vec<String>> {
    let find = |flags| client.ports(None, Some(AUDIO), flags);
    let mut ports = match wanted {
        None => find(PortFlags::IS_INPUT | PortFlags::IS_PHYSICAL),
        Some(port) if port.name == "none" => Vec::new(),
        Some(port) => {
            let mut ports = find(PortFlags::IS_INPUT);
            let all = ports.clone();
            let name = port.name.to_lowercase();
            ports.retain(|port| port.to_lowercase().contains(&name));
            if ports.is_empty() {
                // Finds nothing, and reports which ports there are.
                let found = port.or_warn(port.find("JACK audio port", &all))?;
                ports.extend(found.cloned());
            }
            ports
        }
    };
    ports.truncate(2);
    Ok(ports)
}

struct ProcessCallback {
    engine: Engine,
    bass: Port<MidiIn>,
    clock: Port<MidiIn>,
    drums: Port<MidiOut>,
    left: Port<AudioOut>,
    right: Port<AudioOut>,
    transport: Transport,
    inbox: IncomingMessages,
    outbox: OutgoingMessages,
}

impl ProcessHandler for ProcessCallback {
    fn process(&mut self, _client: &Client, scope: &ProcessScope) -> Control {
        self.take_in(scope);
        let time = self.time();
        self.engine.process(
            (
                self.left.as_mut_slice(scope),
                self.right.as_mut_slice(scope),
            ),
            &self.inbox,
            time.as_ref(),
            &mut self.outbox,
        );
        let mut writer = self.drums.writer(scope);
        let mut n_lost = 0;
        for outgoing in &self.outbox {
            let raw = RawMidi {
                time: outgoing.frame,
                bytes: &outgoing.bytes,
            };
            n_lost += u32::from(writer.write(&raw).is_err());
        }
        self.engine.shared().lose(n_lost);
        Control::Continue
    }
}

impl ProcessCallback {
    /// Merges the messages of both ports in time order.
    fn take_in(&mut self, scope: &ProcessScope) {
        self.inbox.clear();
        let mut bass = self.bass.iter(scope).peekable();
        let mut clock = self.clock.iter(scope).peekable();
        let mut n_lost = 0;
        loop {
            let is_clock = match (bass.peek(), clock.peek()) {
                (Some(bass), Some(clock)) => clock.time <= bass.time,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (None, None) => break,
            };
            let (source, raw) = if is_clock {
                (MidiSource::Clock, clock.next())
            } else {
                (MidiSource::Bass, bass.next())
            };
            let Some(raw) = raw else { break };
            if let Some(message) = midi::read(source, raw.bytes) {
                let timed = IncomingMessage {
                    frame: raw.time,
                    source,
                    message,
                };
                n_lost += u32::from(self.inbox.try_push(timed).is_err());
            }
        }
        self.engine.shared().lose(n_lost);
    }

    /// The transport position; `None` if it is not rolling.
    fn time(&self) -> Option<JackTime> {
        let now = self.transport.query().ok()?;
        if now.state != TransportState::Rolling {
            return None;
        }
        let bbt = now.pos.bbt().map(|bbt| Bbt {
            bar: bbt.bar as f64,
            beat: bbt.beat as f64,
            tick: bbt.tick as f64,
            ticks_per_beat: bbt.ticks_per_beat,
            beats_per_minute: bbt.bpm,
            numerator: bbt.sig_num,
            denominator: bbt.sig_denom,
            offset_frames: now.pos.bbt_offset().unwrap_or(0),
        });
        Some(JackTime {
            frame: now.pos.frame(),
            bbt,
        })
    }
}

struct Notifications {
    shared: Arc<EngineState>,
}

impl NotificationHandler for Notifications {
    #[expect(unsafe_code, reason = "required by the trait")]
    // SAFETY: only stores a flag, which is allowed in a signal handler.
    unsafe fn shutdown(&mut self, _status: ClientStatus, _reason: &str) {
        let gone: &AtomicBool = &self.shared.is_gone;
        gone.store(true, Ordering::Release);
    }

    fn xrun(&mut self, _client: &Client) -> Control {
        self.shared.n_xruns.fetch_add(1, Ordering::Relaxed);
        Control::Continue
    }
}

struct JackSession {
    client: Option<AsyncClient<Notifications, ProcessCallback>>,
    shared: Arc<EngineState>,
    lines: Vec<String>,
}

impl Session for JackSession {
    fn lines(&self) -> &[String] {
        &self.lines
    }

    fn gone_message(&self) -> &'static str {
        "the JACK server has gone away or has disconnected Lockstep"
    }

    fn close(mut self: Box<Self>) {
        let client = self.client.take();
        if self.shared.is_gone.load(Ordering::Acquire) {
            // JACK's library may wait for ever for a server that has gone. The program is about to exit anyway.
            mem::forget(client);
        }
    }
}
