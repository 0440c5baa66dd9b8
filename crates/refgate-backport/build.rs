//! Links `git backport` at a fixed address, as the hook is linked, so that it starts faster.

fn main() {
    // At a random address, the time zone tables cause about 300 page faults. That is half
    // of the run time for one fix in a small repository. For the disadvantages, see
    // docs/design/0006-start.md.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
