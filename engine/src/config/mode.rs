//! What a configuration may have in its mode. Sections and keys of one mode alone are judged here, and nowhere else.

use linesman_connectors::jss;
use linesman_schemas::Mode;

use super::file::Content;
use super::layers::Layers;
use super::mistake::Mistakes;
use super::organizations;

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
    if mode.has_one_organization() {
        for other in organizations.iter().skip(1) {
            let message = format!("mode `{mode}` has exactly one organization, and this is another");
            let help = "several take mode `direct` or `partner`".to_owned();
            mistakes.add(other.origin.clone(), message, Some(help));
        }
    }
    let is_there = layers.is_section_named(&jss::SECTION) || content.sections.contains_key(jss::SECTION.name);
    if is_there {
        upstream(layers, mode, mistakes, warnings);
    }
}

/// What the upstream may be.
fn upstream(layers: &Layers, mode: Mode, mistakes: &mut Mistakes, warnings: &mut Vec<String>) {
    match mode {
        Mode::Offline => {
            let origin = layers.origin_of_section(&jss::SECTION).unwrap_or(super::Origin::Default);
            warnings.push(format!("{origin}: `[upstream]` has no effect: mode `offline` sends nothing"));
        }
        Mode::Demo => {
            let origin = layers.origin_of_section(&jss::SECTION).unwrap_or(super::Origin::Default);
            let help = "leave out `[upstream]`".to_owned();
            mistakes.add(origin, "mode `demo` has an upstream of its own".to_owned(), Some(help));
        }
        Mode::Direct | Mode::Partner | Mode::EndCustomer => kind(layers, mode, mistakes),
    }
}

/// Of which kind the upstream is.
fn kind(layers: &Layers, mode: Mode, mistakes: &mut Mistakes) {
    let by_mode = if mode == Mode::EndCustomer { "partner" } else { "jss" };
    if layers.text("upstream.kind").unwrap_or(by_mode) == "partner" {
        let name = if layers.is_named("upstream.kind") { "upstream.kind" } else { "mode" };
        let message = "an upstream of kind `partner` does not work yet: only `jss` does".to_owned();
        let help = "write `kind = \"jss\"` under `[upstream]`".to_owned();
        mistakes.add(layers.origin(name), message, Some(help));
    }
}
