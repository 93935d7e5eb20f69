//! The audio thread of the CLAP host: plays a stage block by block and records the output.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clack_host::events::Match;
use clack_host::events::event_types::{NoteOffEvent, NoteOnEvent};
use clack_host::prelude::*;
use cpu_time::ThreadTime;

use super::abilities::{Abilities, Note, Outbox};
use super::transport::transport;
use super::{Handlers, Param, set_param, window};
use crate::{Block, DrumEvent, InputKind, Performance, Stage};

/// What to play, and in what host.
pub(super) struct Setting<'a> {
    pub(super) stage: &'a Stage,
    pub(super) params: Vec<Param>,
    pub(super) n_outputs: usize,
    pub(super) abilities: Abilities,
}

/// Data that the audio thread owns while it plays.
pub(super) struct Player<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) processor: Processor,
    pub(super) activation_cpu: Duration,
}

/// The plugin's processor between two performances.
pub(super) type Processor = StoppedPluginAudioProcessor<Handlers>;

impl Player<'_> {
    /// Plays the stage. Also returns the processor, so that the host can deactivate it.
    pub(super) fn play(self) -> (anyhow::Result<Processor>, anyhow::Result<Performance>) {
        let mut processor = match self.processor.start_processing() {
            Ok(processor) => processor,
            Err(error) => {
                let message = "the plugin did not start processing";
                return (
                    Ok(error.into_stopped_processor()),
                    Err(anyhow::anyhow!(message)),
                );
            }
        };
        let mut performance = Performance {
            groups: vec![[Vec::new(), Vec::new()]; self.setting.n_outputs - 1],
            activation_cpu: self.activation_cpu,
            ..Performance::default()
        };
        let mut ports =
            AudioPorts::with_capacity(2 * self.setting.n_outputs, self.setting.n_outputs);
        let begun = Instant::now();
        let outcome = self.setting.stage.blocks().try_for_each(|block| {
            self.setting.stage.rest(begun, &block);
            play_block(
                &mut processor,
                &self.setting,
                &block,
                &mut ports,
                &mut performance,
            )
        });
        (
            Ok(processor.stop_processing()),
            outcome.map(|()| performance),
        )
    }
}

/// One process call.
pub(super) fn play_block(
    processor: &mut StartedPluginAudioProcessor<Handlers>,
    setting: &Setting<'_>,
    block: &Block,
    ports: &mut AudioPorts,
    performance: &mut Performance,
) -> anyhow::Result<()> {
    let Setting {
        stage,
        params,
        abilities,
        ..
    } = setting;
    if block.is_after_reset {
        processor.reset();
    }
    let mut inputs = EventBuffer::new();
    for input in &block.inputs {
        match input.kind {
            InputKind::NoteOn { key } => {
                let note = Pckn::new(0_u16, 0_u16, key, Match::All);
                inputs.push(&NoteOnEvent::new(input.offset, note, 0.8));
            }
            InputKind::NoteOff { key } => {
                let note = Pckn::new(0_u16, 0_u16, key, Match::All);
                inputs.push(&NoteOffEvent::new(input.offset, note, 0.0));
            }
            InputKind::Set { name, value } => {
                inputs.push(&set_param(params, input.offset, name, value)?);
            }
        }
    }
    inputs.sort();

    let first = performance.left.len();
    let end = first + usize::try_from(block.n_frames)?;
    let main = [&mut performance.left, &mut performance.right];
    let groups = performance.groups.iter_mut().map(<[Vec<f32>; 2]>::each_mut);
    let sides: Vec<_> = std::iter::once(main).chain(groups).collect();
    let outputs = sides.into_iter().map(|sides| {
        let channels = sides.map(|side| {
            side.resize(end, 0.0);
            &mut side[first..]
        });
        AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(channels.into_iter()),
        }
    });
    let mut audio = ports.with_output_buffers(outputs);
    let mut outbox = Outbox::new(*abilities);
    let cpu = ThreadTime::now();
    processor
        .process(
            &InputAudioBuffers::empty(),
            &mut audio,
            &inputs.as_input(),
            &mut OutputEvents::from_buffer(&mut outbox),
            Some(block.first_frame),
            transport(stage.time_info, block).as_ref(),
        )
        .with_context(|| format!("processing at frame {}", block.first_frame))?;
    performance.longest_block_cpu = performance.longest_block_cpu.max(cpu.elapsed());

    for event in &outbox.events {
        let Some(core) = event.as_core_event() else {
            continue;
        };
        let Some(note) = Note::of(core) else {
            performance.edits.extend(window::window_edit(params, core));
            continue;
        };
        let offset = event.header().time();
        anyhow::ensure!(
            offset < block.n_frames,
            "an event after the end of its block"
        );
        performance.events.extend(DrumEvent::new(
            block.first_frame + u64::from(offset),
            note.channel,
            note.key,
            note.velocity,
        ));
    }
    Ok(())
}
