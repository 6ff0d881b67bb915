"""Installs what the tests need beside Rust into `.tools`: a Python environment, a NATS server, JavaScript packages.

Run by `make tools`. Cheap when nothing changed, safe when run twice at once. Every package is pinned by hash.
A `nats-server` of the machine is used when it is new enough. The JavaScript packages are left out where Node.js or npm
is missing; the test that needs them then says so; likewise the servers of `peers.py` where they cannot be had.
Nothing is written to standard output.
"""
import fcntl
import hashlib
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

from peers import peers

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / ".tools"
VENV = TOOLS / "venv"
STAMP = TOOLS / "stamp"
SERVER = TOOLS / "bin" / "nats-server"
SCRIPTS = TOOLS / "js"
SCRIPT_LISTS = [HERE / "js" / name for name in (".npmrc", "package.json", "package-lock.json")]
OLDEST_SERVER = (2, 12)
OLDEST_NODE = 18
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)


def machine_server():
    """The machine's own NATS server, if it is new enough."""
    found = shutil.which("nats-server")
    if found is None or TOOLS in pathlib.Path(found).absolute().parents:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    version = re.search(r"v(\d+)\.(\d+)", said)
    if version and tuple(map(int, version.groups())) >= OLDEST_SERVER:
        return pathlib.Path(found).resolve()
    print(f"tools: {found} is too old ({said.strip()}), installing another", file=sys.stderr)
    return None


def machine_node():
    """What the machine's Node.js calls itself, if it is new enough and npm is there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    version = re.match(r"v(\d+)\.", said)
    return said if version and int(version[1]) >= OLDEST_NODE else None


def check_python():
    """Ends with a plain word when this Python cannot carry the environment."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        here = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"tools: Python 3.11 to 3.14 is needed, this is {here} (name another: make PYTHON=...)")
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit("tools: Python's venv is missing; on Debian: apt-get install python3-venv")


def run(*command):
    """Runs one command, its output on standard error; ends when it fails."""
    if subprocess.run(command, stdout=sys.stderr.fileno()).returncode != 0:
        sys.exit(f"tools: failed: {' '.join(map(str, command))}")


def environment(lists):
    """Makes the environment and installs the lists of pinned packages into it."""
    version = f"version = {'.'.join(map(str, sys.version_info[:3]))}"
    settings = VENV / "pyvenv.cfg"
    if not (VENV / "bin" / "pip").exists() or version not in settings.read_text():
        run(sys.executable, "-m", "venv", "--clear", VENV)
    wanted = [part for name in lists for part in ("-r", name)]
    run(VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--require-hashes", "--no-deps", *wanted)


def scripts(node):
    """Installs the JavaScript packages of the lock file, or removes them where nothing can run them."""
    shutil.rmtree(SCRIPTS, ignore_errors=True)
    if node is None:
        print("tools: no Node.js 18 or later with npm: the JavaScript example is not tried", file=sys.stderr)
        return
    SCRIPTS.mkdir()
    for name in SCRIPT_LISTS:
        shutil.copy(name, SCRIPTS)
    # Where `.tools` is a link npm would take the folder for a package of its own.
    run("npm", "ci", "--prefix", SCRIPTS.resolve(), "--ignore-scripts", "--no-audit", "--no-fund", "--silent")


def link(target):
    """Points `.tools/bin/nats-server` at a server, in one step: others may be starting it."""
    SERVER.parent.mkdir(exist_ok=True)
    fresh = SERVER.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(SERVER)


def main():
    check_python()
    TOOLS.mkdir(exist_ok=True)
    with open(TOOLS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        peers(TOOLS)
        own = machine_server()
        node = machine_node()
        names = ["requirements.txt", "requirements-api.txt", "requirements-devices.txt"] + ([] if own else ["nats-server.txt"])
        lists = [HERE / name for name in names]
        texts = [name.read_text() for name in lists + SCRIPT_LISTS]
        state = hashlib.sha256(repr((sys.version, own, node, texts)).encode()).hexdigest()
        if STAMP.exists() and STAMP.read_text() == state and SERVER.exists() and (VENV / "bin" / "python").exists():
            return
        STAMP.unlink(missing_ok=True)
        environment(lists)
        scripts(node)
        link(own or os.path.relpath(VENV / "bin" / "nats-server", SERVER.parent))
        STAMP.write_text(state)
        print(f"tools: ready in {TOOLS.name}", file=sys.stderr)


main()
