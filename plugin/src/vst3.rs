//! The VST3 export: the factory and the entry points of the library.
//!
//! The framework (nice-plug 0.4.2) makes the plugin; what it makes is not handed to the host as it is, but inside our own
//! [`Component`](component::Component), which passes calls on and answers a few of them better. Done here and not by the
//! framework's macro, because that hands out its own class only. Main thread.

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
    /// The parameters of the instance that was made last on this thread: the framework makes the plugin, keeps it and gives
    /// nobody a way to it.
    static MADE: RefCell<Weak<LockstepParams>> = const { RefCell::new(Weak::new()) };
}

/// Leaves a new instance's parameters where its [`Component`] finds them.
pub(crate) fn remember(params: &Arc<LockstepParams>) {
    MADE.set(Arc::downgrade(params));
}

/// Tells a host what is in the library and makes instances of it.
struct Factory(PluginInfo);

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

/// Writes an answer to where a host wants it.
#[expect(unsafe_code, reason = "hosts hand over plain pointers")]
fn answer<T>(place: *mut T, value: T) -> tresult {
    if place.is_null() {
        return kInvalidArgument;
    }
    // SAFETY: it is no null pointer, and a host hands over room for one of these or null.
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
        // SAFETY: it is no null pointer, and a class id has 16 bytes.
        if unsafe { *cid.cast::<[u8; 16]>() } != *self.0.cid {
            return kInvalidArgument;
        }
        let made = ComWrapper::new(Component::new());
        let Some(made) = made.to_com_ptr::<FUnknown>() else {
            return kNoInterface;
        };
        let made = made.as_ptr();
        // SAFETY: it points to a living object, whose table of functions is its own; interface ids have 16 bytes. What is
        // handed out counts itself, so that the object outlives `made`.
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

/// Where a VST3 host begins: makes the factory, which the host lets go again.
#[expect(unsafe_code, reason = "a host looks for this name")]
#[unsafe(no_mangle)]
pub(crate) extern "system" fn GetPluginFactory() -> *mut c_void {
    let info = PluginInfo::for_plugin::<Lockstep>();
    let factory = ComWrapper::new(Factory(info)).to_com_ptr::<IPluginFactory>();
    factory.map_or(std::ptr::null_mut(), |factory| factory.into_raw().cast())
}

/// What hosts call when the library has been loaded and before they let it go, by the names that each system gives it.
macro_rules! module {
    ($abi:literal, $system:meta, $load:ident($($handle:ident: $type:ty)?), $leave:ident) => {
        #[doc = "A host has loaded the library."]
        #[cfg($system)]
        #[expect(unsafe_code, reason = "a host looks for this name")]
        #[unsafe(no_mangle)]
        pub(crate) extern $abi fn $load($($handle: $type)?) -> bool {
            $(let _ = $handle;)?
            nice_plug::wrapper::setup_logger::<Lockstep>();
            true
        }

        #[doc = "A host lets the library go."]
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
