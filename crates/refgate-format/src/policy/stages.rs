//! Reads the stages, release lines and roles of a policy.

use std::collections::BTreeMap;

use refgate_core::{Flow, Glob, LinePattern, MAX_STAGES, RefName, Roles, Stage};

use super::role;
use crate::complaint::Complaints;
use crate::table::{Section, SpannedText, list_of};

pub(super) fn roles(c: &mut Complaints<'_>, root: &mut Section<'_>) -> Roles {
    let mut all = BTreeMap::new();
    let Some(section) = root.table(c, "roles") else { return Roles(all) };
    for (name, value) in section.entries() {
        let people: Vec<String> = list_of(c, value).into_iter().map(|person| person.text).collect();
        if people.is_empty() {
            c.add(value.span(), format!("the role `{}` has no people", name.text));
        }
        all.insert(name.text, people);
    }
    Roles(all)
}

pub(super) fn flow(c: &mut Complaints<'_>, root: &mut Section<'_>, roles: &Roles) -> Flow {
    let mut flow = Flow::default();
    for section in root.tables(c, "stage") {
        let span = section.span();
        if let Some(stage) = stage(c, section, roles) {
            if flow.stages.iter().any(|other| other.branch == stage.branch) {
                c.add(span, format!("the branch `{}` is listed as a stage twice", stage.branch));
            }
            flow.stages.push(stage);
        }
    }
    if flow.stages.is_empty() {
        c.hint(root.span(), "the policy has no stages", "add a `[[stage]]` for each branch");
    }
    if flow.stages.len() > MAX_STAGES {
        c.add(root.span(), format!("a flow has at most {MAX_STAGES} stages"));
    }
    if !flow.stages.is_empty() && flow.production().is_none() {
        c.hint(root.span(), "no stage is production", "set `production = true` in one stage");
    }
    for section in root.tables(c, "line") {
        flow.lines.extend(line(c, section, roles));
    }
    flow
}

fn stage(c: &mut Complaints<'_>, mut section: Section<'_>, roles: &Roles) -> Option<Stage> {
    let branch = section.required(c, "branch");
    let environment = section.text(c, "environment").map(|text| text.text);
    let production = section.flag(c, "production").unwrap_or(false);
    let pushers = people(c, &mut section, roles);
    section.finish(c);
    let branch = branch?;
    match RefName::branch(&branch.text) {
        Ok(name) => Some(Stage {
            environment: environment.unwrap_or_else(|| branch.text.clone()),
            branch: name,
            production,
            pushers,
        }),
        Err(why) => {
            c.hint(branch.span, format!("`{}` is not a branch name", branch.text), why.to_string());
            None
        }
    }
}

fn line(c: &mut Complaints<'_>, mut section: Section<'_>, roles: &Roles) -> Option<LinePattern> {
    let branches = section.required(c, "branches");
    let pushers = people(c, &mut section, roles);
    section.finish(c);
    Some(LinePattern { branches: glob(c, &branches?)?, pushers })
}

fn people(c: &mut Complaints<'_>, section: &mut Section<'_>, roles: &Roles) -> Vec<String> {
    let names = section.list(c, "pushers");
    names.iter().filter_map(|name| role(c, roles, name)).collect()
}

pub(super) fn glob(c: &mut Complaints<'_>, text: &SpannedText) -> Option<Glob> {
    let glob = Glob::new(&text.text);
    if glob.is_none() {
        let what = format!("`{}` is not a path pattern", text.text);
        c.hint(text.span.clone(), what, "such as `docs/**` or `**/*.md`");
    }
    glob
}
