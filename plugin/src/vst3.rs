//! The VST3 export: the factory and the entry points of the library.
//!
//! The framework (nice-plug 0.4.2) makes the plugin. The host gets it wrapped in our own
//! [`Component`](component::Component), which passes most calls on and fixes a few. The framework's export macro cannot be
//! used, because it only exports the framework's own class. Main thread.

mod changes;
mod component;
mod controllers;

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::{Arc, Weak};

use nice_plug::wrapper::vst3::PluginInfo;
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
    IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo,
    TUID, int32, kInvalidArgument, kNoInterface, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use crate::Lockstep;
use crate::params::LockstepParams;
use component::Component;

thread_local! {
    /// The parameters of the last instance made on this thread: the framework makes the plugin and gives no access to it.
    static MADE: RefCell<Weak<LockstepParams>> = const { RefCell::new(Weak::new()) };
}

/// Stores a new instance's parameters for its [`Component`] to find.
pub(crate) fn remember(params: &Arc<LockstepParams>) {
    MADE.set(Arc::downgrade(params));
}

/// Tells a host what the library contains, and makes instances.
struct Factory(PluginInfo);

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

/// Writes an answer to the host's pointer.
#[expect(unsafe_code, reason = "hosts pass raw pointers")]
fn answer<T>(place: *mut T, value: T) -> tresult {
    if place.is_null() {
        return kInvalidArgument;
    }
    // SAFETY: it is not null, and a host passes either null or room for one of these.
    unsafe { place.write(value) };
    kResultOk
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        answer(info, self.0.create_factory_info())
    }

    unsafe fn countClasses(&self) -> int32 {
        1
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        if index != 0 {
            return kInvalidArgument;
        }
        answer(info, self.0.create_class_info())
    }

    unsafe fn createInstance(
        &self,
        cid: FIDString,
        iid: FIDString,
        obj: *mut *mut c_void,
    ) -> tresult {
        if cid.is_null() || iid.is_null() || obj.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: it is not null, and a class id has 16 bytes.
        if unsafe { *cid.cast::<[u8; 16]>() } != *self.0.cid {
            return kInvalidArgument;
        }
        let made = ComWrapper::new(Component::new());
        let Some(made) = made.to_com_ptr::<FUnknown>() else {
            return kNoInterface;
        };
        let made = made.as_ptr();
        // SAFETY: it points to a live object with its own function table, and interface ids have 16 bytes. `queryInterface`
        // adds a reference, so the object outlives `made`.
        unsafe { ((*(*made).vtbl).queryInterface)(made, iid.cast::<TUID>(), obj) }
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        if index != 0 {
            return kInvalidArgument;
        }
        answer(info, self.0.create_class_info_2())
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        if index != 0 {
            return kInvalidArgument;
        }
        answer(info, self.0.create_class_info_unicode())
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// The entry point for a VST3 host: makes the factory, which the host releases.
#[expect(unsafe_code, reason = "a host looks for this name")]
#[unsafe(no_mangle)]
pub(crate) extern "system" fn GetPluginFactory() -> *mut c_void {
    let info = PluginInfo::for_plugin::<Lockstep>();
    let factory = ComWrapper::new(Factory(info)).to_com_ptr::<IPluginFactory>();
    factory.map_or(std::ptr::null_mut(), |factory| factory.into_raw().cast())
}

/// The functions that hosts call after loading the library and before unloading it, under each system's names.
macro_rules! module {
    ($abi:literal, $system:meta, $load:ident($($handle:ident: $type:ty)?), $leave:ident) => {
        #[doc = "Called by a host after it has loaded the library."]
        #[cfg($system)]
        #[expect(unsafe_code, reason = "a host looks for this name")]
        #[unsafe(no_mangle)]
        pub(crate) extern $abi fn $load($($handle: $type)?) -> bool {
            $(let _ = $handle;)?
            nice_plug::wrapper::setup_logger::<Lockstep>();
            true
        }

        #[doc = "Called by a host before it unloads the library."]
        #[cfg($system)]
        #[expect(unsafe_code, reason = "a host looks for this name")]
        #[unsafe(no_mangle)]
        pub(crate) extern $abi fn $leave() -> bool {
            true
        }
    };
}

module!("C", all(target_family = "unix", not(target_os = "macos")), ModuleEntry(library: *mut c_void), ModuleExit);
module!("C", target_os = "macos", bundleEntry(bundle: *mut c_void), bundleExit);
module!("system", target_os = "windows", InitDll(), ExitDll);
