//! Compiled scripts by hash of source, the least recently used thrown out.

use std::collections::HashMap;
use std::rc::Rc;

use rhai::{Engine, EvalAltResult, Position};

use super::body::Body;
use super::{Failure, Limits, parser};
use crate::policy::Policy;

/// See the module.
pub(super) struct Cache {
    limits: Limits,
    scripts: HashMap<Box<str>, Compiled>,
    /// Bytes of the sources of `scripts`.
    source_bytes: usize,
    /// Counts the look-ups.
    clock: u64,
}

struct Compiled {
    body: Rc<Body>,
    source_bytes: usize,
    last_used: u64,
}

impl Cache {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), scripts: HashMap::new(), source_bytes: 0, clock: 0 }
    }

    /// The compiled script of a policy.
    ///
    /// # Errors
    /// The script does not compile, which [`Policy::load`] excludes unless the limits differ.
    pub(super) fn get(&mut self, policy: &Policy, engine: &Engine) -> Result<Rc<Body>, Failure> {
        self.clock += 1;
        if let Some(compiled) = self.scripts.get_mut(policy.hash()) {
            compiled.last_used = self.clock;
            return Ok(Rc::clone(&compiled.body));
        }
        let ast = engine.compile(parser::without_mark(policy.source())).map_err(|error| {
            let (error, position) = (*error.0, error.1);
            Failure::new(EvalAltResult::ErrorParsing(error, position), &self.limits)
        })?;
        // The header has been read and is never run.
        let missing = || EvalAltResult::ErrorFunctionNotFound(parser::ENTRY.to_owned(), Position::NONE);
        let body = Body::of(&ast).map(Rc::new).ok_or_else(|| Failure::new(missing(), &self.limits))?;
        let source_bytes = policy.source().len();
        self.make_room(source_bytes);
        self.source_bytes += source_bytes;
        let compiled = Compiled { body: Rc::clone(&body), source_bytes, last_used: self.clock };
        self.scripts.insert(policy.hash().into(), compiled);
        Ok(body)
    }

    fn make_room(&mut self, source_bytes: usize) {
        while !self.scripts.is_empty()
            && (self.scripts.len() >= self.limits.cached_scripts
                || self.source_bytes + source_bytes > self.limits.cached_source_bytes)
        {
            // No two have the same time, so the order of the map does not matter.
            let oldest =
                self.scripts.iter().min_by_key(|(_, compiled)| compiled.last_used).map(|(hash, _)| hash.clone());
            let removed = oldest.and_then(|hash| self.scripts.remove(&hash));
            self.source_bytes -= removed.map_or(0, |compiled| compiled.source_bytes);
        }
    }
}
