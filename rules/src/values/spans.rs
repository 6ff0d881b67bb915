//! Numbers and addresses that several choices hold together, sorted once: whether all of a range lies within is found by
//! halving, however many choices there are.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::compare::{self, Number};
use super::network;
use super::value::{Range, Value};

/// See the module.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Spans {
    /// In their order; none touches another.
    numbers: Vec<Numbers>,
    /// In their order, those of IPv4 first; none touches another.
    addresses: Vec<Addresses>,
}

/// All numbers from one to another.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Numbers {
    low: Number,
    high: Number,
    /// The last of the integers that follow each other from here on, in other spans too.
    reach: i128,
}

/// All addresses of a family from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Addresses {
    is_ipv6: bool,
    low: u128,
    high: u128,
}

impl Spans {
    /// Takes up what a choice holds; whether it holds numbers or addresses.
    pub(super) fn take(&mut self, choice: &Value) -> bool {
        let ends = match choice {
            Value::Range(range @ (Range::Integers(..) | Range::Floats(..))) => {
                let [first, last] = compare::ends(*range);
                Number::of(&first).zip(Number::of(&last))
            }
            single => Number::of(single).map(|number| (number, number)),
        };
        if let Some((low, high)) = ends {
            self.numbers.push(Numbers { low, high, reach: high.last_integer() });
            return true;
        }
        let Some((low, high)) = compare::addresses(choice) else { return false };
        self.addresses.push(Addresses {
            is_ipv6: low.is_ipv6(),
            low: network::number(low),
            high: network::number(high),
        });
        true
    }

    /// Brings into order what was taken up.
    pub(super) fn sort(&mut self) {
        if self.numbers.len() > 1 {
            self.numbers.sort_by(|one, other| one.low.cmp(other.low).then(one.high.cmp(other.high)));
            self.numbers.dedup_by(|next, known| {
                let touches = next.low.cmp(known.high).is_le();
                if touches && next.high.cmp(known.high).is_gt() {
                    (known.high, known.reach) = (next.high, next.reach);
                }
                touches
            });
            let mut next: Option<Numbers> = None;
            for span in self.numbers.iter_mut().rev() {
                if let Some(next) =
                    next.filter(|next| next.low.cmp(Number::Integer(span.reach.saturating_add(1))).is_le())
                {
                    span.reach = next.reach;
                }
                // One without an integer stands between integers as if it were not there.
                if span.low.cmp(Number::Integer(span.high.last_integer())).is_le() {
                    next = Some(*span);
                }
            }
        }
        if self.addresses.len() > 1 {
            self.addresses.sort_by_key(|span| (span.is_ipv6, span.low, span.high));
            self.addresses.dedup_by(|next, known| {
                let touches = next.is_ipv6 == known.is_ipv6 && next.low <= known.high.saturating_add(1);
                if touches {
                    known.high = known.high.max(next.high);
                }
                touches
            });
        }
    }

    /// Whether a number lies within.
    pub(super) fn holds(&self, number: Number) -> bool {
        self.from(number).is_some()
    }

    /// Whether all integers of a range lie within.
    pub(super) fn hold_integers(&self, first: i128, last: i128) -> bool {
        self.from(Number::Integer(first)).is_some_and(|span| span.reach >= last)
    }

    /// Whether all numbers of a range lie within, those with a fraction too.
    pub(super) fn hold_numbers(&self, first: Number, last: Number) -> bool {
        self.from(first).is_some_and(|span| span.high.cmp(last).is_ge())
    }

    /// Whether all addresses from one to another lie within.
    pub(super) fn hold_addresses(&self, first: IpAddr, last: IpAddr) -> bool {
        let (is_ipv6, first, last) = (first.is_ipv6(), network::number(first), network::number(last));
        let behind = self.addresses.partition_point(|span| (span.is_ipv6, span.low) <= (is_ipv6, first));
        let span = behind.checked_sub(1).and_then(|at| self.addresses.get(at));
        span.is_some_and(|span| span.is_ipv6 == is_ipv6 && span.high >= last)
    }

    /// The span in which a number lies.
    fn from(&self, number: Number) -> Option<&Numbers> {
        let behind = self.numbers.partition_point(|span| span.low.cmp(number) != Ordering::Greater);
        let span = behind.checked_sub(1).and_then(|at| self.numbers.get(at))?;
        span.high.cmp(number).is_ge().then_some(span)
    }
}
