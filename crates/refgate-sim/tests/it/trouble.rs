//! Tests of broken and unusual worlds: they can be restored, and other files are not changed.

use std::fs;
use std::path::Path;

use crate::learner::Learner;

/// The refs of the server and of the clone, and the clock.
fn state(learner: &Learner) -> String {
    learner.does(0, "git -C ../server.git for-each-ref && git for-each-ref && refgate-sim clock")
}

#[test]
fn undo_redo_fork_and_reset_restore_the_world() {
    let learner = Learner::new("");
    learner.start("first-change");
    let begun = state(&learner);
    learner
        .does(0, "git switch -q dev && echo a >> docs/guide.md && git commit -q -a -m 'docs: a'");
    learner.does(0, "git push -q origin dev");
    let pushed = state(&learner);
    learner.does(0, "refgate-sim tick 3d");
    let later = state(&learner);
    assert_ne!(pushed, later);
    learner.does(0, "refgate-sim undo");
    assert_eq!(state(&learner), pushed);
    learner.does(0, "refgate-sim redo");
    assert_eq!(state(&learner), later);
    learner.does(0, "refgate-sim undo 2");
    assert!(learner.does(0, "git log -1 --format=%s").contains("docs: a"));
    assert!(!learner.does(0, "git -C ../server.git log -1 --format=%s dev").contains("docs: a"));
    assert!(learner.does(3, "refgate-sim undo").contains("no earlier step is stored"));
    // A push in a copy does not change the first world.
    learner.does(0, "refgate-sim fork ../../'the other'");
    let other = learner.path("the other/you");
    let (code, said) = learner.run_in(&other, "git push -q origin dev && refgate-sim goal");
    assert!(code == Some(1) && said.contains("Still missing"), "{said}");
    assert!(!learner.does(0, "git -C ../server.git log -1 --format=%s dev").contains("docs: a"));
    learner.does(0, "refgate-sim reset");
    assert_eq!(state(&learner), begun);
}

#[test]
fn reports_a_broken_world_and_restores_it() {
    let learner = Learner::new("");
    learner.start("first-change");
    learner
        .does(0, "git switch -q dev && echo a >> docs/guide.md && git commit -q -a -m 'docs: a'");
    learner.does(0, "git push -q origin dev");
    for broken in [
        "rm -rf .git",
        "rm -rf ../server.git/refs ../server.git/HEAD",
        "git config --unset remote.origin.receivepack",
        "rm ../server.git/refgate/training.toml",
        "echo nonsense > ../refgate-sim/state.toml",
        "rm -rf ../clone",
        "rm ../server.git/hooks/proc-receive",
        "echo 'exit 0' > ../server.git/hooks/pre-receive && ! git push -q origin HEAD~1:dev",
    ] {
        learner.does(0, broken);
        let (_, said) = learner.run_in(&learner.you(), "refgate-sim tick 1h; refgate-sim goal");
        assert!(said.contains("undo"), "{broken}: {said}");
        learner.does(0, "refgate-sim undo");
        learner.does(0, "git status && git fetch && refgate-sim clock");
        learner.does(0, "echo b >> docs/guide.md && git commit -q -a -m 'docs: b'");
        learner.does(0, "git push -q origin HEAD:dev && refgate-sim tick 1h");
    }
    // An edit of a hook does not change the program.
    let hook = Path::new(env!("CARGO_BIN_EXE_refgate-sim")).with_file_name("refgate-hook");
    assert!(fs::metadata(hook).unwrap().len() > 100_000);
    // A world cannot be created in a world, or in a folder with other files.
    let here = learner.path(".");
    let (code, said) = learner.run_in(&here, "refgate-sim start --dir 'my training'");
    assert!(code == Some(3) && said.contains("a training world"), "{said}");
    let (code, said) = learner.run_in(&here, "refgate-sim start --dir home");
    assert!(code == Some(3) && said.contains("is not empty"), "{said}");
    for (line, why) in [
        ("start --dir 'a:b'", "contains a `:`"),
        ("start --policy nowhere.toml --dir new", "nowhere.toml`: No such file"),
        ("start --file nowhere.lesson --dir new", "nowhere.lesson`: No such file"),
        ("start nothing --dir new", "cannot find lesson `nothing`"),
        ("-C 'my training' watch", "cannot use the terminal"),
    ] {
        let (code, said) = learner.run_in(&here, &format!("setsid refgate-sim {line} < /dev/null"));
        assert!(code != Some(0) && said.contains(why), "{line}: {code:?} {said}");
    }
    assert!(!learner.path("a:b").exists() && !learner.path("new").exists());
    let (code, said) = learner.run_in(&here, "refgate-sim goal");
    assert!(code == Some(3) && said.contains("cannot find a training world here"), "{said}");
    // Files of the learner stay.
    fs::write(learner.path("my training/notes.txt"), "mine\n").unwrap();
    let (_, said) = learner.run_in(&here, "refgate-sim -C 'my training' stop");
    assert!(said.contains("your own files are still there"), "{said}");
    assert_eq!(fs::read_to_string(learner.path("my training/notes.txt")).unwrap(), "mine\n");
}

/// The configuration has another default branch, templates, hooks, line endings, and
/// signing without a key.
#[test]
fn overrides_the_learners_git_configuration_without_changing_it() {
    let config = "[init]\n\tdefaultBranch = trunk\n\ttemplateDir = /nowhere\n[core]\n\thooksPath = \
                  /nowhere\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n[tag]\n\tgpgSign = \
                  true\n[push]\n\tgpgSign = true\n[user]\n\tname = Someone\n\temail = some@one\n";
    let learner = Learner::new(config);
    learner.start("first-change");
    learner.does(0, "git switch -q dev && echo a >> docs/guide.md");
    learner
        .does(0, "git commit -q -a -m 'docs: typing error in the guide' && git push -q origin dev");
    assert!(learner.does(0, "refgate-sim goal").contains("The goal is reached."));
    assert_eq!(learner.does(0, "git log -1 --format=%an"), "ada");
    assert_eq!(fs::read_to_string(learner.path("home/.gitconfig")).unwrap(), config);
}

/// The server uses the training clock of the simulator, and no other date.
#[test]
fn ignores_every_clock_except_the_training_clock() {
    let learner = Learner::new("");
    learner.start("freeze-day-12");
    // The freeze ends on 2027-01-11 at the earliest. A forged date of a commit, or in the
    // pusher's environment, has no effect.
    learner.does(0, "git switch -q dev && git merge -q --no-ff --no-edit origin/feature/search");
    let late = "GIT_COMMITTER_DATE=2028-01-01T00:00:00Z GL_USER=grace git push -q origin dev";
    assert!(learner.does(1, late).contains("[freeze]"));
    learner.does(0, "rm ../server.git/refgate/training.toml");
    let said = learner.does(128, "git push -q origin dev");
    assert!(said.contains("cannot use the server"), "{said}");
}

#[test]
fn plays_the_same_events_for_the_same_seed() {
    let play = |seed: u32| {
        let learner = Learner::new("");
        let here = learner.path(".");
        let line = format!("refgate-sim play --days 12 --seed {seed} --dir 'my training'");
        let (code, said) = learner.run_in(&here, &line);
        assert_eq!(code, Some(0), "{said}");
        format!("{said}\n{}", learner.does(0, "git -C ../server.git for-each-ref refs/heads"))
    };
    let first = play(7);
    assert_eq!(first, play(7));
    assert_ne!(first, play(8));
    assert!(first.contains("accept"), "{first}");
}

/// A failed `always` condition is reported, and stays until the day is undone.
#[test]
fn reports_a_failed_day_until_it_is_undone() {
    let learner = Learner::new("");
    learner.start("capstone --seed 3");
    learner.does(0, "git switch -q main && echo a >> src/app.rs");
    learner.does(0, "git commit -q -a -m 'hotfix: disk full' && git push -q origin main");
    let said = learner.does(0, "refgate-sim tick 10d");
    assert!(
        said.contains("lacks \"hotfix: disk full\", which main has (overdue); `refgate-sim undo`"),
        "{said}"
    );
    learner.does(0, "git switch -q stg && git merge -q --no-edit origin/main");
    learner.does(
        0,
        "git switch -q dev && git pull -q origin dev && git merge -q --no-edit origin/main",
    );
    learner.does(0, "git push -q origin dev stg");
    assert!(
        learner.does(1, "refgate-sim goal").contains("(overdue); `refgate-sim undo` goes back")
    );
    learner.does(0, "refgate-sim undo 2");
    assert!(!learner.does(1, "refgate-sim goal").contains("undo` goes back"));
}

/// A lesson writes only into its own worktree, and no symbolic link is followed.
#[test]
fn changes_nothing_outside_of_the_world() {
    let learner = Learner::new("");
    let here = learner.path(".");
    fs::create_dir_all(learner.path("other/.git/objects")).unwrap();
    fs::write(learner.path("other/mine"), "precious\n").unwrap();
    for path in ["/etc/x", "../../escaped", "a/../../x", ".git/config", "a/.GIT/hooks/x", "git~1/x"]
    {
        let text = "lesson x\ntitle x\nyou ada\ntask\n  x\ngoal\n  dev has \"x\"\nsolution\n  ada commits \"x\" on dev, changing PATH\n";
        fs::write(learner.path("x.lesson"), text.replace("PATH", path)).unwrap();
        let (code, said) = learner.run_in(&here, "refgate-sim lint x.lesson");
        assert!(code != Some(0) && said.contains("not a path in the worktree"), "{path}: {said}");
    }
    learner.start("first-change");
    learner.does(0, "rm -rf ../you && ln -s ../other ../you");
    learner.run_in(&here, "refgate-sim -C 'my training' reset");
    assert_eq!(fs::read_to_string(learner.path("other/mine")).unwrap(), "precious\n");
    assert!(learner.path("other/.git/objects").is_dir());
    learner.does(0, "git status");
    // A reset is a step that can be undone.
    learner.does(0, "echo mine > mine && refgate-sim reset && test ! -e mine");
    learner.does(0, "refgate-sim undo && test -e mine");
}

/// A second command waits for the lock of the first.
#[test]
fn runs_concurrent_commands_one_after_another() {
    let learner = Learner::new("");
    learner.start("edited-pick");
    let many = "for i in 1 2 3 4 5 6; do refgate-sim tick 1d & git push -q origin HEAD:topic/m$i & done; wait";
    let said = learner.does(0, many);
    assert!(!said.contains("os error"), "{said}");
    assert!(learner.does(0, "refgate-sim clock").contains("6 days after"));
    assert_eq!(
        learner.does(0, "git -C ../server.git for-each-ref 'refs/heads/topic/m*' | wc -l"),
        "6"
    );
    for _ in 0..12 {
        learner.does(0, "refgate-sim undo");
    }
    assert!(!learner.does(0, "refgate-sim clock").contains("after"));
    learner.does(3, "refgate-sim undo");
}

/// These names need quotes or escapes in the settings of Git.
#[test]
fn accepts_unusual_folder_names() {
    let learner = Learner::new("");
    for name in ["a#b", "a;b", "a\"b", "a\\b", "ünï"] {
        let here = learner.path(".");
        let line = format!("refgate-sim start first-change --dir '{name}'");
        let (code, said) = learner.run_in(&here, &line);
        assert_eq!(code, Some(0), "{name}: {said}");
        let you = learner.path(name).join("you");
        let (_, said) =
            learner.run_in(&you, "git remote -v | wc -l; git switch -q dev && git push origin dev");
        assert!(said.starts_with("2\n") && said.contains("up-to-date"), "{name}: {said}");
    }
}

/// The steps of the outer world would contain a world inside it.
#[test]
fn rejects_a_world_inside_another() {
    let learner = Learner::new("");
    learner.start("first-change");
    for line in ["start hotfix --dir new", "fork new", "play --dir ../new"] {
        let said = learner.does(3, &format!("refgate-sim {line}"));
        assert!(said.contains("is inside the training world"), "{line}: {said}");
    }
    // By default, the new world is beside the current one.
    let said = learner.does(0, "refgate-sim start hotfix && git status --short");
    assert!(said.contains("Go there: cd HERE/hotfix/you") && !said.contains("??"), "{said}");
    let said = learner.does(0, "refgate-sim play --days 1");
    assert!(said.contains("HERE/free-play/you"), "{said}");
    // The log has a time for each event, and each event once.
    let log = "refgate-sim play --days 6 && refgate-sim log";
    let (code, said) = learner.run_in(&learner.path("free-play/you"), log);
    let log = said.lines().filter(|line| line.contains(" UTC   "));
    assert!(code == Some(0) && log.clone().count() > 2 && !said.contains("says   day"), "{said}");
    learner.does(2, "refgate-sim play --days 1000000");
}

/// A change that `why` suggests makes the push pass.
#[test]
fn suggests_only_changes_that_pass() {
    let learner = Learner::new("");
    learner.start("freeze-day-12");
    learner.does(0, "git switch -q dev && echo x >> docs/guide.md && git commit -qam 'docs: x'");
    learner.does(0, "git merge -q --no-ff --no-edit origin/feature/search");
    learner.does(1, "git push -q origin dev");
    let said = learner.does(0, "refgate-sim why");
    let ways = said.lines().filter_map(|line| line.split_once("git push origin "));
    let way = ways.map(|(_, way)| way.to_string()).next_back().unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("- without ") && way.ends_with(":dev"), "{said}");
    // A waiver of the release manager is suggested, too.
    assert!(said.contains("now, if this is recorded first: grace waives freeze"), "{said}");
    // A later record does not change the suggestions.
    learner.does(0, "refgate evidence blocker --release v2.0.0 --reason r -y");
    assert!(learner.does(0, "refgate-sim why").contains("the push passes (tested)"));
    learner.does(0, &format!("git push -q origin {way}"));
    assert!(learner.does(0, "refgate-sim why").contains("no findings"));
}

/// The clone of a moved world is repaired, and a push does not reach a world at the old
/// path.
#[test]
fn repairs_a_moved_world() {
    let learner = Learner::new("");
    learner.start("fast-track");
    let (here, moved) = (learner.path("."), learner.path("moved"));
    fs::rename(learner.path("my training"), &moved).unwrap();
    learner.start("fast-track");
    let approve = "git fetch -q && refgate approve freeze origin/feature/export --reason r -y";
    // The push fails, and the other world gets nothing.
    let (code, said) = learner.run_in(&moved.join("you"), approve);
    assert!(code != Some(0) && said.contains("this world was moved"), "{said}");
    learner.run_in(&moved.join("you"), "refgate-sim goal");
    let (code, said) = learner.run_in(&moved.join("you"), approve);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = learner.run_in(&moved.join("you"), "refgate-sim goal");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = learner.run_in(&here, "refgate-sim -C 'my training' goal");
    assert_eq!(code, Some(1), "{said}");
}

/// A teammate reports a rejected push, and tries again after the next change.
#[test]
fn retries_a_rejected_push_of_a_teammate() {
    let learner = Learner::new("");
    learner.start("fast-track");
    let said = learner.does(0, "git fetch -q && refgate approve freeze origin/dev --reason r -y");
    assert!(said.contains("ada: the server rejected my push (freeze)"), "{said}");
    assert!(!said.contains("I have pushed it"), "{said}");
    let right = "refgate approve freeze origin/feature/export --reason r -y";
    assert!(learner.does(0, right).contains("ada: I have pushed it"));
    learner.does(0, "refgate-sim goal");
}
