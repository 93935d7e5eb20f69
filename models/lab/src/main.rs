//! `cargo lab`: the commands of the laboratory; `cargo lab --help` lists them.

use clap::Parser;
use lockstep_lab::{
    Bench, Evaluate, Families, Idioms, KitSamples, KitSounds, Label, Listen, Prepare, Train,
};

/// Teaches, measures, plays and times drummers.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo lab")]
enum Task {
    /// Make the training file from folders and archives of MIDI files
    Prepare(Prepare),
    /// Hold out each labelled source in turn, and print how often the classifier of grooves is right
    Label(Label),
    /// Write the table of groove families: their songs, and what a typical measure looks like
    Families(Families),
    /// Train the generator that a run file describes, on a prepared corpus
    Train(Train),
    /// Let drummers play to songs of the corpus, print the table of figures and write a report
    Evaluate(Evaluate),
    /// Let a drummer play to the project's own bass lines: MIDI files, pictures, a page and one WAV of all takes
    Listen(Listen),
    /// Let drummers play to bass lines of 26 families of grooves, and count the measures that keep each family's rule
    Idioms(Idioms),
    /// Cut the recordings of the built-in kits from the sound font `FluidR3_GM.sf2`
    KitSamples(KitSamples),
    /// Play the example bass line with each built-in kit and write the sound
    KitSounds(KitSounds),
    /// Time training and prediction for every run file, and list the arithmetic each needs
    Bench(Bench),
}

/// A training step asks for and frees hundreds of large tensors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Prepare(task) => task.run(),
        Task::Label(task) => task.run(),
        Task::Families(task) => task.run(),
        Task::Train(task) => task.run(),
        Task::Evaluate(task) => task.run(),
        Task::Listen(task) => task.run(),
        Task::Idioms(task) => task.run(),
        Task::KitSamples(task) => task.run(),
        Task::KitSounds(task) => task.run(),
        Task::Bench(task) => task.run(),
    }
}
