//! Services that lanes take up; values and subscriptions at places.

mod given;
mod subscribed;
mod versions;
mod waiting;

use std::collections::BTreeMap;

use linesman_schemas::audit::Verdict;
use linesman_schemas::service::{ServiceSource, ServicesSection};
use linesman_schemas::{Place, SubscriptionName};

use super::*;
use crate::acquired::{self, Wanted};
use crate::commands::{self, CommandRow};
use crate::services::{self, VersionRow};
use crate::shelf::Shelf;
use crate::subscriptions::{self, SubscriptionRow};
use crate::values::{self, Whose};

fn source(name: &str, definition: &str) -> ServiceSource {
    let template = "firewall {\n    term own;\n}\n";
    let files = [("service.toml".to_owned(), definition.to_owned()), ("main.j2".to_owned(), template.to_owned())];
    ServiceSource { name: name.parse().unwrap(), files: files.into() }
}

fn catalog(sources: &[ServiceSource], parameters: Option<&str>) -> Arc<Catalog> {
    let (services, parameters) = (sources.to_vec(), parameters.map(str::to_owned));
    Arc::new(Catalog::of(ServicesSection { services, parameters, refused: Vec::new() }))
}

/// The definition of the service `nat`.
const NAT: &str = "title = \"NAT\"\n[parameters]\npool = { type = \"network\" }\n\
    rate = { type = \"rate\", constraint = \"rate in 1..1g\" }\n";

/// A lane that knows the service `nat`, with the site `acme/berlin` and a line of it.
fn served() -> Lane {
    served_at(level::NEWEST)
}

fn served_at(level: u32) -> Lane {
    let mut lane = Lane::at(level);
    lane.organization("acme", "Send all information");
    lane.services = catalog(&[source("nat", NAT)], None);
    lane.rules(1, &[], Settings::default());
    for place in ["acme/berlin", "acme/berlin/line-7"] {
        lane.command("acme", &json!({"set_place": {"place": place}}));
    }
    lane.events.clear();
    lane
}

impl Lane {
    /// What became of a command, and in which words.
    pub(super) fn decided(&mut self, verb: &Value) -> (Verdict, String) {
        self.decided_for(&json!({"kind": "provider", "name": "admin"}), verb)
    }

    pub(super) fn decided_for(&mut self, principal: &Value, verb: &Value) -> (Verdict, String) {
        self.decided_of("acme", principal, verb)
    }

    /// The same of any organization.
    fn decided_of(&mut self, org: &str, principal: &Value, verb: &Value) -> (Verdict, String) {
        let id = format!("c{}", self.sequence);
        let command = json!({"id": id, "principal": principal, "node": "test", "verb": verb});
        self.take(org, "cmd", command.to_string().as_bytes());
        let row: CommandRow = self.row(&commands::key(Some(&org.parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn does(&mut self, verb: &Value) -> String {
        let (verdict, detail) = self.decided(verb);
        assert_eq!(verdict, Verdict::Done, "{detail}");
        detail
    }

    /// What is given at a place, and by whom.
    fn given(&self, at: &str, whose: Whose<'_>) -> Vec<(String, String)> {
        let given = values::read(&self.base, &place(at), whose).unwrap();
        given.into_iter().map(|given| (given.text, given.by)).collect()
    }

    fn subscription(&self, at: &str, of: &str) -> Option<SubscriptionRow> {
        self.row(&subscriptions::key(&place(at), &name(of)))
    }

    fn newest(&self) -> BTreeMap<String, String> {
        let rows = services::all(&self.base).map(Result::unwrap);
        rows.map(|(name, row)| (name.to_string(), row.version)).collect()
    }

    fn versions(&self, of: &str) -> Vec<(String, VersionRow)> {
        services::versions(&self.base, &of.parse().unwrap()).map(Result::unwrap).collect()
    }

    /// The last audit event's values before and after.
    fn audited(&self) -> (Value, Value) {
        let (_, event) = self.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
        (event.data["old"].clone(), event.data["new"].clone())
    }
}

fn place(text: &str) -> Place {
    text.parse().unwrap()
}

fn name(text: &str) -> SubscriptionName {
    text.parse().unwrap()
}
