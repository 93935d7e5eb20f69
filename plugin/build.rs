//! Keeps the plugin's code in memory once it is loaded.
//!
//! Rust's standard library leaves a destructor with each thread that has called it. A host that unloads the plugin before such
//! a thread ends would have it call code that is gone, and crash. Done on Linux, where it was seen.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS");
    if system.is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
