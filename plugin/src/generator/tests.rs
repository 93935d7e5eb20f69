//! Instances that share the generator thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use lockstep_core::generator::{GeneratorSettings, PredictError, Request};
use lockstep_core::representation::{HitMap, Meter, Onset, Plan, Voice, WINDOW_STEPS, Window};
use lockstep_core::rule::{self, RuleGroove};
use lockstep_engine::handoff::{RealtimeEnd, handoff};
use lockstep_engine::plan_wait::{LONGEST_WAIT, WaitingPlans};
use lockstep_engine::realtime::PlanSource as _;
use lockstep_engine::shared_thread::Service as _;
use lockstep_models::predict::{EMBEDDED_WEIGHTS, Predictor};

use super::*;
use crate::device::DeviceChoice;
use crate::drummers::Substitute;
use crate::params::Drummer;

const CHOICE: DrummerChoice = DrummerChoice {
    drummer: Drummer::LockstepTwo,
    device: DeviceChoice::Cpu,
};
const OTHER: DrummerChoice = DrummerChoice {
    drummer: Drummer::Base,
    device: DeviceChoice::Cpu,
};
const N_CLIENTS: usize = 32;

/// A request with a different bass for each measure.
fn request(measure: u64) -> Request {
    let mut window = Window::default();
    for step_idx in (0..WINDOW_STEPS).step_by(2 + usize::try_from(measure % 5).unwrap_or_default())
    {
        let key = 28 + u8::try_from(measure % 20).unwrap_or_default();
        window.begin(step_idx, Onset::new(key, 0.8));
    }
    Request {
        playback: 1,
        measure,
        heard_steps: 16,
        window,
        settings: GeneratorSettings {
            seed: u32::try_from(measure).unwrap_or_default(),
            variation: 0.3,
            ..GeneratorSettings::default()
        },
        ..Request::default()
    }
}

/// A drummer that is not a substitute.
fn loaded(generator: impl Generator + 'static) -> LoadedDrummer {
    LoadedDrummer::from(Box::new(generator) as Box<dyn Generator>)
}

/// Plays almost the rule groove, counts its requests, and panics in one measure.
struct Counting {
    n_asked: Arc<AtomicUsize>,
    panics_at: Option<u64>,
}

impl Generator for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn voices(&self) -> &'static [Voice] {
        &Voice::ALL
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        self.n_asked.fetch_add(1, Ordering::SeqCst);
        assert_ne!(
            Some(request.measure),
            self.panics_at,
            "the panic that the test wants"
        );
        let mut hits = rule::groove(&request.window, Meter::COMMON);
        // Makes it differ from the rule groove.
        hits.set(15, Voice::MidTom, hits.hit(0, Voice::Kick));
        Ok(hits)
    }
}

/// Waits for the plan of the last request, as an offline render does.
fn plan(end: &mut RealtimeEnd, measure: u64) -> Option<Plan> {
    WaitingPlans::new(end, LONGEST_WAIT).plan_for(1, measure)
}

/// Polls until something was answered.
fn poll(server: &mut PlanServer) {
    while !server.poll() {
        thread::yield_now();
    }
}

#[test]
fn a_render_that_waits_gets_the_plan_of_its_last_request() -> io::Result<()> {
    let (mut end, other) = handoff();
    let generator = GeneratorThread::start(|_| Box::new(RuleGroove))?;
    let _client = generator.register(other, Arc::default(), || CHOICE);
    end.publish(&request(1));
    let plan = plan(&mut end, 1).map(|plan| (plan.measure, plan.heard_steps));
    assert_eq!(plan, Some((1, 16)));
    Ok(())
}

#[test]
fn instances_that_chose_the_same_share_one_copy_of_its_weights() -> io::Result<()> {
    let n_loads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_loads);
    let generator = GeneratorThread::start(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::new(RuleGroove)
    })?;
    let mut clients = Vec::new();
    for idx in 0..N_CLIENTS {
        let (end, other) = handoff();
        let choice = if idx % 4 == 0 { OTHER } else { CHOICE };
        let client = generator.register(other, Arc::default(), move || choice);
        clients.push((end, client));
    }
    for measure in 0..10 {
        let asked = |idx: usize| measure * 100 + idx as u64;
        for (idx, (end, _)) in clients.iter_mut().enumerate() {
            end.publish(&request(asked(idx)));
        }
        for (idx, (end, _)) in clients.iter_mut().enumerate() {
            let expected = rule::groove(&request(asked(idx)).window, Meter::COMMON);
            let plan = plan(end, asked(idx));
            assert_eq!(plan.map(|plan| plan.hits), Some(expected), "client {idx}");
        }
    }
    assert_eq!(n_loads.load(Ordering::SeqCst), 2);
    Ok(())
}

#[test]
fn a_poll_answers_each_instances_newest_request_once() {
    let n_asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_asked);
    let mut server = PlanServer::new(move |_| {
        loaded(Counting {
            n_asked: Arc::clone(&count),
            panics_at: None,
        })
    });
    let mut ends = Vec::new();
    for id in 0..N_CLIENTS as u64 {
        let (end, other) = handoff();
        let client = GeneratorClient::new(other, Arc::default(), Box::new(|| CHOICE));
        server.join(id, client);
        ends.push(end);
    }
    ends[0].publish(&request(0));
    poll(&mut server);
    for round in 1..20 {
        n_asked.store(0, Ordering::SeqCst);
        for end in &mut ends {
            for heard_steps in [14, 15, 16] {
                let request = Request {
                    heard_steps,
                    ..request(round)
                };
                end.publish(&request);
            }
        }
        assert!(server.poll());
        assert!(
            ends.iter_mut().all(RealtimeEnd::has_answer),
            "round {round}"
        );
        assert_eq!(n_asked.load(Ordering::SeqCst), N_CLIENTS);
        assert!(!server.poll());
    }
}

#[test]
fn a_drummer_that_loads_slowly_delays_no_other() -> io::Result<()> {
    let (release, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let generator = GeneratorThread::start(move |choice| {
        if choice == OTHER {
            let _ = wait.lock().map(|wait| wait.recv());
        }
        Box::new(RuleGroove)
    })?;
    let ((mut quick, first), (mut slow, second)) = (handoff(), handoff());
    let _first = generator.register(first, Arc::default(), || CHOICE);
    let _second = generator.register(second, Arc::default(), || OTHER);
    slow.publish(&request(7));
    for measure in 0..50 {
        quick.publish(&request(measure));
        assert!(plan(&mut quick, measure).is_some(), "measure {measure}");
    }
    assert!(!slow.has_answer());
    drop(release);
    // The request made in the meantime is answered.
    assert!(plan(&mut slow, 7).is_some());
    Ok(())
}

#[test]
fn an_offline_render_gets_its_plans_while_31_others_ask() -> Result<(), Box<dyn std::error::Error>>
{
    let generator = GeneratorThread::start(|_| Box::new(RuleGroove))?;
    let is_over = AtomicUsize::new(0);
    let ends: Vec<_> = (1..N_CLIENTS).map(|_| handoff()).collect();
    let (mut offline, other) = handoff();
    let _client = generator.register(other, Arc::default(), || CHOICE);
    let (mut others, mut clients) = (Vec::new(), Vec::new());
    for (end, other) in ends {
        others.push(end);
        clients.push(generator.register(other, Arc::default(), || CHOICE));
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut measure = 0;
            while is_over.load(Ordering::SeqCst) == 0 {
                for end in &mut others {
                    end.publish(&request(measure));
                }
                measure += 1;
                thread::yield_now();
            }
        });
        for measure in 0..100 {
            offline.publish(&request(measure));
            let hits = plan(&mut offline, measure).map(|plan| plan.hits);
            let expected = rule::groove(&request(measure).window, Meter::COMMON);
            if hits != Some(expected) {
                is_over.store(1, Ordering::SeqCst);
            }
            assert_eq!(hits, Some(expected), "measure {measure}");
        }
        is_over.store(1, Ordering::SeqCst);
    });
    Ok(())
}

#[test]
fn a_shared_network_answers_each_as_if_it_had_it_alone() -> Result<(), Box<dyn std::error::Error>> {
    let generator = GeneratorThread::start(|choice| drummers::load(choice).generator)?;
    let ((mut a, end_a), (mut b, end_b)) = (handoff(), handoff());
    let _a = generator.register(end_a, Arc::default(), || CHOICE);
    let _b = generator.register(end_b, Arc::default(), || CHOICE);
    let mut alone = [(); 2].map(|()| Predictor::new(EMBEDDED_WEIGHTS));
    for measure in 1..9 {
        // Each has its own bass, seed and measure; they take turns asking first.
        let asked = [measure, 100 + 7 * measure];
        let ends = [&mut a, &mut b];
        let order = if measure % 2 == 0 { [0, 1] } else { [1, 0] };
        for place in order {
            ends[place].publish(&request(asked[place]));
        }
        for (place, end) in ends.into_iter().enumerate() {
            let shared = plan(end, asked[place]).map(|plan| plan.hits);
            let own = match &mut alone[place] {
                Ok(predictor) => predictor.predict(&request(asked[place]))?,
                Err(error) => return Err(error.to_string().into()),
            };
            assert_eq!(shared, Some(own), "instance {place}, measure {measure}");
        }
    }
    Ok(())
}

#[test]
fn an_instance_that_left_gets_no_answer_and_a_drummer_is_dropped_after_its_last_instance() {
    let token = Arc::new(AtomicUsize::new(0));
    let given = Arc::clone(&token);
    let mut server = PlanServer::new(move |choice| {
        if choice == OTHER {
            return loaded(RuleGroove);
        }
        loaded(Counting {
            n_asked: Arc::clone(&given),
            panics_at: None,
        })
    });
    let mut audio = Vec::new();
    for id in 0..3 {
        let (end, other) = handoff();
        let choice = if id == 2 { OTHER } else { CHOICE };
        let client = GeneratorClient::new(other, Arc::default(), Box::new(move || choice));
        server.join(id, client);
        audio.push(end);
    }
    audio[0].publish(&request(1));
    poll(&mut server);
    server.leave(0);
    audio[0].publish(&request(2));
    audio[1].publish(&request(2));
    poll(&mut server);
    assert!(audio[1].has_answer() && !audio[0].has_answer());
    // Held by this test, the loader and the drummer.
    assert_eq!(Arc::strong_count(&token), 3);
    server.leave(1);
    while Arc::strong_count(&token) > 2 {
        server.poll();
        thread::yield_now();
    }
    audio[2].publish(&request(3));
    poll(&mut server);
    assert!(audio[2].has_answer());
}

#[test]
fn a_drummer_that_panics_is_replaced_and_no_other_is_affected() -> io::Result<()> {
    let n_loads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_loads);
    let generator = GeneratorThread::start(move |choice| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::new(Counting {
            n_asked: Arc::default(),
            panics_at: (choice == OTHER).then_some(13),
        })
    })?;
    let ((mut sound, first), (mut broken, second)) = (handoff(), handoff());
    let _first = generator.register(first, Arc::default(), || CHOICE);
    let _second = generator.register(second, Arc::default(), || OTHER);
    for measure in 10..20 {
        sound.publish(&request(measure));
        broken.publish(&request(measure));
        let groove = rule::groove(&request(measure).window, Meter::COMMON);
        let hits = [&mut sound, &mut broken].map(|end| plan(end, measure).map(|plan| plan.hits));
        assert!(hits.iter().all(Option::is_some), "measure {measure}");
        let is_rule = hits.map(|hits| hits == Some(groove));
        assert_eq!(is_rule, [false, measure >= 13], "measure {measure}");
    }
    assert_eq!(n_loads.load(Ordering::SeqCst), 2);
    Ok(())
}

#[test]
fn an_instance_made_while_the_last_one_ends_is_answered() -> io::Result<()> {
    for measure in 0..5 {
        let (old_end, (mut new_end, other)) = (handoff().1, handoff());
        let old = GeneratorThread::of_process()?.register(old_end, Arc::default(), || CHOICE);
        thread::scope(|scope| {
            scope.spawn(move || drop(old));
            let client = GeneratorThread::of_process()
                .map(|generator| generator.register(other, Arc::default(), || CHOICE));
            new_end.publish(&request(measure));
            assert!(client.is_ok() && plan(&mut new_end, measure).is_some());
        });
    }
    Ok(())
}

#[test]
fn the_thread_has_ended_when_the_last_seat_is_dropped() -> io::Result<()> {
    let token = Arc::new(AtomicUsize::new(0));
    let given = Arc::clone(&token);
    let generator = GeneratorThread::start(move |_| {
        given.fetch_add(1, Ordering::SeqCst);
        Box::new(RuleGroove)
    })?;
    let clients = [(); 3].map(|()| generator.register(handoff().1, Arc::default(), || CHOICE));
    drop(generator);
    assert!(Arc::strong_count(&token) > 1);
    drop(clients);
    // Dropping waits only briefly for a loader, but the loader ends.
    while Arc::strong_count(&token) > 1 {
        thread::yield_now();
    }
    Ok(())
}

#[test]
fn the_last_instance_to_leave_does_not_wait_for_drummers_that_are_loading() -> io::Result<()> {
    let (release, wait) = channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let blocked = Arc::clone(&wait);
    let generator = GeneratorThread::start(move |_| {
        let _ = blocked.lock().map(|wait| wait.recv());
        Box::new(RuleGroove)
    })?;
    let clients = [CHOICE, OTHER]
        .map(|choice| generator.register(handoff().1, Arc::default(), move || choice));
    // Both are loading: each loader holds the channel it waits for.
    while Arc::strong_count(&wait) < 2 || wait.try_lock().is_ok() {
        thread::yield_now();
    }
    let (left, has_left) = channel();
    let leaving = thread::spawn(move || {
        drop((clients, generator));
        let _ = left.send(());
    });
    assert!(has_left.recv_timeout(Duration::from_mins(1)).is_ok());
    assert!(leaving.join().is_ok());
    drop(release);
    Ok(())
}

#[test]
fn a_player_is_told_when_the_chosen_drummer_cannot_play_and_when_it_can_again() {
    let sorry = Substitute::rule("it is broken");
    let told = sorry.clone();
    let mut server = PlanServer::new(move |choice| LoadedDrummer {
        generator: Box::new(RuleGroove),
        substitute: (choice == OTHER).then(|| told.clone()),
    });
    let status = Arc::new(GeneratorStatus::default());
    let choice = Arc::new(Mutex::new(OTHER));
    let wished = Arc::clone(&choice);
    let chosen = move || wished.lock().map_or(CHOICE, |choice| *choice);
    server.join(
        0,
        GeneratorClient::new(handoff().1, Arc::clone(&status), Box::new(chosen)),
    );
    let mut shown = |expected: Option<Substitute>| {
        while status.substitute() != expected {
            server.poll();
            thread::yield_now();
        }
    };
    // Without any request: the player sees it before playing a note.
    shown(Some(sorry.clone()));
    for (chosen, expected) in [(CHOICE, None), (OTHER, Some(sorry))] {
        if let Ok(mut choice) = choice.lock() {
            *choice = chosen;
        }
        shown(expected);
    }
}

#[test]
fn the_player_is_told_of_a_drummer_that_panics() {
    let mut server = PlanServer::new(|_| {
        loaded(Counting {
            n_asked: Arc::default(),
            panics_at: Some(1),
        })
    });
    let (mut audio, end) = handoff();
    let status = Arc::new(GeneratorStatus::default());
    let client = GeneratorClient::new(end, Arc::clone(&status), Box::new(|| CHOICE));
    server.join(0, client);
    audio.publish(&request(1));
    while status.substitute().is_none() {
        server.poll();
        thread::yield_now();
    }
    assert!(audio.has_answer());
}
