//! A VST3 host of a few calls, made in whatever order a test wants: other hosts keep to the order that the format asks for.
//! Linux alone, where a bundle is loaded as a plain library.

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

/// VST3's numbers for rendering offline and for samples of 32 bits.
const OFFLINE: i32 = 2;
const SAMPLE_32: i32 = 0;

/// One instance, which has been asked for nothing yet.
pub struct BareVst3 {
    processor: ComPtr<IAudioProcessor>,
    component: ComPtr<IComponent>,
    // Let go after the instance.
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

#[expect(unsafe_code, reason = "the interface says so")]
impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> int32 {
        int32::try_from(self.0.borrow().len()).unwrap_or(int32::MAX)
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        let events = self.0.borrow();
        let found = usize::try_from(index).ok().and_then(|at| events.get(at));
        found.map_or(kInvalidArgument, |found| {
            // SAFETY: the plugin hands over room for one.
            unsafe { event.write(*found) };
            kResultOk
        })
    }

    unsafe fn addEvent(&self, event: *mut Event) -> tresult {
        // SAFETY: the plugin hands over a whole event.
        self.0.borrow_mut().push(unsafe { *event });
        kResultOk
    }
}

#[expect(unsafe_code, reason = "the format is one of plain pointers")]
impl BareVst3 {
    /// A new instance from the bundle, initialised.
    ///
    /// # Errors
    /// If there is no bundle, or the plugin in it cannot be made.
    pub fn open() -> anyhow::Result<Self> {
        let place = format!("Contents/{}-linux/Lockstep.so", std::env::consts::ARCH);
        let path = bundle("Lockstep.vst3")?.join(place);
        // SAFETY: it is the plugin that this workspace built, and these are the names and types that the format fixes.
        unsafe {
            let library =
                Library::new(&path).with_context(|| format!("loading {}", path.display()))?;
            let enter = library.get::<extern "C" fn(*mut c_void) -> bool>(b"ModuleEntry")?;
            ensure!(enter(ptr::null_mut()), "the library refuses to be entered");
            let factory =
                library.get::<extern "system" fn() -> *mut c_void>(b"GetPluginFactory")?;
            let factory: ComPtr<IPluginFactory> =
                ComPtr::from_raw(factory().cast()).context("there is no factory")?;
            let mut info = mem::zeroed();
            ensure!(
                factory.countClasses() == 1 && factory.getClassInfo(0, &raw mut info) == kResultOk,
                "the factory has not one class"
            );
            let mut made = ptr::null_mut();
            let id: TUID = mem::transmute(IComponent::IID);
            let answer = factory.createInstance(info.cid.as_ptr(), id.as_ptr(), &raw mut made);
            ensure!(answer == kResultOk, "no instance is made: {answer}");
            let component: ComPtr<IComponent> =
                ComPtr::from_raw(made.cast()).context("the instance is nothing")?;
            ensure!(
                component.initialize(ptr::null_mut()) == kResultOk,
                "initialize"
            );
            let processor = component.cast().context("it processes nothing")?;
            Ok(Self {
                processor,
                component,
                _library: library,
            })
        }
    }

    /// Activates it, or no longer; whether it agrees.
    pub fn set_active(&self, is_active: bool) -> bool {
        // SAFETY: plain numbers.
        unsafe { self.component.setActive(is_active.into()) == kResultOk }
    }

    /// Says at which rate, for blocks of up to 8,192 frames, and that it renders offline; whether it agrees.
    pub fn set_up(&self, sample_rate_hz: f64) -> bool {
        let mut setup = ProcessSetup {
            processMode: OFFLINE,
            symbolicSampleSize: SAMPLE_32,
            maxSamplesPerBlock: 8_192,
            sampleRate: sample_rate_hz,
        };
        // SAFETY: it lives for the call.
        unsafe { self.processor.setupProcessing(&raw mut setup) == kResultOk }
    }

    /// Says that it will process; whether it agrees.
    pub fn start(&self) -> bool {
        // SAFETY: plain numbers.
        unsafe { self.processor.setProcessing(1) == kResultOk }
    }

    /// One process call with note-ons at the first frame, and what sounds: the left side. `None` if the plugin refuses.
    pub fn process(&self, n_frames: usize, keys: &[i16]) -> Option<Vec<f32>> {
        let notes = keys.iter().map(|key| {
            // SAFETY: plain numbers, for which zero is a value.
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
        // SAFETY: whatever is pointed to lives for the call.
        let answer = unsafe { self.processor.process(&raw mut data) };
        (answer == kResultOk).then_some(left)
    }
}
