//! Test setup for `lockstep live`: its own JACK server, the app, a MIDI player and a recorder.
//!
//! The server is synchronous: it waits for every client in every period, so on a busy machine time passes more slowly
//! but nothing is dropped. The musician counts the frames. The recorder runs after the app, and so after the musician,
//! in every period and reads that count.

use std::collections::VecDeque;
use std::env;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jack::{
    AsyncClient, Client, ClientOptions, Control, LoggerType, MidiIn, MidiOut, Port, ProcessHandler,
    ProcessScope, RawMidi, Transport, TransportState,
};
use tempfile::TempDir;

/// Sample rate of the server.
pub(crate) const RATE_HZ: u64 = 48_000;

/// Time limit for anything that should happen at once.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long the musician pauses; less than the half second after which the server drops a client.
const REST: Duration = Duration::from_millis(200);

/// The server's name is in the environment of the process, so only one test runs at a time.
static TURN: Mutex<()> = Mutex::new(());

static N_SERVERS: AtomicU32 = AtomicU32::new(0);

/// Polls until `look` returns something.
///
/// # Panics
/// If it does not within [`TIMEOUT`].
fn await_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < TIMEOUT, "{what} did not come");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A JACK server without a device; ends when dropped.
pub(crate) struct JackServer {
    jackd: Child,
    _turn: MutexGuard<'static, ()>,
}

impl JackServer {
    #[expect(
        unsafe_code,
        reason = "JACK's library reads the server's name only from the environment"
    )]
    pub(crate) fn start() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        jack::set_logger(LoggerType::None);
        let name = format!(
            "lockstep-test-{}-{}",
            std::process::id(),
            N_SERVERS.fetch_add(1, Ordering::Relaxed)
        );
        // SAFETY: the tests of this process take turns, and this one has not started a thread yet.
        unsafe { env::set_var("JACK_DEFAULT_SERVER", &name) };
        let jackd = Command::new("jackd")
            .args(["-n", &name, "-r", "-S"])
            .args(["-d", "dummy", "-r", "48000", "-p", "256"])
            .env("JACK_NO_AUDIO_RESERVATION", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("jackd is needed (Debian: apt-get install jackd2)");
        let server = Self { jackd, _turn: turn };
        await_some("the JACK server", || {
            Client::new("look", ClientOptions::NO_START_SERVER).ok()
        });
        server
    }
}

impl Drop for JackServer {
    fn drop(&mut self) {
        end(&mut self.jackd);
    }
}

/// Asks a program to stop, and kills it if it does not.
fn end(child: &mut Child) {
    signal(child, "-TERM");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn signal(child: &Child, name: &str) {
    let _ = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
}

/// A folder for the settings of a test.
pub(crate) fn config_folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn live(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockstep"));
    command
        .arg("live")
        .args(args)
        .env("LOCKSTEP_CONFIG", folder.path())
        .env("LOCKSTEP_TAKES", folder.path())
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the app until it exits by itself; returns its status and its output.
pub(crate) fn run(folder: &TempDir, args: &[&str]) -> (Option<i32>, String) {
    let mut app = App::spawn(live(folder, args));
    let status = app.wait();
    (status.code(), app.said())
}

/// The output of `--list-parameters`.
pub(crate) fn list_parameters(folder: &TempDir, args: &[&str]) -> String {
    let (code, said) = run(folder, &[args, &["--list-parameters"]].concat());
    assert_eq!(code, Some(0), "{said}");
    said
}

/// The running app; stopped when dropped.
pub(crate) struct App {
    child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl App {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let read = |from: Box<dyn Read + Send>| {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap();
                    said.push_str(&line);
                    said.push('\n');
                }
            })
        };
        let readers = vec![
            read(Box::new(child.stdout.take().unwrap())),
            read(Box::new(child.stderr.take().unwrap())),
        ];
        Self {
            child,
            said,
            readers,
        }
    }

    /// Starts it without a display and waits until it plays.
    pub(crate) fn start(folder: &TempDir, args: &[&str]) -> Self {
        Self::start_dressed(folder, args, |_| ())
    }

    /// Starts it after `dress` has changed its environment, and waits until it plays.
    pub(crate) fn start_dressed(
        folder: &TempDir,
        args: &[&str],
        dress: impl FnOnce(&mut Command),
    ) -> Self {
        let mut command = live(folder, args);
        dress(&mut command);
        let mut app = Self::spawn(command);
        await_some("the app", || {
            let status = app.child.try_wait().unwrap();
            assert!(status.is_none(), "{status:?}: {}", app.said());
            app.has_said("Ctrl-C stops it").then_some(())
        });
        app
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn has_said(&self, words: &str) -> bool {
        self.said().contains(words)
    }

    /// Sends SIGTERM and waits until it exits.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        signal(&self.child, "-TERM");
        self.wait()
    }

    /// Waits until it exits, and for the rest of its output.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = await_some("the end of the app", || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        status
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            end(&mut self.child);
        }
    }
}

/// Messages by frame of the server's time.
type Score = Arc<Mutex<VecDeque<(u64, Vec<u8>)>>>;

struct Playing {
    port: Port<MidiOut>,
    score: Score,
    /// First frame of the current period. Written only here.
    now: Arc<AtomicU64>,
    n_frames: u64,
    transport: Transport,
    /// The frame at which the transport was at 0, once it rolls.
    nought: Arc<AtomicU64>,
    /// Length in frames of the transport's measures, with a pause before each; 0 for no pauses.
    rests: Arc<AtomicU64>,
    /// The frame at which the transport stops; 0 for none.
    stops: Arc<AtomicU64>,
}

impl Playing {
    /// Pauses everything before a period in which a measure begins, so that the plan requested in the last period
    /// arrives in time however busy the machine is.
    fn rest(&self, position: u64, n_frames: u64) {
        let measure = self.rests.load(Ordering::Acquire);
        if measure > 0 && position.next_multiple_of(measure) < position + n_frames {
            thread::sleep(REST);
        }
    }
}

impl ProcessHandler for Playing {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let begin = self.n_frames;
        let end = begin + u64::from(scope.n_frames());
        self.n_frames = end;
        self.now.store(begin, Ordering::Release);
        let now = self.transport.query().unwrap();
        if now.state == TransportState::Rolling {
            let nought = begin - u64::from(now.pos.frame());
            self.nought.store(nought, Ordering::Release);
            self.rest(u64::from(now.pos.frame()), u64::from(scope.n_frames()));
            let stops = self.stops.load(Ordering::Acquire);
            if stops > 0 && begin >= stops {
                self.transport.stop().unwrap();
            }
        }
        let mut writer = self.port.writer(scope);
        let mut coming = self.score.lock().unwrap();
        while let Some((at, bytes)) = coming.front().filter(|(at, _)| *at < end) {
            let time = u32::try_from(*at - begin).unwrap();
            writer.write(&RawMidi { time, bytes }).unwrap();
            coming.pop_front();
        }
        Control::Continue
    }
}

/// Plays MIDI at exact frames.
pub(crate) struct Musician {
    client: AsyncClient<(), Playing>,
    score: Score,
    now: Arc<AtomicU64>,
    nought: Arc<AtomicU64>,
    rests: Arc<AtomicU64>,
    stops: Arc<AtomicU64>,
}

impl Musician {
    /// Starts a musician that plays to a port.
    pub(crate) fn of(port: &str) -> Self {
        let (client, _) = Client::new("musician", ClientOptions::NO_START_SERVER).unwrap();
        let (score, now, nought) = (Score::default(), Arc::default(), Arc::default());
        let (rests, stops) = (Arc::default(), Arc::default());
        let playing = Playing {
            port: client.register_port("out", MidiOut::default()).unwrap(),
            score: Arc::clone(&score),
            now: Arc::clone(&now),
            n_frames: 0,
            transport: client.transport(),
            nought: Arc::clone(&nought),
            rests: Arc::clone(&rests),
            stops: Arc::clone(&stops),
        };
        let client = client.activate_async((), playing).unwrap();
        let musician = Self {
            client,
            score,
            now,
            nought,
            rests,
            stops,
        };
        musician.also_to(port);
        musician
    }

    /// Connects it to one more port.
    pub(crate) fn also_to(&self, port: &str) {
        let client = self.client.as_client();
        client.connect_ports_by_name("musician:out", port).unwrap();
    }

    /// The first frame of the current period.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }

    /// From now on, pauses before each measure of this many frames while the transport rolls, so that no plan is late.
    pub(crate) fn rest_before_measures(&self, n_frames: u64) {
        self.rests.store(n_frames, Ordering::Release);
    }

    /// A frame a little later that is not a round number.
    pub(crate) fn soon(&self) -> u64 {
        self.now() + RATE_HZ / 2 + 77
    }

    /// Schedules these messages, which are in time order.
    pub(crate) fn play(&self, messages: Vec<(u64, Vec<u8>)>) {
        self.score.lock().unwrap().extend(messages);
    }

    /// Waits until a frame has passed.
    pub(crate) fn wait_until(&self, frame: u64) {
        // Waits a few periods longer, so that events at that frame have been recorded.
        await_some("the time", || (self.now() > frame + 4 * 256).then_some(()));
    }

    /// Starts the transport at 0, and returns the frame of the server's time at which that was.
    pub(crate) fn roll(&self) -> u64 {
        let transport = self.client.as_client().transport();
        transport.locate(0).unwrap();
        transport.start().unwrap();
        await_some("the transport", || {
            let nought = self.nought.load(Ordering::Acquire);
            (nought > 0).then_some(nought)
        })
    }

    /// Stops the transport in the first period that begins at this frame or later.
    pub(crate) fn stop_at(&self, frame: u64) {
        self.stops.store(frame, Ordering::Release);
    }

    pub(crate) fn stop(&self) {
        self.client.as_client().transport().stop().unwrap();
    }
}

/// Frames and messages.
type Notes = Arc<Mutex<Vec<(u64, [u8; 3])>>>;

struct Recording {
    port: Port<MidiIn>,
    notes: Notes,
    /// The musician's count.
    now: Arc<AtomicU64>,
}

impl ProcessHandler for Recording {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        let begin = self.now.load(Ordering::Acquire);
        let mut notes = self.notes.lock().unwrap();
        for raw in self.port.iter(scope) {
            let bytes = raw.bytes.try_into().expect("notes have three bytes");
            notes.push((begin + u64::from(raw.time), bytes));
        }
        Control::Continue
    }
}

/// Records what a port sends.
pub(crate) struct Recorder {
    _client: AsyncClient<(), Recording>,
    notes: Notes,
    now: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts a recorder connected to a port of a client that runs after the musician.
    pub(crate) fn of(port: &str, musician: &Musician) -> Self {
        let (client, _) = Client::new("recorder", ClientOptions::NO_START_SERVER).unwrap();
        let (notes, now) = (Notes::default(), Arc::clone(&musician.now));
        let recording = Recording {
            port: client.register_port("in", MidiIn::default()).unwrap(),
            notes: Arc::clone(&notes),
            now: Arc::clone(&now),
        };
        let client = client.activate_async((), recording).unwrap();
        client
            .as_client()
            .connect_ports_by_name(port, "recorder:in")
            .unwrap();
        Self {
            _client: client,
            notes,
            now,
        }
    }

    /// All notes so far.
    pub(crate) fn notes(&self) -> Vec<(u64, [u8; 3])> {
        self.notes.lock().unwrap().clone()
    }

    /// Waits a few periods for notes that are still on their way.
    pub(crate) fn await_last_notes(&self) {
        let begun = self.now.load(Ordering::Acquire);
        await_some("the last periods", || {
            (self.now.load(Ordering::Acquire) > begun + 8 * 256).then_some(())
        });
    }
}
