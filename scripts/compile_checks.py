#!/usr/bin/env python3
"""Checks that run a compiler on every file, two at a time, and again only on what changed since.

Usage: scripts/compile_checks.py headers           each header compiles alone
       scripts/compile_checks.py tidy [--all]      clang-tidy on what differs from main, or on all
                                 [--preset NAME]   whose compile_commands.json to use (debug)
"""

import argparse
import functools
import json
import os
import pathlib
import re
import subprocess
import sys

from sources import ROOT, changed_files, cpp_files

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
OUT = ROOT / "build" / "check"


@functools.lru_cache(maxsize=None)
def included(path):
    """All files of the tree that `path` includes, itself too, directly or not."""
    seen, open_ends = set(), [path]
    while open_ends:
        name = open_ends.pop()
        if name not in seen and (ROOT / name).is_file():
            seen.add(name)
            open_ends += INCLUDE.findall((ROOT / name).read_text())
    return seen


def run_ninja(name, rule, edges):
    """Runs `rule` for each (target, source, variables), remembering what passed."""
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["ninja_required_version = 1.5", f"rule check\n  command = {rule}\n  description = {name} $in"]
    for target, source, variables in edges:
        depends = " ".join(str(ROOT / f) for f in sorted(included(source)) if f != source)
        config = ROOT / ".clang-tidy"
        lines.append(f"build {target}: check {ROOT / source} | {config} {depends}")
        lines += [f"  {key} = {value}" for key, value in variables.items()]
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")
    if not edges:
        return 0
    # At most two at a time: clang-tidy on a Boost header takes a gigabyte.
    jobs = str(min(2, os.cpu_count() or 1))
    return subprocess.run(["ninja", "-C", folder, "-j", jobs, "-k", "0", "--quiet"]).returncode


def package_flags():
    flags = subprocess.run(["pkg-config", "--cflags", "libdpdk", "fmt", "openssl"], check=True,
                           capture_output=True, text=True).stdout.split()
    return " ".join(f.replace("-I", "-isystem ", 1) if f.startswith("-I") else f for f in flags)


def check_headers():
    warnings = "-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror"
    rule = (f"g++ -std=c++20 -fsyntax-only {warnings} -I{ROOT} {package_flags()} "
            "-include $in -x c++ /dev/null && touch $out")
    edges = [(f.replace("/", "-") + ".ok", f, {}) for f in cpp_files() if f.endswith(".hpp")]
    status = run_ninja("headers", rule, edges)
    print(f"headers: {len(edges)} checked alone")
    return status


def check_tidy(everything, preset):
    build = ROOT / "build" / preset
    database = build / "compile_commands.json"
    if not database.is_file():
        print(f"no {database.relative_to(ROOT)}; run scripts/dev build {preset} first")
        return 1
    units = set()
    for command in json.loads(database.read_text()):
        path = pathlib.Path(os.path.normpath(pathlib.Path(command["directory"]) / command["file"]))
        if path.is_relative_to(ROOT):
            units.add(str(path.relative_to(ROOT)))
    units &= set(cpp_files())
    if not everything:
        touched = set(changed_files(base_commit()))
        units = {unit for unit in units if included(unit) & touched}
    rule = (f"clang-tidy-14 --quiet -p {build} --extra-arg=-Wno-unknown-warning-option $in "
            "2>$out.err || { cat $out.err; exit 1; } && touch $out")
    edges = [(unit.replace("/", "-") + ".ok", unit, {}) for unit in sorted(units)]
    status = run_ninja("tidy", rule, edges)
    print(f"tidy: {len(edges)} files")
    return status


def base_commit():
    """Where this work left main; on main itself, what is not committed yet."""
    for branch in ("origin/main", "main"):
        found = subprocess.run(["git", "merge-base", "HEAD", branch], cwd=ROOT, capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.strip()
    return "HEAD"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=("headers", "tidy"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--preset", default="debug")
    options = parser.parse_args()
    return check_headers() if options.check == "headers" else check_tidy(options.all, options.preset)


if __name__ == "__main__":
    sys.exit(main())
