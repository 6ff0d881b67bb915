"""Compiles the published JSON Schemas with `jsonschema`, and holds instances against them.

    validate_schemas.py DIR < probes.json

`DIR` has the schemas; probes are an object: the name of a schema's file, and what is held against it, each a pair of the
instance and whether it is valid. Every pattern is compiled by itself: the library does so only where it comes to it.
Prints each disagreement, and ends with 1 where there is one.
"""
import json
import pathlib
import re
import sys

from jsonschema import Draft202012Validator


def patterns(value):
    """Every pattern within a schema."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        yield from (found for inner in value.values() for found in patterns(inner))
    elif isinstance(value, list):
        yield from (found for inner in value for found in patterns(inner))


def main():
    folder = pathlib.Path(sys.argv[1])
    wrong = 0
    for name, probes in json.load(sys.stdin).items():
        schema = json.loads((folder / name).read_text())
        try:
            Draft202012Validator.check_schema(schema)
            for pattern in patterns({key: value for key, value in schema.items() if key != "examples"}):
                re.compile(pattern)
            validator = Draft202012Validator(schema)
            for instance, is_valid in probes:
                if validator.is_valid(instance) != is_valid:
                    wrong += 1
                    print(f"{name}: valid should be {is_valid}: {json.dumps(instance)[:300]}")
        except Exception as error:
            wrong += 1
            print(f"{name}: {str(error)[:300]}")
    sys.exit(1 if wrong else 0)


main()
