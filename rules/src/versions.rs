//! Versions of the devices' operating system, and expressions that say which of them something concerns.
//!
//! ```text
//! 21.4R3-S5.4        major.minor, release, service release, build
//! 12.3X48-D75.2      a train with a branch of its own, release, build
//! 22.3R1.9-EVO       the same release line on the other operating system
//! ```
//!
//! An [`Expression`] is one comparison, or several with commas between, all of which have to hold:
//! `>= 21.2R1, < 21.4R3-S5`. One without an operator is an equality. Source: DOMAIN, "Intelligence".

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// How many bytes an expression may have.
const EXPRESSION_MOST: usize = 256;

/// A version, or as much of one as is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    train: Train,
    release: Option<Release>,
    service: Option<u32>,
    build: Option<u32>,
    is_evo: bool,
}

/// What releases come out of, one behind the other. Those of a branch (`12.3X48`) come after all others of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Train {
    major: u32,
    minor: u32,
    branch: Option<u32>,
}

/// A release of a train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Release {
    kind: Kind,
    number: u32,
}

/// The letter of a release, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Internal,
    Alpha,
    Beta,
    Release,
    Service,
    Feature,
    /// Of a branch.
    Drop,
}

/// Which versions something concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    bound: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

/// By what a comparison begins. INVARIANT: of two that begin alike the longer comes first.
const OPERATORS: [(&str, Operator); 5] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

/// Why a text is no version, or no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not read as a version.
    #[error(
        "`{text}` is no version: {expected} is expected at {rest}; versions are written like `21.4R3-S5.4`, `12.3X48-D75` or `22.3R1-EVO`"
    )]
    Version {
        /// The version.
        text: String,
        /// What would stand there.
        expected: &'static str,
        /// From where on it does not read, as people are told it.
        rest: String,
    },
    /// An expression ends, or goes on behind a comma, without a version.
    #[error("a version is missing in `{0}`; an expression is written like `>= 21.2R1, < 21.4R3-S5`")]
    Missing(String),
    /// An expression is too long.
    #[error("an expression has at most {EXPRESSION_MOST} bytes, and this one {0}")]
    Long(usize),
}

impl Version {
    /// Whether an equality with `bound` holds: what `bound` leaves open is any, a service release and build alike.
    fn is(&self, bound: &Self) -> bool {
        let is_same = |ours: Option<u32>, theirs: Option<u32>| theirs.is_none() || ours == theirs;
        self.train == bound.train
            && (bound.release.is_none() || self.release == bound.release)
            // A build without a service release is the release's own.
            && (is_same(self.service, bound.service) && (bound.build.is_none() || self.service == bound.service))
            && is_same(self.build, bound.build)
    }

    /// How it stands to `bound`. A train has all its releases, and a release or service release all its builds; a
    /// release without a service release comes before those with one.
    fn against(&self, bound: &Self) -> Ordering {
        let of_train = self.train.cmp(&bound.train);
        if of_train.is_ne() || bound.release.is_none() {
            return of_train;
        }
        let of_build = || bound.build.map_or(Ordering::Equal, |build| self.build.unwrap_or(0).cmp(&build));
        self.release
            .cmp(&bound.release)
            .then_with(|| self.service.unwrap_or(0).cmp(&bound.service.unwrap_or(0)))
            .then_with(of_build)
    }
}

impl Expression {
    /// Whether it says that a version is concerned.
    pub fn is_met_by(&self, version: &Version) -> bool {
        self.0.iter().all(|comparison| comparison.holds(version))
    }
}

impl Comparison {
    fn holds(&self, version: &Version) -> bool {
        let order = version.against(&self.bound);
        let holds = match self.operator {
            Operator::Less => order.is_lt(),
            Operator::AtMost => order.is_le(),
            Operator::Equal => version.is(&self.bound),
            Operator::AtLeast => order.is_ge(),
            Operator::Greater => order.is_gt(),
        };
        // What names the one operating system concerns nobody with the other.
        holds && (version.is_evo || !self.bound.is_evo)
    }
}

impl FromStr for Expression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > EXPRESSION_MOST {
            return Err(Error::Long(text.len()));
        }
        let comparisons = text.split(',').map(|part| {
            let part = part.trim();
            let found = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, part.strip_prefix(sign)?)));
            let (operator, bound) = found.unwrap_or((Operator::Equal, part));
            let bound = bound.trim();
            if bound.is_empty() {
                return Err(Error::Missing(text.to_owned()));
            }
            Ok(Comparison { operator, bound: bound.parse()? })
        });
        comparisons.collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let mut rest = Rest { text, rest: text };
        let major = rest.number()?;
        rest.past(".").ok_or_else(|| rest.expected("`.`"))?;
        let minor = rest.number()?;
        let (branch, release) = rest.release()?;
        let train = Train { major, minor, branch };
        let (mut service, mut build) = (None, None);
        if release.is_some() {
            service = rest.part("-S")?;
            build = rest.part(".")?;
        }
        let is_evo = rest.past("-EVO").is_some();
        if !rest.rest.is_empty() {
            return Err(rest.expected("its end"));
        }
        Ok(Self { train, release, service, build, is_evo })
    }
}

/// What of a version is still to be read.
struct Rest<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Rest<'_> {
    /// Goes past what is written, in small letters or capitals, if it stands here.
    fn past(&mut self, written: &str) -> Option<()> {
        let (front, rest) = self.rest.split_at_checked(written.len())?;
        front.eq_ignore_ascii_case(written).then(|| self.rest = rest)
    }

    fn number(&mut self) -> Result<u32, Error> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        if digits.is_empty() {
            return Err(self.expected("a number"));
        }
        let number = digits.parse().map_err(|_| self.expected("a number up to 4294967295"))?;
        self.rest = rest;
        Ok(number)
    }

    /// A number behind `mark`, if that stands here.
    fn part(&mut self, mark: &str) -> Result<Option<u32>, Error> {
        self.past(mark).map(|()| self.number()).transpose()
    }

    /// The branch and the release, where they are given.
    fn release(&mut self) -> Result<(Option<u32>, Option<Release>), Error> {
        if let Some(branch) = self.part("X")? {
            let drop = self.part("-D")?.map(|number| Release { kind: Kind::Drop, number });
            return Ok((Some(branch), drop));
        }
        for (letter, kind) in [
            ("R", Kind::Release),
            ("S", Kind::Service),
            ("F", Kind::Feature),
            ("B", Kind::Beta),
            ("A", Kind::Alpha),
            ("I", Kind::Internal),
        ] {
            if let Some(number) = self.part(letter)? {
                return Ok((None, Some(Release { kind, number })));
            }
        }
        Ok((None, None))
    }

    fn expected(&self, expected: &'static str) -> Error {
        let rest = if self.rest.is_empty() { "the end".to_owned() } else { format!("`{}`", self.rest) };
        Error::Version { text: self.text.to_owned(), expected, rest }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Train { major, minor, branch } = self.train;
        write!(f, "{major}.{minor}")?;
        if let Some(branch) = branch {
            write!(f, "X{branch}")?;
        }
        if let Some(Release { kind, number }) = self.release {
            write!(f, "{}{number}", kind.letter())?;
        }
        if let Some(service) = self.service {
            write!(f, "-S{service}")?;
        }
        if let Some(build) = self.build {
            write!(f, ".{build}")?;
        }
        f.write_str(if self.is_evo { "-EVO" } else { "" })
    }
}

impl Kind {
    const fn letter(self) -> &'static str {
        match self {
            Self::Internal => "I",
            Self::Alpha => "A",
            Self::Beta => "B",
            Self::Release => "R",
            Self::Service => "S",
            Self::Feature => "F",
            Self::Drop => "-D",
        }
    }
}
