"""Checks that no crate banned in deny.toml is in Cargo.lock: the ban holds where cargo-deny is not installed too."""
import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load(name):
    return tomllib.loads((ROOT / name).read_text())


reasons = {ban["crate"]: ban["reason"] for ban in load("deny.toml")["bans"]["deny"]}
found = sorted({package["name"] for package in load("Cargo.lock")["package"]} & reasons.keys())
for name in found:
    print(f"`{name}` is in Cargo.lock: {reasons[name]}", file=sys.stderr)
sys.exit(bool(found))
