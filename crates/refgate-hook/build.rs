//! How is the hook linked? At a fixed address, for it starts twice a push.

fn main() {
    // The time zones' tables hold tens of thousands of addresses. At a random
    // place each must be put right at every start, which touches a megabyte of
    // memory: 310 page faults, 1.5 to 2 ms. See docs/design/0006-start.md.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
