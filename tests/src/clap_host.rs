//! A CLAP host: loads `Lockstep.clap` and plays stages, each instance on its own audio thread.

mod abilities;
mod outputs;
mod pages;
mod player;
mod real_time;
mod transport;
mod window;

pub use abilities::Abilities;
pub use real_time::{Beside, RealTimeRun};
pub use window::ClapWindow;

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use clack_extensions::gui::HostGui;
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use cpu_time::ThreadTime;
use player::{Player, Setting};

use crate::{Host, Parameter, Performance, Stage, bundle};

/// The plugin's CLAP id; stored in projects.
const PLUGIN_ID: &str = "audio.lockstep.lockstep";

/// One instance of the CLAP plugin.
pub struct ClapHost {
    instance: PluginInstance<Handlers>,
    params: Vec<Param>,
    /// Number of stereo outputs, including the main one.
    n_outputs: usize,
    abilities: Abilities,
}

impl std::fmt::Debug for ClapHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClapHost")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// A parameter, with the plain value at its highest position.
#[derive(Clone, Debug)]
struct Param {
    id: ClapId,
    name: String,
    max: f64,
    group: String,
    is_hidden: bool,
    is_automatable: bool,
}

impl ClapHost {
    /// A new instance from the bundle.
    ///
    /// # Errors
    /// If there is no bundle, or the plugin in it cannot be made.
    pub fn open() -> anyhow::Result<Self> {
        Self::open_in(Abilities::default())
    }

    /// A new instance from the bundle, in a host that may lack some abilities.
    ///
    /// # Errors
    /// If there is no bundle, or the plugin in it cannot be made.
    pub fn open_in(abilities: Abilities) -> anyhow::Result<Self> {
        let path = bundle("Lockstep.clap")?;
        #[expect(unsafe_code, reason = "loading a library runs code from it")]
        // SAFETY: it is the plugin that this workspace built.
        let entry = unsafe { PluginEntry::load(&path) }
            .with_context(|| format!("loading {}", path.display()))?;
        let info = HostInfo::new("Lockstep tests", "Lockstep", "", "0")?;
        let mut instance = PluginInstance::<Handlers>::new(
            |()| Callbacks::new(abilities),
            |_| (),
            &entry,
            &CString::new(PLUGIN_ID)?,
            &info,
        )
        .with_context(|| format!("making an instance of {PLUGIN_ID}"))?;

        let handle = instance.plugin_handle();
        let extension: PluginParams = handle
            .get_extension()
            .context("the plugin has no parameters")?;
        let mut buffer = ParamInfoBuffer::new();
        let params = (0..extension.count(&handle))
            .map(|index| {
                let info = extension
                    .get_info(&handle, index, &mut buffer)
                    .with_context(|| format!("asking for parameter {index}"))?;
                Ok(Param {
                    id: info.id,
                    name: String::from_utf8(info.name.to_vec())?,
                    max: info.max_value,
                    group: String::from_utf8(info.module.to_vec())?,
                    is_hidden: info.flags.contains(ParamInfoFlags::IS_HIDDEN),
                    is_automatable: info.flags.contains(ParamInfoFlags::IS_AUTOMATABLE),
                })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            instance,
            params,
            n_outputs: 1,
            abilities,
        })
    }

    /// The hidden parameters, or the visible ones.
    fn listed(&mut self, is_hidden: bool) -> anyhow::Result<Vec<Parameter>> {
        let handle = self.instance.plugin_handle();
        let extension: PluginParams = handle.get_extension().context("no parameters")?;
        self.params
            .iter()
            .filter(|param| param.is_hidden == is_hidden)
            .map(|param| {
                let value = extension
                    .get_value(&handle, param.id)
                    .with_context(|| format!("asking for {}", param.name))?;
                Ok(Parameter {
                    id: param.id.get(),
                    name: param.name.clone(),
                    value: value / param.max,
                    is_automatable: param.is_automatable,
                })
            })
            .collect()
    }

    /// Sets render mode and parameters, and activates.
    fn prepare<'a>(&mut self, stage: &'a Stage) -> anyhow::Result<Player<'a>> {
        let mode = if stage.is_offline {
            RenderMode::Offline
        } else {
            RenderMode::Realtime
        };
        let handle = self.instance.plugin_handle();
        let render: PluginRender = handle.get_extension().context("no render extension")?;
        render.set(&handle, mode).context("the render mode")?;
        let extension: PluginParams = handle.get_extension().context("no parameters")?;

        let mut settings = EventBuffer::new();
        for &(name, value) in &stage.settings {
            settings.push(&set_param(&self.params, 0, name, value)?);
        }
        let mut handle = self
            .instance
            .inactive_plugin_handle()
            .context("the plugin is active")?;
        extension.flush(
            &mut handle,
            &settings.as_input(),
            &mut EventBuffer::new().as_output(),
        );

        let cpu = ThreadTime::now();
        let processor = self.instance.activate(
            |_, ()| (),
            PluginAudioConfiguration {
                sample_rate: stage.sample_rate_hz,
                min_frames_count: 1,
                max_frames_count: stage.block_frames,
            },
        )?;
        let activation_cpu = cpu.elapsed();
        Ok(Player {
            setting: Setting {
                stage,
                params: self.params.clone(),
                n_outputs: self.n_outputs,
                abilities: self.abilities,
            },
            activation_cpu,
            processor,
        })
    }

    /// Deactivates, and runs the plugin's requested main-thread callback.
    fn finish(&mut self, processor: StoppedPluginAudioProcessor<Handlers>) {
        self.instance.deactivate(processor);
        if self
            .instance
            .access_shared_handler(|shared| shared.wants_main_thread.swap(false, Ordering::AcqRel))
        {
            self.instance.call_on_main_thread_callback();
        }
    }
}

/// Plays each stage in its own instance, all at the same time.
///
/// # Errors
/// If a plugin refuses a call or a parameter does not exist.
pub fn perform_together(
    hosts: &mut [ClapHost],
    stages: &[Stage],
) -> anyhow::Result<Vec<Performance>> {
    let players = hosts
        .iter_mut()
        .zip(stages)
        .map(|(host, stage)| host.prepare(stage))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let played: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = players
            .into_iter()
            .map(|player| scope.spawn(|| player.play()))
            .collect();
        threads
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect()
    });
    hosts
        .iter_mut()
        .zip(played)
        .map(|(host, played)| {
            let (processor, performance) =
                played.map_err(|_| anyhow::anyhow!("the audio thread panicked"))?;
            host.finish(processor?);
            performance
        })
        .collect()
}

impl Host for ClapHost {
    fn perform(&mut self, stage: &Stage) -> anyhow::Result<Performance> {
        perform_together(std::slice::from_mut(self), std::slice::from_ref(stage))?
            .pop()
            .context("nothing was played")
    }

    fn parameters(&mut self) -> anyhow::Result<Vec<Parameter>> {
        self.listed(false)
    }

    fn hidden_parameters(&mut self) -> anyhow::Result<Vec<Parameter>> {
        self.listed(true)
    }

    fn save(&mut self) -> anyhow::Result<Vec<u8>> {
        let handle = self.instance.plugin_handle();
        let extension: PluginState = handle.get_extension().context("no state")?;
        let mut state = Vec::new();
        extension.save(&handle, &mut state)?;
        Ok(state)
    }

    fn load(&mut self, mut state: &[u8]) -> anyhow::Result<()> {
        let handle = self.instance.plugin_handle();
        let extension: PluginState = handle.get_extension().context("no state")?;
        Ok(extension.load(&handle, &mut state)?)
    }
}

/// The event that sets a parameter, by name, to a value in `[0, 1]`.
fn set_param(
    params: &[Param],
    offset: u32,
    name: &str,
    value: f64,
) -> anyhow::Result<ParamValueEvent> {
    let param = params
        .iter()
        .find(|param| param.name == name)
        .with_context(|| format!("the plugin has no parameter {name:?}"))?;
    Ok(ParamValueEvent::new(
        offset,
        param.id,
        Pckn::match_all(),
        value * param.max,
    ))
}

/// Ties clack's parts together; this host keeps no state on the main and audio threads.
struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Callbacks;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<'_, Self>, shared: &Self::Shared<'_>) {
        if shared.has_windows {
            builder.register::<HostGui>();
        }
    }
}

/// Requests that the plugin may make from any thread.
struct Callbacks {
    wants_main_thread: AtomicBool,
    has_windows: bool,
}

impl Callbacks {
    fn new(abilities: Abilities) -> Self {
        Self {
            wants_main_thread: AtomicBool::new(false),
            has_windows: abilities.has_windows,
        }
    }
}

impl SharedHandler<'_> for Callbacks {
    fn request_restart(&self) {}

    fn request_process(&self) {}

    fn request_callback(&self) {
        self.wants_main_thread.store(true, Ordering::Release);
    }
}
