//! Reads the classes of a policy, their limits and their declarations.

use refgate_core::{
    Bounds, Class, ClassId, Classes, DeclarationSource, Declarations, MergeClass, WordPattern,
};
use toml::Spanned;
use toml::de::DeValue;

use super::stages::glob;
use crate::complaint::{Complaints, nearest};
use crate::table::{Section, SpannedText, list_of, table_of, text_of, wrong_type};

pub(super) fn classes(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    base: &mut Section<'_>,
) -> (Classes, MergeClass, bool) {
    let mut merge = MergeClass::Declared;
    let mut declared_only = false;
    let mut own_order = None;
    if let Some(mut section) = root.table(c, "classes") {
        own_order = section.value("order");
        if let Some(text) = section.text(c, "merge") {
            match text.text.as_str() {
                "declared" => merge = MergeClass::Declared,
                "highest" => merge = MergeClass::Highest,
                _ => c.hint(text.span, "unknown value", "expected `declared` or `highest`"),
            }
        }
        declared_only = section.flag(c, "declared-only").unwrap_or(false);
        section.finish(c);
    }
    let standard = base.table(c, "classes").and_then(|mut section| section.value("order"));
    let mut all = own_order.or(standard).map_or_else(Vec::new, |value| order(c, value));
    bounds(c, base, &mut all, false);
    bounds(c, root, &mut all, true);
    let classes = Classes::new(all);
    if classes.is_none() {
        c.add(root.span(), "a policy has at most 250 classes");
    }
    (classes.unwrap_or_default(), merge, declared_only)
}

/// Reads a list of names. A list inside it contains classes of one rank.
fn order(c: &mut Complaints<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Class> {
    let mut all: Vec<Class> = Vec::new();
    let Some(array) = value.get_ref().as_array() else {
        wrong_type(c, value, "a list of class names");
        return all;
    };
    for (rank, item) in array.iter().enumerate() {
        let same_rank = if item.get_ref().is_array() {
            list_of(c, item)
        } else {
            text_of(c, item).into_iter().collect()
        };
        for name in same_rank {
            if all.iter().any(|class| class.name.eq_ignore_ascii_case(&name.text)) {
                c.add(name.span.clone(), format!("the class `{}` is listed twice", name.text));
            }
            let rank = u8::try_from(rank).unwrap_or(u8::MAX - 1);
            all.push(Class { name: name.text, rank, bounds: Bounds::default() });
        }
    }
    all
}

/// Reads `[class.NAME]`, the limits of a class. A section of the policy replaces the standard
/// section as a whole. Standard limits of classes that the policy does not have are skipped.
fn bounds(c: &mut Complaints<'_>, from: &mut Section<'_>, all: &mut [Class], own: bool) {
    let Some(sections) = from.table(c, "class") else { return };
    for (name, value) in sections.entries() {
        let Some(mut section) = table_of(c, &format!("class.{}", name.text), value) else {
            continue;
        };
        let mut globs = |c: &mut Complaints<'_>, key| {
            section.list(c, key).iter().filter_map(|text| glob(c, text)).collect()
        };
        let found =
            Bounds { only: globs(c, "only"), adds: globs(c, "adds"), never: globs(c, "never") };
        section.finish(c);
        match all.iter_mut().find(|class| class.name == name.text) {
            Some(class) => class.bounds = found,
            None if own => {
                unknown_class(c, &name, all.iter().map(|class| class.name.as_str()));
            }
            None => {}
        }
    }
}

fn unknown_class<'n>(
    c: &mut Complaints<'_>,
    name: &SpannedText,
    known: impl Iterator<Item = &'n str> + Clone,
) {
    let what = format!("unknown class `{}`", name.text);
    match nearest(&name.text, known.clone()) {
        Some(near) => c.hint(name.span.clone(), what, format!("did you mean `{near}`?")),
        None => {
            let all: Vec<&str> = known.collect();
            c.hint(name.span.clone(), what, format!("known classes: {}", all.join(", ")));
        }
    }
}

pub(super) fn class(
    c: &mut Complaints<'_>,
    classes: &Classes,
    name: &SpannedText,
) -> Option<ClassId> {
    let found = classes.find(&name.text);
    if found.is_none() {
        let names: Vec<&str> = classes.names().collect();
        unknown_class(c, name, names.iter().copied());
    }
    found
}

/// Reads a list of class names.
pub(super) fn class_list(
    c: &mut Complaints<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    classes: &Classes,
) -> Vec<ClassId> {
    section.list(c, key).iter().filter_map(|name| class(c, classes, name)).collect()
}

pub(super) fn declarations(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    base: &mut Section<'_>,
    classes: &Classes,
) -> Declarations {
    let mut own = root.table(c, "declare");
    let mut standard = base.table(c, "declare");
    let order = own.as_mut().map_or_else(Vec::new, |section| section.list(c, "order"));
    let order: Vec<DeclarationSource> = order.iter().filter_map(|text| source(c, text)).collect();
    let trailer = own.as_mut().and_then(|section| section.text(c, "trailer"));
    let mut pick = |c: &mut Complaints<'_>, key: &'static str| {
        if let Some(table) = own.as_mut().and_then(|section| section.table(c, key)) {
            return (Some(table), true);
        }
        (standard.as_mut().and_then(|section| section.table(c, key)), false)
    };
    let mut lists = |c: &mut Complaints<'_>, key: &'static str| {
        let (section, strict) = pick(c, key);
        section.map_or_else(Vec::new, |section| by_class(c, &section, classes, strict))
    };
    let lower = |list: Vec<(SpannedText, ClassId)>| {
        list.into_iter().map(|(text, class)| (text.text.to_lowercase(), class)).collect()
    };
    let authors = lower(lists(c, "author"));
    let conventional = lower(lists(c, "conventional"));
    let branches = lists(c, "branch");
    let subjects = lists(c, "subject");
    let (branches, subjects) = (words(c, branches, classes), words(c, subjects, classes));
    if let Some(section) = own {
        section.finish(c);
    }
    Declarations {
        order: if order.is_empty() { DeclarationSource::ALL.to_vec() } else { order },
        trailer: trailer.map_or_else(|| "Change-Class".to_string(), |text| text.text),
        authors,
        branches,
        conventional,
        subjects,
    }
}

fn source(c: &mut Complaints<'_>, text: &SpannedText) -> Option<DeclarationSource> {
    let found = DeclarationSource::ALL.into_iter().find(|source| source.name() == text.text);
    if found.is_none() {
        let what = format!("unknown kind of declaration `{}`", text.text);
        let names: Vec<&str> = DeclarationSource::ALL.iter().map(|source| source.name()).collect();
        c.hint(text.span.clone(), what, format!("expected one of: {}", names.join(", ")));
    }
    found
}

/// Reads `{ class = [texts] }` as pairs. Standard entries for classes that the policy does not
/// have are skipped.
fn by_class(
    c: &mut Complaints<'_>,
    section: &Section<'_>,
    classes: &Classes,
    strict: bool,
) -> Vec<(SpannedText, ClassId)> {
    let mut all = Vec::new();
    for (name, value) in section.entries() {
        let found = if strict { class(c, classes, &name) } else { classes.find(&name.text) };
        let texts = list_of(c, value);
        all.extend(found.into_iter().flat_map(|id| texts.iter().map(move |t| (t.clone(), id))));
    }
    all
}

/// Sorts patterns, the most specific first: more words before fewer, then the higher class. The
/// order of the file must not matter.
fn words(
    c: &mut Complaints<'_>,
    texts: Vec<(SpannedText, ClassId)>,
    classes: &Classes,
) -> Vec<(WordPattern, ClassId)> {
    let mut all = Vec::new();
    for (text, class) in texts {
        match WordPattern::new(&text.text) {
            Some(words) => {
                let parts = words.as_str().split(|c: char| !c.is_alphanumeric());
                let word_count = parts.filter(|word| !word.is_empty()).count();
                all.push((word_count, classes.rank(class), words, class));
            }
            None => c.add(text.span, "a pattern needs at least one word"),
        }
    }
    all.sort_by(|(more, high, a, _), (less, low, b, _)| {
        let text = || a.as_str().cmp(b.as_str());
        less.cmp(more).then(low.cmp(high)).then_with(text)
    });
    all.into_iter().map(|(_, _, words, class)| (words, class)).collect()
}
