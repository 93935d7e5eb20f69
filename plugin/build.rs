//! What the linker of the plugin is told on Linux.
//!
//! It keeps the plugin's code in memory once it is loaded.
//! Rust's standard library leaves a destructor with each thread that has called it. A host that unloads the plugin before such
//! a thread ends would have it call code that is gone, and crash. Done on Linux, where it was seen.
//!
//! And it takes two functions of `src/old_glibc.rs` in place of the C library's.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS");
    if system.is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        println!("cargo::rustc-cdylib-link-arg=-Wl,--wrap=hypot,--wrap=hypotf");
    }
}
