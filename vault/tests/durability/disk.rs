//! A disk that can be filled.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A file system of a few MiB, in a mount namespace of its own: root may make one, and where the system lets everybody be
/// root in a user namespace of their own, everybody. It goes when this is dropped.
pub(crate) struct Disk {
    /// Holds the namespace until its standard input ends.
    keeper: Child,
    mount: TempDir,
}

impl Disk {
    pub(crate) fn new(mebibytes: u32) -> Self {
        let mount = tempfile::tempdir().unwrap();
        let mut keeper = Command::new("unshare")
            .args(if is_root() { &["--mount"][..] } else { &["--mount", "--map-root-user"] })
            .args(["sh", "-c", "mount -t tmpfs -o size=$2m none \"$1\" && echo mounted && exec cat", "sh"])
            .arg(mount.path())
            .arg(mebibytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n", "a small file system can be mounted by root, or in a user namespace");
        Self { keeper, mount }
    }

    /// A folder there, as programs of [`Disk::lead`] see it.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.mount.path().join(name)
    }

    /// The command, to be run where the disk is.
    pub(crate) fn lead(&self, command: &Command) -> Command {
        let mut led = Command::new("nsenter");
        led.args(["--target", &self.keeper.id().to_string(), "--mount"]);
        if !is_root() {
            led.args(["--user", "--preserve-credentials"]);
        }
        led.arg(command.get_program()).args(command.get_args());
        led
    }

    /// Leaves no byte free.
    pub(crate) fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).unwrap();
        for length in [64 * 1024, 1] {
            let error = loop {
                if let Err(error) = filler.write_all(&vec![0; length]) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
    }

    /// Makes space again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(self.mount.path().strip_prefix("/").unwrap()).join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output().unwrap();
    user.stdout == b"0\n"
}
