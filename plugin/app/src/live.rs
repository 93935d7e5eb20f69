//! `lockstep live`: the stage app, a small host for the same instrument that a DAW loads.
//!
//! The main thread handles settings, ports and the window. It also prints messages and ends the run; with a window open, a
//! second thread does that. The audio thread belongs to the backend and runs [`engine`]; between them are atomics and bounded
//! queues. A *backend* carries audio and MIDI, `song` and `midi_clock` track the song position, `settings` remembers the
//! parameters. The app adds no sound and no window: both are the instrument's.

mod audio_thread;
mod backend;
mod command;
mod settings;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use audio_thread::engine::{
    ControllerMap, ControllerMapping, Engine, EngineSetup, EngineState, MAX_PARAMETER_CHANGES,
    N_CONTROLLERS, ParameterChange,
};
use audio_thread::song::Following;
use backend::{BackendRequest, PortName, Session};
pub(crate) use command::LiveArgs;
use command::{SyncChoice, controller_number};
use lockstep::Lockstep;
use lockstep::params::Parameters;
use lockstep_engine::channel::{TapeReader, TapeWriter, tape};
use nice_plug::prelude::Plugin as _;
use settings::{FOLDER_VARIABLE, Settings, SettingsFile};

/// How often to check for something to print or save.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How long changed settings must stay the same before they are saved.
const SAVE_AFTER: Duration = Duration::from_secs(2);

/// Shortest time between messages about lost MIDI or late blocks.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Longest wait for the last note-offs.
const MAX_NOTE_OFF_WAIT: Duration = Duration::from_secs(2);

/// Time for the output of the last block to arrive: a few blocks.
const LAST_OUTPUT_WAIT: Duration = Duration::from_millis(100);

/// Runs `lockstep live`.
///
/// # Errors
/// If there is no backend, a requested port, device or parameter does not exist, or the backend disappears.
pub(crate) fn run(args: &LiveArgs) -> Result<()> {
    if args.ports {
        for line in backend::ports() {
            println!("{line}");
        }
        return Ok(());
    }
    let file = SettingsFile::locate(std::env::var_os(FOLDER_VARIABLE))?;
    let remembered = if args.fresh {
        Settings::default()
    } else {
        let (remembered, damage) = file.load()?;
        if let Some(damage) = damage {
            eprintln!("{damage}");
        }
        remembered
    };
    let settings = remembered.overridden_by(args);
    let instrument = Lockstep::default();
    let parameters = prepare(&instrument, &settings, args)?;
    let made_fields = parameters.fields();
    parameters.restore_fields(&settings.fields);
    if args.list_parameters {
        list(&parameters);
        return Ok(());
    }
    let (controllers, turns) = controllers(&parameters, &settings, args)?;
    let mut live_run = LiveRun {
        parameters: Arc::new(parameters),
        file,
        settings: Settings {
            controllers,
            ..settings
        },
        made_fields,
        shared: Arc::default(),
        saved: None,
    };
    live_run.play(instrument, turns, args)
}

/// The parameters at the start of this run: the app's defaults, then the remembered values, the preset, and `--set`.
fn prepare(instrument: &Lockstep, settings: &Settings, args: &LiveArgs) -> Result<Parameters> {
    let mut parameters = Parameters::new(instrument.params());
    // With a sync source chosen explicitly, the drummer waits for it instead of running free.
    let runs_free = matches!(settings.sync, SyncChoice::Auto | SyncChoice::None);
    let free_run = parameters.find("free_run")?;
    parameters.set_default(free_run, f32::from(u8::from(runs_free)));
    for (id, written) in &settings.parameters {
        let restored = parameters
            .find(id)
            .and_then(|at| parameters.restore(at, written));
        if let Err(error) = restored {
            eprintln!("Ignoring one remembered setting: {error:#}.");
        }
    }
    if let Some(name) = &args.preset {
        lockstep::presets::find(name)?.values.apply(&parameters);
    }
    for pair in &args.set {
        let said = || format!("--set {}={}", pair.left, pair.right);
        let at = parameters.find(&pair.left).with_context(said)?;
        parameters.set_text(at, &pair.right).with_context(said)?;
    }
    Ok(parameters)
}

/// The controller assignments, as settings by number and as the engine's table.
fn controllers(
    parameters: &Parameters,
    settings: &Settings,
    args: &LiveArgs,
) -> Result<(BTreeMap<String, String>, ControllerMap)> {
    let mut turns: ControllerMap = vec![None; N_CONTROLLERS].into();
    let mut kept = BTreeMap::new();
    let given = args.cc.iter().map(|pair| (&pair.left, &pair.right, true));
    let remembered = settings.controllers.iter();
    for (number, id, is_given) in remembered
        .map(|(number, id)| (number, id, false))
        .chain(given)
    {
        let found = controller_number(number).and_then(|n| Ok((n, parameters.find(id)?)));
        match found.with_context(|| format!("--cc {number}={id}")) {
            Ok((number, at)) => {
                turns[usize::from(number)] = Some(ControllerMapping {
                    at,
                    values: parameters.controller_values(at),
                });
                kept.insert(number.to_string(), parameters.id(at).to_owned());
            }
            Err(error) if is_given => return Err(error),
            Err(error) => eprintln!("Ignoring one remembered setting: {error:#}."),
        }
    }
    Ok((kept, turns))
}

/// Prints the parameters.
fn list(parameters: &Parameters) {
    for at in parameters.indices() {
        println!(
            "{:<10} {:<16} {:<16} {}",
            parameters.id(at),
            parameters.name(at),
            parameters.text(at),
            parameters.range(at)
        );
    }
}

/// One run of the app.
struct LiveRun {
    parameters: Arc<Parameters>,
    file: SettingsFile,
    /// All but the parameters, which are read when saving.
    settings: Settings,
    /// The default fields.
    made_fields: BTreeMap<String, String>,
    shared: Arc<EngineState>,
    /// What the file contains.
    saved: Option<Settings>,
}

impl LiveRun {
    /// Plays until Ctrl-C, or until the window is closed.
    fn play(
        &mut self,
        mut instrument: Lockstep,
        turns: ControllerMap,
        args: &LiveArgs,
    ) -> Result<()> {
        let is_asked_to_end = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_asked_to_end);
        ctrlc::set_handler(move || asked.store(true, Ordering::Release))
            .context("waiting for Ctrl-C")?;
        let (turn, turned) = tape(MAX_PARAMETER_CHANGES);
        if let Some(window) = self.window(&mut instrument, &is_asked_to_end, turn, args) {
            // Some systems require the window on the main thread.
            return thread::scope(|scope| {
                let playing = scope.spawn(|| {
                    let outcome =
                        self.play_until_asked(instrument, turns, turned, args, &is_asked_to_end);
                    is_asked_to_end.store(true, Ordering::Release);
                    outcome
                });
                println!("Closing the window stops Lockstep, as Ctrl-C does.");
                let seen = window.run();
                is_asked_to_end.store(true, Ordering::Release);
                let played = playing.join();
                played.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                seen
            });
        }
        self.play_until_asked(instrument, turns, turned, args, &is_asked_to_end)
    }

    /// The window, unless it is switched off or cannot be opened.
    fn window(
        &self,
        instrument: &mut Lockstep,
        is_asked_to_end: &Arc<AtomicBool>,
        turn: TapeWriter<ParameterChange>,
        args: &LiveArgs,
    ) -> Option<window::AppWindow> {
        if args.no_window {
            return None;
        }
        let editor = instrument.window(Arc::clone(is_asked_to_end))?;
        window::AppWindow::open(&editor, Arc::clone(&self.parameters), turn)
            .inspect_err(|error| eprintln!("Lockstep runs without its window: {error:#}."))
            .ok()
    }

    /// Plays until asked to end.
    fn play_until_asked(
        &mut self,
        instrument: Lockstep,
        turns: ControllerMap,
        turned: TapeReader<ParameterChange>,
        args: &LiveArgs,
        is_asked_to_end: &AtomicBool,
    ) -> Result<()> {
        let opened = backend::open(self.settings.backend, &wanted(&self.settings, args))?;
        let setup = EngineSetup {
            instrument,
            own_time: (
                self.parameters.find("free_bpm")?,
                self.parameters.find("free_meter")?,
            ),
            parameters: Arc::clone(&self.parameters),
            turns,
            turned,
            sync: self.settings.sync,
            shared: Arc::clone(&self.shared),
        };
        let engine = Engine::new(setup, f64::from(opened.sample_rate_hz()))?;
        let session = opened.start(engine)?;
        self.print_setup(session.as_ref());
        self.save()?;
        let outcome = self.watch(is_asked_to_end, session.as_ref());
        self.end(session);
        let saved = self.save();
        outcome?;
        saved?;
        println!(
            "Stopped. The settings are saved in {}.",
            self.file.path().display()
        );
        Ok(())
    }

    /// Prints ports, controllers and sync source.
    fn print_setup(&self, session: &dyn Session) {
        println!("Lockstep plays live.");
        for line in session.lines() {
            println!("  {line}");
        }
        for (number, id) in &self.settings.controllers {
            println!("  Controller {number} turns {id}.");
        }
        println!(
            "  {}",
            match self.settings.sync {
                SyncChoice::Auto =>
                    "Time: a running MIDI clock, else a rolling JACK transport, else free run.",
                SyncChoice::None => "Time: free run.",
                SyncChoice::Clock => "Time: a MIDI clock; the drummer waits for it.",
                SyncChoice::Jack => "Time: JACK's transport; the drummer waits for it.",
            }
        );
        println!("  Ctrl-C stops it.");
    }

    /// Waits for the end, prints changes of the time source, and saves changed settings.
    fn watch(&mut self, is_asked_to_end: &AtomicBool, session: &dyn Session) -> Result<()> {
        let mut following = Following::Nothing as u8;
        let mut problems = ProblemReport::default();
        let mut resting: Option<(Instant, Settings)> = None;
        while !is_asked_to_end.load(Ordering::Acquire) {
            if self.shared.is_gone.load(Ordering::Acquire) {
                bail!(
                    "{}; the settings are saved: fix this, then start `lockstep live` again",
                    session.gone_message()
                );
            }
            let now = self.shared.following.load(Ordering::Relaxed);
            if now != following {
                following = now;
                self.announce(following);
            }
            problems.print(&self.shared);
            let current = self.current();
            let is_saved = self.saved.as_ref() == Some(&current);
            match &resting {
                _ if is_saved => resting = None,
                Some((since, settings)) if *settings == current => {
                    if since.elapsed() >= SAVE_AFTER {
                        self.save()?;
                        resting = None;
                    }
                }
                _ => resting = Some((Instant::now(), current)),
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn announce(&self, following: u8) {
        let bpm = f64::from(self.shared.centi_bpm.load(Ordering::Relaxed)) / 100.0;
        if following == Following::Clock as u8 {
            println!("Following the MIDI clock.");
        } else if following == Following::Jack as u8 {
            println!("Following JACK's transport, {bpm} BPM.");
        } else {
            println!("Following no external time.");
        }
    }

    /// Ends every note, if the backend is still there, and closes the session.
    fn end(&self, session: Box<dyn Session>) {
        if !self.shared.is_gone.load(Ordering::Acquire) {
            self.shared.is_stopping.store(true, Ordering::Release);
            let begun = Instant::now();
            while !self.shared.is_silent.load(Ordering::Acquire)
                && begun.elapsed() < MAX_NOTE_OFF_WAIT
            {
                thread::sleep(Duration::from_millis(2));
            }
            thread::sleep(LAST_OUTPUT_WAIT);
        }
        session.close();
    }

    /// The settings as they are now.
    fn current(&self) -> Settings {
        let mut fields = self.parameters.fields();
        fields.retain(|name, field| self.made_fields.get(name) != Some(field));
        Settings {
            parameters: self.parameters.changed().into_iter().collect(),
            fields,
            ..self.settings.clone()
        }
    }

    fn save(&mut self) -> Result<()> {
        let current = self.current();
        if self.saved.as_ref() != Some(&current) {
            self.file.save(&current)?;
            self.saved = Some(current);
        }
        Ok(())
    }
}

/// Problems that do not end the run, as last reported.
#[derive(Default)]
struct ProblemReport {
    reported: (u32, u32),
    reported_at: Option<Instant>,
}

impl ProblemReport {
    /// Prints new problems, but not too often.
    fn print(&mut self, shared: &EngineState) {
        let lost = shared.n_lost.load(Ordering::Relaxed);
        let xruns = shared.n_xruns.load(Ordering::Relaxed);
        let is_quiet = self
            .reported_at
            .is_none_or(|at| at.elapsed() >= REPORT_INTERVAL);
        if self.reported == (lost, xruns) || !is_quiet {
            return;
        }
        if lost != self.reported.0 {
            eprintln!("MIDI messages lost so far: {lost}.");
        }
        if xruns != self.reported.1 {
            eprintln!("Late blocks (xruns) so far: {xruns}; a longer period helps.");
        }
        self.reported = (lost, xruns);
        self.reported_at = Some(Instant::now());
    }
}

/// What to ask of the backend: ports given now have to exist, remembered ones may be missing.
fn wanted(settings: &Settings, args: &LiveArgs) -> BackendRequest {
    let port = |name: &Option<String>, given: &Option<String>| {
        name.clone().map(|name| PortName {
            name,
            is_remembered: given.is_none(),
        })
    };
    BackendRequest {
        bass: port(&settings.bass, &args.bass),
        clock: port(&settings.clock, &args.clock),
        drums: port(&settings.drums, &args.drums),
        audio: port(&settings.audio, &args.audio),
        rate: settings.rate,
        period: settings.period,
    }
}
