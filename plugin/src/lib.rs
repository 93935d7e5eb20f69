//! Lockstep: a drummer that listens to the bass, as a CLAP and VST3 instrument.
//!
//! The path of a note, top to bottom in [`Lockstep::process`]: bass note → step grid → 64-step window → request ⇢
//! generator thread → plan ⇢ density at step time → drum note and kit voice. ⇢ is
//! [`handoff`](lockstep_engine::handoff), where the two threads meet. [`realtime`](lockstep_engine::realtime) is the musical
//! behaviour; it can name neither the plugin framework nor the tensor library. `lockstep_offline` plays a MIDI file through the
//! same performer.

pub mod audio_thread;
pub mod capture;
mod clap_entry;
pub mod device;
pub mod drum_maps;
pub mod drummers;
#[cfg(feature = "editor")]
pub mod editor;
pub mod generator;
#[cfg(target_os = "linux")]
mod old_glibc;
pub mod params;
pub mod presets;
#[cfg(feature = "vst3")]
mod vst3;
#[cfg(feature = "editor")]
pub mod worker;

#[cfg(feature = "editor")]
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use audio_thread::SweepDetector;
use audio_thread::wire::{self, Inbox};
use capture::Archive;
use drummers::DrummerChoice;
use generator::{GeneratorHandle, GeneratorStatus, GeneratorThread};
use lockstep_core::representation::N_GROUPS;
use lockstep_engine::handoff::{GeneratorEnd, RealtimeEnd, handoff};
use lockstep_engine::plan_wait::{LONGEST_WAIT, RenderDetector, WaitingPlans};
use lockstep_engine::realtime::{Block, DrumEventKind, DrumEvents, Performer};
use lockstep_engine::recording::{Recorder, recording};
use lockstep_engine::snapshots::{SnapshotReceiver, SnapshotSender, snapshots};
use lockstep_engine::synth::Kit;
use nice_plug::prelude::*;
use nice_plug::util::permit_alloc;
use params::{LockstepParams, former_ids};

/// One instance of the instrument.
#[derive(Debug)]
pub struct Lockstep {
    params: Arc<LockstepParams>,
    performer: Performer,
    inbox: Inbox,
    drums: DrumEvents,
    /// Made for the sample rate in `activate`; its sounds arrive later, from another thread.
    kit: Option<Kit>,
    /// The audio thread's end of the handoff.
    plans: RealtimeEnd,
    /// The other end, until the generator thread takes it.
    requests: Option<GeneratorEnd>,
    /// `None` before the first `activate`, or if the thread could not start: the drums then fall back.
    generator: Option<GeneratorHandle>,
    /// What the generator thread reports of this instance, for the editor.
    status: Arc<GeneratorStatus>,
    /// Records what is played on the tape; the process's archive reads it.
    recorder: Recorder,
    /// Tells whether a machine moves the parameters: then the control key does not save.
    sweep_detector: SweepDetector,
    /// Sends the editor what is played.
    shown: SnapshotSender,
    /// The editor's end, until the editor is made.
    #[cfg_attr(
        not(feature = "editor"),
        expect(dead_code, reason = "only the editor reads it")
    )]
    seen: Option<SnapshotReceiver>,
    /// Must finish this instance's tasks before the instance is dropped.
    #[cfg(feature = "editor")]
    worker: worker::Worker,
    /// Empty before the first `activate`, or if the thread could not start: then nothing can be saved. The editor exports from
    /// it.
    archive: Arc<OnceLock<capture::ArchiveHandle>>,
    sample_rate_hz: f64,
    /// Whether the host renders offline, so that the plugin may wait for plans.
    is_offline: bool,
    /// Detects a host that renders offline without saying so.
    render_detector: RenderDetector,
}

/// Name of the mix output.
// FIXME: nice-plug 0.4.2 shows the main input's name instead, though there is no input (`AudioIOLayout::main_output_name`).
const MAIN_OUTPUT: Option<&str> = Some("Drums");

impl Default for Lockstep {
    fn default() -> Self {
        let (plans, requests) = handoff();
        let (shown, seen) = snapshots();
        let params = Arc::default();
        #[cfg(feature = "vst3")]
        vst3::remember(&params);
        Self {
            sweep_detector: SweepDetector::new(&params),
            params,
            performer: Performer::new(),
            inbox: Inbox::default(),
            drums: DrumEvents::new(),
            kit: None,
            plans,
            requests: Some(requests),
            generator: None,
            status: Arc::default(),
            recorder: recording().0,
            shown,
            seen: Some(seen),
            #[cfg(feature = "editor")]
            worker: worker::Worker::default(),
            archive: Arc::default(),
            sample_rate_hz: 48_000.0,
            is_offline: false,
            render_detector: RenderDetector::default(),
        }
    }
}

impl Plugin for Lockstep {
    const NAME: &'static str = "Lockstep";
    const VENDOR: &'static str = "Lockstep";
    const URL: &'static str = env!("CARGO_PKG_REPOSITORY");
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    // Either the mix alone, the default (Ableton Live refuses a VST3 without an audio bus), or each voice group on its own
    // output: then the main output is silent, so that nothing is heard twice.
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[
        AudioIOLayout {
            main_input_channels: None,
            main_output_channels: NonZeroU32::new(2),
            aux_input_ports: &[],
            aux_output_ports: &[],
            names: PortNames {
                layout: Some("Stereo"),
                main_input: MAIN_OUTPUT,
                main_output: MAIN_OUTPUT,
                ..PortNames::const_default()
            },
        },
        AudioIOLayout {
            main_input_channels: None,
            main_output_channels: NonZeroU32::new(2),
            aux_input_ports: &[],
            aux_output_ports: &[new_nonzero_u32(2); N_GROUPS],
            names: PortNames {
                layout: Some("An output for each group of drums"),
                main_input: MAIN_OUTPUT,
                main_output: MAIN_OUTPUT,
                // In the order of `VoiceGroup`.
                aux_outputs: &["Kick", "Snare", "Hats", "Toms", "Cymbals", "Percussion"],
                ..PortNames::const_default()
            },
        },
    ];
    // For pedal and pitch bend. VST3 has no controller events, so the framework maps every controller to a hidden parameter;
    // `vst3` lists only those that the plugin uses.
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::Basic;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;
    // With more events in one block the framework allocates on the audio thread. Some hosts send every parameter at once, and
    // validators do so all the time: this allows 128 parameters at every 64th frame of a block of 8,192 frames.
    const INPUT_EVENT_CAPACITY: usize = 16_384;

    #[cfg(feature = "editor")]
    type Editor = editor::Editor;
    #[cfg(not(feature = "editor"))]
    type Editor = ();
    type SysExMessage = ();
    #[cfg(feature = "editor")]
    type BackgroundTask = worker::Barrier;
    #[cfg(not(feature = "editor"))]
    type BackgroundTask = ();

    fn filter_state(state: &mut PluginState) {
        let saved = std::mem::take(&mut state.params).into_iter();
        state.params = saved
            .map(|(id, value)| (former_ids::current(&id).unwrap_or(id), value))
            .collect();
    }

    fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.params) as Arc<dyn Params>
    }

    #[cfg(feature = "editor")]
    fn task_executor(&mut self) -> TaskExecutor<Self> {
        Box::new(|barrier| barrier.pass())
    }

    #[cfg(feature = "editor")]
    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        self.worker = worker::Worker::new(executor);
        self.window(Arc::default())
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        config: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.sample_rate_hz = f64::from(config.sample_rate);
        self.is_offline = config.process_mode == ProcessMode::Offline;
        self.render_detector.reset();
        self.kit = Some(Kit::new_in_background(
            config.sample_rate,
            self.params.kit.choice.value().into(),
        ));
        if self.generator.is_none() {
            let params = Arc::clone(&self.params);
            match GeneratorThread::of_process() {
                Ok(generator_thread) => {
                    let end = self.requests.take();
                    self.generator = end.map(|end| {
                        let status = Arc::clone(&self.status);
                        generator_thread.register(end, status, move || DrummerChoice::of(&params))
                    });
                }
                Err(error) => nice_error!("Lockstep plays its rule groove: {error}"),
            }
        }
        if self.archive.get().is_none() {
            let (recorder, tape) = recording();
            self.recorder = recorder;
            match Archive::of_process() {
                // Cannot fail: it is empty, and only this code fills it.
                Ok(archive) => drop(self.archive.set(archive.register(tape))),
                Err(error) => nice_error!("Lockstep cannot save what is played: {error}"),
            }
        }
        true
    }

    #[cfg(feature = "editor")]
    fn deactivate(&mut self) {
        self.worker.finish();
    }

    fn reset(&mut self) {
        self.performer.reset();
        self.inbox.reset();
        self.render_detector.reset();
        if let Some(kit) = &mut self.kit {
            kit.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer<'_>,
        aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let controls = self.params.controls();
        self.inbox.fill(context, &self.params);
        let block = Block {
            n_frames: u32::try_from(buffer.samples()).unwrap_or(u32::MAX),
            sample_rate_hz: self.sample_rate_hz,
            transport: wire::transport(context.transport(), controls.free_run_tempo_bpm),
            bass: self.inbox.bass(),
        };

        let block_s = f64::from(block.n_frames) / self.sample_rate_hz;
        let may_wait = if self.is_offline {
            LONGEST_WAIT
        } else {
            // Reading the clock here is no system call on Linux, macOS and Windows.
            let length = Duration::try_from_secs_f64(block_s).unwrap_or_default();
            self.render_detector.block(Instant::now(), length)
        };
        let mut plans = WaitingPlans::new(&mut self.plans, may_wait);
        self.performer
            .perform(&block, &controls, &mut plans, &mut self.drums);
        self.render_detector.wait(plans.waited());
        self.shown.pass(block_s, || {
            self.performer
                .snapshot(self.sample_rate_hz, &controls, &mut self.plans)
        });
        self.recorder
            .record(&block, self.performer.passage(), &self.drums);
        self.recorder.set_kit(self.params.kit.choice.value().into());
        // In our own app only a person moves the parameters; in a host, automation and scripts do too.
        let is_own_app = context.plugin_api() == PluginApi::Standalone;
        if is_own_app {
            self.recorder.hold_save(self.params.save.value());
        }
        self.sweep_detector.update(block_s);
        if self.inbox.is_save_asked() && (is_own_app || !self.sweep_detector.is_sweeping()) {
            self.recorder.save();
        }

        wire::send(&self.drums, self.inbox.thru(), context);
        self.play_kit(buffer, aux, !may_wait.is_zero());
        ProcessStatus::KeepAlive
    }
}

impl Lockstep {
    /// Makes the editor, once; `None` after that. For the plugin framework, or for a program that shows it as its own window
    /// and closes it by setting `is_over`.
    #[cfg(feature = "editor")]
    pub fn window(&mut self, is_over: Arc<AtomicBool>) -> Option<editor::Editor> {
        let params = Arc::clone(&self.params);
        let (seen, status) = (self.seen.take()?, Arc::clone(&self.status));
        let archive = Arc::clone(&self.archive);
        editor::editor(params, seen, status, archive, is_over)
    }

    /// Plays the block's drum notes on the built-in kit: on the group outputs if the host has them, else as a mix. A render
    /// waits until the kit's sounds are loaded.
    fn play_kit(
        &mut self,
        buffer: &mut Buffer<'_>,
        aux: &mut AuxiliaryBuffers<'_>,
        is_render: bool,
    ) {
        let Some(kit) = &mut self.kit else {
            return;
        };
        if is_render {
            // So that no render misses a hit. Only the first block allocates here.
            permit_alloc(|| kit.wait());
        }
        kit.set(&self.params.kit.settings());
        for event in &self.drums {
            if let DrumEventKind::On { velocity } = event.kind {
                kit.hit(event.frame.0 as usize, event.voice, velocity);
            }
        }
        let main = buffer.as_slice();
        let groups: ArrayVec<[&mut [f32]; 2], N_GROUPS> = aux
            .outputs
            .iter_mut()
            .filter_map(|output| match output.as_slice() {
                [left, right] => Some([&mut **left, &mut **right]),
                _ => None,
            })
            .take(N_GROUPS)
            .collect();
        if let Ok(mut groups) = groups.into_inner() {
            kit.render_groups(&mut groups);
            for side in main {
                side.fill(0.0);
            }
        } else if let [left, right, ..] = main {
            kit.render(left, right);
        }
    }
}

impl ClapPlugin for Lockstep {
    const CLAP_ID: &'static str = "audio.lockstep.lockstep";
    const CLAP_DESCRIPTION: Option<&'static str> = Some("A drummer that listens to the bass");
    const CLAP_MANUAL_URL: Option<&'static str> = Some(Self::URL);
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::Instrument,
        ClapFeature::DrumMachine,
        ClapFeature::NoteEffect,
        ClapFeature::Stereo,
    ];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.params.pages(context);
    }
}

#[cfg(feature = "vst3")]
impl Vst3Plugin for Lockstep {
    const VST3_CLASS_ID: [u8; 16] = *b"LockstepDrummer1";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Instrument, Vst3SubCategory::Drum];
}
