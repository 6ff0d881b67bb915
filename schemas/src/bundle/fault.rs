//! What can be wrong with a bundle, each fault with a name for programs and words for people.

use std::fmt;

use super::bounds;

/// Why a bundle is refused. Element names are paths as in `manifest/device/product`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No bytes, or white space only.
    Empty,
    /// Some bytes are no UTF-8.
    BadUtf8,
    /// The XML declaration names another encoding. Of [`Edition::First`](super::Edition::First).
    WrongEncoding(String),
    /// The bytes are in an encoding that is not read, as the XML declaration or their beginning says.
    UnknownEncoding(String),
    /// The XML declaration behind a byte order mark of UTF-8 names another encoding.
    EncodingConflict(String),
    /// A byte that the encoding has no character for.
    BadByte {
        /// The byte.
        byte: u8,
        /// The encoding.
        encoding: &'static str,
    },
    /// A character that XML 1.0 forbids (production 2), raw or by reference.
    ControlCharacter(u32),
    /// A rule of XML 1.0 is broken.
    NotWellFormed(Flaw),
    /// The bytes end too early; inside which element, if any.
    Truncated(Option<String>),
    /// Something stands behind the root element.
    TrailingContent,
    /// A document type declaration.
    Dtd,
    /// Something is larger or more than allowed.
    BoundExceeded(Bound),
    /// The root is not `jmb`.
    WrongRoot(String),
    /// The major part of the version is not 1.
    UnknownVersion(String),
    /// The type is none of the three.
    WrongType(String),
    /// The type has no such variant.
    WrongVariant {
        /// The type.
        kind: &'static str,
        /// The variant, empty for none.
        variant: String,
    },
    /// The origin is not `off-box`.
    WrongOrigin(String),
    /// The type and variant have no such section.
    WrongSection {
        /// The section.
        section: &'static str,
        /// The type.
        kind: &'static str,
        /// The variant, empty for none.
        variant: &'static str,
    },
    /// There is no manifest.
    NoManifest,
    /// A second element where one is allowed.
    DuplicateField(&'static str),
    /// A second manifest or section.
    DuplicateSection(&'static str),
    /// A required element is not there.
    MissingField(&'static str),
    /// A required attribute is not there.
    MissingAttribute {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
    /// An attribute says what it cannot mean.
    MalformedAttribute {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
        /// What it says, clipped.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// A field says what it cannot mean.
    MalformedField {
        /// The field.
        field: &'static str,
        /// What it says, clipped.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// A required field is empty.
    EmptyField(&'static str),
    /// A field holds an element.
    ElementInField(&'static str),
    /// An attachment or log holds more than text or one element.
    MalformedPart(&'static str),
}

/// Which rule of XML 1.0 is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The end tag of another element.
    MismatchedEndTag {
        /// Of the open element.
        expected: String,
        /// As it stands.
        found: String,
    },
    /// An end tag where nothing is open.
    StrayEndTag(String),
    /// A tag without `>`.
    OpenTag,
    /// A name with characters that names do not have, or none.
    Name(String),
    /// Attributes that are no list of `name="value"`.
    AttributeSyntax(String),
    /// A second attribute of the same name.
    DuplicateAttribute(String),
    /// A raw `<` in an attribute.
    AttributeMarkup(String),
    /// An entity that is none of the five.
    UndefinedEntity(String),
    /// A reference to no character.
    CharacterReference(String),
    /// A `&` that begins no reference.
    Ampersand,
    /// A raw `]]>` in text.
    CdataEnd,
    /// A `<!` that begins nothing known.
    Declaration,
    /// A comment with `--`.
    Comment,
    /// A processing instruction without a target of its own.
    Instruction,
    /// An XML declaration not at the start.
    LateXmlDeclaration,
    /// An XML declaration that says what it cannot.
    XmlDeclaration,
    /// Text before the root element.
    LeadingText,
    /// Something else that the parser refuses.
    Other,
}

/// Which bound is exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// [`bounds::BUNDLE`]
    Bundle,
    /// [`bounds::DEPTH`]
    Depth,
    /// [`bounds::MANIFEST`]
    Manifest,
    /// [`bounds::FIELD`]: which field.
    Field(&'static str),
    /// [`bounds::ATTRIBUTE`]: which attribute.
    Attribute(String),
    /// [`bounds::ATTRIBUTES`]: of which element.
    Attributes(String),
    /// One of the counts: of which element, how many are allowed.
    Count(&'static str, usize),
}

impl Fault {
    /// The name that programs go by; stable.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::BadUtf8 => "bad-utf8",
            Self::WrongEncoding(_) | Self::UnknownEncoding(_) | Self::EncodingConflict(_) => "wrong-encoding",
            Self::BadByte { .. } => "bad-byte",
            Self::ControlCharacter(_) => "control-character",
            Self::NotWellFormed(_) => "not-well-formed",
            Self::Truncated(_) => "truncated",
            Self::TrailingContent => "trailing-content",
            Self::Dtd => "dtd",
            Self::BoundExceeded(_) => "bound-exceeded",
            Self::WrongRoot(_) => "wrong-root",
            Self::UnknownVersion(_) => "unknown-version",
            Self::WrongType(_) => "wrong-type",
            Self::WrongVariant { .. } => "wrong-variant",
            Self::WrongOrigin(_) => "wrong-origin",
            Self::WrongSection { .. } => "wrong-section",
            Self::NoManifest => "no-manifest",
            Self::DuplicateField(_) => "duplicate-field",
            Self::DuplicateSection(_) => "duplicate-section",
            Self::MissingField(_) => "missing-field",
            Self::MissingAttribute { .. } => "missing-attribute",
            Self::MalformedAttribute { .. } => "malformed-attribute",
            Self::MalformedField { .. } | Self::EmptyField(_) | Self::ElementInField(_) => "malformed-field",
            Self::MalformedPart(_) => "malformed-part",
        }
    }

    /// What is wrong, beside its name: that is not said again.
    pub fn detail(&self) -> String {
        match self {
            Self::NotWellFormed(flaw) => flaw.to_string(),
            fault => fault.to_string(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the bundle is empty"),
            Self::BadUtf8 => write!(f, "these bytes are not UTF-8"),
            Self::WrongEncoding(encoding) => write!(f, "the encoding `{encoding}` is not UTF-8"),
            Self::UnknownEncoding(encoding) => {
                write!(f, "the encoding `{encoding}` is not read, expected UTF-8, US-ASCII, ISO-8859-1 or Windows-1252")
            }
            Self::EncodingConflict(encoding) => {
                write!(f, "the encoding `{encoding}` stands behind a byte order mark of UTF-8")
            }
            Self::BadByte { byte, encoding } => write!(f, "the byte {byte:02X} is no character of {encoding}"),
            Self::ControlCharacter(code) => write!(f, "the character U+{code:04X} is not allowed in XML"),
            Self::NotWellFormed(flaw) => write!(f, "not well-formed: {flaw}"),
            Self::Truncated(None) => write!(f, "the bundle ends before its root element is complete"),
            Self::Truncated(Some(open)) => write!(f, "the bundle ends inside `{open}`"),
            Self::TrailingContent => write!(f, "something stands behind the end of the bundle"),
            Self::Dtd => write!(f, "document type declarations are refused"),
            Self::BoundExceeded(bound) => write!(f, "{bound}"),
            Self::WrongRoot(root) => write!(f, "the root element is `{root}`, expected `jmb`"),
            Self::UnknownVersion(version) => write!(f, "version `{version}` is not known, expected `1.0`"),
            Self::WrongType(kind) => {
                write!(f, "type `{kind}` is not known, expected `event`, `information` or `on-demand`")
            }
            Self::WrongVariant { kind, variant } if variant.is_empty() => {
                write!(f, "type `{kind}` needs a variant")
            }
            Self::WrongVariant { kind, variant } => write!(f, "type `{kind}` has no variant `{variant}`"),
            Self::WrongOrigin(origin) => write!(f, "origin `{origin}` is not known, expected `off-box` or none"),
            Self::WrongSection { section, kind, variant: "" } => {
                write!(f, "bundles of type `{kind}` have no section `{section}`")
            }
            Self::WrongSection { section, kind, variant } => {
                write!(f, "bundles of type `{kind}` and variant `{variant}` have no section `{section}`")
            }
            Self::NoManifest => write!(f, "the bundle has no `manifest`"),
            Self::DuplicateField(field) => write!(f, "`{field}` stands there twice"),
            Self::DuplicateSection(section) => write!(f, "the section `{section}` stands there twice"),
            Self::MissingField(field) => write!(f, "`{field}` is missing"),
            Self::MissingAttribute { element, attribute } => {
                write!(f, "`{element}` has no attribute `{attribute}`")
            }
            Self::MalformedAttribute { element, attribute, found, expected } => {
                write!(f, "the attribute `{attribute}` of `{element}` is `{found}`, expected {expected}")
            }
            Self::MalformedField { field, found, expected } => {
                write!(f, "`{field}` is `{found}`, expected {expected}")
            }
            Self::EmptyField(field) => write!(f, "`{field}` is empty"),
            Self::ElementInField(field) => write!(f, "`{field}` holds an element, expected text"),
            Self::MalformedPart(part) => write!(f, "`{part}` holds more than text or one element"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MismatchedEndTag { expected, found } => write!(f, "`</{found}>` instead of `</{expected}>`"),
            Self::StrayEndTag(found) => write!(f, "`</{found}>` closes nothing"),
            Self::OpenTag => write!(f, "a tag without `>`"),
            Self::Name(name) if name.is_empty() => write!(f, "a tag without a name"),
            Self::Name(name) => write!(f, "`{name}` is not a name"),
            Self::AttributeSyntax(element) => write!(f, "the attributes of `{element}` are not `name=\"value\"`"),
            Self::DuplicateAttribute(name) => write!(f, "the attribute `{name}` stands there twice"),
            Self::AttributeMarkup(name) => write!(f, "the attribute `{name}` contains `<`"),
            Self::UndefinedEntity(name) => write!(f, "the entity `&{name};` is not defined"),
            Self::CharacterReference(text) => write!(f, "`&{text};` is not a character"),
            Self::Ampersand => write!(f, "`&` begins no reference"),
            Self::CdataEnd => write!(f, "`]]>` stands in text"),
            Self::Declaration => write!(f, "`<!` begins neither a comment nor a CDATA section"),
            Self::Comment => write!(f, "a comment contains `--`"),
            Self::Instruction => write!(f, "a processing instruction without a target other than `xml`"),
            Self::LateXmlDeclaration => write!(f, "an XML declaration that is not at the start"),
            Self::XmlDeclaration => write!(f, "the XML declaration is malformed"),
            Self::LeadingText => write!(f, "text before the root element"),
            Self::Other => write!(f, "the markup cannot be read"),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle => write!(f, "the bundle is longer than {} bytes", bounds::BUNDLE),
            Self::Depth => write!(f, "elements are nested deeper than {}", bounds::DEPTH),
            Self::Manifest => write!(f, "the manifest is longer than {} bytes", bounds::MANIFEST),
            Self::Field(field) => write!(f, "`{field}` is longer than {} bytes", bounds::FIELD),
            Self::Attribute(name) => {
                write!(f, "the attribute `{name}` is longer than {} bytes", bounds::ATTRIBUTE)
            }
            Self::Attributes(element) => write!(f, "`{element}` has more than {} attributes", bounds::ATTRIBUTES),
            Self::Count(element, most) => write!(f, "more than {most} elements `{element}`"),
        }
    }
}

/// A word of the bundle for an error text: clipped, and without line breaks.
pub(super) fn word(text: &str) -> String {
    const MOST: usize = 64;
    let clipped: String = text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clipped.len() < text.len() { clipped + "…" } else { clipped }
}
