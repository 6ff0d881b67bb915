//! Every function that policies can call, with what it costs: what is not here is refused.

use std::any::TypeId;

use rhai::{Dynamic, Engine};

use super::super::budget::{Fault, refuse};
use super::super::record::{OrganizationRecord, Record};
use super::super::stdlib;

/// What a call costs beside the step that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Nothing: it looks at numbers, or at one end of what it is given.
    Step,
    /// By the bytes and items of what it is given, which were charged when they were read; what it makes is no larger.
    Reads,
    /// By what it makes, charged before it is made, or by what it looks through.
    Makes,
    /// By the steps of the functions that it calls, and an operation for each item at least.
    Calls,
    /// By comparisons, each an operation, and their steps where a function compares.
    Orders,
    /// As an action: ten operations, and by the bytes of what is asked for.
    Asks,
}

/// Every function by name, in order; properties stand by theirs. Those of our own objects are [apart](is_property).
pub(super) const LISTED: &[(&str, Cost)] = &[
    ("E", Cost::Step),
    ("PI", Cost::Step),
    ("abs", Cost::Step),
    ("activate", Cost::Asks),
    ("all", Cost::Calls),
    ("append", Cost::Reads),
    ("assign", Cost::Asks),
    ("at", Cost::Reads),
    ("bits", Cost::Step),
    ("bytes", Cost::Step),
    ("ceiling", Cost::Step),
    ("chars", Cost::Reads),
    ("chop", Cost::Reads),
    ("clear", Cost::Reads),
    ("close_incident", Cost::Asks),
    ("collect", Cost::Asks),
    ("contains", Cost::Reads),
    ("crop", Cost::Reads),
    ("deactivate", Cost::Asks),
    ("debug", Cost::Step),
    ("dedup", Cost::Orders),
    ("devices", Cost::Makes),
    ("drain", Cost::Calls),
    ("end", Cost::Step),
    ("ends_with", Cost::Reads),
    ("extract", Cost::Reads),
    ("fill_with", Cost::Reads),
    ("filter", Cost::Calls),
    ("find", Cost::Calls),
    ("find_map", Cost::Calls),
    ("floor", Cost::Step),
    ("for_each", Cost::Calls),
    ("forward_case", Cost::Asks),
    ("forward_intelligence", Cost::Asks),
    ("fraction", Cost::Step),
    ("get", Cost::Reads),
    ("handle_case", Cost::Asks),
    ("index_of", Cost::Calls),
    ("insert", Cost::Reads),
    ("int", Cost::Step),
    ("is_empty", Cost::Step),
    ("is_even", Cost::Step),
    ("is_exclusive", Cost::Step),
    ("is_finite", Cost::Step),
    ("is_inclusive", Cost::Step),
    ("is_infinite", Cost::Step),
    ("is_nan", Cost::Step),
    ("is_odd", Cost::Step),
    ("is_zero", Cost::Step),
    ("keys", Cost::Reads),
    ("len", Cost::Reads),
    ("log", Cost::Asks),
    ("make_lower", Cost::Reads),
    ("make_upper", Cost::Reads),
    ("map", Cost::Calls),
    ("max", Cost::Reads),
    ("min", Cost::Reads),
    ("mixin", Cost::Reads),
    ("order", Cost::Orders),
    ("order_by", Cost::Orders),
    ("order_desc", Cost::Orders),
    ("pad", Cost::Makes),
    ("parse_float", Cost::Reads),
    ("parse_int", Cost::Reads),
    ("pop", Cost::Reads),
    ("print", Cost::Step),
    ("publish", Cost::Asks),
    ("push", Cost::Reads),
    ("range", Cost::Step),
    ("reduce", Cost::Calls),
    ("reduce_rev", Cost::Calls),
    ("remove", Cost::Reads),
    ("replace", Cost::Makes),
    ("require_approval", Cost::Asks),
    ("retain", Cost::Calls),
    ("reverse", Cost::Reads),
    ("round", Cost::Step),
    ("service", Cost::Reads),
    ("set", Cost::Reads),
    ("set_priority", Cost::Asks),
    ("shift", Cost::Reads),
    ("sign", Cost::Step),
    ("some", Cost::Calls),
    ("sort", Cost::Orders),
    ("sort_by", Cost::Orders),
    ("sort_desc", Cost::Orders),
    ("splice", Cost::Reads),
    ("split", Cost::Makes),
    ("split_rev", Cost::Makes),
    ("sqrt", Cost::Step),
    ("start", Cost::Step),
    ("starts_with", Cost::Reads),
    ("sub_string", Cost::Reads),
    ("submit_case", Cost::Asks),
    ("to_binary", Cost::Step),
    ("to_blob", Cost::Reads),
    ("to_chars", Cost::Makes),
    ("to_debug", Cost::Makes),
    ("to_degrees", Cost::Step),
    ("to_float", Cost::Step),
    ("to_hex", Cost::Step),
    ("to_int", Cost::Step),
    ("to_json", Cost::Makes),
    ("to_lower", Cost::Reads),
    ("to_octal", Cost::Step),
    ("to_radians", Cost::Step),
    ("to_string", Cost::Makes),
    ("to_upper", Cost::Reads),
    ("trim", Cost::Reads),
    ("truncate", Cost::Reads),
    ("values", Cost::Reads),
    ("zip", Cost::Calls),
];

/// The operators that are functions. They cost by what they are given, which was charged when it was read.
pub(super) const OPERATORS: [&str; 18] =
    ["!", "!=", "%", "&", "*", "+", "+=", "-", "/", "<", "<<", "<=", "==", ">", ">=", ">>", "^", "|"];

/// The beginnings of the names of what reads and writes properties and items.
const READS: &str = "get$";
const ITEMS: &str = "index$";

/// Whether it is a property of one of our own objects, which charges for what it hands out.
pub(super) fn is_property(name: &str, parameters: &[TypeId]) -> bool {
    let ours = [TypeId::of::<Record>(), TypeId::of::<OrganizationRecord>()];
    let is_ours = parameters.first().is_some_and(|of| ours.contains(of));
    is_ours && (name.starts_with(READS) || name.starts_with(ITEMS))
}

/// Whether a function is listed, or is one that is refused whatever it is given.
pub(in crate::script) fn is_listed(name: &str, parameters: &[TypeId]) -> bool {
    let plain = name.strip_prefix(READS).unwrap_or(name);
    LISTED.binary_search_by_key(&plain, |(listed, _)| *listed).is_ok()
        || OPERATORS.contains(&plain)
        || stdlib::is_refused(plain)
        || is_property(name, parameters)
}

/// Puts a refusal in the place of every function that is not listed.
pub(in crate::script) fn refuse_unlisted(engine: &mut Engine) {
    let unlisted = |f: rhai::FuncInfo<'_>| {
        let (name, parameters) = (&f.metadata.name, &f.metadata.param_types);
        (!is_listed(name, parameters)).then(|| (name.to_string(), parameters.to_vec()))
    };
    for (name, parameters) in engine.collect_fn_metadata(None, unlisted, true) {
        let refusal = format!("`{name}` is no function of policies");
        engine
            .register_raw_fn(name, parameters, move |_, _| -> Result<Dynamic, Fault> { Err(refuse(refusal.clone())) });
    }
}
