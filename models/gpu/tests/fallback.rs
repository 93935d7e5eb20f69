//! The plugin's path to the GPU, with real libraries: `lockstep-gpu` built for the CPU, and a stand-in that fails in every way
//! it can. After each failure the same call must return the CPU's exact drums, and there must be a message.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use lockstep::device::{DeviceChoice, DeviceError, DeviceGenerator, DeviceSearch};
use lockstep::drummers::DrummerChoice;
use lockstep::generator::GeneratorThread;
use lockstep::params::Drummer;
use lockstep_core::generator::{Generator, Request};
use lockstep_core::representation::{
    Hit, HitMap, MAX_STEPS_PER_MEASURE, N_VOICES, Onset, Voice, WINDOW_STEPS, Window,
};
use lockstep_engine::handoff::handoff;
use lockstep_engine::plan_wait::{LONGEST_WAIT, WaitingPlans};
use lockstep_engine::realtime::PlanSource as _;
use lockstep_gpu_stand_in as stand_in;
use lockstep_models::network::{N_PLANES, n_own_planes};
use lockstep_models::predict::{NetworkTrunk, Predictor, Trunk as _, TrunkInputs};
use lockstep_models::weights::Weights;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A drummer that decides hit by hit.
const WEIGHTS: &[u8] = include_bytes!("../../weights/lockstep.safetensors");

/// A drummer that decides a whole measure at once and has no trunk.
const GAN: &[u8] = include_bytes!("../../weights/base.safetensors");

/// Number of measures to play.
const N_MEASURES: u64 = 8;

/// The path of a library of this workspace. They are dependencies of this test, so cargo builds them beside it.
fn built(name: &str) -> TestResult<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(libloading::library_filename(name));
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!(
            "{} is not there: cargo builds it with this test",
            path.display()
        )
        .into())
    }
}

/// A copy of the stand-in in its own folder, so its mode is not shared with other tests.
struct StandIn {
    path: PathBuf,
    /// Keeps the copy on disk.
    _folder: tempfile::TempDir,
    library: libloading::Library,
}

impl StandIn {
    fn new() -> TestResult<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("stand-in");
        std::fs::copy(built("lockstep_gpu_stand_in")?, &path)?;
        #[expect(unsafe_code, reason = "loading a library runs its code")]
        // SAFETY: this workspace built the library.
        let library = unsafe { libloading::Library::new(&path) }?;
        Ok(Self {
            path,
            _folder: folder,
            library,
        })
    }

    fn fail(&self, mode: u32, n_good_calls: u32) -> TestResult {
        #[expect(unsafe_code, reason = "calling C")]
        // SAFETY: the function has this type in the library that this workspace built.
        unsafe {
            let fail = self
                .library
                .get::<unsafe extern "C" fn(u32, u32)>(b"lockstep_stand_in_fail")?;
            fail(mode, n_good_calls);
        }
        Ok(())
    }
}

fn at(library: &Path) -> DeviceSearch {
    DeviceSearch {
        driver: None,
        library: library.to_owned(),
    }
}

fn request(measure: u64) -> Request {
    let mut window = Window::default();
    let mut played = [[0.0; N_VOICES]; WINDOW_STEPS];
    for step_idx in (0..WINDOW_STEPS).step_by(3) {
        window.begin(step_idx, Onset::new(40, 0.8));
        played[step_idx][step_idx % N_VOICES] = 0.6;
    }
    Request {
        playback: 1,
        measure,
        heard_steps: 16,
        window,
        played,
        ..Request::default()
    }
}

fn drums(generator: &mut dyn Generator) -> TestResult<Vec<HitMap>> {
    let maps = (0..N_MEASURES).map(|measure| generator.predict(&request(measure)));
    Ok(maps.collect::<Result<_, _>>()?)
}

/// Whether two measures differ only by rounding: batches of views are multiplied in other blocks, so sums run in another order.
fn is_alike(a: &HitMap, b: &HitMap) -> bool {
    (0..MAX_STEPS_PER_MEASURE).all(|step_idx| {
        Voice::ALL.into_iter().all(|voice| {
            let (a, b) = (a.hit(step_idx, voice), b.hit(step_idx, voice));
            let is_hit = |hit: Hit| hit.presence().sounds_at(0.5);
            let is_near = |a: f32, b: f32| (a - b).abs() < 1e-3;
            is_hit(a) == is_hit(b)
                && is_near(a.presence().value(), b.presence().value())
                && is_near(a.velocity(), b.velocity())
                && is_near(a.offset(), b.offset())
        })
    })
}

/// Asserts that the first `n_by_device` measures are alike, and that all later ones are the CPU's to the bit.
#[track_caller]
fn assert_drums(got: &[HitMap], cpu: &[HitMap], n_by_device: usize, what: &str) {
    assert_eq!(got.len(), cpu.len());
    for (measure, (got, cpu)) in got.iter().zip(cpu).enumerate() {
        if measure < n_by_device {
            assert!(is_alike(got, cpu), "{what}: measure {measure} differs");
        } else {
            assert!(got == cpu, "{what}: measure {measure} is not the CPU's");
        }
    }
}

/// The lines that the player was told.
#[derive(Clone, Debug, Default)]
struct LogLines(Arc<Mutex<Vec<String>>>);

impl LogLines {
    fn writer(&self) -> impl FnMut(&str) + Send + 'static {
        let lines = Arc::clone(&self.0);
        move |line| {
            if let Ok(mut lines) = lines.lock() {
                lines.push(line.to_owned());
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().map(|lines| lines.clone()).unwrap_or_default()
    }
}

/// A drummer with the given device choice, once the device is settled.
fn drummer(
    search: DeviceSearch,
    choice: DeviceChoice,
    log: &LogLines,
) -> TestResult<DeviceGenerator> {
    let predictor = Predictor::new(WEIGHTS)?;
    let choice = move || choice;
    Ok(DeviceGenerator::new(predictor, WEIGHTS, search, choice, log.writer()).wait_for_device())
}

#[test]
fn a_library_that_works_gives_the_cpus_features_and_drums() -> TestResult {
    let library = at(&built("lockstep_gpu")?);
    let n_minds = 3;
    let wave = |n: usize, phase: f32| -> Vec<f32> {
        let wave = |i: usize| (0.37 * i as f32 + phase).sin().max(0.0);
        (0..n_minds * n).map(wave).collect()
    };
    let inputs = TrunkInputs {
        bass: wave(64 * N_PLANES, 0.0),
        own: wave(64 * n_own_planes(Weights::parse(WEIGHTS)?.voices()?), 1.0),
        accents: wave(64, 2.0),
        given: wave(64, 3.0),
    };
    let expected = NetworkTrunk::new(WEIGHTS)?.features(&inputs)?;
    let got = library.open(WEIGHTS)?.features(&inputs)?;
    assert_eq!(expected.len(), inputs.n_features());
    assert_eq!(got.len(), expected.len());
    for (i, (expected, got)) in expected.iter().zip(&got).enumerate() {
        assert!((expected - got).abs() < 1e-4, "{i}: {got}, {expected}");
    }

    let log = LogLines::default();
    let mut drummer = drummer(library, DeviceChoice::Gpu, &log)?;
    let cpu = drums(&mut Predictor::new(WEIGHTS)?)?;
    assert_drums(&drums(&mut drummer)?, &cpu, cpu.len(), "the library");
    let name = "CPU, in a GPU library built without cuda or metal";
    assert_eq!(drummer.device().name, name);
    assert_eq!(log.lines(), [name]);
    Ok(())
}

#[test]
fn a_library_says_why_it_cannot_use_what_it_is_given() -> TestResult {
    let library = at(&built("lockstep_gpu")?);
    for (weights, why) in [(&b"no weights"[..], "damaged"), (GAN, "conditional-gan")] {
        let error = library.open(weights).err();
        let words = error.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(matches!(error, Some(DeviceError::Refused { .. })));
        assert!(words.contains(why), "{words}");
    }
    let mut trunk = library.open(WEIGHTS)?;
    let error = trunk.features(&TrunkInputs {
        bass: vec![0.0; 5],
        accents: vec![0.0; 64],
        ..TrunkInputs::default()
    });
    assert!(error.is_err(), "five numbers are not a bass");
    Ok(())
}

#[test]
fn a_prediction_that_fails_is_made_by_the_cpu_in_the_same_call() -> TestResult {
    let cpu = drums(&mut Predictor::new(WEIGHTS)?)?;
    let library = StandIn::new()?;
    let ways = [
        (stand_in::PREDICTION_FAILS, "the device is lost"),
        (stand_in::FAILS_WITHOUT_A_WORD, "without an error message"),
        (stand_in::NOT_FINITE, "it returned inf"),
        (stand_in::WRITES_HALF, "it returned NaN"),
        (stand_in::SAYS_FEWER, "features instead of"),
        (stand_in::SAYS_MORE, "features instead of"),
    ];
    for (mode, why) in ways {
        // The first call is the trial before the song; with 8 good calls, the song's last measure fails.
        for n_good_calls in [0, 1, 4, 8] {
            library.fail(mode, n_good_calls)?;
            let log = LogLines::default();
            let mut drummer = drummer(at(&library.path), DeviceChoice::Auto, &log)?;
            assert_eq!(drummer.device().name == "stand-in", n_good_calls > 0);
            let n_by_device = usize::try_from(n_good_calls)?.saturating_sub(1);
            assert_drums(&drums(&mut drummer)?, &cpu, n_by_device, why);
            assert_eq!(drummer.device().name, "CPU");
            let lines = log.lines();
            let last = lines.last().cloned().unwrap_or_default();
            assert!(
                last.starts_with("CPU: stand-in: ") && last.contains(why),
                "{lines:?}"
            );
            assert_eq!(
                lines.len(),
                if n_good_calls > 0 { 2 } else { 1 },
                "{lines:?}"
            );
        }
    }
    // Without a failure, the device plays to the end.
    library.fail(0, 0)?;
    let log = LogLines::default();
    let mut drummer = drummer(at(&library.path), DeviceChoice::Auto, &log)?;
    assert_drums(&drums(&mut drummer)?, &cpu, cpu.len(), "no failure");
    assert_eq!(log.lines(), ["stand-in"]);
    Ok(())
}

#[test]
fn a_library_that_cannot_be_opened_leaves_the_cpu_and_a_message() -> TestResult {
    let cpu = drums(&mut Predictor::new(WEIGHTS)?)?;
    let folder = tempfile::tempdir()?;
    let damaged = folder.path().join("damaged");
    std::fs::write(&damaged, b"no library")?;
    let library = StandIn::new()?;
    let no_driver = DeviceSearch {
        driver: Some("lockstep-has-no-such-driver".into()),
        ..at(&library.path)
    };
    let searches = [
        (no_driver, 0, "there is no GPU driver"),
        (
            at(&folder.path().join("nowhere")),
            0,
            "nowhere: put it there",
        ),
        (at(&damaged), 0, "does not load"),
        // The plugin itself: a library, but not a GPU library.
        (at(&built("lockstep")?), 0, "lockstep_gpu_abi"),
        (
            at(&library.path),
            stand_in::ABI_DIFFERS,
            "use the library that came with",
        ),
        (at(&library.path), stand_in::OPEN_FAILS, "no device is free"),
        (
            at(&library.path),
            stand_in::DEVIATES,
            "is it another version?",
        ),
    ];
    for (search, mode, why) in searches {
        library.fail(mode, 0)?;
        let log = LogLines::default();
        let mut drummer = drummer(search, DeviceChoice::Gpu, &log)?;
        assert_drums(&drums(&mut drummer)?, &cpu, 0, why);
        let lines = log.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with("CPU: ") && lines[0].contains(why),
            "{lines:?}"
        );
    }
    Ok(())
}

#[test]
fn without_a_gpu_auto_uses_the_cpu_and_says_nothing() -> TestResult {
    let log = LogLines::default();
    let nowhere = at(Path::new("nowhere"));
    let mut drummer = drummer(nowhere.clone(), DeviceChoice::Auto, &log)?;
    drums(&mut drummer)?;
    // A drummer without a trunk does not even look for a GPU.
    let predictor = Predictor::new(GAN)?;
    let auto = || DeviceChoice::Auto;
    let mut gan = DeviceGenerator::new(
        predictor,
        GAN,
        at(&built("lockstep_gpu")?),
        auto,
        log.writer(),
    );
    drums(&mut gan)?;
    assert_eq!(log.lines(), Vec::<String>::new());
    let gpu = || DeviceChoice::Gpu;
    let mut gan = DeviceGenerator::new(Predictor::new(GAN)?, GAN, nowhere, gpu, log.writer());
    drums(&mut gan)?;
    assert!(
        log.lines()
            .iter()
            .all(|line| line.contains("conditional-gan"))
    );
    assert_eq!(log.lines().len(), 1);
    Ok(())
}

#[test]
fn the_player_can_change_the_device_mid_song() -> TestResult {
    let cpu = drums(&mut Predictor::new(WEIGHTS)?)?;
    let choice = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&choice);
    let wished = move || match seen.load(Ordering::SeqCst) {
        0 => DeviceChoice::Cpu,
        1 => DeviceChoice::Auto,
        _ => DeviceChoice::Gpu,
    };
    let library = at(&built("lockstep_gpu")?);
    let log = LogLines::default();
    let predictor = Predictor::new(WEIGHTS)?;
    let mut drummer = DeviceGenerator::new(predictor, WEIGHTS, library, wished, log.writer());
    for wanted in [0, 1, 0, 2, 0] {
        choice.store(wanted, Ordering::SeqCst);
        // The device may become ready during any of these measures.
        assert_drums(&drums(&mut drummer)?, &cpu, cpu.len(), "while it opens");
        drummer = drummer.wait_for_device();
        assert_eq!(drummer.device().name == "CPU", wanted == 0);
        let n_by_device = if wanted == 0 { 0 } else { cpu.len() };
        assert_drums(&drums(&mut drummer)?, &cpu, n_by_device, "settled");
    }
    assert_eq!(log.lines().len(), 4, "{:?}", log.lines());
    Ok(())
}

/// As in a host: requests go to the generator thread, and the network answers every one of them.
#[test]
fn a_device_lost_mid_song_leaves_no_gap() -> TestResult {
    let cpu = drums(&mut Predictor::new(WEIGHTS)?)?;
    let library = StandIn::new()?;
    library.fail(stand_in::PREDICTION_FAILS, 4)?;
    let log = LogLines::default();
    let drummer = drummer(at(&library.path), DeviceChoice::Gpu, &log)?;
    let (mut end, other) = handoff();
    let drummer = Mutex::new(Some(drummer));
    let generator_thread =
        GeneratorThread::start(move |_| match drummer.lock().map(|mut it| it.take()) {
            Ok(Some(drummer)) => Box::new(drummer),
            _ => panic!("the drummer is loaded once"),
        })?;
    let choice = DrummerChoice {
        drummer: Drummer::Lockstep,
        device: DeviceChoice::Gpu,
    };
    let _handle = generator_thread.register(other, Arc::default(), move || choice);
    let mut waiting = WaitingPlans::new(&mut end, LONGEST_WAIT);
    let mut drums = Vec::new();
    for measure in 0..N_MEASURES {
        waiting.publish(&request(measure));
        let plan = waiting
            .plan_for(1, measure)
            .ok_or("a measure without a plan")?;
        drums.push(plan.hits);
    }
    // The first of the four good calls was the trial.
    assert_drums(&drums, &cpu, 3, "lost");
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[1], "CPU: stand-in: the device is lost");
    Ok(())
}
