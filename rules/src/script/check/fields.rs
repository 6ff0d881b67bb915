//! Fields of the subject, its device and the organization.

use super::super::record::{DEVICE, ORGANIZATION};
use super::held::Held;
use super::services;
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn, excerpt, suggest};
use crate::subject::{Field, SubjectKind};

/// What a property holds; `kind` is what the trigger is about.
pub(super) fn held(owner: Held, name: &str, kind: Option<SubjectKind>) -> Held {
    let Some(kind) = kind else { return Held::Other };
    let of_device = |path: &str| path.strip_prefix(DEVICE).and_then(|rest| rest.strip_prefix('.')) == Some(name);
    let mut fields = Field::of(kind).iter();
    let field = match owner {
        Held::Subject if name == DEVICE && kind.has_incident() => return Held::Device,
        Held::Organization => {
            let property = ORGANIZATION.into_iter().find(|property| *property == name);
            return property.map_or(Held::Other, Held::OfOrganization);
        }
        Held::Subject => fields.find(|(path, _)| *path == name),
        Held::Device => fields.find(|(path, _)| of_device(path)),
        _ => None,
    };
    field.map_or(Held::Other, |(_, field)| Held::Field(*field))
}

/// Reports a property that its owner does not have.
pub(super) fn check(owner: Held, name: &str, at: LineColumn, walk: &mut Walk<'_>) {
    if owner.is_service() {
        services::check_property(name, at, walk);
        return;
    }
    let Some((word, names)) = properties(owner, walk.kind) else { return };
    if names.contains(&name) {
        return;
    }
    let message = format!("`{word}` has no property `{}`", excerpt(name));
    let help = match elsewhere(owner, name, walk.kind) {
        Some(place) => place,
        None => suggest(name, names.into_iter()),
    };
    walk.faults.add_with_help(Code::UnknownField, at, message, help);
}

/// Reports an assignment to a property; `name` is unknown where the key is computed.
pub(super) fn check_assignment(owner: Held, name: Option<&str>, at: LineColumn, walk: &mut Walk<'_>) {
    let Some((word, _)) = properties(owner, walk.kind) else { return };
    let message = match name {
        Some(name) => format!("`{}` of `{word}` cannot be changed by assignment", excerpt(name)),
        None => format!("`{word}` cannot be changed by assignment"),
    };
    let action = match name {
        Some("priority") if owner == Held::Subject => "`set_priority(...)` changes it",
        Some("owner") if owner == Held::Subject => "`assign(...)` changes it",
        _ => "policies read it only",
    };
    walk.faults.add_with_help(Code::ReadOnly, at, message, action);
}

/// The word for an object and the names of its properties, as far as both are known.
fn properties(owner: Held, kind: Option<SubjectKind>) -> Option<(&'static str, Vec<&'static str>)> {
    let kind = kind?;
    let paths = Field::of(kind).iter().map(|(path, _)| *path);
    let of_device = |path: &'static str| path.strip_prefix(DEVICE).and_then(|rest| rest.strip_prefix('.'));
    match owner {
        Held::Subject => {
            let own = paths.filter(|path| of_device(path).is_none());
            Some((kind.as_str(), own.chain(kind.has_incident().then_some(DEVICE)).collect()))
        }
        Held::Device => Some((DEVICE, paths.filter_map(of_device).collect())),
        Held::Organization => Some(("org", ORGANIZATION.to_vec())),
        _ => None,
    }
}

/// Where a property is to be found that stands elsewhere.
fn elsewhere(owner: Held, name: &str, kind: Option<SubjectKind>) -> Option<String> {
    if owner != Held::Organization && kind.is_some_and(SubjectKind::has_incident) {
        let other = if owner == Held::Subject { Held::Device } else { Held::Subject };
        if properties(other, kind).is_some_and(|(_, names)| names.contains(&name)) {
            return Some(match other {
                Held::Device => format!("it is a property of the device: `device.{name}`"),
                _ => "it is a property of the subject itself, not of its device".to_owned(),
            });
        }
    }
    let has_it = |kind: &SubjectKind| properties(Held::Subject, Some(*kind)).is_some_and(|(_, n)| n.contains(&name));
    let other =
        SubjectKind::ALL.into_iter().find(|other| Some(*other) != kind && !other.is_of_device() && has_it(other))?;
    (owner == Held::Subject)
        .then(|| format!("it is a property of `{}`, and this trigger is about another subject", other.as_str()))
}
