//! Links the hook at a fixed address, because it starts at least twice in each push.

fn main() {
    // The time zone tables contain tens of thousands of addresses. A position-independent
    // program relocates all of them at every start. This writes to a megabyte of memory: 310
    // page faults, 1.5 to 2 ms. See docs/design/0006-start.md.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
