//! A VST3 host: loads `Lockstep.vst3` and plays stages.

#[cfg(target_os = "linux")]
mod bare;
mod window;

use std::time::Instant;

use anyhow::Context as _;
use cpu_time::ThreadTime;
use vst3_host::audio::AudioBuffers;
use vst3_host::midi::{MidiChannel, MidiEvent, PluginEventData};
use vst3_host::{ParameterEdit, ParameterEditKind, Plugin, ProcessMode, TransportPosition};

use crate::{
    Block, DrumEvent, Host, InputKind, Parameter, Performance, Stage, TimeInfo, WindowEdit,
    WindowEditKind, bundle,
};

#[cfg(target_os = "linux")]
pub use bare::BareVst3;
pub use window::Vst3Window;

/// VST3's flag for parameters that a host does not show, `kIsHidden`.
const IS_HIDDEN: u32 = 1 << 4;

/// VST3's controller number for the pitch wheel.
pub const PITCH_WHEEL: u16 = 129;

/// VST3's flag for parameters that automation may move, `kCanAutomate`.
const CAN_AUTOMATE: u32 = 1;

/// One instance of the VST3 plugin.
pub struct Vst3Host {
    plugin: Plugin,
    // Names and ids at loading time.
    ids: Vec<(String, u32)>,
}

impl std::fmt::Debug for Vst3Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vst3Host")
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}

impl Vst3Host {
    /// A new instance from the bundle.
    ///
    /// # Errors
    /// If there is no bundle, or the plugin in it cannot be made.
    pub fn open() -> anyhow::Result<Self> {
        let path = bundle("Lockstep.vst3")?;
        let plugin = vst3_host::Vst3Host::builder()
            .build()?
            .load_plugin(&path)
            .with_context(|| format!("loading {}", path.display()))?;
        let ids = plugin
            .get_parameters()?
            .into_iter()
            .map(|parameter| (parameter.name, parameter.id))
            .collect();
        Ok(Self { plugin, ids })
    }

    /// The hidden parameters, or the visible ones.
    fn listed(&self, is_hidden: bool) -> anyhow::Result<Vec<Parameter>> {
        let parameters = self.plugin.get_parameters()?;
        parameters
            .into_iter()
            .filter(|parameter| (parameter.flags & IS_HIDDEN != 0) == is_hidden)
            .map(|parameter| {
                Ok(Parameter {
                    id: parameter.id,
                    value: self.plugin.get_parameter(parameter.id)?,
                    is_automatable: parameter.flags & CAN_AUTOMATE != 0,
                    name: parameter.name,
                })
            })
            .collect()
    }

    fn id_of(&self, name: &str) -> anyhow::Result<u32> {
        self.ids
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, id)| *id)
            .with_context(|| format!("the plugin has no parameter {name:?}"))
    }

    /// Changes made in the plugin window since the last call.
    fn edits(&mut self) -> Vec<WindowEdit> {
        let edits = self.plugin.take_parameter_edits().into_iter();
        let window_edit = |edit: ParameterEdit| {
            let (name, _) = self.ids.iter().find(|(_, id)| *id == edit.id)?;
            let kind = match edit.kind {
                ParameterEditKind::BeginGesture => WindowEditKind::Begin,
                ParameterEditKind::ValueChange => WindowEditKind::Turn(edit.value?),
                ParameterEditKind::EndGesture => WindowEditKind::End,
            };
            Some(WindowEdit {
                name: name.clone(),
                kind,
            })
        };
        edits.filter_map(window_edit).collect()
    }

    /// One process call.
    fn play_block(&mut self, block: &Block, buffers: &mut AudioBuffers) -> anyhow::Result<()> {
        if block.is_after_reset {
            // This is how VST3 resets a plugin.
            self.plugin.stop_processing()?;
            self.plugin.start_processing()?;
        }
        let (numerator, denominator) = block.meter;
        self.plugin
            .set_time_signature(numerator.into(), denominator.into())?;
        self.plugin.set_tempo(block.tempo_bpm)?;
        self.plugin.set_playing(block.is_playing)?;
        self.plugin.set_transport_position(TransportPosition {
            samples: i64::try_from(block.first_frame)?,
            quarter_notes: block.beats,
        })?;
        for input in &block.inputs {
            let offset = i32::try_from(input.offset)?;
            let channel = MidiChannel::Ch1;
            let event = match input.kind {
                InputKind::NoteOn { key } => MidiEvent::NoteOn {
                    channel,
                    note: key,
                    velocity: 102,
                },
                InputKind::NoteOff { key } => MidiEvent::NoteOff {
                    channel,
                    note: key,
                    velocity: 0,
                },
                InputKind::Set { name, value } => {
                    let id = self.id_of(name)?;
                    self.plugin.set_parameter_at(id, value, offset)?;
                    continue;
                }
            };
            self.plugin.send_midi_event_at(event, offset)?;
        }
        self.plugin
            .process_audio(buffers)
            .with_context(|| format!("processing at frame {}", block.first_frame))
    }
}

impl Vst3Host {
    /// [`Host::perform`] that calls `between` after each block on the same thread, since this host has only one.
    /// `between` gets the performance so far, and may drop parts of it.
    ///
    /// # Errors
    /// Errors from [`Host::perform`] and from `between`.
    pub fn perform_between(
        &mut self,
        stage: &Stage,
        mut between: impl FnMut(&mut Vst3Window<'_>, &mut Performance) -> anyhow::Result<()>,
    ) -> anyhow::Result<Performance> {
        anyhow::ensure!(
            stage.time_info == TimeInfo::Everything,
            "this host always sends everything about time; {:?} is for CLAP",
            stage.time_info
        );
        let block_frames = usize::try_from(stage.block_frames)?;
        let cpu = ThreadTime::now();
        self.plugin.stop_processing()?;
        self.plugin
            .reconfigure(stage.sample_rate_hz, block_frames)?;
        let mode = if stage.is_offline {
            ProcessMode::Offline
        } else {
            ProcessMode::Realtime
        };
        self.plugin.set_process_mode(mode)?;
        for &(name, value) in &stage.settings {
            self.plugin.set_parameter(self.id_of(name)?, value)?;
        }
        self.plugin.start_processing()?;

        let mut performance = Performance {
            activation_cpu: cpu.elapsed(),
            ..Performance::default()
        };
        let mut buffers = AudioBuffers::new(0, 2, block_frames, stage.sample_rate_hz);
        let begun = Instant::now();
        for block in stage.blocks() {
            stage.rest(begun, &block);
            let n_frames = usize::try_from(block.n_frames)?;
            if buffers.block_size != n_frames {
                buffers = AudioBuffers::new(0, 2, n_frames, stage.sample_rate_hz);
            }
            buffers.clear();
            let cpu = ThreadTime::now();
            self.play_block(&block, &mut buffers)?;
            performance.longest_block_cpu = performance.longest_block_cpu.max(cpu.elapsed());
            if let [left, right] = buffers.outputs.as_slice() {
                performance.left.extend(left);
                performance.right.extend(right);
            }
            for event in self.plugin.take_output_events() {
                let offset = u32::try_from(event.sample_offset)
                    .ok()
                    .filter(|offset| *offset < block.n_frames)
                    .context("an event after the end of its block")?;
                let (channel, key, velocity) = match event.data {
                    PluginEventData::NoteOn {
                        channel,
                        pitch,
                        velocity,
                        ..
                    } => (channel, pitch, Some(f64::from(velocity))),
                    PluginEventData::NoteOff { channel, pitch, .. } => (channel, pitch, None),
                    _ => continue,
                };
                performance.events.extend(DrumEvent::new(
                    block.first_frame + u64::from(offset),
                    u16::try_from(channel)?,
                    u16::try_from(key)?,
                    velocity,
                ));
            }
            performance.edits.extend(self.edits());
            between(&mut Vst3Window(&mut self.plugin), &mut performance)?;
        }
        self.plugin.stop_processing()?;
        Ok(performance)
    }
}

impl Vst3Host {
    /// The names of the hidden parameters.
    ///
    /// # Errors
    /// If the plugin does not list them.
    pub fn hidden_names(&self) -> anyhow::Result<Vec<String>> {
        let parameters = self.plugin.get_parameters()?.into_iter();
        Ok(parameters
            .filter(|parameter| parameter.flags & IS_HIDDEN != 0)
            .map(|parameter| parameter.name)
            .collect())
    }

    /// The id of the parameter that a MIDI controller moves, on a channel counted from 0.
    pub fn parameter_of(&self, channel: i16, controller: u16) -> Option<u32> {
        self.plugin.midi_cc_to_parameter(0, channel, controller)
    }

    /// Starts or stops processing, without a process call.
    ///
    /// # Errors
    /// If the plugin refuses.
    pub fn set_processing(&mut self, is_processing: bool) -> anyhow::Result<()> {
        let answer = if is_processing {
            self.plugin.start_processing()
        } else {
            self.plugin.stop_processing()
        };
        Ok(answer?)
    }

    /// Sets a parameter as a host does: tells the controller now, and the processor in the next process call.
    ///
    /// # Errors
    /// If no parameter has this name.
    pub fn turn(&mut self, name: &str, value: f64) -> anyhow::Result<()> {
        Ok(self.plugin.set_parameter(self.id_of(name)?, value)?)
    }

    /// The controller's value of a parameter, in `[0, 1]`.
    ///
    /// # Errors
    /// If no parameter has this name.
    pub fn value(&self, name: &str) -> anyhow::Result<f64> {
        Ok(self.plugin.get_parameter(self.id_of(name)?)?)
    }

    /// One process call with a block without notes, including parameters set since the last one.
    ///
    /// # Errors
    /// If the plugin refuses.
    pub fn process(&mut self) -> anyhow::Result<()> {
        let mut buffers =
            AudioBuffers::new(0, 2, self.plugin.block_size(), self.plugin.sample_rate());
        Ok(self.plugin.process_audio(&mut buffers)?)
    }
}

impl Host for Vst3Host {
    fn perform(&mut self, stage: &Stage) -> anyhow::Result<Performance> {
        self.perform_between(stage, |_, _| Ok(()))
    }

    fn parameters(&mut self) -> anyhow::Result<Vec<Parameter>> {
        self.listed(false)
    }

    fn hidden_parameters(&mut self) -> anyhow::Result<Vec<Parameter>> {
        let mut hidden = self.listed(true)?;
        hidden.retain(|parameter| !parameter.name.starts_with("MIDI CC "));
        Ok(hidden)
    }

    fn save(&mut self) -> anyhow::Result<Vec<u8>> {
        Ok(self.plugin.save_state()?)
    }

    fn load(&mut self, state: &[u8]) -> anyhow::Result<()> {
        Ok(self.plugin.load_state(state)?)
    }
}
