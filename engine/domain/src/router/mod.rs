//! The way of an input through the rooms: which one takes it, and what follows from that.
//!
//! ```text
//!  Input --> clock, timers --> handle: one room --> Vec<Follow> --> follow: one room each, depth first --> ...
//! ```
//!
//! Rooms know the desk and what stands in their signatures; they do not call each other with what follows. This is where
//! one thing leads to another.
//!
//! | room | what |
//! |---|---|
//! | here | what comes in |
//! | `received` | what comes of organizations |
//! | `following` | what follows |
//! | `commands` | what people and the configuration ask for |
//! | `activations` | what follows from activations: lines are rendered, devices told |
//! | `drift` | what follows from what devices have otherwise than they were told |
//! | `submitting` | cases that somebody submits, and what was given up of them |
//! | `rollouts` | what a rollout would break, found before it begins |
//! | `watch` | what is looked for once a day |
//! | `collected` | what is collected by claim check |
//! | `wishes` | what policies wish of services |
//! | `collecting` | what policies have gathered from devices |
//! | `forwarding` | what policies send on of the provider's messages |
//! | `approvals` | what needs approval: asked for, decided, carried out |
//! | `matches` | whom messages concern: told once they come, and when devices change |
//! | `quotas` | what comes beyond an organization's quota, and who hears of quotas |
//! | `work` | jobs, slice by slice |

mod activations;
mod approvals;
mod collected;
mod collecting;
mod commands;
mod drift;
mod following;
mod forwarding;
mod matches;
mod pushes;
mod quotas;
mod received;
mod rollouts;
mod submitting;
mod watch;
mod wishes;
mod work;

use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::Attempt;
use linesman_schemas::{IncidentId, OrgName};

use super::activations::recorded;
use super::dead_letters::{self, Why};
use super::input::{Content, Input};
use super::jobs::Work;
use super::level;
use super::organizations::Standing;
use super::snapshots::upward;
use super::subject::Incident;
use super::{
    Domain, Error, expiries, incidents, level1, level2, level3, level4, level5, level6, level7, level9, level10,
    level11, level12, level13, level15, overrides, reactions, sources, timers,
};

impl Domain {
    /// Decides one input: the clock first, then what fell due, then the input. Of one that is skipped nothing is decided: what
    /// fell due is left to the next.
    ///
    /// # Errors
    /// The machine's own faults only: the input's become dead letters.
    pub fn decide(&mut self, input: &Input<'_>) -> Result<(), Error> {
        let position = &mut self.position;
        let desk = &mut self.desk;
        let stood = self.clock.row();
        position.now = self.clock.hear(position, input, desk.settings.clock_jump_s);
        desk.begin(position.level, position.now, input.sequence, &position.digest);
        // Level 1 named the input before in what it said of the one at hand.
        desk.sequence = if position.level >= 2 { input.sequence } else { position.sequence };
        self.clock.write(desk, stood)?;
        // Before anything is decided: what falls due may be what cannot be passed.
        let overrides = self.overrides.of(input);
        let skipped = overrides::skipped(&overrides);
        match &input.content {
            Content::Broken if skipped.is_none() => return Err(Error::Unreadable),
            Content::Absent(absent) if skipped.is_none() => return Err(Error::Absent(absent.clone())),
            _ => {}
        }
        self.policies.set_aside(self.overrides.aside(&overrides, input.sequence));
        if skipped.is_none() {
            // What is carried out is named by its input, as commands are: one of them each.
            let lapses = usize::from(!matches!(input.content, Content::Command(_)));
            let aside = overrides::skipped_timers(&overrides);
            let rooms = (&self.organizations, &mut self.sightings, &mut self.jobs);
            let undecided = timers::fire(desk, rooms, lapses, &aside)?;
            self.lapse(undecided)?;
            self.desk.firing = None;
        }
        self.desk.doers.clear();
        let level = self.position.level;
        let before = match level {
            1 => level1::read(self.desk.lane, input),
            2 => level2::read(&input.content),
            3 => level3::read(&input.content),
            4 => level4::read(&input.content),
            5 => level5::read(&input.content),
            7 => level7::read(&input.content),
            8 | 9 => level9::read(&input.content),
            10 => level10::read(&input.content),
            11 => level11::read(&input.content),
            12 => level12::read(&input.content),
            13 => level13::read(&input.content),
            14 | 15 => level15::read(&input.content),
            _ => None,
        };
        let before = if level <= 6 { before.or_else(|| level6::read(&input.content)) } else { before };
        self.services.shelf().decides_at(level);
        let dropped = match skipped {
            Some(why) => self.skip(input, why)?,
            None => {
                self.handle(input, before.as_ref().unwrap_or(&input.content))?;
                None
            }
        };
        self.record_overrides(&overrides, dropped.as_ref())?;
        level::check(self.desk.level)?;
        self.position.level = self.desk.level;
        self.position.sequence = input.sequence;
        self.position.message = input.sha256;
        self.position.digest = self.desk.end();
        self.spans.add(&mut self.desk, input)
    }

    fn handle(&mut self, input: &Input<'_>, content: &Content<'_>) -> Result<(), Error> {
        if input.org.is_empty() {
            return self.handle_control(input, content);
        }
        if let Content::Command(command) = content {
            return self.take_command(input, command);
        }
        let Some((org, standing)) = self.organizations.find(input.org) else {
            let detail = format!("there is no organization `{}`", input.org.chars().take(80).collect::<String>());
            let why = Why { reason: Reason::UnknownOrganization, detail: &detail, place: None };
            return dead_letters::set_aside(&mut self.desk, None, input, &why);
        };
        // Results of what was decided before the suspension still count.
        if standing == Standing::Suspended && !matches!(content, Content::Report(_)) {
            let detail = format!("the organization `{org}` is suspended");
            let why = Why { reason: Reason::OrganizationSuspended, detail: &detail, place: None };
            return dead_letters::set_aside(&mut self.desk, Some(&org), input, &why);
        }
        if self.leaves(&org, input)? {
            return Ok(());
        }
        let read;
        let content = match content {
            Content::Unread => {
                read = Content::decode(input.kind, input.bytes);
                &read
            }
            content => content,
        };
        match content.at(self.desk.level) {
            Content::Bundle(bundle) => self.take_bundle(&org, bundle, input, None),
            Content::Intelligence(heard) => self.take_intelligence(&org, heard, input),
            Content::Report(report) => self.take_report(&org, report, input),
            Content::Undecodable { reason, detail, place } => {
                let why = Why { reason: *reason, detail, place: *place };
                dead_letters::set_aside(&mut self.desk, Some(&org), input, &why)
            }
            // Control messages have no organization, and commands were brought to their room above.
            Content::Command(_)
            | Content::RuleBook(_)
            | Content::Attempt(_)
            | Content::Tick
            | Content::Level(_)
            | Content::Continue { .. }
            | Content::Cursor(_)
            | Content::Provided(_)
            | Content::Expiry(_)
            | Content::Clock(_)
            | Content::ClockConfirmed(_)
            | Content::Broken
            | Content::Absent(_)
            | Content::ByLevel(_)
            | Content::Unread => Ok(()),
        }
    }

    /// What concerns the lane, or the provider, not an organization.
    fn handle_control(&mut self, input: &Input<'_>, content: &Content<'_>) -> Result<(), Error> {
        let desk = &mut self.desk;
        match content {
            Content::RuleBook(book) => {
                let shared = self.services.parameters();
                let before = desk.installed.clone();
                let judged_by = (&mut self.policies, &mut self.managers, &mut self.services);
                self.books.take_up(desk, &self.organizations, judged_by, book, input.sequence)?;
                if before != desk.installed {
                    for org in self.organizations.names() {
                        self.jobs.begin(desk, Work::ReviewPending(org))?;
                    }
                    for org in self.organizations.names() {
                        self.look_at_kept(&org)?;
                    }
                }
                if shared == self.services.parameters() { Ok(()) } else { self.render_all() }
            }
            Content::Level(level) => {
                let is_news = *level > desk.level;
                desk.tally.input("ctl", if is_news { "level" } else { "known" });
                let was_at = desk.level;
                desk.level = desk.level.max(*level);
                if !is_news {
                    return Ok(());
                }
                self.services.keep(desk)?;
                // What ended before is to go too.
                for org in self.organizations.names() {
                    self.look_at_kept(&org)?;
                }
                self.begin_rounds(was_at)?;
                self.render_all()
            }
            Content::Attempt(attempt) => self.settle(None, attempt),
            Content::Command(command) => self.take_command(input, command),
            Content::Continue { is_alone } => self.carry_on(*is_alone),
            Content::Cursor(report) if desk.lane == 0 => sources::take(desk, report),
            Content::Expiry(expiry) if desk.lane == 0 => match expiries::take(desk, expiry)? {
                Some((fired, subject)) => self.judge(&OrgName::provider(), fired, subject),
                None => Ok(()),
            },
            Content::Provided(provided) => self.take_provided(input, provided),
            Content::Cursor(_) | Content::Expiry(_) => {
                let detail = "cursors of sources, and what runs out, are kept on lane 0";
                let why = Why { reason: Reason::CommandUndecodable, detail, place: None };
                dead_letters::set_aside_control(desk, input, &why)
            }
            Content::Undecodable { reason, detail, place } => {
                let why = Why { reason: *reason, detail, place: *place };
                dead_letters::set_aside_control(desk, input, &why)
            }
            Content::Clock(_) => {
                desk.tally.input("ctl", "clock");
                Ok(())
            }
            Content::ClockConfirmed(confirmed) => self.record_clock(confirmed),
            Content::Tick
            | Content::Bundle(_)
            | Content::Intelligence(_)
            | Content::Report(_)
            | Content::Broken
            | Content::Absent(_)
            | Content::ByLevel(_)
            | Content::Unread => {
                desk.tally.input("ctl", "tick");
                Ok(())
            }
        }
    }

    /// The lane has come to a level: from some on the newest snapshots of devices go to the upstream.
    pub(super) fn begin_rounds(&mut self, was_at: u32) -> Result<(), Error> {
        self.begin_watch(was_at)?;
        if was_at >= upward::LEVEL || !self.desk.is_at(upward::LEVEL) {
            return Ok(());
        }
        let orgs = self.organizations.names();
        orgs.iter().try_for_each(|org| upward::set_interval(&mut self.desk, &self.organizations, org))
    }

    fn settle(&mut self, org: Option<&OrgName>, attempt: &Attempt) -> Result<(), Error> {
        let about = org.map_or(Ok(None), |org| self.pushed(org, attempt))?;
        let heard = match org {
            Some(org) => recorded::of(&self.desk, self.services.shelf(), org, (about.as_ref(), attempt))?,
            None => None,
        };
        let next = reactions::settle(&mut self.desk, org, attempt.clone())?;
        // What follows is about an incident, or a device, and so has an organization.
        let Some(org) = org else { return Ok(()) };
        if let Some(heard) = heard {
            let is_over = reactions::find(&self.desk, org, &attempt.reaction)?.is_none();
            heard.record(&mut self.desk, org, (attempt, is_over), self.books.row().version)?;
        }
        if let Some(next) = next {
            self.follow(org, &mut None, vec![next])?;
        }
        about.map_or(Ok(()), |about| self.hear_of_push(org, &about, attempt))
    }

    /// An incident with its device and its case.
    pub(crate) fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, Error> {
        incidents::find(&self.desk, &self.devices, id)
    }
}
