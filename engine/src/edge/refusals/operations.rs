//! What is asked for, by path and method: the operations of the API's document.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use utoipa::openapi::{OpenApi, RefOr};

/// The names of operations, by path and method.
pub(crate) struct Operations(BTreeMap<(String, &'static str), Operation>);

/// An operation.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(super) name: Arc<str>,
    /// Whether it changes something.
    pub(super) is_write: bool,
    /// Whether what it would do is told without doing it.
    has_preview: bool,
}

/// The parameter that asks for no more than what would be done.
const DRY_RUN: &str = "dry_run";

impl Operation {
    /// Whether a query asks for a preview of a write that has none: it would be done.
    pub(crate) fn is_taken_for_preview(&self, query: &str) -> bool {
        let name = |pair: &str| percent_decode_str(pair.split('=').next().unwrap_or_default()).collect::<Vec<_>>();
        let asks = || query.split('&').any(|pair| name(pair) == DRY_RUN.as_bytes());
        self.is_write && !self.has_preview && asks()
    }
}

impl Operations {
    /// Those of a document.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut names = BTreeMap::new();
        for (path, item) in &document.paths.paths {
            let methods = [
                ("GET", &item.get),
                ("PUT", &item.put),
                ("POST", &item.post),
                ("DELETE", &item.delete),
                ("PATCH", &item.patch),
            ];
            for (method, operation) in methods {
                let Some(operation) = operation else { continue };
                if let Some(name) = operation.operation_id.as_deref() {
                    // Routes that lead to the same are told apart behind a dot.
                    let name = name.split('.').next().unwrap_or(name).into();
                    let mut parameters = operation.parameters.iter().flatten();
                    let has_preview =
                        parameters.any(|parameter| matches!(parameter, RefOr::T(own) if own.name == DRY_RUN));
                    names.insert((path.clone(), method), Operation { name, is_write: method != "GET", has_preview });
                }
            }
        }
        Self(names)
    }

    /// What is asked for by that path and method.
    pub(crate) fn find(&self, path: &str, method: &'static str) -> Option<Operation> {
        // What is read is read by its head too.
        let method = if method == "HEAD" { "GET" } else { method };
        self.0.get(&(path.to_owned(), method)).cloned()
    }
}
