//! What an activation comes to at an access line: its values gathered, then rendered.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use linesman_rules::Strictness;
use linesman_rules::configuration::{Configuration, Conflict};
use linesman_rules::services::Service;
use linesman_rules::values::{Acquisition, Fault, Veil};
use linesman_schemas::reaction::Device;
use linesman_schemas::{OrgName, Place, PlacePath};

use super::leaves::{self, Hashed};
use super::origins;
use super::parts::{self, ConflictRow};
use super::wanted::{Floor, Wish, wishes};
use crate::Error;
use crate::acquired::{self, Common, Gathered};
use crate::ahead::Ahead;
use crate::desk::Desk;
use crate::devices::{Devices, Named};
use crate::hidden::{self, Reader};
use crate::places::{self, PlaceRow, Ties};
use crate::rights::Reach;
use crate::services::Services;
use crate::table::Table;

/// How many faults of values a part names.
const FAULTS_MOST: usize = 10;
/// What is said where a rendering fails of values some of which are hidden.
const UNTOLD: &str = "it cannot be rendered; why is not shown: it may tell what is fixed above and hidden";
/// What stands for a statement with a value that is hidden.
const HIDDEN_LEAF: &str = "a statement with a hidden value";

/// What lines are rendered with: read once for all of them, while nothing else is decided.
pub(crate) struct Surroundings<'a> {
    services: &'a Services,
    known: &'a mut Devices,
    /// What stands at places.
    ahead: Ahead,
    common: Common,
    floors: BTreeMap<Place, Rc<Floor>>,
    devices: BTreeMap<String, Device>,
    /// Of how many conflicts more the parameters are told: that takes as much as rendering.
    owners_left: Cell<usize>,
    /// Which lines devices serve, where groups are given names.
    ties: Option<&'a mut Ties>,
    /// What whoever asks has a say in, where what is wrong is told to them; none: all of it is told.
    reach: Option<Arc<Reach>>,
    /// Whether it is told to whoever asks and is shown all.
    is_told_whole: bool,
}

/// What a wish at a line whose device is known is rendered from.
pub(super) struct Draft {
    version: String,
    service: Arc<Service>,
    gathered: Gathered,
    device: Device,
    reach: Option<Arc<Reach>>,
    strictness: Strictness,
}

/// A wish at a line whose device is known, rendered.
pub(super) struct Made {
    pub(super) version: String,
    pub(super) configuration: Configuration,
    /// The canonical text.
    pub(super) text: String,
    pub(super) leaves: Vec<Hashed>,
    pub(super) device: Device,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(services: &'a Services, known: &'a mut Devices) -> Self {
        Self {
            services,
            known,
            ahead: Ahead::default(),
            common: Common::default(),
            floors: BTreeMap::new(),
            devices: BTreeMap::new(),
            owners_left: Cell::new(OWNERS_MOST),
            ties: None,
            reach: None,
            is_told_whole: false,
        }
    }

    /// The same, where groups are given names.
    pub(crate) fn sharing(self, ties: &'a mut Ties) -> Self {
        Self { ties: Some(ties), ..self }
    }

    /// Whether a device serves another line that is called as this one is.
    pub(super) fn has_namesake(&mut self, desk: &Desk, line: &PlacePath, device: &Device) -> Result<bool, Error> {
        let names = [device.serial_number.as_str(), device.host_name.as_deref().unwrap_or_default()];
        match &mut self.ties {
            Some(ties) => ties.has_namesake(desk.state(), line, names),
            None => Ok(false),
        }
    }

    /// The same, where what is wrong is told to somebody who has a say in `reach` alone, or where there is none is shown all.
    pub(crate) fn told_to(self, reach: Option<Reach>) -> Self {
        Self { is_told_whole: reach.is_none(), reach: reach.map(Arc::new), ..self }
    }

    /// A line's row.
    pub(super) fn place(&self, desk: &Desk, line: &PlacePath) -> Result<Option<PlaceRow>, Error> {
        Table::read(&self.ahead.of(desk.state()), &places::key(line))
    }

    /// The activations that reach a line.
    pub(crate) fn wishes(&mut self, desk: &Desk, line: &PlacePath) -> Result<BTreeMap<String, Wish>, Error> {
        let own = Floor::read(&self.ahead.of(desk.state()), &Place::Below(line.clone()))?;
        let site = self.floor(desk, &Place::Below(PlacePath { line: None, ..line.clone() }))?;
        let top = self.floor(desk, &Place::Organization(line.organization.clone()))?;
        Ok(wishes([&own, &*site, &*top]))
    }

    fn floor(&mut self, desk: &Desk, place: &Place) -> Result<Rc<Floor>, Error> {
        if let Some(floor) = self.floors.get(place) {
            return Ok(Rc::clone(floor));
        }
        let floor = Rc::new(Floor::read(&self.ahead.of(desk.state()), place)?);
        self.floors.insert(place.clone(), Rc::clone(&floor));
        Ok(floor)
    }

    /// The device that a line names, by serial number or host name. One that has sent nothing yet is known by what the line
    /// calls it. Whoever sends bundles chooses what they are called: where several have one name, none is meant.
    pub(super) fn device(&mut self, desk: &Desk, org: &OrgName, name: &str) -> Result<Result<Device, Failing>, Error> {
        if let Some(device) = self.devices.get(name) {
            return Ok(Ok(device.clone()));
        }
        let (serial_number, host_name) = match self.known.named(desk, org, name)? {
            Named::One(serial_number, row) => (serial_number, Some(row.host_name.clone())),
            Named::Nobody => (name.to_owned(), None),
            Named::Several => {
                let told =
                    format!("several devices call themselves `{name}`; the access line names one by its serial number");
                return Ok(Err(Failing::told(told)));
            }
        };
        let host_name = host_name.filter(|name| !name.is_empty());
        let device = Device { organization: org.clone(), serial_number, host_name };
        self.devices.insert(name.to_owned(), device.clone());
        Ok(Ok(device))
    }

    /// What a wish comes to at a line, or why it does not.
    pub(super) fn make(
        &mut self,
        desk: &Desk,
        at: (&PlacePath, &PlaceRow),
        wish: &Wish,
    ) -> Result<Result<Made, Failing>, Error> {
        Ok(self.draft(desk, at, wish)?.and_then(Draft::finish))
    }

    /// What a wish at a line is to be made of, or why that cannot be.
    pub(super) fn draft(
        &mut self,
        desk: &Desk,
        (line, row): (&PlacePath, &PlaceRow),
        wish: &Wish,
    ) -> Result<Result<Draft, Failing>, Error> {
        if row.device.is_empty() {
            return Ok(Err(Failing::told("the access line names no device")));
        }
        let device = match self.device(desk, &line.organization, &row.device)? {
            Ok(device) => device,
            Err(failing) => return Ok(Err(failing)),
        };
        let place = Place::Below(line.clone());
        let (subscription, wanted) = (&wish.subscription, wish.wanted(&place));
        let through = Some((&wish.name, &wish.subscribed, subscription.number));
        let base = self.ahead.of(desk.state());
        let gathered = acquired::gather_with(&base, self.services.shelf(), &wanted, through, &mut self.common)?;
        let Some(service) = gathered.service.clone() else {
            let (name, version) = (&subscription.service, &subscription.version);
            return Ok(Err(Failing::told(format!("the version `{version}` of the service `{name}` cannot be used"))));
        };
        let (version, reach, strictness) = (subscription.version.clone(), self.reach.clone(), leaves::strictness(desk));
        Ok(Ok(Draft { version, service, gathered, device, reach, strictness }))
    }
}

impl Draft {
    /// Renders it. Reads nothing: several may be rendered at once.
    pub(super) fn finish(self) -> Result<Made, Failing> {
        let Self { version, service, gathered, device, reach, strictness } = self;
        let configuration = gathered.acquire(|values| {
            let nobody = Reach::default();
            let failing = |tell: &dyn Fn(&Veil) -> String| {
                let told = |reader: Reader<'_>| tell(&reader.veil(&service.definition, values));
                // What goes on record is read by others than whoever asks.
                let is_kept = strictness >= Strictness::Utmost && service.definition.hides_fixed;
                let recorded = is_kept.then(|| Arc::new(told(Reader::of_organization(&nobody))));
                Failing { recorded, ..Failing::told(told(Reader::of(reach.as_deref()))) }
            };
            if !values.faults().is_empty() {
                return Err(failing(&|veil| faults(values, veil)));
            }
            let untold = |fault: String, veil: &Veil| if veil.is_empty() { fault } else { UNTOLD.to_owned() };
            service.render(values, strictness).map_err(|fault| failing(&|veil| untold(fault.to_string(), veil)))
        })?;
        let (leaves, text) = (leaves::hashed(&configuration, strictness), configuration.text());
        Ok(Made { version, configuration, text, leaves, device })
    }
}

/// Of how many conflicts at once the parameters are told.
const OWNERS_MOST: usize = 20;

/// From which engine level on whoever asks and is shown all is told which statement two set differently, also where others
/// are not.
const CONFLICTS_SHOWN: u32 = 10;

/// What is wrong at a line.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    /// As whoever sees the line may read it.
    pub(crate) told: String,
    /// The same as it goes on record, where that is to be told to nobody in particular.
    pub(crate) recorded: Option<Arc<String>>,
    /// Whether it is that two set the same differently.
    pub(crate) is_conflict: bool,
    /// The other side, where that is another line.
    pub(crate) conflict: Option<ConflictRow>,
    /// The other side of a conflict: its line and its activation.
    pub(crate) against: Option<Box<(PlacePath, String)>>,
}

impl Failing {
    pub(super) fn told(told: impl Into<String>) -> Self {
        Self { told: told.into(), recorded: None, is_conflict: false, conflict: None, against: None }
    }

    /// Two set a leaf differently: another one, and that at hand.
    pub(super) fn conflict(
        (desk, around): (&Desk, &Surroundings<'_>),
        conflict: &Conflict,
        (there, theirs): (&PlacePath, &Wish),
        (here, ours): (&PlacePath, &Wish),
    ) -> Result<Self, Error> {
        let left = around.owners_left.get();
        around.owners_left.set(left.saturating_sub(1));
        let owner = |at, leaf| match left {
            0 => Ok((origins::name(at), origins::may_hide(desk.state(), around.services.shelf(), at.1)?)),
            _ => origins::owner(desk.state(), around.services.shelf(), at, leaf),
        };
        let (ours, hides_ours) = owner((here, ours), &conflict.second)?;
        let against = Some(Box::new((there.clone(), theirs.id.clone())));
        let (theirs, hides_theirs) = owner((there, theirs), &conflict.first)?;
        let is_hidden = desk.is_at(hidden::LEVEL) && (hides_ours || hides_theirs);
        let both = |is_hidden: bool| match is_hidden {
            true => format!("{HIDDEN_LEAF} is set differently: by {theirs} and by {ours}"),
            false => format!("{conflict}: by {theirs} and by {ours}"),
        };
        let short = |is_hidden: bool| {
            let leaf = if is_hidden { HIDDEN_LEAF.to_owned() } else { format!("`{}`", conflict.second.name()) };
            format!("{leaf} is set otherwise on the device for another access line than by {ours}")
        };
        let is_kept = is_hidden && !(around.is_told_whole && desk.is_at(CONFLICTS_SHOWN));
        // What goes on record is read by others than whoever asks.
        let recorded = |told: String| (is_hidden && !is_kept).then(|| Arc::new(told));
        if here == there {
            let recorded = recorded(both(true));
            return Ok(Self { is_conflict: true, against, recorded, ..Self::told(both(is_kept)) });
        }
        let (recorded, told) = (recorded(short(true)), Self::told(short(is_kept)));
        let conflict = Some(ConflictRow { line: there.clone(), told: both(is_kept) });
        Ok(Self { is_conflict: true, conflict, against, recorded, ..told })
    }

    /// In words for whoever sees `sees`.
    pub(crate) fn shown(&self, sees: impl Fn(&Place) -> bool) -> &str {
        parts::shown(&self.told, self.conflict.as_ref(), sees)
    }
}

/// What is wrong with values, in words that tell nothing of what is kept.
fn faults(values: &Acquisition<'_>, veil: &Veil) -> String {
    let faults = values.faults();
    let shown = |fault: &Fault| {
        let fault = veil.fault(fault);
        match fault.message.contains(&format!("`{}`", fault.parameter)) {
            true => fault.message,
            false => format!("`{}`: {}", fault.parameter, fault.message),
        }
    };
    let mut told: Vec<String> = faults.iter().take(FAULTS_MOST).map(shown).collect();
    if faults.len() > FAULTS_MOST {
        told.push(format!("and {} more", faults.len() - FAULTS_MOST));
    }
    told.join("; ")
}
