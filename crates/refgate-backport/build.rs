//! How is `git backport` linked? At a fixed address, as the hook is: people ask it as often as git.

fn main() {
    // At a random place the tables of time zones cost some 300 page faults, half
    // of what one question about a small repository takes. See
    // docs/design/0006-start.md for what that trades.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
