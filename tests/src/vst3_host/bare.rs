//! A minimal VST3 host whose calls a test can make in any order; other hosts keep to the order that the format
//! requires. Linux only, where a bundle is loaded as a plain library.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem;
use std::ptr;

use anyhow::{Context as _, ensure};
use libloading::Library;
use vst3::Steinberg::Vst::Event_::EventTypes_;
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, Event, IAudioProcessor, IAudioProcessorTrait as _,
    IComponent, IComponentTrait as _, IEventList, IEventListTrait, NoteOnEvent, ProcessData,
    ProcessSetup,
};
use vst3::Steinberg::{
    IPluginBaseTrait as _, IPluginFactory, IPluginFactoryTrait as _, TUID, int32, kInvalidArgument,
    kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComWrapper, Interface as _};

use crate::bundle;

/// VST3's constants for offline rendering and 32-bit samples.
const OFFLINE: i32 = 2;
const SAMPLE_32: i32 = 0;

/// One instance, on which nothing has been called since it was initialised.
pub struct BareVst3 {
    processor: ComPtr<IAudioProcessor>,
    component: ComPtr<IComponent>,
    // Dropped after the instance.
    _library: Library,
}

impl std::fmt::Debug for BareVst3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BareVst3").finish_non_exhaustive()
    }
}

/// Notes for the plugin, or from it.
struct Events(RefCell<Vec<Event>>);

impl Class for Events {
    type Interfaces = (IEventList,);
}

#[expect(unsafe_code, reason = "the interface is declared unsafe")]
impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> int32 {
        int32::try_from(self.0.borrow().len()).unwrap_or(int32::MAX)
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        let events = self.0.borrow();
        let found = usize::try_from(index).ok().and_then(|at| events.get(at));
        found.map_or(kInvalidArgument, |found| {
            // SAFETY: the plugin provides space for one event.
            unsafe { event.write(*found) };
            kResultOk
        })
    }

    unsafe fn addEvent(&self, event: *mut Event) -> tresult {
        // SAFETY: the plugin passes a complete event.
        self.0.borrow_mut().push(unsafe { *event });
        kResultOk
    }
}

#[expect(unsafe_code, reason = "the format uses plain pointers")]
impl BareVst3 {
    /// A new instance from the bundle, initialised.
    ///
    /// # Errors
    /// If there is no bundle, or the plugin in it cannot be made.
    pub fn open() -> anyhow::Result<Self> {
        let place = format!("Contents/{}-linux/Lockstep.so", std::env::consts::ARCH);
        let path = bundle("Lockstep.vst3")?.join(place);
        // SAFETY: the library is the plugin that this workspace built; the format fixes these names and types.
        unsafe {
            let library =
                Library::new(&path).with_context(|| format!("loading {}", path.display()))?;
            let enter = library.get::<extern "C" fn(*mut c_void) -> bool>(b"ModuleEntry")?;
            ensure!(enter(ptr::null_mut()), "ModuleEntry failed");
            let factory =
                library.get::<extern "system" fn() -> *mut c_void>(b"GetPluginFactory")?;
            let factory: ComPtr<IPluginFactory> =
                ComPtr::from_raw(factory().cast()).context("the factory is null")?;
            let mut info = mem::zeroed();
            ensure!(
                factory.countClasses() == 1 && factory.getClassInfo(0, &raw mut info) == kResultOk,
                "the factory does not have exactly one class"
            );
            let mut made = ptr::null_mut();
            let id: TUID = mem::transmute(IComponent::IID);
            let answer = factory.createInstance(info.cid.as_ptr(), id.as_ptr(), &raw mut made);
            ensure!(answer == kResultOk, "making an instance failed: {answer}");
            let component: ComPtr<IComponent> =
                ComPtr::from_raw(made.cast()).context("the instance is null")?;
            ensure!(
                component.initialize(ptr::null_mut()) == kResultOk,
                "initialize"
            );
            let processor = component
                .cast()
                .context("the instance has no audio processor")?;
            Ok(Self {
                processor,
                component,
                _library: library,
            })
        }
    }

    /// Activates or deactivates it; returns whether the plugin agrees.
    pub fn set_active(&self, is_active: bool) -> bool {
        // SAFETY: only plain numbers are passed.
        unsafe { self.component.setActive(is_active.into()) == kResultOk }
    }

    /// Sets it up for offline rendering at this rate with blocks of up to 8,192 frames; returns whether the plugin
    /// agrees.
    pub fn set_up(&self, sample_rate_hz: f64) -> bool {
        let mut setup = ProcessSetup {
            processMode: OFFLINE,
            symbolicSampleSize: SAMPLE_32,
            maxSamplesPerBlock: 8_192,
            sampleRate: sample_rate_hz,
        };
        // SAFETY: the setup lives for the call.
        unsafe { self.processor.setupProcessing(&raw mut setup) == kResultOk }
    }

    /// Starts processing; returns whether the plugin agrees.
    pub fn start(&self) -> bool {
        // SAFETY: only plain numbers are passed.
        unsafe { self.processor.setProcessing(1) == kResultOk }
    }

    /// One process call with note-ons at the first frame; returns the left channel. `None` if the plugin refuses.
    pub fn process(&self, n_frames: usize, keys: &[i16]) -> Option<Vec<f32>> {
        let notes = keys.iter().map(|key| {
            // SAFETY: all fields are plain numbers, for which zero is valid.
            let mut event: Event = unsafe { mem::zeroed() };
            event.r#type = u16::try_from(EventTypes_::kNoteOnEvent).unwrap_or_default();
            event.__field0.noteOn = NoteOnEvent {
                channel: 0,
                pitch: *key,
                tuning: 0.0,
                velocity: 0.8,
                length: 0,
                noteId: -1,
            };
            event
        });
        let input = ComWrapper::new(Events(RefCell::new(notes.collect())));
        let output = ComWrapper::new(Events(RefCell::default()));
        let [input, output] = [input, output].map(|events| events.to_com_ptr::<IEventList>());
        let (mut left, mut right) = (vec![0.0; n_frames], vec![0.0; n_frames]);
        let mut sides = [left.as_mut_ptr(), right.as_mut_ptr()];
        let mut bus = AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 {
                channelBuffers32: sides.as_mut_ptr(),
            },
        };
        let mut data = ProcessData {
            processMode: OFFLINE,
            symbolicSampleSize: SAMPLE_32,
            numSamples: i32::try_from(n_frames).ok()?,
            numInputs: 0,
            numOutputs: 1,
            inputs: ptr::null_mut(),
            outputs: &raw mut bus,
            inputParameterChanges: ptr::null_mut(),
            outputParameterChanges: ptr::null_mut(),
            inputEvents: input.as_ref()?.as_ptr(),
            outputEvents: output.as_ref()?.as_ptr(),
            processContext: ptr::null_mut(),
        };
        // SAFETY: everything pointed to lives for the call.
        let answer = unsafe { self.processor.process(&raw mut data) };
        (answer == kResultOk).then_some(left)
    }
}
