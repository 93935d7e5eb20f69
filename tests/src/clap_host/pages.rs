//! How a CLAP host presents the parameters: groups in a list, and pages of knobs on a controller.

use anyhow::Context as _;
use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
use clack_host::prelude::*;

use super::ClapHost;

impl ClapHost {
    /// Each parameter's name and group, in the plugin's order.
    pub fn groups(&self) -> Vec<(&str, &str)> {
        self.params
            .iter()
            .map(|param| (&*param.name, &*param.group))
            .collect()
    }

    /// The pages of knobs for a controller, each with its name and those of its parameters, at most eight.
    ///
    /// # Errors
    /// If the plugin has none, or one names a parameter that does not exist.
    pub fn pages(&mut self) -> anyhow::Result<Vec<(String, Vec<String>)>> {
        let handle = self.instance.plugin_handle();
        let extension: PluginRemoteControls =
            handle.get_extension().context("no remote controls")?;
        let mut buffer = RemoteControlsPageBuffer::new();
        (0..extension.count(&handle))
            .map(|index| {
                let page = extension
                    .get(&handle, index, &mut buffer)
                    .with_context(|| format!("asking for page {index}"))?;
                let name_of = |id: ClapId| {
                    let param = self.params.iter().find(|param| param.id == id);
                    param
                        .map(|param| param.name.clone())
                        .with_context(|| format!("page {index} names {id:?}"))
                };
                let names = page.param_ids.into_iter().flatten().map(name_of);
                let page_name = String::from_utf8(page.page_name.to_vec())?;
                Ok((page_name, names.collect::<anyhow::Result<_>>()?))
            })
            .collect()
    }
}
