//! What a configuration may have in its mode. Sections and keys of one mode alone are judged here, and nowhere else.

use linesman_connectors::settings::Value;
use linesman_connectors::upstream;
use linesman_schemas::{ApprovalKind, ApprovalRule, Mode};

use super::approvals;
use super::file::Content;
use super::layers::Layers;
use super::mistake::Mistakes;
use super::organizations;
use super::origin::Origin;

/// Notes what does not fit the mode.
pub(super) fn check(layers: &Layers, content: &Content, mistakes: &mut Mistakes, warnings: &mut Vec<String>) {
    let Some(mode) = layers.text("mode").and_then(|mode| mode.parse::<Mode>().ok()) else { return };
    let organizations = layers.listed(organizations::SECTION.name);
    if !mode.has_proxies() {
        for proxy in organizations.iter().filter(|listed| listed.entry.flag("proxy") == Some(true)) {
            let name = proxy.name(&organizations::SECTION);
            let message = format!("the organization `{name}` is a proxy, and mode `{mode}` has none");
            let help = "leave out `proxy`, or write `mode = \"partner\"`".to_owned();
            mistakes.add(proxy.origin.clone(), message, Some(help));
        }
    }
    if !mode.has_proxies() {
        approvals_of(layers, mode, mistakes);
    }
    if mode.has_one_organization() {
        for other in organizations.iter().skip(1) {
            let message = format!("mode `{mode}` has exactly one organization, and this is another");
            let help = "several take mode `direct` or `partner`".to_owned();
            mistakes.add(other.origin.clone(), message, Some(help));
        }
    }
    let is_there = layers.is_section_named(&upstream::SECTION) || content.sections.contains_key(upstream::SECTION.name);
    if is_there {
        upstream_of(layers, mode, mistakes, warnings);
    }
}

/// Nobody approves where there is no partner.
fn approvals_of(layers: &Layers, mode: Mode, mistakes: &mut Mistakes) {
    const HELP: &str = "leave it out, or write `mode = \"partner\"`";
    for kind in ApprovalKind::ALL {
        let name = format!("{}.{kind}", approvals::SECTION.name);
        if layers.text(&name).is_some_and(|rule| rule != ApprovalRule::None.as_str()) {
            let message = format!("`{name}` asks for approvals, and mode `{mode}` has none");
            mistakes.add(layers.origin(&name), message, Some(HELP.to_owned()));
        }
    }
    for listed in layers.listed(organizations::SECTION.name) {
        let asks = |key: &&&str| approvals::rule(&listed.entry, key).is_some_and(|rule| rule != ApprovalRule::None);
        if let Some(key) = organizations::APPROVALS.iter().find(asks) {
            let name = listed.name(&organizations::SECTION);
            let message = format!("`{key}` of `{name}` asks for approvals, and mode `{mode}` has none");
            mistakes.add(listed.origin.clone(), message, Some(HELP.to_owned()));
        }
    }
}

/// What the upstream may be.
fn upstream_of(layers: &Layers, mode: Mode, mistakes: &mut Mistakes, warnings: &mut Vec<String>) {
    match mode {
        Mode::Offline => {
            let origin = layers.origin_of_section(&upstream::SECTION).unwrap_or(Origin::Default);
            warnings.push(format!("{origin}: `[upstream]` has no effect: mode `offline` sends nothing"));
        }
        Mode::Demo => {
            let origin = layers.origin_of_section(&upstream::SECTION).unwrap_or(Origin::Default);
            let help = "leave out `[upstream]`".to_owned();
            mistakes.add(origin, "mode `demo` has an upstream of its own".to_owned(), Some(help));
        }
        Mode::Direct | Mode::Partner | Mode::EndCustomer => kind(layers, mode, mistakes),
    }
}

/// The key that says of which kind the upstream is.
const KIND: &str = "upstream.kind";

/// Of which kind the upstream is where nobody says: that of the mode.
pub(super) fn settle(layers: &mut Layers) {
    let is_end_customer = layers.text("mode") == Some(Mode::EndCustomer.as_str());
    let Some(setting) = layers.sections.setting(KIND).filter(|_| is_end_customer && !layers.is_named(KIND)) else {
        return;
    };
    layers.say(setting, Value::Text("partner".to_owned()), Origin::Default);
}

/// An end customer has a partner.
fn kind(layers: &Layers, mode: Mode, mistakes: &mut Mistakes) {
    let is_partner = layers.text(KIND) == Some("partner");
    if mode == Mode::EndCustomer && !is_partner {
        let message = "the upstream of an end customer is a partner".to_owned();
        let help = "leave out `kind`, or write `mode = \"direct\"`".to_owned();
        mistakes.add(layers.origin(KIND), message, Some(help));
    }
    if mode == Mode::Direct && is_partner {
        let message = "the upstream of mode `direct` is the support system".to_owned();
        let help = "leave out `kind`, or write `mode = \"end-customer\"`".to_owned();
        mistakes.add(layers.origin(KIND), message, Some(help));
    }
}
