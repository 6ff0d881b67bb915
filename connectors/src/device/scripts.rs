//! Files of scripts on a device: put there, with what they take the place of kept beside them until it is settled.
//!
//! Files with names of their own stand for what is under way, so that whoever comes after a connection that broke off, or after
//! a crash, puts back what was there without knowing more:
//!
//! | file | what |
//! |---|---|
//! | `.linesman-new-NAME` | what is to be `NAME`, whole or not |
//! | `.linesman-old-NAME` | what was `NAME` |
//! | `.linesman-none-NAME` | nothing was `NAME` |
//!
//! INVARIANT (it can be put back): `NAME` is changed only once one of the last two is there, and these go only by
//! [`Scripts::settle`].
//!
//! INVARIANT (what is somebody else's stays): what is `NAME` while the first one is there is not ours. So it is there until
//! what it holds is `NAME`; where something is taken away, until the end.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::files::{Error, Files, Name};
use super::limits::Limits;
use super::ssh::Connection;

const NEW: &str = ".linesman-new-";
const OLD: &str = ".linesman-old-";
const NONE: &str = ".linesman-none-";
/// How many entries of a directory are looked at.
const ENTRIES_MOST: usize = 4_096;
/// How many bytes of a file are read to know what it is.
const FILE_MOST: u64 = 16 * 1024 * 1024;

/// The directories of a device in which scripts lie.
pub struct Scripts<'a> {
    connection: &'a Connection,
    limits: Limits,
    open: BTreeMap<&'static str, Files>,
}

/// Where a script lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The directory.
    pub directory: &'static str,
    /// Its name, which does not begin with a dot.
    pub name: String,
}

/// What was kept of what is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// What was found there.
    AsFound,
    /// Nothing is there.
    Nothing,
    /// Nothing: something else is there, and stays.
    Otherwise,
}

impl<'a> Scripts<'a> {
    /// Over a connection, each operation within such limits.
    pub const fn new(connection: &'a Connection, limits: Limits) -> Self {
        Self { connection, limits, open: BTreeMap::new() }
    }

    async fn directory(&mut self, directory: &'static str) -> Result<&mut Files, Error> {
        match self.open.entry(directory) {
            std::collections::btree_map::Entry::Occupied(open) => Ok(open.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => {
                Ok(free.insert(Files::open(self.connection, directory, &self.limits).await?))
            }
        }
    }

    /// The SHA-256 of what is at a place, in lower-case hexadecimal; none where nothing is.
    ///
    /// # Errors
    /// What is there is no file, or longer than 16 MiB; it cannot be read; the connection failed.
    pub async fn found(&mut self, place: &Place) -> Result<Option<String>, Error> {
        self.digest(place.directory, &name(&place.name)?).await
    }

    async fn digest(&mut self, directory: &'static str, name: &Name) -> Result<Option<String>, Error> {
        let limits = Limits { bytes: FILE_MOST, ..self.limits };
        let files = self.directory(directory).await?;
        let file = match files.look(name, &limits).await {
            Ok(Some(file)) => file,
            Ok(None) => {
                let said = "what is there is no regular file".to_owned();
                return Err(Error::Refused { name: format!("{directory}/{name}"), said });
            }
            Err(Error::Vanished(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut reader = files.read(name, 0, file.size, &limits).await?;
        let mut digest = Sha256::new();
        while let Some(piece) = reader.next().await? {
            digest.update(&piece);
        }
        Ok(Some(hex::encode(digest.finalize())))
    }

    /// Lays a script beside its place, whole.
    ///
    /// # Errors
    /// It cannot be written, what is read of it is another, or the connection failed.
    pub async fn lay(&mut self, place: &Place, bytes: &[u8]) -> Result<(), Error> {
        let limits = self.limits;
        let new = beside(NEW, place)?;
        match self.directory(place.directory).await?.write(&new, bytes, &limits).await {
            Err(Error::Vanished(_)) => return Err(Error::Vanished(place.directory.to_owned())),
            written => written?,
        }
        let found = self.digest(place.directory, &new).await?;
        match found == Some(hex::encode(Sha256::digest(bytes))) {
            true => Ok(()),
            false => {
                let said = "what is read of it is not what was written".to_owned();
                Err(Error::Refused { name: place.name.clone(), said })
            }
        }
    }

    /// Puts what was laid beside a place there, where that is as it was `found`; what was there is kept. Whether it was: where
    /// something else is by now, that stays.
    ///
    /// # Errors
    /// It cannot be moved, or the connection failed.
    pub async fn put(&mut self, place: &Place, found: Option<&str>) -> Result<bool, Error> {
        match self.keep(place, found).await? {
            Kept::Otherwise => return Ok(false),
            Kept::Nothing => {
                let (limits, none) = (self.limits, beside(NONE, place)?);
                self.directory(place.directory).await?.write(&none, b"", &limits).await?;
            }
            Kept::AsFound => {}
        }
        match self.rename(place.directory, &beside(NEW, place)?, &name(&place.name)?).await {
            Ok(()) => Ok(true),
            // Devices do not say why: somebody may have been there in between.
            Err(Error::Refused { .. }) if self.is_there(place).await? => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes away what is at a place, where that is as it was `found`; it is kept. Whether it was: what is something else by now
    /// stays.
    ///
    /// # Errors
    /// It cannot be moved, or the connection failed.
    pub async fn take_away(&mut self, place: &Place, found: Option<&str>) -> Result<bool, Error> {
        let (limits, new) = (self.limits, beside(NEW, place)?);
        self.directory(place.directory).await?.write(&new, b"", &limits).await?;
        Ok(self.keep(place, found).await? != Kept::Otherwise)
    }

    /// Keeps what is at a place, if it is as it was found there.
    async fn keep(&mut self, place: &Place, found: Option<&str>) -> Result<Kept, Error> {
        let Some(found) = found else {
            return Ok(if self.is_there(place).await? { Kept::Otherwise } else { Kept::Nothing });
        };
        let (own, old) = (name(&place.name)?, beside(OLD, place)?);
        match self.rename(place.directory, &own, &old).await {
            Ok(()) => {}
            Err(Error::Vanished(_)) => return Ok(Kept::Nothing),
            Err(error) => return Err(error),
        }
        // Where it lies now nobody changes it any more.
        match self.digest(place.directory, &old).await {
            Ok(kept) if kept.as_deref() == Some(found) => return Ok(Kept::AsFound),
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        self.rename(place.directory, &old, &own).await.map(|()| Kept::Otherwise)
    }

    /// Whether something is at a place.
    async fn is_there(&mut self, place: &Place) -> Result<bool, Error> {
        let limits = self.limits;
        match self.directory(place.directory).await?.look(&name(&place.name)?, &limits).await {
            Ok(_) => Ok(true),
            Err(Error::Vanished(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts back what was there before, in all directories: nothing is under way then.
    ///
    /// # Errors
    /// It cannot be put back, or the connection failed: then it is done anew.
    pub async fn put_back(&mut self, directories: &[&'static str]) -> Result<(), Error> {
        for directory in directories {
            let mut all: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
            for (front, own) in self.under_way(directory).await? {
                all.entry(own).or_default().insert(front);
            }
            for (own, fronts) in all {
                self.put_one_back(&Place { directory, name: own }, &fronts).await?;
            }
        }
        Ok(())
    }

    async fn put_one_back(&mut self, place: &Place, fronts: &BTreeSet<&str>) -> Result<(), Error> {
        let (directory, own, old) = (place.directory, name(&place.name)?, beside(OLD, place)?);
        let is_ours = !fronts.contains(NEW);
        if is_ours {
            self.remove(directory, &own).await?;
        }
        if fronts.contains(OLD) {
            match is_ours || !self.is_there(place).await? {
                true => self.rename(directory, &old, &own).await?,
                // Whoever has put something there did so in place of it.
                false => self.remove(directory, &old).await?,
            }
        }
        self.remove(directory, &beside(NONE, place)?).await?;
        self.remove(directory, &beside(NEW, place)?).await
    }

    /// Forgets what was there before, in all directories: it cannot be put back then.
    ///
    /// # Errors
    /// It cannot be removed, or the connection failed: then it is done anew.
    pub async fn settle(&mut self, directories: &[&'static str]) -> Result<(), Error> {
        for directory in directories {
            for (front, own) in self.under_way(directory).await? {
                self.remove(directory, &beside(front, &Place { directory, name: own })?).await?;
            }
        }
        Ok(())
    }

    /// What is under way in a directory: what the names of files begin with, and the names of scripts. A directory that is not
    /// there has nothing.
    async fn under_way(&mut self, directory: &'static str) -> Result<Vec<(&'static str, String)>, Error> {
        let limits = self.limits;
        let listed = match self.directory(directory).await?.list(ENTRIES_MOST, &limits).await {
            Err(Error::Vanished(_)) => return Ok(Vec::new()),
            listed => listed?,
        };
        let ours = |text: &str| {
            [NEW, OLD, NONE].into_iter().find_map(|front| Some((front, text.strip_prefix(front)?.to_owned())))
        };
        Ok(listed.files.iter().filter_map(|file| ours(file.name.to_str()?)).collect())
    }

    async fn rename(&mut self, directory: &'static str, from: &Name, to: &Name) -> Result<(), Error> {
        let limits = self.limits;
        self.directory(directory).await?.move_to(from, directory, to, &limits).await
    }

    /// Removes what may not be there.
    async fn remove(&mut self, directory: &'static str, name: &Name) -> Result<(), Error> {
        let limits = self.limits;
        match self.directory(directory).await?.remove(name, &limits).await {
            Ok(()) | Err(Error::Vanished(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn beside(front: &str, place: &Place) -> Result<Name, Error> {
    name(&format!("{front}{}", place.name))
}

fn name(text: &str) -> Result<Name, Error> {
    Name::new(text.as_bytes().to_vec())
        .map_err(|fault| Error::Refused { name: crate::text::excerpt(text, 80), said: fault.to_string() })
}
