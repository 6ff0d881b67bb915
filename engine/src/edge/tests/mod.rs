//! The edge from outside: a real listener on the loopback, real TLS, a store filled by hand.

mod activations;
mod api;
mod audit;
mod commands;
mod fixture;
mod hostile;
mod incidents;
mod intelligence;
mod lists;
mod log_level;
mod logins;
mod managers;
mod matrix;
mod measured;
mod people;
mod policies;
mod previews;
mod rooms;
mod seals;
mod sight;
mod simulate;
mod status;
mod stores;
mod transport;
mod viewer;
mod why;
