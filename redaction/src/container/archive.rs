//! Archives of tar: each member carried over by itself, under its name as that may leave.
//!
//! Headers are made anew: owners, times of access and whatever else an archiver adds stay here. Files, directories and
//! links are carried over, devices and the like are not.

use std::collections::BTreeSet;
use std::io::{self, Read, SeekFrom, Write};
use std::path::{Component, Path};

use tar::{Archive, Builder, EntryType, Header};

use super::{Bounds, Carrier, Refusal, shown, withheld};
use crate::bytes::part;

/// The most bytes of extended headers of one member.
const EXTENDED_MOST: u64 = 64 * 1024;

/// What headers before a member's own say of it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl Carrier<'_> {
    pub(super) fn tar(
        &mut self,
        name: &str,
        depth: usize,
        input: &mut dyn Read,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let mut archive = Archive::new(input);
        let mut builder = Builder::new(output);
        let mut taken = BTreeSet::new();
        let mut extended = Extended::default();
        // As they are: long names are read here, within bounds.
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            let header = entry.header().clone();
            let kind = header.entry_type();
            match kind {
                EntryType::GNULongName => extended.path = Some(self.long(name, &mut entry)?),
                EntryType::GNULongLink => extended.link = Some(self.long(name, &mut entry)?),
                EntryType::XHeader => records(&limited(&mut entry, EXTENDED_MOST)?, &mut extended)?,
                EntryType::XGlobalHeader => {}
                _ => {
                    self.members += 1;
                    let most = self.budget.bounds.members;
                    if self.members > most {
                        return Err(self.budget.refuse(Refusal::Members { name: name.to_owned(), most }));
                    }
                    let Extended { path, link } = std::mem::take(&mut extended);
                    let own = path.unwrap_or_else(|| entry.path_bytes().into_owned());
                    let full = format!("{name}/{}", shown(&own));
                    let new = new_name(&self.texts.name(&shown(&own)), &mut taken);
                    let target = link.or_else(|| entry.link_name_bytes().map(|link| link.into_owned()));
                    let mut new_header = new_header(&header);
                    if kind.is_symlink() || kind.is_hard_link() {
                        let target = self.texts.name(&shown(&target.unwrap_or_default()));
                        builder.append_link(&mut new_header, new, relative(&target))?;
                    } else if kind.is_dir() {
                        new_header.set_size(0);
                        builder.append_data(&mut new_header, new, io::empty())?;
                    } else if kind.is_file() || kind.is_contiguous() {
                        let mut spool = self.spooled(&full, depth, &mut entry)?;
                        new_header.set_entry_type(EntryType::Regular);
                        new_header.set_size(spool.seek(SeekFrom::End(0))?);
                        spool.rewind()?;
                        builder.append_data(&mut new_header, new, spool)?;
                    }
                }
            }
        }
        builder.finish()
    }

    /// A member as it leaves. One that is broken is withheld.
    fn spooled(&mut self, full: &str, depth: usize, entry: &mut dyn Read) -> io::Result<Box<dyn super::Spool>> {
        let mut spool = (self.spools)()?;
        let Err(error) = self.document(full, depth + 1, entry, &mut spool) else { return Ok(spool) };
        let is_broken = matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
        );
        if self.budget.refusal().is_some() || !is_broken || self.texts.takes(full, true) {
            return Err(error);
        }
        let mut spool = (self.spools)()?;
        withheld(&mut spool)?;
        Ok(spool)
    }

    /// The name that an extended header of GNU holds.
    fn long(&self, name: &str, entry: &mut dyn Read) -> io::Result<Vec<u8>> {
        let mut long = limited(entry, Bounds::NAME + 1)
            .map_err(|_| self.budget.refuse(Refusal::Name { name: name.to_owned(), most: Bounds::NAME }))?;
        while long.last() == Some(&0) {
            long.pop();
        }
        Ok(long)
    }
}

/// All of a small entry.
fn limited(entry: &mut dyn Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if Read::take(entry, most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "an extended header is too long"));
    }
    Ok(bytes)
}

/// Reads the records of an extended header of POSIX, `<length> <key>=<value>\n`.
fn records(text: &[u8], extended: &mut Extended) -> io::Result<()> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "an extended header cannot be read");
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.iter().position(|&byte| byte == b' ').ok_or_else(broken)?;
        let length = std::str::from_utf8(part(rest, 0, digits)).ok().and_then(|length| length.parse::<usize>().ok());
        let length = length.filter(|length| *length > digits + 1 && *length <= rest.len()).ok_or_else(broken)?;
        let (record, others) = rest.split_at(length);
        rest = others;
        let record = part(record, digits + 1, length - 1);
        let Some(sign) = record.iter().position(|&byte| byte == b'=') else { return Err(broken()) };
        let value = part(record, sign + 1, record.len()).to_vec();
        if value.len() as u64 > Bounds::NAME {
            continue;
        }
        match part(record, 0, sign) {
            b"path" => extended.path = Some(value),
            b"linkpath" => extended.link = Some(value),
            // The member's length would be another than its header's.
            b"size" => return Err(broken()),
            _ => {}
        }
    }
    Ok(())
}

fn new_header(old: &Header) -> Header {
    let mut new = Header::new_gnu();
    new.set_entry_type(old.entry_type());
    new.set_mode(old.mode().unwrap_or(0o644) & 0o777);
    new.set_mtime(old.mtime().unwrap_or_default());
    new.set_uid(0);
    new.set_gid(0);
    new.set_size(0);
    new
}

/// A name within the archive: from its root, with no way out of it.
fn relative(name: &str) -> String {
    let parts = Path::new(name).components().filter_map(|component| match component {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// A name that no member has yet: overwritten, two may have become one.
fn new_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut relative = relative(name);
    if relative.is_empty() {
        "unnamed".clone_into(&mut relative);
    }
    let mut new = relative.clone();
    let mut number = 1_usize;
    while !taken.insert(new.clone()) {
        // From as many as there are on, or a thousand of one name would be tried a million times.
        number = (number + 1).max(if number == 1 { 2 } else { taken.len() });
        new = format!("{relative}~{number}");
    }
    new
}
