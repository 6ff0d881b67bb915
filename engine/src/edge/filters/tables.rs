//! The tables: of each list, what it is sorted and narrowed by. A filter is added here and, where it is applied, in
//! its list.

use linesman_schemas::approval::ApprovalKind;
use linesman_schemas::audit::Verdict;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::intelligence::{Kind, State as IntelligenceState};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{OrgName, Place, Priority};

use super::{Glob, LogOf, Plain, When, Whose, listings};
use crate::edge::words::{ActivationState, ApprovalState, CaseState, Flag, OrganizationStanding, Status};

listings! {
    /// Which incidents.
    Incidents sorted by ["id", "detected", "occurred"], {
        /// Of one organization.
        organization: OrgName,
        /// Who works on it.
        status: Status,
        /// Whose it is.
        owner: Glob,
        /// How urgent.
        priority: Priority,
        /// What kind, such as `event`.
        kind: Glob,
        /// The event type.
        event_type: Glob,
        /// The device's host name.
        host_name: Glob,
        /// The device's serial number.
        serial_number: Glob,
        /// The device's model.
        product: Glob,
        /// Where its case stands.
        case_state: CaseState,
        /// Detected then or later.
        detected_after: When,
        /// Detected earlier.
        detected_before: When,
    }

    /// Which devices.
    Devices sorted by ["serial_number", "host_name", "last_seen", "first_seen"], {
        /// Of one organization.
        organization: OrgName,
        /// The device group; empty for devices of none.
        group: Glob,
        /// The host name.
        host_name: Glob,
        /// The serial number.
        serial_number: Glob,
        /// The model.
        product: Glob,
        /// The system family.
        platform: Glob,
        /// The version of the operating system.
        os_version: Glob,
        /// Last seen then or later.
        last_seen_after: When,
        /// Last seen earlier: silent since.
        last_seen_before: When,
        /// The name by which it is reached; of one that is not reached its host name.
        name: Glob,
        /// How it stands with the collector, such as `reachable`.
        state: Glob,
    }

    /// Which files of devices that are no bundles.
    JmbErrors sorted by ["device", "found"], {
        /// Of one organization.
        organization: OrgName,
        /// The name by which the device is reached.
        device: Glob,
        /// The file's name.
        file: Glob,
        /// What is wrong with it, by name.
        fault: Glob,
    }

    /// Which configuration groups that devices were found to have otherwise than they were told.
    Drifts sorted by ["group", "since"], {
        /// Of one organization.
        organization: OrgName,
        /// The name by which the device is reached.
        device: Glob,
        /// The group.
        group: Glob,
        /// How it is: `drifted`, `accepted`, or `in-sync` again.
        state: Glob,
    }

    /// Which cases.
    Cases sorted by ["incident", "opened", "updated"], {
        /// Of one organization.
        organization: OrgName,
        /// Where it stands.
        state: CaseState,
        /// Its id at the upstream.
        case_id: Glob,
        /// The upstream's word for its status.
        status: Glob,
        /// Opened then or later.
        opened_after: When,
        /// Opened earlier.
        opened_before: When,
    }

    /// Which intelligence messages.
    IntelligenceMessages sorted by ["id", "issued", "received"], {
        /// Of one organization.
        organization: OrgName,
        /// Of the provider's those that concern a device of this organization.
        concerns: OrgName,
        /// Of the provider's those that this organization was sent, and that were not recalled.
        sent_to: OrgName,
        /// What kind.
        kind: Kind,
        /// Where the organization stands with it; none of the provider's is found by it.
        state: IntelligenceState,
        /// A model that the message names; messages that name none concern all and are not found by it.
        product: Glob,
        /// A serial number that the message names; messages that name none concern all and are not
        /// found by it.
        serial_number: Glob,
        /// Issued then or later.
        issued_after: When,
        /// Issued earlier.
        issued_before: When,
        /// Received then or later.
        received_after: When,
        /// Received earlier.
        received_before: When,
    }

    /// Which devices with the messages that concern them.
    IntelligenceReport sorted by ["serial_number", "host_name"], {
        /// Of one organization.
        organization: OrgName,
        /// Messages of this kind; bug notices and end-of-life notices without it.
        kind: Kind,
        /// Messages of this id.
        message: Glob,
        /// Devices of this serial number.
        serial_number: Glob,
    }

    /// Which approvals.
    Approvals sorted by ["id", "asked", "due"], {
        /// Of one organization.
        organization: OrgName,
        /// Where they stand.
        state: ApprovalState,
        /// What is to be approved.
        kind: ApprovalKind,
        /// Who asked.
        actor: Glob,
        /// What they are about, such as an incident or a message.
        about: Glob,
        /// Asked for then or later.
        asked_after: When,
        /// Asked for earlier.
        asked_before: When,
    }

    /// Which organizations.
    Organizations sorted by ["name"], {
        /// The name.
        name: Glob,
        /// Whether they take part.
        standing: OrganizationStanding,
        /// Whether they stand for an end customer.
        proxy: Flag,
    }

    /// Which places.
    Places sorted by ["place"], {
        /// This place and those below it.
        under: Place,
        /// The name people see.
        display_name: Glob,
        /// The device that serves it.
        device: Glob,
    }

    /// Which managers.
    Managers sorted by ["login"], {
        /// Of `/` the provider's people, of an organization all its managers, of a site or an access line those who
        /// were granted it or something below it.
        under: Place,
        /// The login.
        login: Glob,
        /// Who granted it what it has.
        granted_by: Glob,
    }

    /// Which user groups.
    Groups sorted by ["name"], {
        /// The name.
        name: Glob,
    }

    /// Which services.
    Services sorted by ["name"], {
        /// The name.
        name: Glob,
    }

    /// Which subscriptions.
    Subscriptions sorted by ["place"], {
        /// Those made at this place and below it.
        under: Place,
        /// The name.
        name: Glob,
        /// The service.
        service: Glob,
    }

    /// Which activations, access line by access line.
    Activations sorted by ["line"], {
        /// At the access lines of this place and below it.
        under: Place,
        /// How they stand there.
        state: ActivationState,
        /// The activation.
        activation: Glob,
        /// The subscription's name.
        subscription: Glob,
        /// The service.
        service: Glob,
    }

    /// Which policies.
    Policies sorted by ["name"], {
        /// The name.
        name: Glob,
        /// The organization whose own it is; empty for policies of the provider.
        owner: Glob,
        /// A trigger that it reacts to.
        trigger: Trigger,
    }

    /// Which records of the audit.
    Audit sorted by ["time"], {
        /// Of which log: an organization's, or `_provider` for all of the provider's own; none: all of them.
        organization: LogOf,
        /// Who asked.
        actor: Glob,
        /// What was asked for, such as `set-organization`.
        operation: Glob,
        /// At a place or below it, such as `acme/berlin`.
        under: Place,
        /// What became of it.
        outcome: Verdict,
        /// Decided then or later.
        since: When,
        /// Decided earlier.
        until: When,
        /// A text in it, in whatever case.
        q: Plain,
    }

    /// Which dead letters.
    DeadLetters sorted by ["time"], {
        /// Whose; `_unknown` for those of nobody known, `_provider` for the provider's own; none: all of them.
        organization: Whose,
        /// Why they were set aside.
        reason: Reason,
        /// Those set aside at this time or later.
        after: When,
        /// Those set aside before this time.
        before: When,
        /// Whether they were replayed.
        replayed: Flag,
    }
}
