//! The partner listener from outside: a real listener on the loopback, real TLS, a store filled by hand.

mod access;
mod cases;
mod certificates;
mod fixture;
mod hostile;
mod issued;
mod messages;
mod reports;
mod rooms;
mod uploads;
