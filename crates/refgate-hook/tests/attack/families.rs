//! The families of attack. Each takes its parameters from the generator, so that one
//! family gives many variants (docs/design/threats.md, "Protocol attacks").

use crate::Rng;
use crate::rule_families::{
    deletions, large, late_features, ledger_forms, ledger_trees, many, release_tags,
};
use crate::target::{HostilePush, Target, ZERO};

type Attack = fn(&Target, &mut Rng) -> HostilePush;

/// Every family, by name.
pub(crate) const FAMILIES: &[(&str, Attack)] = &[
    ("newline in a ref name", newline),
    ("one ref twice", twice),
    ("delete and create", delete_and_create),
    ("wrong old value", wrong_old),
    ("deletion with a wrong old value", wrong_old_deletion),
    ("absent objects", absent),
    ("names that Git rejects later", bad_names),
    ("names that resemble protected ones", lookalikes),
    ("symbolic refs", symbolic),
    ("push options", push_options),
    ("values that are not commits", not_commits),
    ("long and deep names", long_names),
    ("shallow lines", shallow),
    ("rewritten history", rewritten),
    ("foxtrot merges", foxtrot),
    ("octopus merges and doubled parents", octopus),
    ("malformed commits", malformed_commits),
    ("malformed trees", malformed_trees),
    ("reserved namespaces", reserved),
    ("deletions", deletions),
    ("release tags", release_tags),
    ("ledger commits without a record", ledger_forms),
    ("ledger trees", ledger_trees),
    ("features on later stages", late_features),
    ("large messages and skewed dates", large),
    ("many refs beside a protected one", many),
];

pub(crate) fn line(old: &str, new: &str, name: &str) -> Vec<u8> {
    format!("{old} {new} {name}").into_bytes()
}

pub(crate) fn push(commands: Vec<Vec<u8>>, objects: &[&str]) -> HostilePush {
    HostilePush {
        commands,
        objects: objects.iter().map(ToString::to_string).collect(),
        who: "grace",
        blames_pusher: true,
        ..HostilePush::default()
    }
}

pub(crate) fn stage(target: &Target, rng: &mut Rng) -> (String, String) {
    let name = format!("refs/heads/{}", rng.pick(&target.stages));
    let tip = target.tip(&name);
    (name, tip)
}

/// An id that no repository has.
pub(crate) fn unknown_id(rng: &mut Rng) -> String {
    (0..40).map(|_| char::from(*rng.pick(b"0123456789abcdef"))).collect()
}

fn newline(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let new = target.change(&old, "src/search.rs", "feat: search");
    let separators = ["\n", "\r\n", "\n\n", "\n0000"];
    let separator = rng.pick(&separators);
    let topic = format!("refs/heads/x{}{separator}{old} {new} {name}", rng.below(9));
    let mut commands = vec![line(ZERO, &new, &topic)];
    if rng.below(2) == 0 {
        commands.push(line(&old, &new, &name));
    }
    push(commands, &[&new])
}

fn twice(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let bad = target.change(&old, "src/search.rs", "feat: search");
    let good = target.change(&bad, "src/app.rs", "fix: a");
    let first = line(&old, &bad, &name);
    let second =
        if rng.below(2) == 0 { line(&bad, &good, &name) } else { line(&old, &good, &name) };
    let mut commands = vec![first, second];
    if rng.below(2) == 0 {
        commands.push(line(ZERO, &good, "refs/heads/topic/between"));
        commands.swap(1, 2);
    }
    push(commands, &[&good])
}

fn delete_and_create(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let new = target.change(&old, "src/search.rs", "feat: search");
    let mut commands = vec![line(&old, ZERO, &name), line(ZERO, &new, &name)];
    if rng.below(2) == 0 {
        commands.reverse();
    }
    push(commands, &[&new])
}

fn wrong_old(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let new = target.change(&old, "src/app.rs", "fix: a");
    let unknown = unknown_id(rng);
    let claimed = rng.pick(&[unknown.as_str(), ZERO, new.as_str()]).to_string();
    push(vec![line(&claimed, &new, &name)], &[&new])
}

fn wrong_old_deletion(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, _) = stage(target, rng);
    push(vec![line(&unknown_id(rng), ZERO, &name)], &[])
}

fn absent(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let missing = unknown_id(rng);
    let tree = target.tree_with(&old, "src/app.rs", "x\n");
    let parentless = target.commit(&tree, &[&missing], "fix: a");
    let treeless = target.commit(&missing, &[&old], "fix: a");
    match rng.below(3) {
        0 => push(vec![line(&old, &missing, &name)], &[&old]),
        1 => {
            let mut push = push(vec![line(&old, &parentless, &name)], &[]);
            push.loose = vec![parentless, tree];
            push
        }
        _ => {
            let mut push = push(vec![line(&old, &treeless, &name)], &[]);
            push.loose = vec![treeless];
            push
        }
    }
}

fn bad_names(target: &Target, rng: &mut Rng) -> HostilePush {
    let (_, old) = stage(target, rng);
    let names = [
        "HEAD",
        "refs/heads/../../config",
        "refs/heads/a b",
        "refs/heads/x.lock",
        "refs//heads/q",
        "refs/x",
        "refs/heads/\u{1b}[2J",
        "refs/heads/x\u{7f}",
        "refs/heads/",
        "refs/heads/.x",
        "refs/heads/x..y",
        "refs/heads/x@{1}",
        "refs/heads/x^",
        "refs/heads/x:y",
        "refs/heads/x\\y",
        "",
        " ",
        "config",
        "../config",
        "objects/info/alternates",
        "refs/heads/x/",
        "/refs/heads/x",
    ];
    let name = rng.pick(&names);
    push(vec![line(ZERO, &old, name)], &[&old])
}

fn lookalikes(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let short = name.trim_start_matches("refs/heads/").to_string();
    let swapped: String = short
        .chars()
        .map(|c| match c {
            'a' => 'а',
            'e' => 'е',
            'i' => 'і',
            's' => 'ѕ',
            other => other,
        })
        .collect();
    let names = [
        format!("refs/heads/{}", short.to_uppercase()),
        format!("refs/heads/{swapped}"),
        format!("refs/heads/refs/heads/{short}"),
        format!("refs/heads/origin/{short}"),
        format!("refs/heads/{short}\u{200b}"),
        format!("refs/heads/{short}\u{202e}"),
        format!("refs/heads/{short}/below"),
        format!("refs/heads/\u{feff}{short}"),
        format!("refs/tags/heads/{short}"),
    ];
    let name = rng.pick(&names);
    let mut push = push(vec![line(ZERO, &old, name)], &[&old]);
    push.who = "ada";
    push
}

fn symbolic(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let alias = format!("refs/heads/alias{}", rng.below(1000));
    crate::target::git(&target.server(), &["symbolic-ref", &alias, &name]);
    let new = target.change(&old, "src/search.rs", "feat: search");
    push(vec![line(&old, &new, &alias)], &[&new])
}

fn push_options(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let orphan = target.commit(&target.tree_with(&old, "src/app.rs", "x\n"), &[], "fix: a");
    let mut push = push(vec![line(&old, &orphan, &name)], &[&orphan]);
    let options: [&[u8]; 6] = [
        b"class=docs\nclass=bugfix",
        b"class=docs\x1b[2J",
        b"class=\xff\xfe",
        b"skip-validation",
        b"class=",
        b"waiver=all",
    ];
    push.options = (0..=rng.below(3)).map(|_| rng.pick(&options).to_vec()).collect();
    push
}

fn not_commits(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let tree = target.tree_with(&old, "src/app.rs", "y\n");
    let blob = target.object("blob", b"x\n");
    let tag = target.object(
        "tag",
        format!("object {old}\ntype commit\ntag x\ntagger A <a@x> 1 +0000\n\nx\n").as_bytes(),
    );
    let value = rng.pick(&[tree, blob, tag]).clone();
    let mut push = push(vec![line(&old, &value, &name)], &[]);
    push.loose = vec![value];
    push
}

fn long_names(target: &Target, rng: &mut Rng) -> HostilePush {
    let (_, old) = stage(target, rng);
    let name = match rng.below(3) {
        0 => format!("refs/heads/{}", "x".repeat(201 + rng.below(4_000))),
        1 => format!("refs/heads/{}y", "x/".repeat(100 + rng.below(500))),
        _ => format!("refs/{}", "a".repeat(1_440 + rng.below(10))),
    };
    push(vec![line(ZERO, &old, &name)], &[&old])
}

fn shallow(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let tree = target.tree_with(&old, "src/app.rs", "z\n");
    let unknown = target.commit(&tree, &[], "start");
    let new = target.commit(&tree, &[&unknown], "fix: a");
    let mut push =
        push(vec![format!("shallow {unknown}").into_bytes(), line(&old, &new, &name)], &[]);
    push.loose = vec![new, tree];
    push
}

fn rewritten(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let text = format!("{}\n", rng.below(1_000_000));
    let tree = target.tree_with(&old, "src/app.rs", &text);
    // A parent that the branch does not have, or none.
    let sibling = target.commit(&tree, &[], "start");
    let new = match rng.below(2) {
        0 => target.commit(&tree, &[], "fix: a"),
        _ => target.commit(&tree, &[&sibling], "fix: a"),
    };
    push(vec![line(&old, &new, &name)], &[&new])
}

fn foxtrot(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let message = format!("docs: {}", rng.below(1000));
    let side = target.commit(&target.tree_with(&old, "docs/guide.md", "side\n"), &[], &message);
    let tree = target.tree_with(&old, "docs/guide.md", "merged\n");
    let new = target.commit(&tree, &[&side, &old], "Merge branch 'dev'");
    push(vec![line(&old, &new, &name)], &[&new])
}

fn octopus(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let one = target.change(&old, "docs/a.md", "docs: a");
    let two = target.change(&old, "docs/b.md", &format!("docs: {}", rng.below(1000)));
    let tree = target.tree_with(&old, "docs/guide.md", "x\n");
    let parents: Vec<&str> = match rng.below(3) {
        0 => vec![&old, &one, &two],
        1 => vec![&old, &one, &one],
        _ => vec![&old, &old],
    };
    let new = target.commit(&tree, &parents, "fix: a");
    push(vec![line(&old, &new, &name)], &[&new])
}

fn malformed_commits(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let tree = target.tree_with(&old, "src/app.rs", "m\n");
    let who = "Ada <ada@x> 1700000000 +0000";
    let (t, p) = (format!("tree {tree}\n"), format!("parent {old}\n"));
    let (a, c) = (format!("author {who}\n"), format!("committer {who}\n"));
    let headers = [
        format!("{t}{p}{a}{a}{c}"),
        format!("{t}{p}{a}{c}{c}"),
        format!("{t}{p}{a}{c}{p}"),
        format!("{t}{t}{p}{a}{c}"),
        format!("{t}{p}author Ada <ada@x> <bob@x> 1700000000 +0000\n{c}"),
        format!("{t}{p}{a}committer Ada <ada@x> 9223372036854775808 +0000\n"),
        format!("{t}{p}{a}committer Ada <ada@x> -5 +0000\n"),
        format!("{t}{p}{a}{c}gpgsig x\ngpgsig y\n"),
        format!("{t}{p}{a}{c}encoding UTF-7\n"),
        format!("{p}{t}{a}{c}"),
        format!("{t}{p}{a}"),
        format!("{t}{p}{c}{a}"),
    ];
    let message: &[u8] = match rng.below(3) {
        0 => b"fix: a\n",
        1 => b"fix: a\0feat: b\n",
        _ => b"\n  \n feat: b\n",
    };
    let mut data = rng.pick(&headers).clone().into_bytes();
    data.push(b'\n');
    data.extend_from_slice(message);
    let new = target.object("commit", &data);
    let mut push = push(vec![line(&old, &new, &name)], &[]);
    push.loose = vec![new, tree];
    push
}

fn malformed_trees(target: &Target, rng: &mut Rng) -> HostilePush {
    let (name, old) = stage(target, rng);
    let blob = target.object("blob", b"x\n");
    let raw: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let mut tree = Vec::new();
    let entries: &[&[u8]] = match rng.below(6) {
        0 => &[b"100644 a", b"100644 a"],
        1 => &[b"100644 b", b"100644 a"],
        2 => &[b"100644 .git"],
        3 => &[b"100644 a/b"],
        4 => &[b"100666 a"],
        _ => &[b"100644 .."],
    };
    for entry in entries {
        tree.extend_from_slice(entry);
        tree.push(0);
        tree.extend_from_slice(&raw);
    }
    let tree = target.object("tree", &tree);
    let new = target.commit(&tree, &[&old], "fix: a");
    let mut push = push(vec![line(&old, &new, &name)], &[]);
    push.loose = vec![new, tree, blob];
    push
}

fn reserved(target: &Target, rng: &mut Rng) -> HostilePush {
    let (_, old) = stage(target, rng);
    let names = [
        format!("refs/replace/{old}"),
        "refs/refgate/log".to_string(),
        "refs/refgate/deleted/heads/dev".to_string(),
        "refs/refgate/id".to_string(),
        format!("refs/refgate/x{}", rng.below(100)),
        "refs/replace/x".to_string(),
    ];
    let name = rng.pick(&names);
    push(vec![line(ZERO, &old, name)], &[&old])
}
