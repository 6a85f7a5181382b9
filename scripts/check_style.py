#!/usr/bin/env python3
"""The bans that clang-tidy cannot know. Each one says what to use instead.

Usage: scripts/check_style.py [FILE...]   (the whole tree without arguments)
"""

import re
import sys

from sources import ROOT, tree_files

ENGINES = ("dataplane/base/", "dataplane/wire/", "dataplane/net/", "dataplane/tcp/", "cc/", "mptcp/")
NOT_ENGINES = ("mptcp/api/",)
MAX_LINES = 600
OWN = ("scripts/check_style.py",)  # It must spell what it bans.

# Where octets become objects and back; everything else reads fields through base/byte_io.
REINTERPRET_CAST = {
    "dataplane/base/packet.hpp": "the pool pointer kept inside an mbuf",
    "dataplane/base/heap_packet_pool.cpp": "mbufs laid out in plain memory",
    "dataplane/base/block_pool.cpp": "blocks laid out in plain memory",
    "dataplane/wire/checksum.cpp": "vector loads from octets",
    "dataplane/wire/copy_checksum.cpp": "vector loads from octets",
}


def is_engine(path):
    return path.startswith(ENGINES) and not path.startswith(NOT_ENGINES)


def is_cpp(path):
    return path.endswith((".cpp", ".hpp"))


def may_reinterpret(path):
    return path in REINTERPRET_CAST or path.startswith(("dataplane/dpdk/", "apps/", "test/"))


class Ban:
    def __init__(self, pattern, instead, applies):
        self.pattern = re.compile(pattern)
        self.instead = instead
        self.applies = applies


# Looked for in code without its comments and strings.
CODE_BANS = [
    Ban(r"::now\s*\(", "a clock in an engine: take `Instant now` as an argument", is_engine),
    Ban(r"\b(s?rand|random|drand48)\s*\(|std::(random_device|mt19937\w*|default_random_engine)",
        "use dataplane/base/rng.hpp, seeded from the Core's config", is_cpp),
    Ban(r"(?<!operator )\bnew\b(?!\s*\()", "use std::make_unique at start, a pool afterwards", is_engine),
    Ban(r"\b(malloc|calloc|realloc)\s*\(", "use std::vector at start, a pool afterwards", is_engine),
    Ban(r"\bthrow\b|\btry\s*\{|\bcatch\s*\(", "return a Result, or ASSERT what only we can cause", is_engine),
    Ban(r"\bstd::function\b", "return what was caused; calls go down, values come up", is_engine),
    Ban(r"\bdynamic_cast\b|\btypeid\b", "use a variant; the engines build without RTTI", is_engine),
    Ban(r"\bstd::(ranges::)?views?::|\bviews::", "clang 14 cannot compile it: write the loop, or std::ranges algorithms",
        is_cpp),
    Ban(r"\breinterpret_cast\b", "read and write through dataplane/base/byte_io.hpp",
        lambda path: is_cpp(path) and not may_reinterpret(path)),
    Ban(r"\bgetenv\s*\(", "use the config file or an option; there are no environment variables",
        lambda path: is_cpp(path) and not path.startswith("test/")),
    Ban(r"\bfriend\s+(class|struct)\b", "calls go down, values come up: give it a public member", is_engine),
    Ban(r"^\s*using\s+namespace\s+(?!.*literals)", "name what you use: using-declarations", lambda p: p.endswith(".hpp")),
    Ban(r"\bassert\s*\(", "use ASSERT or DEBUG_ASSERT of dataplane/base/assert.hpp", is_engine),
]

# Looked for in every line of every text file.
TEXT_BANS = [
    Ban(r"\b(TODO|FIXME|XXX)\b", "do it, or write down why it is right as it is", lambda path: True),
    Ban(r"(?<![\w.])/(work|home|Users)/\w", "a path of one machine: derive it from the script's own place", lambda path: True),
    Ban(r"\b(deb\.debian\.org|registry\.npmjs|pypi\.org)\b", "no mirror's name: the machine's own apt sources decide",
        lambda path: True),
    Ban(r"[ \t]+$", "trailing blanks", lambda path: True),
    Ban(r"\bRFC[-_]?\d{3,4}\b|\bRFC \d+,? ?([Ss]ec(tion|\.)|§ |§§|\d+\.\d)|\b[Ss]ection \d[\d.]* (of|in) RFC|\brfc \d",
        "cite in the one form that grep finds: RFC 8684 §3.3.1", lambda path: is_cpp(path) or path.endswith((".md", ".toml"))),
]

STRING_OR_COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def code_of(text):
    """The text with comments and strings blanked, lines kept."""
    return STRING_OR_COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def faults_of(path):
    data = (ROOT / path).read_bytes()
    if b"\0" in data:
        return
    text = data.decode(errors="replace")
    lines = text.splitlines()
    if path.endswith((".cpp", ".hpp", ".py", ".sh")) or path.startswith("scripts/"):
        if len(lines) > MAX_LINES:
            yield len(lines), f"over {MAX_LINES} lines: split it by concern"
    if path in OWN:
        return
    for ban in TEXT_BANS:
        if ban.applies(path):
            yield from ((n, ban.instead) for n, line in enumerate(lines, 1) if ban.pattern.search(line))
    bans = [ban for ban in CODE_BANS if is_cpp(path) and ban.applies(path)]
    if bans:
        for number, line in enumerate(code_of(text).splitlines(), 1):
            yield from ((number, ban.instead) for ban in bans if ban.pattern.search(line))
    if path.endswith(".hpp") and "#pragma once" not in text:
        yield 1, "a header starts with #pragma once"
    if text and not text.endswith("\n"):
        yield len(lines), "the last line has no end"


def main():
    faults = 0
    files = sys.argv[1:] or tree_files()
    for path in files:
        for number, instead in faults_of(path):
            print(f"{path}:{number}: {instead}")
            faults += 1
    print(f"style: {len(files)} files, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
