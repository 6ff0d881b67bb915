//! Whole-system tests: one binary, one promise a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else has failed")]

mod accounts;
mod activations;
mod api;
mod audit;
mod bundles;
mod check;
mod clients;
mod command_line;
mod commands;
mod crashes;
mod dead;
mod documented;
mod events;
mod fencing;
mod flow;
mod forged;
mod guide;
mod jobs;
mod levels;
mod licences;
mod life;
mod limits;
mod listeners;
mod logins;
mod managers;
mod modes;
mod operating;
mod panics;
mod partner;
mod permissions;
mod policies;
mod record;
mod redact;
mod scripts;
mod sealing;
mod sections;
mod services;
mod spheres;
mod state;
mod suspended;
mod tenants;
mod upstream;
mod withheld;
mod work;
