//! Logging in: who shows what, and how often they may try.
//!
//! | room | what |
//! |---|---|
//! | `rules` | what a password must be |
//! | `hasher` | passwords to hashes and back to yes or no, a few at a time |
//! | `doors` | how soon somebody may try again, and for how long nobody may |
//! | `notices` | what is told of failures, in bounded numbers |
//! | `recent` | a table that forgets what has lain longest |
//! | `bearer` | the texts of sessions and API tokens |
//! | `cookie` | a session's text in a browser, and where a write may come from |
//!
//! What is kept of a login lies in its owner's lane; here are only what is too hot or too secret for the log.
#![allow(dead_code, reason = "the rooms stand before the routes that lead to them")]

mod bearer;
mod cookie;
mod doors;
mod hasher;
mod notices;
mod recent;
mod rules;
