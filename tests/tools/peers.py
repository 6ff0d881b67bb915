"""Unpacks the real servers that devices are tried against into `.tools/peers`: OpenSSH's sshd and yuma123's netconfd.

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

PACKAGES = ["openssh-server", "openssh-sftp-server", "netconfd", "libyuma-base", "libnss-wrapper"]
WANTED = ["usr/sbin/sshd", "usr/sbin/netconfd", "usr/sbin/netconf-subsystem"]
# Seconds for all of it: a machine without network is not to wait long.
PATIENCE_S = 180


def peers(tools):
    """Unpacks them, unless they are there."""
    place = tools / "peers"
    if all((place / name).exists() for name in WANTED):
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return left_out("there is no apt-get")
    fresh = pathlib.Path(tempfile.mkdtemp(prefix="peers-", dir=tools))
    try:
        fetch(fresh)
        shutil.rmtree(place, ignore_errors=True)
        os.replace(fresh / "root", place)
    except (OSError, subprocess.SubprocessError) as error:
        left_out(str(error).splitlines()[0])
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def fetch(fresh):
    lists, cache, root = fresh / "lists", fresh / "cache", fresh / "root"
    for folder in (lists / "partial", cache / "archives" / "partial", root):
        folder.mkdir(parents=True)
    apt = ["apt-get", "-qq", "-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}",
           "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Languages=none"]
    if os.geteuid() == 0:
        apt += ["-o", "APT::Sandbox::User=root"]
    run([*apt, "update"], fresh)
    # What they need beyond what the machine has; what the machine has in another version stays as it is.
    plan = run([*apt, "install", "--simulate", "--no-install-recommends", *PACKAGES], fresh)
    names = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
    # A machine that has them installed has nothing to add to them.
    run([*apt, "download", *sorted(names | set(PACKAGES))], fresh)
    for package in sorted(fresh.glob("*.deb")):
        run(["dpkg-deb", "-x", package, root], fresh)
        print(f"tools: {package.name}", file=sys.stderr)
    missing = [name for name in WANTED if not (root / name).exists()]
    if missing:
        raise FileNotFoundError(f"the packages have no {missing[0]}")


def run(command, folder):
    """Runs a command, and hands back what it says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise OSError(f"{command[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def left_out(reason):
    print(f"tools: no sshd and netconfd ({reason}): devices are tried against the stand-in alone", file=sys.stderr)
