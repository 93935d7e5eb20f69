//! The object that a VST3 host gets for an instance: wraps the framework's object and fixes a few calls.
//!
//! - [`PendingChanges`]: a parameter change that the host sends only to the controller is not dropped while it processes.
//! - [`controllers`]: 80 hidden parameters for MIDI, not 2,080.
//! - A host that activates before `setupProcessing`, against the rules, still gets a working instance.
//! - A panic of the framework while an instance is dropped does not end the host.
//! - One `setupProcessing` is enough to set the process mode; the framework would report the mode before it.
//!
//! Every other call is passed on unchanged, on the thread that VST3 prescribes. A process call is only counted here.

use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nice_plug::wrapper::vst3::Wrapper;
use nice_plug::wrapper::vst3::vst3::Class;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::{
    IInfoListener, IInfoListenerTrait,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusInfo, CString, CtrlNumber, IAttributeList, IAudioProcessor,
    IAudioProcessorTrait, IComponent, IComponentHandler, IComponentTrait, IEditController,
    IEditControllerTrait, IMidiMapping, IMidiMappingTrait, INoteExpressionController,
    INoteExpressionControllerTrait, IProcessContextRequirements, IProcessContextRequirementsTrait,
    IUnitInfo, IUnitInfoTrait, IoMode, MediaType, NoteExpressionTypeID, NoteExpressionTypeInfo,
    NoteExpressionValue, ParamID, ParamValue, ParameterInfo, ProcessData, ProcessModes_,
    ProcessSetup, ProgramListID, ProgramListInfo, RoutingInfo, SpeakerArrangement, String128,
    SymbolicSampleSizes_, TChar, UnitID, UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, TBool, TUID, int16, int32,
    kInvalidArgument, kResultFalse, kResultOk, tresult, uint32,
};

use super::changes::{PendingChanges, PendingValue};
use super::{MADE, answer, controllers};
use crate::Lockstep;
use crate::params::Parameters;

/// The set-up used for a host that activates without one, until it calls `setupProcessing`.
const DEFAULT_SETUP: ProcessSetup = ProcessSetup {
    processMode: 0,
    symbolicSampleSize: 0,
    maxSamplesPerBlock: 8_192,
    sampleRate: 48_000.0,
};
const _: () = assert!(ProcessModes_::kRealtime == 0 && SymbolicSampleSizes_::kSample32 == 0);

/// An instance.
pub(super) struct Component {
    framework: ManuallyDrop<Wrapper<Lockstep>>,
    /// Number of real parameters, without the hidden ones for MIDI.
    n_parameters: usize,
    changes: PendingChanges,
    is_set_up: AtomicBool,
    is_active: AtomicBool,
}

impl Class for Component {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IMidiMapping,
        INoteExpressionController,
        IProcessContextRequirements,
        IUnitInfo,
        IInfoListener,
    );
}

#[expect(unsafe_code, reason = "the framework's interface is unsafe")]
impl Component {
    pub(super) fn new() -> Self {
        let framework = Wrapper::new();
        // `Wrapper::new` just made the plugin on this thread, so these are its parameters.
        let params = MADE.take().upgrade().unwrap_or_default();
        // SAFETY: it takes no pointers.
        let n_listed = unsafe { framework.getParameterCount() };
        let n_parameters = usize::try_from(n_listed)
            .unwrap_or_default()
            .saturating_sub(controllers::N_FRAMEWORK);
        let ids = (0..n_listed).map_while(|place| {
            // SAFETY: plain numbers and text, for which zero is a valid value.
            let mut info: ParameterInfo = unsafe { mem::zeroed() };
            // SAFETY: `info` has room for the answer.
            let is_there = unsafe { framework.getParameterInfo(place, &raw mut info) } == kResultOk;
            is_there.then_some(info.id)
        });
        Self {
            changes: PendingChanges::new(Parameters::new(Arc::clone(&params) as _), ids),
            n_parameters,
            is_set_up: AtomicBool::new(false),
            is_active: AtomicBool::new(false),
            framework: ManuallyDrop::new(framework),
        }
    }

    /// Passes a set-up to the framework.
    ///
    /// # Safety
    /// `setup` points to a valid set-up.
    unsafe fn set_up(&self, setup: *mut ProcessSetup) -> tresult {
        let [first, second] = [(); 2].map(|()| {
            // Twice, because the framework only takes over the mode at the next call.
            // SAFETY: as the caller promises.
            unsafe { self.framework.setupProcessing(setup) }
        });
        self.is_set_up
            .fetch_or(second == kResultOk, Ordering::AcqRel);
        first.max(second)
    }

    fn activate(&self, is_active: bool) -> tresult {
        // SAFETY: plain numbers.
        let answer = unsafe { self.framework.setActive(TBool::from(is_active)) };
        let is_active = is_active && answer == kResultOk;
        self.is_active.store(is_active, Ordering::Release);
        answer
    }
}

#[expect(unsafe_code, reason = "the field is dropped manually")]
impl Drop for Component {
    /// Drops the framework's object, which may panic: its worker thread can have died from a parameter change that came while
    /// the editor window was opening or closing, and dropping the last instance then fails to join it. A panic cannot unwind
    /// through the host's `release` call, so it would end the host.
    fn drop(&mut self) {
        let framework = AssertUnwindSafe(&mut self.framework);
        // SAFETY: the field is not used again.
        let dropped = catch_unwind(move || unsafe { ManuallyDrop::drop({ framework }.0) });
        // The panic hook has already logged it.
        let _ = dropped;
    }
}

/// Calls that are passed on to the framework unchanged.
macro_rules! pass_on {
    ($interface:ident: $(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        $(
            unsafe fn $name(&self, $($argument: $type),*) -> $answer {
                // SAFETY: the host promises the same to us as it would to the framework.
                unsafe {
                    <Wrapper<Lockstep> as $interface>::$name(&self.framework, $($argument),*)
                }
            }
        )+
    };
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IPluginBaseTrait for Component {
    pass_on! { IPluginBaseTrait:
        fn initialize(context: *mut FUnknown) -> tresult;
        fn terminate() -> tresult;
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IComponentTrait for Component {
    pass_on! { IComponentTrait:
        fn getControllerClassId(class: *mut TUID) -> tresult;
        fn setIoMode(mode: IoMode) -> tresult;
        fn getBusCount(media: MediaType, direction: BusDirection) -> int32;
        fn getBusInfo(
            media: MediaType, direction: BusDirection, index: int32, info: *mut BusInfo
        ) -> tresult;
        fn getRoutingInfo(from: *mut RoutingInfo, to: *mut RoutingInfo) -> tresult;
        fn activateBus(
            media: MediaType, direction: BusDirection, index: int32, is_active: TBool
        ) -> tresult;
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        self.changes.forget();
        // SAFETY: the host promises the same to us as it would to the framework.
        unsafe { <Wrapper<Lockstep> as IComponentTrait>::setState(&self.framework, state) }
    }

    unsafe fn setActive(&self, state: TBool) -> tresult {
        let is_active = state != 0;
        if is_active && !self.is_set_up.load(Ordering::Acquire) {
            let mut setup = DEFAULT_SETUP;
            // SAFETY: it points to a set-up that is valid for the call.
            unsafe { self.set_up(&raw mut setup) };
        }
        self.activate(is_active)
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        self.changes.await_process();
        // SAFETY: the host promises the same to us as it would to the framework.
        unsafe { <Wrapper<Lockstep> as IComponentTrait>::getState(&self.framework, state) }
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IAudioProcessorTrait for Component {
    pass_on! { IAudioProcessorTrait:
        fn setBusArrangements(
            inputs: *mut SpeakerArrangement, n_inputs: int32,
            outputs: *mut SpeakerArrangement, n_outputs: int32
        ) -> tresult;
        fn getBusArrangement(
            direction: BusDirection, index: int32, arrangement: *mut SpeakerArrangement
        ) -> tresult;
        fn canProcessSampleSize(size: int32) -> tresult;
        fn getLatencySamples() -> uint32;
        fn getTailSamples() -> uint32;
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        if setup.is_null() {
            return kInvalidArgument;
        }
        let was_active = self.is_active.load(Ordering::Acquire);
        if was_active {
            self.activate(false);
        }
        // SAFETY: it is not null, and a host passes either null or a valid set-up.
        let answer = unsafe { self.set_up(setup) };
        if was_active && self.activate(true) != kResultOk {
            return kResultFalse;
        }
        answer
    }

    unsafe fn setProcessing(&self, state: TBool) -> tresult {
        self.changes.set_processing(state != 0);
        // SAFETY: the host promises the same to us as it would to the framework.
        unsafe { self.framework.setProcessing(state) }
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // The framework would end the host's process.
        if !self.is_set_up.load(Ordering::Acquire) {
            return kResultFalse;
        }
        self.changes.count_call();
        // SAFETY: the host promises the same to us as it would to the framework.
        unsafe { self.framework.process(data) }
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IEditControllerTrait for Component {
    pass_on! { IEditControllerTrait:
        fn setComponentState(state: *mut IBStream) -> tresult;
        fn setState(state: *mut IBStream) -> tresult;
        fn getState(state: *mut IBStream) -> tresult;
        fn getParamStringByValue(id: ParamID, value: ParamValue, text: *mut String128) -> tresult;
        fn getParamValueByString(
            id: ParamID, text: *mut TChar, value: *mut ParamValue
        ) -> tresult;
        fn normalizedParamToPlain(id: ParamID, value: ParamValue) -> ParamValue;
        fn plainParamToNormalized(id: ParamID, value: ParamValue) -> ParamValue;
        fn setComponentHandler(handler: *mut IComponentHandler) -> tresult;
        fn createView(name: FIDString) -> *mut IPlugView;
    }

    unsafe fn getParameterCount(&self) -> int32 {
        let n_all = self.n_parameters + controllers::N_CONTROLLERS;
        int32::try_from(n_all).unwrap_or(int32::MAX)
    }

    unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
        let Ok(index) = usize::try_from(index) else {
            return kInvalidArgument;
        };
        let hidden = match index.checked_sub(self.n_parameters) {
            None => None,
            Some(place) => match controllers::hidden(place) {
                Some(hidden) => Some(hidden),
                None => return kInvalidArgument,
            },
        };
        let listed = hidden.map_or(index, |(place, _)| self.n_parameters + place);
        let listed = int32::try_from(listed).unwrap_or(int32::MAX);
        // SAFETY: plain numbers and text, for which zero is a valid value.
        let mut found: ParameterInfo = unsafe { mem::zeroed() };
        // SAFETY: there is room for the answer.
        let outcome = unsafe { self.framework.getParameterInfo(listed, &raw mut found) };
        if let Some((_, name)) = hidden {
            (found.title, found.shortTitle) = (name, name);
        }
        if outcome == kResultOk {
            answer(info, found)
        } else {
            outcome
        }
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        // SAFETY: plain numbers.
        unsafe {
            match self.changes.waiting(id) {
                // The coming value, rounded to the parameter's steps.
                Some(PendingValue::Switch(is_on)) => f64::from(u8::from(is_on)),
                Some(PendingValue::Value(value)) => {
                    let plain = self.framework.normalizedParamToPlain(id, value.into());
                    self.framework.plainParamToNormalized(id, plain)
                }
                None => self.framework.getParamNormalized(id),
            }
        }
    }

    unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
        if self.changes.take(id, value) {
            return kResultOk;
        }
        // SAFETY: plain numbers.
        unsafe { self.framework.setParamNormalized(id, value) }
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IMidiMappingTrait for Component {
    unsafe fn getMidiControllerAssignment(
        &self,
        bus: int32,
        channel: int16,
        number: CtrlNumber,
        id: *mut ParamID,
    ) -> tresult {
        if !controllers::is_heard(number) {
            return kResultFalse;
        }
        // SAFETY: the host promises the same to us as it would to the framework.
        unsafe {
            self.framework
                .getMidiControllerAssignment(bus, channel, number, id)
        }
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl INoteExpressionControllerTrait for Component {
    pass_on! { INoteExpressionControllerTrait:
        fn getNoteExpressionCount(bus: int32, channel: int16) -> int32;
        fn getNoteExpressionInfo(
            bus: int32, channel: int16, index: int32, info: *mut NoteExpressionTypeInfo
        ) -> tresult;
        fn getNoteExpressionStringByValue(
            bus: int32, channel: int16, id: NoteExpressionTypeID, value: NoteExpressionValue,
            text: *mut String128
        ) -> tresult;
        fn getNoteExpressionValueByString(
            bus: int32, channel: int16, id: NoteExpressionTypeID, text: *const TChar,
            value: *mut NoteExpressionValue
        ) -> tresult;
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IProcessContextRequirementsTrait for Component {
    pass_on! { IProcessContextRequirementsTrait:
        fn getProcessContextRequirements() -> uint32;
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IUnitInfoTrait for Component {
    pass_on! { IUnitInfoTrait:
        fn getUnitCount() -> int32;
        fn getUnitInfo(index: int32, info: *mut UnitInfo) -> tresult;
        fn getProgramListCount() -> int32;
        fn getProgramListInfo(index: int32, info: *mut ProgramListInfo) -> tresult;
        fn getProgramName(list: ProgramListID, index: int32, name: *mut String128) -> tresult;
        fn getProgramInfo(
            list: ProgramListID, index: int32, attribute: CString, value: *mut String128
        ) -> tresult;
        fn hasProgramPitchNames(list: ProgramListID, index: int32) -> tresult;
        fn getProgramPitchName(
            list: ProgramListID, index: int32, pitch: int16, name: *mut String128
        ) -> tresult;
        fn getSelectedUnit() -> UnitID;
        fn selectUnit(id: UnitID) -> tresult;
        fn getUnitByBus(
            media: MediaType, direction: BusDirection, bus: int32, channel: int32,
            id: *mut UnitID
        ) -> tresult;
        fn setUnitProgramData(list_or_unit: int32, index: int32, data: *mut IBStream) -> tresult;
    }
}

#[expect(unsafe_code, reason = "the interface says so")]
impl IInfoListenerTrait for Component {
    pass_on! { IInfoListenerTrait:
        fn setChannelContextInfos(list: *mut IAttributeList) -> tresult;
    }
}
