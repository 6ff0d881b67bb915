//! What lists and things are printed as: tables and cards, or JSON.

use anyhow::Context as _;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::show::{self, Column};
use super::{Api, List, Paging};
use crate::cli::output;
use crate::edge::filters::Listing;

/// How many items of a list are asked for at a time.
const PAGE: u32 = 1_000;

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

/// A list that is no longer than a page.
#[derive(Deserialize)]
struct Whole {
    items: Vec<Value>,
}

impl Api {
    /// Prints a list.
    pub(super) async fn list(&self, path: &str, list: &List<impl Listing>, columns: &[Column]) -> anyhow::Result<()> {
        let List { filters, paging } = list;
        let mut items = Vec::new();
        let mut cursor = paging.cursor.clone();
        let next = loop {
            // All for a program in the engine's own order: each item is read once then, and not for each page.
            let is_own = self.is_json && paging.all && paging.cursor.is_none();
            let newest = filters.newest_first().filter(|_| !is_own);
            let limit = if paging.all { Some(PAGE) } else { paging.limit };
            let paging = Paging { limit, cursor, all: paging.all };
            let request = self.request(Method::GET, path).query(filters).query(&Vec::from_iter(newest)).query(&paging);
            let page: Page = serde_json::from_value(self.answer(request).await?).context("the answer is no page")?;
            if self.is_json {
                page.items.iter().try_for_each(output::line)?;
            } else {
                items.extend(page.items);
            }
            match page.next {
                Some(next) if paging.all => cursor = Some(next),
                next => break next,
            }
        };
        if !self.is_json {
            out!("{}", show::table(&items, columns, self.room()));
        }
        if let Some(next) = next {
            errln!("there are more: --all, or --cursor {next}");
        }
        Ok(())
    }

    /// All items of a list, page by page.
    pub(super) async fn every(&self, path: &str, query: &impl Serialize) -> anyhow::Result<Vec<Value>> {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let paging = Paging { limit: Some(PAGE), cursor, all: true };
            let request = self.request(Method::GET, path).query(query).query(&paging);
            let page: Page = serde_json::from_value(self.answer(request).await?).context("the answer is no page")?;
            items.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(items),
            }
        }
    }

    /// Prints a list that comes whole.
    pub(super) async fn all(&self, path: &str, query: &impl Serialize, columns: &[Column]) -> anyhow::Result<()> {
        let Whole { items } = serde_json::from_value(self.get(path, query).await?).context("the answer is no list")?;
        if self.is_json {
            items.iter().try_for_each(output::line)?;
        } else {
            out!("{}", show::table(&items, columns, self.room()));
        }
        Ok(())
    }

    /// Prints one thing.
    pub(super) async fn show(&self, path: &str, query: &impl Serialize) -> anyhow::Result<()> {
        self.show_said(path, query, |item| item).await
    }

    /// Prints one thing, to people as `said` has it.
    pub(super) async fn show_said(
        &self,
        path: &str,
        query: &impl Serialize,
        said: impl FnOnce(Value) -> Value,
    ) -> anyhow::Result<()> {
        let item = self.get(path, query).await?;
        if self.is_json {
            outln!("{item}");
        } else {
            out!("{}", show::card(&said(item)));
        }
        Ok(())
    }
}
