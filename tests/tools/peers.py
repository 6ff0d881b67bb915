"""Unpacks what the tests try the program against into `.tools`: into `peers` OpenSSH's sshd and yuma123's netconfd for
devices, into `prometheus` Prometheus and its promtool for alerts and dashboards.

Fetched by apt-get as the machine is set up for it, with lists of its own, so that it needs no root and changes nothing
outside; what comes is what the distribution has signed. Where that cannot be done they are left out, and the tests that
need them say so. Nothing is written to standard output.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple


class Peers(NamedTuple):
    """What is unpacked into one folder."""
    folder: str
    packages: list
    # Whether what they depend on, and the machine has not, is unpacked too.
    is_whole: bool
    # What must be there then.
    wanted: list
    # What is told where they are left out.
    without: str


ALL = [
    Peers("peers", ["openssh-server", "openssh-sftp-server", "netconfd", "libyuma-base", "libnss-wrapper"], True,
          ["usr/sbin/sshd", "usr/sbin/netconfd", "usr/sbin/netconf-subsystem"],
          "no sshd and netconfd: devices are tried against the stand-in alone"),
    # Both are one file each; what the package depends on is for the console of the server.
    Peers("prometheus", ["prometheus"], False, ["usr/bin/prometheus", "usr/bin/promtool"],
          "no prometheus: alerts and dashboards are not tried"),
]
# Seconds for each step: a machine without network is not to wait long.
PATIENCE_S = 180


def peers(tools):
    """Unpacks them, unless they are there."""
    missing = [one for one in ALL if not all((tools / one.folder / name).exists() for name in one.wanted)]
    if not missing:
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return left_out(missing, "there is no apt-get")
    fresh = pathlib.Path(tempfile.mkdtemp(prefix="peers-", dir=tools))
    try:
        apt = lists(fresh)
        for one in missing:
            try:
                fetch(fresh / one.folder, apt, one)
                shutil.rmtree(tools / one.folder, ignore_errors=True)
                os.replace(fresh / one.folder / "root", tools / one.folder)
            except (OSError, subprocess.SubprocessError) as error:
                left_out([one], str(error).splitlines()[0])
    except (OSError, subprocess.SubprocessError) as error:
        left_out(missing, str(error).splitlines()[0])
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def lists(fresh):
    """Fetches what packages there are; how apt-get is called from here on."""
    lists, cache = fresh / "lists", fresh / "cache"
    for folder in (lists / "partial", cache / "archives" / "partial"):
        folder.mkdir(parents=True)
    apt = ["apt-get", "-qq", "-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}",
           "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Languages=none"]
    if os.geteuid() == 0:
        apt += ["-o", "APT::Sandbox::User=root"]
    run([*apt, "update"], fresh)
    return apt


def fetch(folder, apt, one):
    (folder / "root").mkdir(parents=True)
    names = set(one.packages)
    if one.is_whole:
        # What they need beyond what the machine has; what the machine has in another version stays as it is.
        plan = run([*apt, "install", "--simulate", "--no-install-recommends", *one.packages], folder)
        # A machine that has them installed has nothing to add to them.
        names |= {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
    run([*apt, "download", *sorted(names)], folder)
    for package in sorted(folder.glob("*.deb")):
        run(["dpkg-deb", "-x", package, folder / "root"], folder)
        print(f"tools: {package.name}", file=sys.stderr)
    missing = [name for name in one.wanted if not (folder / "root" / name).exists()]
    if missing:
        raise FileNotFoundError(f"the packages have no {missing[0]}")


def run(command, folder):
    """Runs a command, and hands back what it says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise OSError(f"{command[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def left_out(them, reason):
    for one in them:
        print(f"tools: {one.without} ({reason})", file=sys.stderr)
