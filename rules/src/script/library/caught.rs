//! What `catch (e)` holds where the script itself threw nothing: a code and a text of ours. Rhai's texts change with its
//! versions, and name functions that have no name by chance. Its places are its own too: they
//! are told up to the second edition.

use rhai::{Dynamic, Map};

use super::super::Edition;

/// What Rhai calls its errors, our codes for them, and what they mean.
const WORDS: [(&str, &str, &str); 24] = [
    ("ErrorArithmetic", "arithmetic", "a number is too large, or divided by nothing"),
    ("ErrorArrayBounds", "bounds", "there is no such item in the list"),
    ("ErrorAssignmentToConstant", "constant", "what cannot be changed is assigned to"),
    ("ErrorBitFieldBounds", "bounds", "there is no such bit in the number"),
    ("ErrorCustomSyntax", "script", SCRIPT),
    ("ErrorDotExpr", "property", "what stands before the dot has nothing of that name"),
    ("ErrorFor", "type", "what a loop goes through is nothing to go through"),
    ("ErrorForbiddenVariable", "variable", "there is no such variable"),
    ("ErrorFunctionNotFound", "function", "no function of that name takes what it is given"),
    ("ErrorInFunctionCall", "script", SCRIPT),
    ("ErrorInModule", "script", SCRIPT),
    ("ErrorIndexNotFound", "bounds", "there is nothing under that index"),
    ("ErrorIndexingType", "type", "what stands before the bracket has no items"),
    ("ErrorMismatchDataType", "type", "a value is not of the type that is needed here"),
    ("ErrorMismatchOutputType", "type", "a value is not of the type that is needed here"),
    ("ErrorModuleNotFound", "script", SCRIPT),
    ("ErrorNonPureMethodCallOnConstant", "constant", "what cannot be changed is changed"),
    ("ErrorParsing", "script", SCRIPT),
    ("ErrorPropertyNotFound", "property", "there is no property of that name"),
    ("ErrorStringBounds", "bounds", "there is no such character in the text"),
    ("ErrorSystem", "script", SCRIPT),
    ("ErrorUnboundThis", "script", SCRIPT),
    ("ErrorVariableExists", "variable", "there is such a variable already"),
    ("ErrorVariableNotFound", "variable", "there is no such variable"),
];

const SCRIPT: &str = "the script fails here";

/// What a script is to see in the place of what Rhai caught; none for what scripts threw themselves.
pub(in crate::script) fn reword(caught: &Dynamic, edition: Edition) -> Option<Dynamic> {
    let map = caught.as_map_ref().ok()?;
    let error = map.get("error")?.as_immutable_string_ref().ok()?;
    map.get("message")?;
    let at = WORDS.binary_search_by_key(&error.as_str(), |(theirs, ..)| theirs).ok()?;
    let (_, code, text) = WORDS.get(at)?;
    let mut ours = Map::new();
    ours.insert("error".into(), (*code).into());
    ours.insert("message".into(), (*text).into());
    if edition < Edition::Third {
        for place in ["line", "position"] {
            ours.extend(map.get(place).map(|value| (place.into(), value.clone())));
        }
    }
    Some(ours.into())
}
