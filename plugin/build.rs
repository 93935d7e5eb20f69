//! Linker options for the plugin on Linux.
//!
//! `nodelete` keeps the plugin's code in memory once it is loaded. Rust's standard library registers a destructor with each
//! thread that has called it. If a host unloads the plugin before such a thread ends, the thread calls code that is gone and
//! crashes. Only on Linux, where this was seen.
//!
//! `wrap` replaces two functions of the C library by those in `src/old_glibc.rs`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS");
    if system.is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        println!("cargo::rustc-cdylib-link-arg=-Wl,--wrap=hypot,--wrap=hypotf");
    }
}
