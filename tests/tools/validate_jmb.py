"""Validates message bundles against the published schema.

Usage: validate_jmb.py SCHEMA.xsd DIRECTORY

Prints each fault as `file:line: message`, ends with `N passed, M failed`, and fails if any file did
or if there was none.
"""

import sys
from pathlib import Path

from lxml import etree


def faults(schema: etree.XMLSchema, path: Path) -> list[str]:
    """What is wrong with one file, as lines of output."""
    # Bundles come from outside: no document types, no entities, no network.
    # One may be larger than what lxml reads otherwise.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        document = etree.parse(str(path), parser)
    except etree.XMLSyntaxError as error:
        return [f"{path}:{error.lineno}: {error.msg}"]
    schema.validate(document)
    return [f"{path}:{entry.line}: {entry.message}" for entry in schema.error_log]


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    schema = etree.XMLSchema(etree.parse(arguments[0]))
    passed = failed = 0
    for path in sorted(Path(arguments[1]).glob("*.xml")):
        found = faults(schema, path)
        print("\n".join(found), end="\n" if found else "")
        passed += not found
        failed += bool(found)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
