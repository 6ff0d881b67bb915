//! Documents and texts as they leave at a filter level, and back.

use std::io::{self, Read, Write};

use linesman_schemas::FilterLevel;

use crate::configuration::{self, Cut, Features, Source, is_configuration_name};
use crate::container::{Bounds, Error, Spools, Texts, carry};
use crate::overwrite::{Overwriter, Overwriting};
use crate::pseudonyms::Key;
use crate::report::Report;
use crate::stream::Filter;

/// How documents leave.
#[derive(Debug, Clone)]
pub struct Redaction {
    level: FilterLevel,
    overwriting: Overwriting,
    with_macs: bool,
    bounds: Bounds,
}

impl Redaction {
    /// At a filter level; addresses are overwritten by fixed text where they are.
    pub fn at(level: FilterLevel) -> Self {
        Self { level, overwriting: Overwriting::Fixed, with_macs: false, bounds: Bounds::default() }
    }

    /// With addresses overwritten in another way, where they are.
    #[must_use]
    pub fn overwriting(self, overwriting: Overwriting) -> Self {
        Self { overwriting, ..self }
    }

    /// With hardware addresses overwritten too, where addresses are.
    #[must_use]
    pub fn with_macs(self, with_macs: bool) -> Self {
        Self { with_macs, ..self }
    }

    /// With other bounds.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// A text in memory as it leaves; empty where nothing does. At the level of features what is left of it is their list.
    pub fn text(&self, text: &str) -> String {
        let mut out = Vec::new();
        let mut texts = Leaving::new(self);
        // From memory to memory nothing fails.
        let _ = texts.text("", &mut text.as_bytes(), &mut out);
        let _ = texts.list(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// A name, or a line that is no document, as it leaves: without what the level holds back of any text, addresses and
    /// secrets. Of what it names the level may hold back more.
    pub fn name(&self, name: &str) -> String {
        Leaving::new(self).name(name)
    }

    /// A statement of a configuration that stands by itself, on one line and without a verb before it, as it leaves: `system
    /// radius-server 192.0.2.9 secret ...`. Alone it would be taken for words.
    pub fn statement(&self, statement: &str) -> String {
        const VERB: &str = "set ";
        // What is not active is a secret all the same, and tags stand between words.
        let tags = ["inactive: ", "protect: ", "replace: ", "delete: "];
        let tagged = tags.into_iter().find(|tag| statement.contains(tag));
        let plain = tags.into_iter().fold(statement.to_owned(), |plain, tag| plain.replace(tag, ""));
        let left = |statement: &str| {
            let whole = self.name(&format!("{VERB}{statement}"));
            whole.strip_prefix(VERB).map_or_else(|| whole.clone(), str::to_owned)
        };
        match tagged {
            // Which word one stood before is not told where there was a secret.
            Some(_) if left(&plain) != plain => left(&plain),
            _ => left(statement),
        }
    }

    /// Carries a document over as it leaves: a bundle, text, XML, tar, any of them compressed. At the level of features
    /// it is their list, a line each; at `Do not send` nothing is written.
    ///
    /// `name` says what is withheld as configuration by its name, and stands in errors.
    ///
    /// # Errors
    /// [`Error`]; what was written until then is to be thrown away.
    pub fn document(
        &self,
        name: &str,
        input: &mut dyn Read,
        output: &mut dyn Write,
        spools: Spools<'_>,
    ) -> Result<Report, Error> {
        let mut texts = Leaving::new(self);
        match self.level {
            FilterLevel::DoNotSend => {}
            FilterLevel::FeaturesOnly => {
                carry(name, input, &mut io::sink(), self.bounds, spools, &mut texts)?;
                texts.list(output).map_err(|source| Error::Broken { name: name.to_owned(), source })?;
            }
            _ => carry(name, input, output, self.bounds, spools, &mut texts)?,
        }
        Ok(texts.report)
    }
}

/// Gives a document back its addresses, where they were overwritten by pseudonyms of this key; [`Report::addresses`] are
/// those given back. IPv6 addresses come back in the spelling of RFC 5952.
///
/// # Errors
/// As [`Redaction::document`].
pub fn unredact(
    key: &Key,
    name: &str,
    input: &mut dyn Read,
    output: &mut dyn Write,
    spools: Spools<'_>,
) -> Result<Report, Error> {
    let filter = Filter { overwriter: Some(Overwriter::undoing(key)), has_secrets: false };
    let mut texts = Returning { filter, report: Report::default() };
    carry(name, input, output, Bounds::default(), spools, &mut texts)?;
    Ok(texts.report)
}

/// Texts as they leave.
struct Leaving {
    level: FilterLevel,
    filter: Filter,
    features: Features,
    report: Report,
}

impl Leaving {
    fn new(redaction: &Redaction) -> Self {
        let overwriter = (redaction.level == FilterLevel::AddressesOverwritten)
            .then(|| Overwriter::new(&redaction.overwriting, redaction.with_macs));
        Self {
            level: redaction.level,
            filter: Filter { overwriter, has_secrets: true },
            features: Features::default(),
            report: Report::default(),
        }
    }

    /// Writes the features that were used, where that is what leaves.
    fn list(&self, output: &mut dyn Write) -> io::Result<()> {
        if self.level == FilterLevel::FeaturesOnly {
            for line in self.features.lines() {
                writeln!(output, "{line}")?;
            }
        }
        output.flush()
    }

    /// Without its configuration, and the features of that.
    fn without_configuration(&mut self, name: &str, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        let mut cut = Cut::new((self.level == FilterLevel::FeaturesOnly).then(Features::default));
        if is_configuration_name(name) {
            let mut room = vec![0; 64 * 1024];
            let mut first = None;
            loop {
                let count = match input.read(&mut room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read?,
                };
                let Some(piece) = room.get(..count).filter(|piece| !piece.is_empty()) else { break };
                first = first.or_else(|| piece.trim_ascii_start().first().copied());
                cut.whole(piece);
            }
            cut.end();
            let withheld = configuration::WITHHELD;
            // What is read as XML or JSON still is some.
            match first {
                Some(b'<') => writeln!(output, "<configuration>{withheld}</configuration>")?,
                Some(b'{' | b'[') => writeln!(output, "\"{withheld}\"")?,
                _ => writeln!(output, "{withheld}")?,
            }
        } else {
            self.filter.stream(&mut Source::new(input, &mut cut), output, &mut self.report)?;
        }
        self.report.configurations += cut.pieces;
        if let Some(features) = cut.into_features() {
            self.features.add(features);
        }
        Ok(())
    }
}

impl Texts for Leaving {
    fn text(&mut self, name: &str, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        match self.level {
            FilterLevel::DoNotSend => Ok(()),
            FilterLevel::ExceptConfiguration => self.without_configuration(name, input, output),
            FilterLevel::FeaturesOnly => self.without_configuration(name, input, &mut io::sink()),
            FilterLevel::All | FilterLevel::AddressesOverwritten => self.filter.stream(input, output, &mut self.report),
        }
    }

    fn name(&mut self, name: &str) -> String {
        String::from_utf8_lossy(&self.filter.whole(name.as_bytes(), &mut self.report)).into_owned()
    }

    fn takes_binary(&self) -> bool {
        self.level == FilterLevel::All
    }

    fn takes_closed(&self) -> bool {
        false
    }

    fn takes(&mut self, name: &str, is_closed: bool) -> bool {
        let is_taken = self.level == FilterLevel::All && !is_closed;
        if !is_taken {
            self.report.withhold(name);
        }
        is_taken
    }
}

/// Texts that are given back their addresses.
struct Returning {
    filter: Filter,
    report: Report,
}

impl Texts for Returning {
    fn text(&mut self, _name: &str, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        self.filter.stream(input, output, &mut self.report)
    }

    fn name(&mut self, name: &str) -> String {
        String::from_utf8_lossy(&self.filter.whole(name.as_bytes(), &mut self.report)).into_owned()
    }

    fn takes_binary(&self) -> bool {
        true
    }

    fn takes_closed(&self) -> bool {
        true
    }

    fn takes(&mut self, _name: &str, _is_closed: bool) -> bool {
        true
    }
}
