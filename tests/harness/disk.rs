//! A small disk of its own, where one can be mounted.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A disk in memory, taken away when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one of so many MiB on a folder that is made for it; none where nothing can be mounted.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn mount(at: &Path, size: u32) -> anyhow::Result<Option<Self>> {
        for folder in at.parent().into_iter().chain([at]) {
            std::fs::create_dir_all(folder)?;
            std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}m,mode=0700"), "none"]).arg(at).stderr(Stdio::null());
        let is_mounted = mount.status().is_ok_and(|status| status.success());
        Ok(is_mounted.then(|| Self(at.to_owned())))
    }

    /// Leaves no room on it.
    ///
    /// # Errors
    /// What fills it cannot be made.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.filler())?;
        let block = vec![0; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        Ok(())
    }

    /// Takes away what fills it, where anything does.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn make_room(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(self.filler()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is still used is taken away once it is not.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
