//! What is asked for: `?organization=<name>&limit=<1..=1000>&cursor=<of the page before>`.

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linesman_schemas::OrgName;

use crate::edge::problem::Problem;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MOST: usize = 1000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Of whom; none: of all organizations, in the order of their names.
    pub(super) organization: Option<OrgName>,
    /// How many at most.
    pub(super) limit: usize,
    /// The last one the asker has.
    pub(super) after: Option<After>,
}

/// What a page ended with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct After {
    /// Whose.
    pub(super) org: OrgName,
    /// Its number or id within the organization.
    pub(super) key: String,
}

impl After {
    /// The cursor of what follows.
    pub(super) fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}/{}", self.org, self.key))
    }

    fn read(cursor: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (org, key) = text.split_once('/')?;
        Some(Self { org: org.parse().ok()?, key: key.to_owned() })
    }
}

impl Query {
    /// Reads it from a request's address.
    pub(super) fn parse(uri: &Uri) -> Result<Self, Problem> {
        let axum::extract::Query(pairs) = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Problem::bad_request("the query cannot be read"))?;
        let (mut organization, mut limit, mut cursor) = (None, None, None);
        for (name, value) in pairs {
            let slot = match name.as_str() {
                "organization" => &mut organization,
                "limit" => &mut limit,
                "cursor" => &mut cursor,
                _ => return Err(unknown(&name)),
            };
            if slot.replace(value).is_some() {
                return Err(Problem::bad_request(format!("`{name}` is given more than once")));
            }
        }
        let organization: Option<OrgName> = organization
            .map(|name| name.parse())
            .transpose()
            .map_err(|error: linesman_schemas::name::NameError| Problem::bad_request(error.to_string()))?;
        let limit = limit.map_or(Ok(LIMIT_DEFAULT), |text| read_limit(&text))?;
        let after = cursor.map(|cursor| read_cursor(&cursor)).transpose()?;
        if let (Some(asked), Some(after)) = (&organization, &after)
            && *asked != after.org
        {
            return Err(Problem::bad_request("`cursor` belongs to a list of another organization"));
        }
        Ok(Self { organization, limit, after })
    }
}

fn read_cursor(cursor: &str) -> Result<After, Problem> {
    After::read(cursor).ok_or_else(|| Problem::bad_request("`cursor` is none that an answer gave as `next`"))
}

fn read_limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MOST).contains(limit));
    limit.ok_or_else(|| Problem::bad_request(format!("`limit` must be a number from 1 to {LIMIT_MOST}")))
}

fn unknown(name: &str) -> Problem {
    let name: String = name.chars().take(80).collect();
    Problem::bad_request(format!("unknown parameter `{name}`; there are `organization`, `limit` and `cursor`"))
}
