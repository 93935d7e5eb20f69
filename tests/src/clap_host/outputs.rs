//! The outputs of the CLAP plugin: its layouts, and choosing one.

use anyhow::Context as _;
use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_host::prelude::*;

use super::ClapHost;

impl ClapHost {
    /// The names of the plugin's output layouts, the default one first.
    ///
    /// # Errors
    /// If it has none, or does not list them.
    pub fn layouts(&mut self) -> anyhow::Result<Vec<String>> {
        Ok(self
            .configurations()?
            .into_iter()
            .map(|(_, name)| name)
            .collect())
    }

    /// Chooses a layout by name; returns the names of its outputs, the main one first.
    ///
    /// # Errors
    /// If no layout has this name, or the plugin refuses it.
    pub fn choose_layout(&mut self, name: &str) -> anyhow::Result<Vec<String>> {
        let known = self.configurations()?;
        let (id, _) = known
            .iter()
            .find(|(_, known)| known == name)
            .with_context(|| format!("there is no layout {name:?}; there are {known:?}"))?;
        let handle = self.instance.plugin_handle();
        let layouts: PluginAudioPortsConfig = handle.get_extension().context("no layouts")?;
        layouts.select(&handle, *id)?;
        let ports: PluginAudioPorts = handle.get_extension().context("no audio ports")?;
        let mut buffer = AudioPortInfoBuffer::new();
        let names = (0..ports.count(&handle, false))
            .map(|index| {
                let port = ports
                    .get(&handle, index, false, &mut buffer)
                    .with_context(|| format!("asking for output {index}"))?;
                anyhow::ensure!(port.channel_count == 2, "output {index} is not stereo");
                Ok(String::from_utf8(port.name.to_vec())?)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        self.n_outputs = names.len();
        Ok(names)
    }

    fn configurations(&mut self) -> anyhow::Result<Vec<(ClapId, String)>> {
        let handle = self.instance.plugin_handle();
        let layouts: PluginAudioPortsConfig = handle.get_extension().context("no layouts")?;
        let mut buffer = AudioPortsConfigBuffer::new();
        (0..layouts.count(&handle))
            .map(|index| {
                let layout = layouts
                    .get(&handle, index, &mut buffer)
                    .with_context(|| format!("asking for layout {index}"))?;
                Ok((layout.id, String::from_utf8(layout.name.to_vec())?))
            })
            .collect()
    }
}
