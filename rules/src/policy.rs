//! A policy, read from its source. It holds no compiled script: those belong to one thread each, and
//! a policy is shared by all.

use linesman_schemas::control::PolicySource;
use linesman_schemas::{OrgName, PolicyName};
use sha2::{Digest, Sha256};

use crate::diagnostic::{Code, Diagnostic, Faults, quoted};
use crate::filter::{self, Scan, Where};
use crate::header::{self, Header};
use crate::script::{self, Limits, Parser};
use crate::subject::Subject;
use crate::triggers::Triggers;

/// A policy whose header and script have been read without fault.
#[derive(Debug, Clone)]
pub struct Policy {
    name: PolicyName,
    triggers: Triggers,
    filter: Where,
    audience: Audience,
    has_owner: bool,
    source: Box<str>,
    hash: Box<str>,
}

/// Whose subjects a policy judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Those of every organization.
    All,
    /// Those of these organizations.
    These(Vec<OrgName>),
}

impl Policy {
    /// Reads a policy within the default [`Limits`] and checks all that can be known of it. Nothing of
    /// the script is run: header, filters and calls are taken from its syntax tree.
    ///
    /// # Errors
    /// All faults of the source, in order of place.
    pub fn load(source: &PolicySource) -> Result<Self, Vec<Diagnostic>> {
        let limits = Limits::default();
        let parser = Parser::new(&limits);
        let mut faults = Faults::default();
        let header = match parser.parse(&source.source, &mut faults) {
            Some(parsed) => {
                parsed.check_functions(&mut faults);
                let header = header::read(parsed.ast(), source.owner.is_some(), &mut faults);
                let triggers = header.as_ref().map(|header| &header.triggers);
                faults.append(script::check(parsed.ast(), triggers, &limits).faults);
                header
            }
            // What hides the script does not hide the faults of its header.
            None => {
                if let Some(parsed) = parser.parse_header(&source.source) {
                    header::read(parsed.ast(), source.owner.is_some(), &mut faults);
                }
                None
            }
        };
        match header {
            Some(header) if faults.is_empty() => Ok(Self::new(source, header)),
            _ => Err(faults.into_sorted(&source.source)),
        }
    }

    /// Reads a policy that was accepted before, for a replay: what the checks of today find fault with
    /// does not matter, as long as it can be run.
    ///
    /// # Errors
    /// The faults of a source that does not parse or has no header.
    pub fn load_accepted(source: &PolicySource) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Faults::default();
        let parsed = Parser::new(&Limits::default()).parse(&source.source, &mut faults);
        let header = parsed.and_then(|script| header::read(script.ast(), source.owner.is_some(), &mut faults));
        match header {
            Some(header) => Ok(Self::new(source, header)),
            None => Err(faults.into_sorted(&source.source)),
        }
    }

    /// Why a policy without fault never fires, where that is certain. It is loaded all the same.
    pub fn never_fires(source: &PolicySource) -> Option<Diagnostic> {
        let mut faults = Faults::default();
        let parsed = Parser::new(&Limits::default()).parse_header(&source.source)?;
        let header = header::read(parsed.ast(), source.owner.is_some(), &mut faults)?;
        if !faults.is_empty() {
            return None;
        }
        let names = quoted(header.triggers.names().into_iter());
        let is_bound = source.owner.is_some() || header.organizations.is_some();
        let (message, help) = if header.triggers.never_fire() {
            let help = "the provider's has: subscribe to `out._provider.audit.>`";
            (format!("this policy never fires: no organization's audit has {names}"), help)
        } else if is_bound && !header.triggers.kind().has_organization() {
            let help = "write it for everyone: in the rule directory itself, without `organizations`";
            (format!("this policy never fires: no organization has {names}, which the provider has"), help)
        } else {
            return None;
        };
        faults.add_with_help(Code::NeverMatches, header.triggers_at, message, help);
        faults.into_sorted(&source.source).pop()
    }

    /// What of a policy without fault is likely meant otherwise: conditions that nothing fulfils where its triggers fire,
    /// texts, branches, names and loops that surprise. It is loaded all the same, and none of it is certain.
    pub fn warnings(source: &PolicySource) -> Vec<Diagnostic> {
        let limits = Limits::default();
        let mut faults = Faults::default();
        let Some(parsed) = Parser::new(&limits).parse(&source.source, &mut faults) else { return Vec::new() };
        parsed.check_functions(&mut faults);
        let Some(header) = header::read(parsed.ast(), source.owner.is_some(), &mut faults) else { return Vec::new() };
        let found = script::check(parsed.ast(), Some(&header.triggers), &limits);
        faults.append(found.faults);
        if !faults.is_empty() {
            return Vec::new();
        }
        let mut warnings = found.warnings;
        filter::warn(&header.filters, &header.triggers, &mut warnings);
        warnings.into_sorted(&source.source)
    }

    /// The organizations that a policy of all organizations is limited to, each with its place: a diagnostic that says
    /// nothing yet.
    pub fn organizations_of(source: &PolicySource) -> Vec<(OrgName, Diagnostic)> {
        let mut faults = Faults::default();
        let parsed = Parser::new(&Limits::default()).parse_header(&source.source);
        let header = parsed.and_then(|parsed| header::read(parsed.ast(), source.owner.is_some(), &mut faults));
        let names = header.into_iter().flat_map(|header| header.organizations_at);
        let placed = |(name, at)| {
            let mut placed = Faults::default();
            placed.add(Code::UnknownValue, at, "");
            Some((name, placed.into_sorted(&source.source).pop()?))
        };
        names.filter_map(placed).collect()
    }

    fn new(source: &PolicySource, header: Header) -> Self {
        let audience = match (&source.owner, header.organizations) {
            (Some(owner), _) => Audience::These(vec![owner.clone()]),
            (None, Some(organizations)) => Audience::These(organizations),
            (None, None) => Audience::All,
        };
        Self {
            name: source.name.clone(),
            triggers: header.triggers,
            filter: header.filter,
            audience,
            has_owner: source.owner.is_some(),
            source: source.source.as_str().into(),
            hash: hash(&source.source),
        }
    }

    /// Whether it is what was read of a source.
    pub fn is_of(&self, source: &PolicySource) -> bool {
        let is_theirs = match &source.owner {
            Some(owner) => self.has_owner && self.organizations() == Some(std::slice::from_ref(owner)),
            None => !self.has_owner,
        };
        is_theirs && self.name == source.name && *self.source == *source.source
    }

    /// Its name.
    pub fn name(&self) -> &PolicyName {
        &self.name
    }

    /// What it reacts to.
    pub fn triggers(&self) -> &Triggers {
        &self.triggers
    }

    /// The only organizations whose subjects it judges; none: those of all.
    pub fn organizations(&self) -> Option<&[OrgName]> {
        match &self.audience {
            Audience::All => None,
            Audience::These(organizations) => Some(organizations),
        }
    }

    /// Whether it is an organization's own, and not everyone's.
    pub fn has_owner(&self) -> bool {
        self.has_owner
    }

    /// Whether it may ask for devices of the organization: whether it mentions them.
    pub fn asks_devices(&self) -> bool {
        self.source.contains("devices")
    }

    /// The script.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// SHA-256 of the source, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether it judges a subject of `org`, by the words of its header alone. [`crate::Book`] answers
    /// the same for all policies at once.
    pub fn applies_to(&self, org: &OrgName, subject: &dyn Subject) -> bool {
        let serves = match &self.audience {
            Audience::All => true,
            Audience::These(organizations) => organizations.contains(org),
        };
        serves && subject.kind() == self.triggers.kind() && self.filter.matches(org, subject, &Scan(subject))
    }

    pub(crate) fn filter(&self) -> &Where {
        &self.filter
    }

    pub(crate) fn audience(&self) -> &Audience {
        &self.audience
    }
}

fn hash(source: &str) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).map_or('0', |digit| char::from(*digit));
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(source.as_bytes()) {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text.into()
}
