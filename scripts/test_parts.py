#!/usr/bin/env python3
"""Builds and runs everything that CI runs; scripts/test calls it once the packages are there.

Usage: scripts/test [--list] [PART...]     without arguments the usual parts

The last line is the plain sum of all tests, and the exit code is 0 only if none failed. What each
part said is kept in build/test/PART.log.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test"
SUMS = re.compile(r"(\d+) passed, (\d+) failed")
# Those whose objects cross threads; tsan proves them, and asan everything else.
THREADED = ("base", "dpdk", "api")
# The layers below the programs; all of them are tested under asan.
ENGINE = ("base", "cc", "wire", "net", "tcp", "mptcp_wire", "mptcp_crypto", "mptcp_scheduler", "mptcp_path", "mptcp",
          "embed", "rfc")
SIM_SEEDS = 1000
SIM_PAIRS = (973,)  # Random pairs of paths that a mistake once made slower than the better path alone.
# The end-to-end tests whose verdict does not depend on how busy the machine is.
PLAIN_CLASSES = ("BadCompany", "Captures", "FullDisk", "KernelClients", "KernelMeasures", "KernelServers", "LossyCapture",
                 "LossyLinks", "ManyConnections", "Mistakes", "Paths.", "RudeClients", "Transfers", "VanishingPeers",
                 "Vhost")
FUZZ_SECONDS = 10


class Part:
    """One line of the summary: what passed, what failed, and how long it took."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = 0
        self.seconds = 0.0
        self.log = open(LOGS / f"{name}.log", "w+")

    def add(self, ok):
        self.passed += ok
        self.failed += not ok

    def run(self, *command, seconds=900, show=False):
        """Runs a command; its output goes to the log, and to the screen too with `show`."""
        self.log.write(f"$ {' '.join(map(str, command))}\n")
        self.log.flush()
        start = self.log.tell()
        environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1", CLICOLOR="0")
        child = subprocess.Popen([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE if show else self.log, stderr=subprocess.STDOUT,
                                 start_new_session=True, env=environment, errors="replace")
        try:
            if show:
                signal.signal(signal.SIGALRM, lambda *_: os.killpg(child.pid, signal.SIGTERM))
                signal.alarm(seconds)
                for line in child.stdout:
                    print("   ", line, end="", flush=True)
                    self.log.write(line)
                signal.alarm(0)
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            # Whatever the command left behind goes with it; it had its chance to clean up.
            for last in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(child.pid, last)
                    child.wait(10)
                except (ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
                    pass
        if code is None:
            self.log.write(f"\ntook longer than {seconds} s\n")
        self.log.flush()
        self.log.seek(start)
        output = self.log.read()
        self.log.seek(0, os.SEEK_END)
        return code == 0, output

    def complain(self, output, lines=40):
        print("    " + "\n    ".join(output.rstrip().splitlines()[-lines:]), flush=True)

    def count(self, ok, output):
        """Takes the sums that a program printed; one that failed without sums is one failure."""
        sums = SUMS.findall(output)
        if sums:
            self.passed += int(sums[-1][0])
            self.failed += int(sums[-1][1])
        if not ok and not (sums and int(sums[-1][1])):
            self.failed += 1
        if ok and not sums:
            self.passed += 1
        if not ok:
            self.complain(output)


def check(part):
    ok, output = part.run("scripts/dev", "check", "--quick", seconds=600)
    part.passed = len(re.findall(r"^  \w+ +ok ", output, re.M))
    part.failed = len(re.findall(r"^  \w+ +FAILED ", output, re.M)) or int(not ok)
    part.complain(output, 10 if ok else 80)


def build(part, preset, *targets):
    ok, output = part.run("scripts/dev", "build", preset, *targets, seconds=1500)
    if not ok:
        part.add(False)
        part.complain(output)
    return ok


def unit_tests(part, preset, *names):
    """The Catch2 programs of a preset, their test cases counted one by one."""
    record = ROOT / "build" / preset / "meson-logs" / "testlog.json"
    record.unlink(missing_ok=True)
    # The fuzzers' replays are tests wherever libFuzzer is not.
    ok, output = part.run("meson", "test", "-C", f"build/{preset}", "--no-rebuild", "--suite", "unit", "--suite", "fuzz",
                          "--timeout-multiplier", "10", *names, seconds=900)
    if not record.exists():
        part.add(False)
        part.complain(output)
        return
    for line in record.read_text().splitlines():
        test = json.loads(line)
        said = test.get("stdout", "")
        whole = re.search(r"All tests passed \(.* in (\d+) test cases?\)", said)
        mixed = re.search(r"test cases: +(\d+) \|(?: +(\d+) passed \|)? +(\d+) failed", said)
        if test["result"] == "OK" and whole:
            part.passed += int(whole[1])
        elif mixed:
            part.passed += int(mixed[2] or 0)
            part.failed += int(mixed[3])
        else:
            part.add(test["result"] == "OK")
        if test["result"] != "OK":
            print(f"    {test['name']}: {test['result']}")
            part.complain(said + test.get("stderr", ""))


def tests_named(preset, names):
    """Names and programs of the tests of a preset that are among `names`."""
    if not (ROOT / "build" / preset / "build.ninja").exists():
        subprocess.run(["meson", "setup", f"build/{preset}", "--native-file", f"scripts/presets/{preset}.ini"],
                       cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    listed = json.loads(subprocess.run(["meson", "introspect", f"build/{preset}", "--tests"], cwd=ROOT, check=True,
                                       capture_output=True, text=True).stdout)
    chosen = [test for test in listed if test["name"] in names]
    targets = [os.path.relpath(test["cmd"][0], ROOT / "build" / preset) for test in chosen]
    return [test["name"] for test in chosen], targets


def asan(part):
    names, targets = tests_named("asan", ENGINE)
    if build(part, "asan", *targets):
        unit_tests(part, "asan", *names)


def programs(part):
    names, targets = tests_named("release", ("api", "apps_common", "apps_files", "apps_http", "apps_hawser", "dpdk", "emulator"))
    if build(part, "release", *targets):
        unit_tests(part, "release", *names)


def release(part):
    part.add(build(part, "release", "apps/hawser/hawser"))


def tsan(part):
    names, targets = tests_named("tsan", THREADED)
    if build(part, "tsan", *targets):
        unit_tests(part, "tsan", *names)


def sim(part):
    program = ROOT / "build" / "asan" / "test" / "sim" / "sim"
    if not build(part, "asan", "test/sim/sim"):
        return
    for words in (("--count", SIM_SEEDS, "--jobs", os.cpu_count() or 1), ("--seeds-file", "test/sim/seeds.txt"),
                  ("--scenario", "quick")):
        ok, output = part.run(program, *words, seconds=900)
        runs = re.search(r"sim: (\d+) runs, (\d+) failed", output)
        part.passed += int(runs[1]) - int(runs[2]) if runs else 0
        part.failed += int(runs[2]) if runs else 0
        if not ok:
            part.failed += not (runs and int(runs[2]))
            part.complain(output)
    for pair in SIM_PAIRS:
        part.count(*part.run(program, "--pairs", 1, "--first", pair, "--verbose", seconds=300))


def lab(part):
    if build(part, "release", "test/lab/lab"):
        part.count(*part.run("scripts/dev", "lab", "--quick", seconds=600))


def fuzz(part):
    if not build(part, "fuzz"):
        return
    _, output = part.run("scripts/dev", "fuzz")
    names = re.findall(r"^([a-z]\w*)$", output, re.M)
    if not names:
        part.add(False)
        part.complain(output)
    for name in names:
        ok, output = part.run("scripts/dev", "fuzz", name, FUZZ_SECONDS, seconds=FUZZ_SECONDS + 120)
        part.add(ok)
        if not ok:
            print(f"    fuzz {name}")
            part.complain(output)


def mutants(part):
    part.count(*part.run("scripts/dev", "mutants", "--quick", seconds=3000))


def end_to_end(part, *patterns):
    if build(part, "release", "apps/hawser/hawser"):
        part.count(*part.run("test/interop/run", "--quick", *patterns, seconds=1500, show=True))


def interop(part):
    end_to_end(part, *PLAIN_CLASSES)


def multipath(part):
    """With Linux's Multipath TCP."""
    end_to_end(part, "OnePath", "TwoPaths", "FourPaths", "LargeOver")


def demo(part):
    part.count(*part.run("scripts/demo", "128", seconds=300, show=True))


# In this order: the cheap first, and what is built before what runs it.
PARTS = {function.__name__: function
         for function in (asan, check, release, sim, lab, demo, interop, multipath, programs, tsan, fuzz, mutants)}
# What runs without arguments; the others take long and are run by name.
USUAL = ("asan", "check", "release", "sim", "lab", "demo", "interop", "multipath")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=f"{', '.join(PARTS)}; without: {', '.join(USUAL)}")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(PARTS))
        return 0
    unknown = [name for name in options.part if name not in PARTS]
    if unknown:
        parser.error(f"no part is named {', '.join(unknown)}; there are {', '.join(PARTS)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    done = []
    for name in options.part or USUAL:
        print(f"== {name}", flush=True)
        part = Part(name)
        start = time.monotonic()
        try:
            PARTS[name](part)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            part.add(False)
            print(f"    {error}")
        part.seconds = time.monotonic() - start
        print(f"   {part.passed} passed, {part.failed} failed in {part.seconds:.0f} s", flush=True)
        done.append(part)
    print("\npart        passed  failed  seconds")
    for part in done:
        print(f"{part.name:10} {part.passed:7} {part.failed:7} {part.seconds:8.0f}")
    passed, failed = sum(p.passed for p in done), sum(p.failed for p in done)
    print(f"{'all':10} {passed:7} {failed:7} {sum(p.seconds for p in done):8.0f}\n")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
