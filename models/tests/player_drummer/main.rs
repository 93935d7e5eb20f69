//! The player as a drummer: what it remembers of a take, what it makes of the knobs, how likely it finds people's drums, and
//! its weights file.

mod file;
mod likelihood;
mod returns;
mod song;
mod takes;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;
