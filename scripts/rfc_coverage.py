#!/usr/bin/env python3
"""Holds the RFC tables of test/rfc against the tests and the code.

A row is done when it names tests that exist; a deviation has a reason, and the code that deviates says
so in a `Deviation:` comment which cites the same section. Every such comment must have its row.

Usage: scripts/rfc_coverage.py [--open]   (--open: list what is open)
"""

import re
import sys
import tomllib

from sources import ROOT, cpp_files, tree_files

STATUSES = ("done", "deviation", "open")
TEST_CASE = re.compile(r'(?:TEST_CASE|TEST_CASE_METHOD|SCENARIO)\s*\(\s*(?:\w+\s*,\s*)?((?:"(?:\\.|[^"\\])*"\s*)+)')
CITE = re.compile(r"RFC (\d+) §([A-Z]|[\d.]+\d|\d)")
PYTHON_TEST = re.compile(r'^\s*def (test_\w+)|^\s*@?named\("([^"]+)"\)', re.M)


def known_tests():
    """The names of all tests: Catch2's sentences and the end-to-end functions."""
    names = set()
    for path in tree_files():
        if not path.startswith("test/"):
            continue
        if path.endswith(".cpp"):
            for match in TEST_CASE.finditer((ROOT / path).read_text()):
                names.add("".join(re.findall(r'"((?:\\.|[^"\\])*)"', match[1])))
        elif path.endswith(".py"):
            for match in PYTHON_TEST.finditer((ROOT / path).read_text()):
                names.add(match[1] or match[2])
    return names


def deviation_comments():
    """(path, line, {(rfc, section)}) of each `Deviation:` comment, its whole block read."""
    for path in cpp_files():
        if path.startswith("test/"):
            continue
        lines = (ROOT / path).read_text().splitlines()
        for number, line in enumerate(lines):
            if not re.search(r"//.*\bDeviation:", line):
                continue
            block = line
            for following in lines[number + 1:]:
                if not following.lstrip().startswith("//"):
                    break
                block += " " + following.lstrip(" /")
            yield path, number + 1, {(int(rfc), section) for rfc, section in CITE.findall(block)}


def main():
    faults, counts, unfinished, deviations = [], {}, [], set()
    tests = known_tests()
    for table in sorted((ROOT / "test" / "rfc").glob("*.toml")):
        data = tomllib.loads(table.read_text())
        counts[data["rfc"]] = dict.fromkeys(STATUSES, 0)
        for row in data["rows"]:
            where = f"{table.name}: {row['id']}"
            status = row["status"]
            if status not in STATUSES:
                faults.append(f"{where}: status {status} is none of {', '.join(STATUSES)}")
                continue
            counts[data["rfc"]][status] += 1
            if status == "done" and not row.get("tests"):
                faults.append(f"{where}: done, but no test is named")
            if status == "deviation":
                deviations.add((data["rfc"], row["section"]))
                if not row.get("reason"):
                    faults.append(f"{where}: a deviation without a reason")
            if status == "open":
                unfinished.append(f"RFC {data['rfc']} §{row['section']} {row['id']}: {row['says']}")
            for name in row.get("tests", []):
                if name not in tests:
                    faults.append(f'{where}: no test is named "{name}"')
    for path, number, cites in deviation_comments():
        if not cites:
            faults.append(f"{path}:{number}: a deviation must cite what it deviates from: RFC 9293 §3.8.5")
        elif not cites & deviations:
            cited = ", ".join(f"RFC {rfc} §{section}" for rfc, section in sorted(cites))
            faults.append(f"{path}:{number}: no row with status deviation for {cited} in test/rfc")
    for line in faults + (unfinished if "--open" in sys.argv else []):
        print(line)
    print("rfc: " + ", ".join(f"{rfc}: {c['done']} done, {c['deviation']} deviations, {c['open']} open"
                              for rfc, c in sorted(counts.items())) + f"; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
