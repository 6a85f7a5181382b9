#!/usr/bin/env python3
"""Who may include whom: the picture of the layers in README.md, as a check that fails the build.

Usage: scripts/check_layers.py [FILE...]   (all tracked and new C++ files without arguments)
"""

import pathlib
import re
import sys

from sources import ROOT, cpp_files

STD = r"[a-z_0-9]+"  # <vector>: no dot, no slash.
ENGINE_C = r"(immintrin|x86intrin)\.h"
EXPECTED = r"tl/expected\.hpp"
MBUF = r"rte_mbuf_core\.h"
# What the engines must not even name: they do no I/O, start no thread and read no clock.
ENGINE_NEVER = r"(iostream|fstream|filesystem|thread|mutex|shared_mutex|condition_variable|future|random|regex|ranges)"


class Layer:
    """One box of the picture: the boxes below it, and what it may take from outside the tree."""

    def __init__(self, path, below=(), outside=(), sources_only=(), engine=True):
        self.path = path
        self.below = (path, *below)
        self.outside = re.compile("|".join(f"(?:{p})" for p in (STD, *outside)))
        # fmt is slow to compile, so it stays out of headers that others include.
        self.sources_only = re.compile("|".join(f"(?:{p})" for p in ("fmt/.*", *sources_only)))
        self.engine = engine


BASE = "dataplane/base"
WIRE = "dataplane/wire"
NET = "dataplane/net"
TCP = "dataplane/tcp"
DPDK = "dataplane/dpdk"
ENGINES = (NET, TCP, "cc", WIRE, BASE)
# The parts of mptcp that stand alone; the rest of it may use them all.
MPTCP_PARTS = ("mptcp/wire", "mptcp/crypto", "mptcp/scheduler", "mptcp/path")

# The most specific path wins, so mptcp/api/embed stands before mptcp/api, and that before mptcp.
LAYERS = [
    Layer(BASE, outside=(MBUF, EXPECTED, ENGINE_C), sources_only=(r"arpa/inet\.h",)),
    Layer(WIRE, (BASE,), (EXPECTED, ENGINE_C)),
    Layer(NET, (WIRE, BASE), (EXPECTED, ENGINE_C, MBUF)),
    Layer("cc", (BASE,)),
    Layer(TCP, (WIRE, BASE, "cc"), (EXPECTED,)),
    Layer("mptcp/api/embed", ("mptcp/api", "mptcp", *MPTCP_PARTS, *ENGINES),
          (EXPECTED, r"(sys/|linux/|netinet/|arpa/).*", r"[a-z_]+\.h"), engine=False),
    Layer("mptcp/api", ("mptcp", *MPTCP_PARTS, *ENGINES), (r"boost/.*", r"openssl/.*", EXPECTED), engine=False),
    Layer("mptcp/wire", (WIRE, BASE), (EXPECTED,)),
    Layer("mptcp/crypto", ("mptcp/wire", BASE), (r"openssl/.*", EXPECTED)),
    Layer("mptcp/scheduler", (BASE,)),
    Layer("mptcp/path", ("mptcp/wire", "mptcp/crypto", BASE)),
    Layer("mptcp", (*MPTCP_PARTS, *ENGINES), (EXPECTED,)),
    Layer(DPDK, (NET, WIRE, BASE), (r"rte_.*\.h", EXPECTED, ENGINE_C, r"(sys/|linux/|net/|netinet/|arpa/).*",
                                    r"[a-z_]+\.h", r"fmt/.*"), engine=False),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    for layer in LAYERS:
        if path.startswith(layer.path + "/"):
            return layer
    return None  # apps and tests may include anything that exists.


def judge(path, kind, name):
    """What is wrong with one include, or None."""
    if kind == '"':
        if not (ROOT / name).is_file():
            return f'"{name}" is no file of this tree; write the path from the root'
    layer = layer_of(path)
    if layer is None:
        return None
    if kind == '"':
        target = layer_of(name)
        if target is None or target.path not in layer.below:
            return f'{layer.path} must not include "{name}"; it may use {", ".join(layer.below)}'
        return None
    if layer.engine and re.fullmatch(ENGINE_NEVER, name):
        return f"<{name}> in an engine layer; time, packets and randomness are arguments"
    if layer.outside.fullmatch(name):
        return None
    if layer.sources_only.fullmatch(name):
        if path.endswith(".cpp") or path.endswith("format.hpp"):
            return None
        return f"<{name}> in a header; keep it in a .cpp, or formatters in a file named ...format.hpp"
    return f"{layer.path} must not include <{name}>"


def main():
    faults = 0
    files = sys.argv[1:] or cpp_files()
    for path in files:
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            fault = match and judge(path, match[1], match[2])
            if fault:
                print(f"{path}:{number}: {fault}")
                faults += 1
    print(f"layers: {len(files)} files, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
