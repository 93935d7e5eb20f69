//! The CLAP entry point: the framework's plugin, with two fixes for what nice-plug 0.4.2 lacks.
//!
//! - A host without `clap.gui` is offered no editor window. The framework offers one to every host, and ends the process of
//!   a host without `clap.gui` that asks for it.
//! - A host that takes no CLAP notes gets the drums as MIDI events ([`crate::audio_thread::note_out`]). The framework only sends CLAP notes.
//!
//! The host holds our function table instead of the framework's. Its functions are the framework's, except for those below,
//! which wrap them. Nothing here is about music.
#![expect(unsafe_code, reason = "CLAP is made of C tables and pointers")]

use std::ffi::{CStr, c_char, c_void};
use std::sync::{Arc, OnceLock};

use clap_sys::entry::clap_plugin_entry;
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use clap_sys::version::CLAP_VERSION;
use nice_plug::wrapper::clap::{PluginDescriptor, Wrapper};
use nice_plug::wrapper::setup_logger;

use crate::Lockstep;
use crate::audio_thread::note_out::NoteOut;

/// The symbol that a CLAP host looks for in the library.
// SAFETY: no other symbol of the library has this name.
#[unsafe(no_mangle)]
#[used]
static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(load),
    deinit: Some(unload),
    get_factory: Some(factory),
};

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(count),
    get_plugin_descriptor: Some(descriptor),
    create_plugin: Some(create),
};

/// One instance, as its host holds it.
#[repr(C)]
struct Instance {
    /// The host's pointer to its plugin points to this field, so it must come first.
    table: clap_plugin,
    /// The framework's functions.
    framework: clap_plugin,
    /// Outlives the instance; must not be asked for extensions before `init`.
    host: *const clap_host,
    /// What the host can do; empty until `init`, because it must not be asked before.
    abilities: OnceLock<HostAbilities>,
}

/// What a host can do.
#[derive(Clone, Copy, Debug, Default)]
struct HostAbilities {
    /// Whether it supports an editor window.
    has_window: bool,
    note_out: NoteOut,
}

impl Instance {
    /// # Safety
    /// `plugin` is null, or was made by [`create`] and is not destroyed.
    unsafe fn of<'a>(plugin: *const clap_plugin) -> Option<&'a Self> {
        // SAFETY: an instance begins with the table that the host points to.
        unsafe { plugin.cast::<Self>().as_ref() }
    }

    fn abilities(&self) -> HostAbilities {
        self.abilities.get().copied().unwrap_or_default()
    }
}

unsafe extern "C" fn load(_: *const c_char) -> bool {
    setup_logger::<Lockstep>();
    true
}

unsafe extern "C" fn unload() {}

unsafe extern "C" fn factory(id: *const c_char) -> *const c_void {
    // SAFETY: the host passes null or a string that ends with a zero byte.
    if !id.is_null() && unsafe { CStr::from_ptr(id) } == CLAP_PLUGIN_FACTORY_ID {
        (&raw const FACTORY).cast()
    } else {
        std::ptr::null()
    }
}

fn description() -> &'static PluginDescriptor {
    static DESCRIPTION: OnceLock<PluginDescriptor> = OnceLock::new();
    DESCRIPTION.get_or_init(PluginDescriptor::for_plugin::<Lockstep>)
}

unsafe extern "C" fn count(_: *const clap_plugin_factory) -> u32 {
    1
}

unsafe extern "C" fn descriptor(
    _: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    if index == 0 {
        description().clap_plugin_descriptor()
    } else {
        std::ptr::null()
    }
}

unsafe extern "C" fn create(
    _: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    // SAFETY: the host passes null or a string that ends with a zero byte.
    if host.is_null() || id.is_null() || unsafe { CStr::from_ptr(id) } != description().clap_id() {
        return std::ptr::null();
    }
    // SAFETY: the host lives longer than the plugin. The framework's `destroy` takes this reference back.
    let wrapper = Arc::into_raw(unsafe { Wrapper::<Lockstep>::new(host) });
    // SAFETY: the wrapper lives until `destroy`, and nothing else uses its table yet.
    let framework = unsafe { *(*wrapper).clap_plugin.as_ptr() };
    let instance = Box::new(Instance {
        table: clap_plugin {
            init: Some(init),
            destroy: Some(destroy),
            process: Some(process),
            get_extension: Some(extension),
            ..framework
        },
        framework,
        host,
        abilities: OnceLock::new(),
    });
    Box::into_raw(instance).cast_const().cast()
}

unsafe extern "C" fn init(plugin: *const clap_plugin) -> bool {
    // SAFETY: the host calls it with the plugin that it was given.
    let Some(instance) = (unsafe { Instance::of(plugin) }) else {
        return false;
    };
    // SAFETY: the host lives longer than the plugin, and answers from `init` on.
    let has_window = unsafe {
        let ask = (*instance.host).get_extension;
        ask.is_some_and(|ask| !ask(instance.host, CLAP_EXT_GUI.as_ptr()).is_null())
    };
    // SAFETY: as above.
    let note_out = unsafe { NoteOut::of_host(instance.host) };
    instance.abilities.get_or_init(|| HostAbilities {
        has_window,
        note_out,
    });
    let init = instance.framework.init;
    // SAFETY: the framework finds its data through the table.
    init.is_some_and(|init| unsafe { init(plugin) })
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: the host calls it with the plugin that it was given, for the last time.
    unsafe {
        let Some(instance) = Instance::of(plugin) else {
            return;
        };
        if let Some(destroy) = instance.framework.destroy {
            destroy(plugin);
        }
        drop(Box::from_raw(plugin.cast_mut().cast::<Instance>()));
    }
}

unsafe extern "C" fn extension(plugin: *const clap_plugin, id: *const c_char) -> *const c_void {
    // SAFETY: the host calls it with the plugin that it was given, and null or a string that ends with a zero byte.
    unsafe {
        let Some(instance) = Instance::of(plugin).filter(|_| !id.is_null()) else {
            return std::ptr::null();
        };
        if CStr::from_ptr(id) == CLAP_EXT_GUI && !instance.abilities().has_window {
            return std::ptr::null();
        }
        let ask = instance.framework.get_extension;
        ask.map_or(std::ptr::null(), |ask| ask(plugin, id))
    }
}

/// # Realtime safety
/// Never allocates, never waits.
unsafe extern "C" fn process(
    plugin: *const clap_plugin,
    block: *const clap_process,
) -> clap_process_status {
    // SAFETY: the host calls it with the plugin that it was given, and a block that is valid for the call.
    let (Some(instance), Some(block)) = (unsafe { (Instance::of(plugin), block.as_ref()) }) else {
        return CLAP_PROCESS_ERROR;
    };
    let process = instance.framework.process;
    // SAFETY: the framework finds its data through the table; both event lists are valid for the call.
    process.map_or(CLAP_PROCESS_ERROR, |process| unsafe {
        let note_out = instance.abilities().note_out;
        note_out.around(block.out_events, |out_events| {
            let block = clap_process {
                out_events,
                ..*block
            };
            process(plugin, &raw const block)
        })
    })
}
