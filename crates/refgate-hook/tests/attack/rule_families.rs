//! Families of attack on the rules about deletions, tags, the ledger and later stages.

use crate::Rng;
use crate::families::{line, push, stage};
use crate::target::{HostilePush, Target, ZERO};

pub(crate) fn deletions(target: &Target, rng: &mut Rng) -> HostilePush {
    let name = match rng.below(2) {
        0 => stage(target, rng).0,
        _ => "refs/tags/v1.0.0".to_string(),
    };
    push(vec![line(&target.tip(&name), ZERO, &name)], &[])
}

pub(crate) fn release_tags(target: &Target, rng: &mut Rng) -> HostilePush {
    let main = target.tip("refs/heads/main");
    let new = target.change(&main, "src/app.rs", &format!("fix: {}", rng.below(1000)));
    let tag = |name: &str, of: &str| {
        let text = format!("object {of}\ntype commit\ntag {name}\ntagger A <a@x> 1 +0000\n\nx\n");
        target.object("tag", text.as_bytes())
    };
    let (name, value) = match rng.below(4) {
        0 => ("refs/tags/v1.0.0", tag("v1.0.0", &main)),
        1 => ("refs/tags/v9.0.0", tag("v9.0.0", &new)),
        2 => ("refs/tags/v0.0.1", tag("v0.0.1", &main)),
        _ => ("refs/tags/v9.0.1", tag("v1.0.0", &main)),
    };
    let mut push = push(vec![line(&target.tip(name), &value, name)], &[&new]);
    push.loose = vec![value];
    push
}

pub(crate) fn ledger_forms(target: &Target, rng: &mut Rng) -> HostilePush {
    let (_, old) = stage(target, rng);
    let ledger = "refs/refgate/ledger";
    let empty = target.object("tree", b"");
    let record = target.tree_with(&empty, "freeze/2026-01/x.toml", "not a record\n");
    let new = match rng.below(5) {
        0 => old.clone(),
        1 => target.commit(&record, &[], "x"),
        2 => target.commit(&empty, &[], "x"),
        3 => target.commit(&record, &[&old], "x"),
        _ => {
            let one = target.commit(&record, &[], "x");
            target.commit(&record, &[&one, &old], "x")
        }
    };
    push(vec![line(&target.tip(ledger), &new, ledger)], &[&new])
}

/// Trees beside a record: empty folders, links, programs, submodules.
pub(crate) fn ledger_trees(target: &Target, rng: &mut Rng) -> HostilePush {
    let ledger = "refs/refgate/ledger";
    let (_, old) = stage(target, rng);
    let blob = target.object("blob", format!("x{}\n", rng.below(100)).as_bytes());
    let empty = target.object("tree", b"");
    let entry = |mode: &str, name: &str, id: &str| -> Vec<u8> {
        let mut bytes = format!("{mode} {name}\0").into_bytes();
        bytes.extend((0..20).map(|at| u8::from_str_radix(&id[at * 2..at * 2 + 2], 16).unwrap()));
        bytes
    };
    let other = match rng.below(4) {
        0 => entry("40000", "empty", &empty),
        1 => entry("120000", "link", &blob),
        2 => entry("100755", "program", &blob),
        _ => entry("160000", "module", &old),
    };
    let mut data = entry("100644", "a.toml", &blob);
    data.extend(other);
    let tree = target.object("tree", &data);
    let new = target.commit(&tree, &[], "x");
    let mut push = push(vec![line(&target.tip(ledger), &new, ledger)], &[]);
    push.loose = vec![new, tree, blob, empty];
    push
}

pub(crate) fn late_features(target: &Target, rng: &mut Rng) -> HostilePush {
    let name = format!("refs/heads/{}", rng.pick(&target.stages[1..]));
    let old = target.tip(&name);
    let messages = [
        "feat: search",
        "search",
        "docs: search\n\nChange-Class: feature",
        "chore: search",
        "Add search",
        "test: search",
    ];
    let path =
        rng.pick(&["src/search.rs", "src/docs/search.rs", "src/tests/search.ts"]).to_string();
    let message = rng.pick(&messages);
    let new = target.change(&old, &path, message);
    push(vec![line(&old, &new, &name)], &[&new])
}

pub(crate) fn large(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let tree = target.tree_with(&old, "src/search.rs", "x\n");
    let date = *rng.pick(&["0 +0000", "4102444800 +0000", "1700000000 -1200"]);
    let message = match rng.below(3) {
        0 => "x".repeat(2_000_000),
        1 => "feat: x\n\n".to_string() + &"Change-Class: docs\n".repeat(50_000),
        _ => "feat: ".to_string() + &"ж".repeat(100_000),
    };
    let text =
        format!("tree {tree}\nauthor A <a@x> {date}\ncommitter A <a@x> {date}\n\n{message}\n");
    let new = target.object("commit", text.as_bytes());
    push(vec![line(&old, &new, &name)], &[&new])
}

pub(crate) fn many(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let orphan = target.commit(&target.tree_with(&old, "src/app.rs", "q\n"), &[], "fix: a");
    let count = 50 + rng.below(300);
    let mut commands: Vec<Vec<u8>> = (0..count)
        .map(|number| line(ZERO, &old, &format!("refs/heads/topic/{number}-{}", rng.below(1000))))
        .collect();
    commands.insert(rng.below(count), line(&old, &orphan, &name));
    push(commands, &[&orphan])
}
