//! What a Junos device says of itself: what it is, its routing engines, the members of its virtual chassis.

use super::fault::Error;
use super::junos;
use super::reply::Part;
use super::request::Request;
use super::scan::{ScanError, Scanner, Token, local};
use super::session::Session;
use crate::device::limits::Limits;
use crate::text::excerpt;

/// How many routing engines, and how many members, are told.
const PARTS_MOST: usize = 64;
/// The longest of what is told, in characters.
const TEXT_MOST: usize = 128;

/// What a device says of itself; empty for what it did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its host name.
    pub host_name: String,
    /// Its model.
    pub product: String,
    /// The version of its operating system.
    pub os_version: String,
    /// Its routing engines.
    pub routing_engines: Vec<Engine>,
    /// The members of its virtual chassis that have a serial number.
    pub members: Vec<Member>,
}

/// A routing engine; empty for what is not said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engine {
    /// Its name: `re0`; of a virtual chassis of several with its member, `member0-re0`.
    pub name: String,
    /// Its slot; the name where there are several chassis, each with its own slots.
    pub slot: String,
    /// `master` or `backup`.
    pub mastership: String,
    /// Its model.
    pub model: String,
    /// Its serial number.
    pub serial_number: String,
}

/// A member of a virtual chassis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub number: u32,
    /// Its serial number.
    pub serial_number: String,
    /// Its model.
    pub product: String,
}

/// Asks a device what it is. One that has no routing engines or virtual chassis to tell of says so by refusing; all have
/// to say what they are.
///
/// # Errors
/// It does not say what it is, or what it says cannot be read.
pub async fn of(session: &mut Session, limits: &Limits) -> Result<Inventory, Error> {
    let (_, told) = session.ask(junos::system_information(), Part::Document, limits).await?;
    let mut inventory = system(&leaves(&told)?);
    if let Some(told) = asked(session, "<get-route-engine-information/>", limits).await? {
        inventory.routing_engines = routing_engines(&leaves(&told)?);
    }
    if let Some(told) = asked(session, "<get-virtual-chassis-information/>", limits).await? {
        inventory.members = members(&leaves(&told)?);
    }
    Ok(inventory)
}

/// A reply; none where the device refuses.
async fn asked(session: &mut Session, request: &str, limits: &Limits) -> Result<Option<String>, Error> {
    match session.ask(Request::raw(request), Part::Document, limits).await {
        Ok((_, told)) => Ok(Some(told)),
        Err(Error::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a document tells, in its order.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// An element begins.
    Begin(String),
    /// An element ends that has no others within: its text.
    Leaf(String, String),
}

/// The elements of a document by their local names.
fn leaves(document: &str) -> Result<Vec<Told>, Error> {
    let (mut told, mut open) = (Vec::new(), None::<(String, Vec<u8>)>);
    Scanner::default().read(document.as_bytes(), &mut |_: &Scanner, token: Token<'_>| {
        match token {
            Token::Open(tag) => {
                let name = String::from_utf8_lossy(local(tag)).into_owned();
                told.push(Told::Begin(name.clone()));
                open = Some((name, Vec::new()));
            }
            Token::Text(text) => {
                if let Some((_, held)) = &mut open {
                    held.extend_from_slice(text);
                }
            }
            Token::Close => {
                if let Some((name, text)) = open.take() {
                    told.push(Told::Leaf(name, excerpt(String::from_utf8_lossy(&text).trim(), TEXT_MOST)));
                }
            }
        }
        Ok::<(), ScanError>(())
    })?;
    Ok(told)
}

fn system(told: &[Told]) -> Inventory {
    let text = |wanted: &str| {
        let found = told.iter().find_map(|told| match told {
            Told::Leaf(name, text) if name == wanted => Some(text.clone()),
            _ => None,
        });
        found.unwrap_or_default()
    };
    Inventory {
        serial_number: text("serial-number"),
        host_name: text("host-name"),
        product: text("hardware-model"),
        os_version: text("os-version"),
        ..Inventory::default()
    }
}

fn routing_engines(told: &[Told]) -> Vec<Engine> {
    let (mut engines, mut member) = (Vec::<Engine>::new(), String::new());
    for told in told {
        match (told, engines.last_mut()) {
            (Told::Leaf(name, text), _) if name == "re-name" => text.clone_into(&mut member),
            // One that has one alone does not number it.
            (Told::Begin(name), _) if name == "route-engine" => {
                engines.push(Engine { name: "re0".to_owned(), slot: "0".to_owned(), ..Engine::default() });
            }
            (Told::Leaf(name, text), Some(engine)) => match name.as_str() {
                "slot" if member.is_empty() => (engine.name, engine.slot) = (format!("re{text}"), text.clone()),
                "slot" => {
                    engine.name = format!("{member}-re{text}");
                    engine.slot.clone_from(&engine.name);
                }
                "mastership-state" => engine.mastership = text.to_ascii_lowercase(),
                "model" => engine.model.clone_from(text),
                "serial-number" => engine.serial_number.clone_from(text),
                _ => {}
            },
            _ => {}
        }
    }
    engines.truncate(PARTS_MOST);
    engines
}

fn members(told: &[Told]) -> Vec<Member> {
    let mut members = Vec::<Member>::new();
    for told in told {
        match (told, members.last_mut()) {
            (Told::Begin(name), _) if name == "member" => members.push(Member::default()),
            (Told::Leaf(name, text), Some(member)) => match name.as_str() {
                "member-id" => member.number = text.parse().unwrap_or_default(),
                "member-serial-number" => text.clone_into(&mut member.serial_number),
                "member-model" => text.clone_into(&mut member.product),
                _ => {}
            },
            _ => {}
        }
    }
    members.retain(|member| !member.serial_number.is_empty());
    members.truncate(PARTS_MOST);
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(told: &str) -> Vec<String> {
        routing_engines(&leaves(told).unwrap()).into_iter().map(|engine| engine.name).collect()
    }

    #[test]
    fn routing_engines_are_told_by_member_and_slot() {
        let one = "<rpc-reply><j:route-engine-information xmlns:j='u'><route-engine><status>OK</status></route-engine>\
                   </j:route-engine-information></rpc-reply>";
        assert_eq!(names(one), ["re0"]);
        let two = "<rpc-reply><x><route-engine><slot>0</slot></route-engine><route-engine><slot>\n1\n</slot>\
                   <model>slot</model></route-engine></x></rpc-reply>";
        assert_eq!(names(two), ["re0", "re1"]);
        let item = |member: &str| {
            format!(
                "<multi-routing-engine-item><re-name>{member}</re-name><route-engine><slot>0</slot></route-engine>\
                 <route-engine><slot>1</slot></route-engine></multi-routing-engine-item>"
            )
        };
        let chassis = format!("<rpc-reply>{}{}</rpc-reply>", item("member0"), item("member1"));
        let expected = ["member0-re0", "member0-re1", "member1-re0", "member1-re1"];
        assert_eq!(names(&chassis), expected);
    }

    #[test]
    fn a_routing_engine_is_told_with_what_it_is() {
        let told = "<r><route-engine><slot>0</slot><mastership-state>Master</mastership-state><model>RE-S-X6</model>\
                    <serial-number>CAC1</serial-number></route-engine><route-engine><slot>1</slot>\
                    <mastership-state>Backup</mastership-state></route-engine></r>";
        let engine = |slot: &str, mastership: &str, model: &str, serial_number: &str| Engine {
            name: format!("re{slot}"),
            slot: slot.to_owned(),
            mastership: mastership.to_owned(),
            model: model.to_owned(),
            serial_number: serial_number.to_owned(),
        };
        let expected = [engine("0", "master", "RE-S-X6", "CAC1"), engine("1", "backup", "", "")];
        assert_eq!(routing_engines(&leaves(told).unwrap()), expected);
    }

    #[test]
    fn members_without_a_serial_number_are_not_there() {
        let told = "<rpc-reply><virtual-chassis-information><member-list><member><member-status>Prsnt</member-status>\
                    <member-id>0</member-id><member-serial-number>BP01</member-serial-number>\
                    <member-model>ex4200-48t</member-model><neighbor-list></neighbor-list></member>\
                    <member><member-status>NotPrsnt</member-status><member-id>1</member-id></member>\
                    <member><member-id>2</member-id><member-serial-number>BP&#48;3</member-serial-number></member>\
                    </member-list></virtual-chassis-information></rpc-reply>";
        let member = |number, serial: &str, product: &str| Member {
            number,
            serial_number: serial.to_owned(),
            product: product.to_owned(),
        };
        assert_eq!(members(&leaves(told).unwrap()), [member(0, "BP01", "ex4200-48t"), member(2, "BP03", "")]);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let many = format!("<r>{}</r>", "<route-engine><slot>0</slot></route-engine>".repeat(1_000));
        assert_eq!(routing_engines(&leaves(&many).unwrap()).len(), PARTS_MOST);
        let long = format!("<r><host-name>{}</host-name></r>", "a".repeat(100_000));
        assert!(system(&leaves(&long).unwrap()).host_name.chars().count() <= TEXT_MOST + 3);
        assert!(leaves("<!DOCTYPE a><r/>").is_err());
    }
}
