//! Tests of `git backport status`: which branches contain a fix.

use crate::world::World;

/// Fixes that reach branches in every way, with gaps and a missing follow-up.
#[test]
fn where_everything_has_landed() {
    let world = World::new();
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let other = world.fix("fix: b", "lib.txt", "b\n", "B\n");
    let undone = world.fix("fix: five", "app.txt", "five\n", "5\n");
    // Picks with a trailer, without one, and by another author; and a chain of picks.
    world.on("release/1.2", &["cherry-pick", "-x", &fix]);
    let picked = world.git(&["rev-parse", "release/1.2"]);
    world.on("release/1.1", &["cherry-pick", "-x", &picked]);
    world.on("release/1.2", &["cherry-pick", &other]);
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("lib.txt", "b\n", "B\n");
    world.commit("[1.0] fix: b (#12)");
    // One is reverted, the other one is reverted and landed again.
    world.on("release/1.2", &["cherry-pick", "-x", &undone]);
    world.on("release/1.2", &["revert", "--no-edit", "HEAD"]);
    world.on("release/1.0", &["cherry-pick", "-x", &undone]);
    world.on("release/1.0", &["revert", "--no-edit", "HEAD"]);
    world.on("release/1.0", &["revert", "--no-edit", "HEAD"]);
    // A pick that changes nothing does not count.
    world.on(
        "release/1.1",
        &[
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            &format!("fix: b\n\n(cherry picked from commit {other})"),
        ],
    );
    // The fix has a follow-up that nobody backported.
    let body = format!("fix: two, really\n\nFixes: {}", &fix[..12]);
    world.fix(&body, "app.txt", "2\n", "II\n");
    insta::assert_snapshot!(world.does(0, &["status", &fix, &other, &undone]));
    insta::assert_snapshot!("wants_attention", world.does(1, &["status", "--exit-code"]));
    // Content and author alone lead to the same result.
    let alone = world.does(0, &["status", "--ignore-trailers", &fix]);
    assert!(alone.contains("equivalent     release/1.1"), "{alone}");
    let json = world.does(0, &["status", "--json", &fix]);
    assert!(json.contains("\"state\":\"picked\"") && json.contains("\"confidence\":99"), "{json}");
    // The cache can be truncated or deleted at any time.
    let kept = world.path().join(".git/refgate/backport.cache");
    let text = std::fs::read_to_string(&kept).unwrap();
    let before = world.does(0, &["status", "--all"]);
    std::fs::write(&kept, &text[..text.len() / 2]).unwrap();
    assert_eq!(world.does(0, &["status", "--all"]), before);
    std::fs::remove_file(&kept).unwrap();
    assert_eq!(world.does(0, &["status", "--all"]), before);
}

/// Completion works for `git-backport` and for `git backport`.
#[test]
fn bash_completes_verbs_and_options() {
    let world = World::new();
    world.write("script", &world.does(0, &["completions", "bash"]));
    for (line, wanted) in [
        (
            "COMP_WORDS=(git-backport apply --pre); COMP_CWORD=2; _git__backport git-backport --pre",
            "--prerequisites",
        ),
        (
            "COMP_WORDS=(git -C x backport sta); COMP_CWORD=4; __git_cmd_idx=3; _git_backport",
            "status",
        ),
        ("COMP_WORDS=(git backport apply --by); COMP_CWORD=3; _git_backport", "--by-hand"),
    ] {
        let script = format!(". ./script; {line}; echo \"${{COMPREPLY[@]}}\"");
        let mut bash = std::process::Command::new("bash");
        let said = bash.args(["-c", &script]).current_dir(world.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), wanted, "{line}");
    }
}

/// `plan` warns of reverts and follow-ups of a fix, and `status` shows the branches that
/// are missing them.
#[test]
fn warns_of_reverts_and_follow_ups() {
    let world = World::new();
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    world.on("release/1.2", &["cherry-pick", "-x", &fix]);
    world.on("release/1.2", &["revert", "--no-edit", "HEAD"]);
    world.on("release/1.2", &["revert", "--no-edit", "HEAD"]);
    world.git(&["revert", "--no-edit", &fix]);
    let said = world.does(0, &["plan", &fix, "--to", "release/1.1"]);
    assert!(said.contains(&format!("warning: {} was reverted on main", &fix[..10])), "{said}");
    let said = world.does(0, &["status", &fix]);
    assert!(said.contains("Revert \"fix: two\" is not on release/1.2"), "{said}");
    let other = world.fix("fix: five", "app.txt", "five\n", "5\n");
    let body = format!("fix: five, really\n\nFixes: {}", &other[..12]);
    let mend = world.fix(&body, "app.txt", "5\n", "V\n");
    let said = world.does(0, &["plan", &other, "--to", "release/1.1"]);
    assert!(said.contains(&format!("{} fix: five, really is a", &mend[..10])), "{said}");
    let said = world.does(0, &["plan", &other, &mend, "--to", "release/1.1"]);
    assert!(!said.contains("follow-up"), "{said}");
}

/// A merge with the same date as its side commit is not the original.
#[test]
fn a_merge_is_not_the_original_of_its_side_commit() {
    let world = World::new();
    let now = "--date=2026-06-01T10:00:00Z";
    world.git(&["switch", "-q", "-c", "topic"]);
    world.edit("app.txt", "two\n", "2\n");
    world.git(&["commit", "-q", "-a", "-m", "fix: two", now]);
    let fix = world.git(&["rev-parse", "HEAD"]);
    world.git(&["switch", "-q", "main"]);
    world.git(&["merge", "-q", "--no-ff", "--no-commit", "topic"]);
    world.git(&["commit", "-q", "-m", "Merge branch 'topic'", now]);
    world.on(
        "release/1.2",
        &["merge", "-q", "--no-ff", "-m", "Merge branch 'topic' into 1.2", "topic"],
    );
    let said = world.does(0, &["status", &fix]);
    assert!(said.starts_with(&fix[..12]) && said.contains("original       main"), "{said}");
}

/// The copies of a missing original are found by the id that their messages name.
#[test]
fn finds_copies_of_a_missing_original() {
    let world = World::new();
    let gone = "0123456789abcdef0123456789abcdef01234567";
    world.git(&["switch", "-q", "release/1.1"]);
    world.edit("app.txt", "two\n", "2\n");
    let copy = world.commit(&format!("fix: two\n\n(cherry picked from commit {gone})"));
    let said = world.does(0, &["status", &gone[..10]]);
    assert!(
        said.contains(&format!("release/1.1 ({}): its message names an", &copy[..10])),
        "{said}"
    );
    world.does(3, &["status", "0123456789abcdee"]);
}

/// One commit of a line names several originals.
#[test]
fn a_squashed_backport_counts_for_each() {
    let world = World::new();
    let one = world.fix("fix: one", "app.txt", "one\n", "1\n");
    let two = world.fix("fix: h", "lib.txt", "h\n", "H\n");
    world.git(&["switch", "-q", "release/1.1"]);
    world.git(&["cherry-pick", "-n", &one]);
    world.git(&["cherry-pick", "-n", &two]);
    world.commit(&format!(
        "Backports\n\n(cherry picked from commit {one})\n(cherry picked from commit {two})"
    ));
    for fix in [one, two] {
        let said = world.does(0, &["status", &fix]);
        assert!(said.contains("picked         release/1.1"), "{said}");
        assert!(said.contains("gap            release/1.2"), "{said}");
    }
}

#[test]
fn reports_invalid_arguments() {
    let world = World::new();
    for (arguments, code, why) in [
        (&["status", "nowhere"][..], 3, "nowhere"),
        (&["status", "--line", "release/9.*"], 3, "none matches `release/9.*`"),
        (&["status", "--upstream", "trunk"], 3, "cannot find branch `trunk`"),
        (&["plan", "main..main"], 3, "cannot find a commit to pick in main..main"),
        (&["plan", "main", "--to", "release/9"], 3, "it is not selected"),
        (&["continue"], 3, "cannot find an unfinished backport"),
        (&["undo"], 3, "cannot undo: there is no backport"),
        (&["receipt", "main"], 3, "a pick must have exactly one parent"),
    ] {
        let said = world.does(code, arguments);
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}

/// An older line does not get a fix that a newer line is missing. An empty pick is not
/// written. A reverted fix is picked again only with `--again`. Notes are copied.
#[test]
fn apply_protects_against_gaps_and_reverts() {
    let world = World::new();
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    world.git(&["notes", "add", "-m", "reviewed by uma", &fix]);
    let mut story = Vec::new();
    let mut tells = |code: i32, arguments: &[&str]| {
        story.push(format!("$ git backport {}", arguments.join(" ")));
        story.push(world.does(code, arguments));
    };
    tells(1, &["apply", &fix, "--to", "release/1.0"]);
    tells(0, &["apply", &fix, "--to", "release/1.0", "--straight", "--gap"]);
    tells(0, &["status", &fix]);
    tells(0, &["apply", &fix, "--straight"]);
    assert_eq!(world.git(&["notes", "show", "release/1.1"]), "reviewed by uma");
    // Another commit has made the same change, so the pick is empty.
    let other = world.fix("fix: b", "lib.txt", "b\n", "B\n");
    world.git(&["switch", "-q", "release/1.2"]);
    world.edit("lib.txt", "b\n", "B\n");
    world.edit("lib.txt", "h\n", "H\n");
    world.commit("chore: capitals");
    world.git(&["switch", "-q", "main"]);
    tells(0, &["plan", &other, "--to", "release/1.2"]);
    tells(0, &["apply", &other, "--to", "release/1.2"]);
    // Reverted, and picked again.
    world.on("release/1.2", &["revert", "--no-edit", "release/1.2~1"]);
    tells(1, &["plan", &fix, "--to", "release/1.2"]);
    tells(0, &["apply", &fix, "--to", "release/1.2", "--again", "--straight"]);
    tells(0, &["status", &fix]);
    insta::assert_snapshot!("rejected", story.join("\n"));
}

/// A fix that a merge brings from the oldest line to `main` has a gap on the lines
/// between.
#[test]
fn shows_a_gap_after_a_merge_past_other_lines() {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "2\n");
    let fix = world.commit("fix: two");
    world.on("main", &["merge", "-q", "--no-ff", "--no-edit", "release/1.0"]);
    let said = world.does(1, &["status", "--exit-code"]);
    assert!(said.contains(&fix[..12]) && said.contains("gap"), "{said}");
    for line in ["release/1.1", "release/1.2"] {
        world.on(line, &["merge", "-q", "--no-ff", "--no-edit", "release/1.0"]);
    }
    world.does(0, &["status", "--exit-code"]);
}

/// A title in another encoding is equal to the same title in UTF-8.
#[test]
fn finds_a_pick_with_another_encoding() {
    let world = World::new();
    world.edit("app.txt", "two\n", "2\n");
    std::fs::write(world.path().join(".git/said"), b"fix: Gr\xfc\xdfe\n").unwrap();
    let latin = ["-c", "i18n.commitEncoding=ISO-8859-1"];
    world.git(&[&latin[..], &["commit", "-q", "-a", "-F", ".git/said"]].concat());
    let fix = world.git(&["rev-parse", "HEAD"]);
    // Git writes the pick in UTF-8. The pick has another diff.
    world.on("release/1.0", &["cherry-pick", &fix]);
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "2\n", "II\n");
    world.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
    let said = world.does(0, &["status", &fix]);
    assert!(said.contains("fix: Grüße") && said.contains("similar        release/1.0"), "{said}");
}
