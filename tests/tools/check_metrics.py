"""Checks a scrape of /metrics, as `promtool check metrics` does: python check_metrics.py FILE

The text is read by the parser of prometheus-client, then every metric is held against the conventions of
Prometheus. `promtool` is asked as well, where `make tools` has got it or the machine has one. Each complaint is a line; any of them ends it with 1.
"""
import collections
import pathlib
import re
import shutil
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

# Units that are not base units, and what to use instead; and abbreviations, which are no units at all.
UNITS = {
    "milliseconds": "seconds", "microseconds": "seconds", "nanoseconds": "seconds", "minutes": "seconds",
    "hours": "seconds", "days": "seconds", "weeks": "seconds", "kilobytes": "bytes", "megabytes": "bytes",
    "gigabytes": "bytes", "kibibytes": "bytes", "mebibytes": "bytes", "gibibytes": "bytes", "bits": "bytes",
    "percent": "ratio", "millivolts": "volts", "fahrenheit": "celsius", "kelvin": "celsius",
}
ABBREVIATIONS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "kib", "mib", "gib", "min", "h", "d"}
TYPES = {"counter", "gauge", "histogram", "summary"}
LINE = re.compile(r"#\s(HELP|TYPE)\s(\S+)(?:\s(.*))?$")


def headers(text):
    """What HELP and TYPE say of each name, and complaints about what is said twice."""
    said, complaints = collections.defaultdict(dict), []
    for line in text.splitlines():
        if match := LINE.match(line):
            word, name, rest = match.groups()
            if word in said[name]:
                complaints.append(f"{name}: {word} is there twice")
            said[name][word] = rest or ""
    return said, complaints


def of_name(name, kind, said):
    """Complaints about a name, its type and its help."""
    if not said.get("HELP"):
        yield "no help text"
    if "TYPE" not in said:
        yield "no type"
    if kind == "counter" and not name.endswith("_total"):
        yield "the name of a counter ends in `_total`"
    if kind != "counter" and name.endswith("_total"):
        yield "only the name of a counter ends in `_total`"
    if kind not in ("histogram", "summary") and name.endswith(("_count", "_sum", "_bucket")):
        yield "`_count`, `_sum` and `_bucket` are for histograms and summaries"
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        yield "a name is of lower-case letters, digits and `_`"
    for word in name.split("_"):
        if word in UNITS:
            yield f"use `{UNITS[word]}` instead of `{word}`"
        if word in ABBREVIATIONS:
            yield f"`{word}` is an abbreviation"
        if word in TYPES:
            yield f"the name holds its type, `{word}`"


def of_samples(family, kind):
    """Complaints about labels, doublets, and buckets that do not add up."""
    seen, buckets = set(), collections.defaultdict(list)
    for sample in family.samples:
        labels = tuple(sorted(sample.labels.items()))
        if (sample.name, labels) in seen:
            yield f"{sample.name} {dict(labels)} is there twice"
        seen.add((sample.name, labels))
        if kind != "histogram" and "le" in sample.labels:
            yield "`le` is for histograms"
        if kind != "summary" and "quantile" in sample.labels:
            yield "`quantile` is for summaries"
        for label, value in labels:
            if not re.fullmatch(r"[a-z_][a-z0-9_]*", label):
                yield f"the label `{label}` is not of lower-case letters, digits and `_`"
            if not value:
                yield f"the label `{label}` is empty"
        if kind == "counter" and not sample.value >= 0:
            yield f"a counter is {sample.value}"
        if sample.name.endswith("_bucket"):
            key = tuple(item for item in labels if item[0] != "le")
            buckets[key].append((float(sample.labels["le"]), sample.value))
    for key, counts in buckets.items():
        values = [count for _, count in sorted(counts)]
        if values != sorted(values) or max(counts)[0] != float("inf"):
            yield f"the buckets of {dict(key)} do not add up"


def check(text):
    """Every complaint about a scrape."""
    said, complaints = headers(text)
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError as error:
        return complaints + [f"cannot be read: {error}"]
    if not families:
        complaints.append("there are no metrics")
    for family in families:
        kind = family.type
        # The parser takes `_total` off the name of a counter.
        name = next((name for name in (family.name, f"{family.name}_total") if name in said), family.name)
        found = [*of_name(name, kind, said.get(name, {})), *of_samples(family, kind)]
        complaints += [f"{name}: {complaint}" for complaint in found]
    return complaints


def promtool(text):
    """What promtool says, if there is one."""
    unpacked = pathlib.Path(__file__).resolve().parents[2] / ".tools/prometheus/usr/bin/promtool"
    program = unpacked if unpacked.exists() else shutil.which("promtool")
    if program is None:
        return []
    done = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"promtool: {line}" for line in (done.stdout + done.stderr).splitlines()]


def main():
    text = pathlib.Path(sys.argv[1]).read_text()
    complaints = check(text) + promtool(text)
    for complaint in complaints:
        print(complaint)
    sys.exit(bool(complaints))


main()
