//! A newcomer completes the path `60-minutes`, command by command.

use crate::learner::Learner;

/// The command lines of each lesson, and their exit codes.
const WALK: [(&str, &[(i32, &str)]); 9] = [
    (
        "first-change",
        &[
            (1, "refgate-sim goal"),
            (0, "git switch -q dev && echo better >> docs/guide.md"),
            (0, "git commit -q -a -m 'docs: typing error in the guide'"),
            (0, "git push -q origin dev"),
            (0, "refgate-sim goal"),
        ],
    ),
    (
        "teammate-was-faster",
        &[
            (
                0,
                "git switch -q dev && echo round >> src/app.rs && git commit -q -a -m 'fix: rounding'",
            ),
            (0, "refgate-sim tick 1h"),
            (1, "git push origin dev"),
            (0, "git pull -q --rebase origin dev && git push -q origin dev"),
            (0, "refgate-sim goal | tail -2"),
        ],
    ),
    (
        "cut-a-candidate",
        &[
            (
                0,
                "git switch -q stg && git merge -q --squash origin/dev && git commit -q -m 'Candidate 1'",
            ),
            (1, "git push -q origin stg"),
            (0, "refgate-sim hint"),
            (0, "git reset -q --hard origin/stg && git push -q origin origin/dev:stg"),
            (0, "refgate-sim goal | tail -2"),
        ],
    ),
    (
        "uat-fails",
        &[
            (0, "refgate-sim tick 1d"),
            (0, "git fetch -q"),
            (1, "git push -q origin origin/dev:stg"),
            (0, "git fetch -q && refgate release candidate v2.1.0 --reason mended -y"),
            (0, "git push -q origin origin/dev:stg"),
            (0, "refgate-sim goal | tail -2"),
        ],
    ),
    (
        "release-and-merge-back",
        &[
            (0, "git fetch -q"),
            (0, "refgate certify grace --course operator --for '30 days' --reason course -y"),
            (0, "refgate sign-off --meaning validation --reason 'protocol 12' -y"),
            (0, "refgate sign-off --meaning change-approval --reason 'CAB 77' -y"),
            (0, "refgate ledger verify"),
            (0, "refgate-sim goal | tail -2"),
        ],
    ),
    (
        "freeze-day-12",
        &[
            (
                0,
                "git switch -q dev && git merge -q --no-ff -m 'Merge branch feature/search' origin/feature/search",
            ),
            (1, "git push -q origin dev"),
            (0, "refgate-sim why"),
            (0, "git reset -q --hard origin/dev && echo search >> docs/guide.md"),
            (0, "git commit -q -a -m 'docs: how to search' && git push -q origin dev"),
            (0, "refgate-sim goal | tail -2"),
        ],
    ),
    (
        "hotfix",
        &[
            (
                0,
                "git switch -q main && echo mended >> src/app.rs && git commit -q -a -m 'hotfix: crash at start'",
            ),
            (0, "git push -q origin main"),
            (1, "refgate-sim goal | sed -n '/missing/,$p'; false"),
            (
                0,
                "git switch -q stg && git merge -q --no-edit origin/main && git push -q origin stg",
            ),
            (
                0,
                "git switch -q dev && git merge -q --no-edit origin/main && git push -q origin dev",
            ),
            (0, "refgate-sim goal | tail -2"),
        ],
    ),
    (
        "capstone",
        &[
            (0, "refgate-sim tick 5d"),
            (0, "git fetch -q && git switch -q main && echo space >> src/app.rs"),
            (0, "git commit -q -a -m 'hotfix: disk full' && git push -q origin main"),
            (
                0,
                "git switch -q stg && git merge -q --no-edit origin/main && git push -q origin stg",
            ),
            (
                0,
                "git switch -q dev && git pull -q origin dev && git merge -q --no-edit origin/main",
            ),
            (0, "git push -q origin dev"),
            (0, "refgate-sim tick 25d"),
            (0, "refgate-sim goal | tail -2"),
        ],
    ),
    (
        "first-change",
        &[(0, "refgate-sim lessons"), (0, "refgate-sim certificate --name ada | grep -v '^at = '")],
    ),
];

#[test]
fn completes_the_60_minute_path() {
    let learner = Learner::new("");
    let mut story = String::new();
    for (lesson, lines) in WALK {
        story += &format!("=== refgate-sim start {lesson}\n{}\n", learner.start(lesson));
        for (code, line) in lines {
            let said = learner.does(*code, line);
            story += &format!("\n$ {line}\n{said}");
            story = story.trim_end().to_string() + "\n";
        }
        learner.stop();
        story += "\n";
    }
    insta::assert_snapshot!("sixty_minutes", story);
}
