"""Runs the `hawser` program as a node of the lab."""

import json
import os
import pathlib
import subprocess
import time

import network

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# The contract of the command line; see apps/common/exit_code.hpp.
OK, INTERNAL, USAGE, CONFIG, SETUP, CONNECT, TIMED_OUT, PEER, CHECKSUM, LOCAL_FILE = range(10)


def program():
    return os.environ.get("HAWSER", str(ROOT / "build" / "release" / "apps" / "hawser" / "hawser"))


def config_text(ports, engine="", tail=""):
    """ports: (device string, [addresses], extra lines)."""
    text = f'[engine]\nmemory = "256MiB"\nhugepages = false\nidle = "adaptive"\n{engine}\n'
    for index, (device, addresses, extra) in enumerate(ports):
        listed = ", ".join(f'"{a}"' for a in addresses)
        text += f'\n[[port]]\nid = "p{index}"\ndevice = "{device}"\naddress = [{listed}]\n{extra}\n'
    return text + tail


class Result:
    """How a finished command ended, with its `--json` lines read."""

    def __init__(self, done, seconds):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        self.seconds = seconds
        self.events = []
        for line in self.out.splitlines():
            try:
                self.events.append(json.loads(line))
            except ValueError:
                pass

    @property
    def summary(self):
        return self.events[-1] if self.events else {}

    def __str__(self):
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.out[-2000:]}\n{self.err[-2000:]}"


class Node:
    """One machine's Hawser: a config file, and commands that use it."""

    def __init__(self, machine, ports, engine="", tail=""):
        self.machine = machine
        self.folder = network.folder()
        self.config = os.path.join(self.folder, "node.toml")
        pathlib.Path(self.config).write_text(config_text(ports, engine, tail))
        self.server = None
        self.log = os.path.join(self.folder, "server.log")

    def run(self, *words, timeout=120, prefix=()):
        """A command to its end. `words` start with the subcommand; --config is added."""
        words = [str(word) for word in words]
        count = 2 if words[0] == "perf" else 1
        command = [*prefix, program(), *words[:count], "--config", self.config, *words[count:]]
        start = time.monotonic()
        done = subprocess.run(self.machine.command(*command), text=True, capture_output=True,
                              timeout=timeout, stdin=subprocess.DEVNULL, errors="replace")
        return Result(done, time.monotonic() - start)

    def start(self, *words):
        """A command in the background; its output goes to self.log."""
        words = [str(word) for word in words]
        count = 2 if words[0] == "perf" else 1
        command = [program(), *words[:count], "--config", self.config, *words[count:]]
        with open(self.log, "wb") as log:
            return self.machine.start(*command, stdout=log, stderr=subprocess.STDOUT)

    def serve(self, root, *options, wait_for="listening"):
        self.server = self.start("serve", "--root", root, "--json", *options)
        self.await_log(wait_for)
        return self.server

    def await_log(self, word, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if word in self.read_log():
                return
            running = self.server or self.machine.children[-1]
            if running.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not say {word!r}:\n{self.read_log()}")

    def read_log(self):
        return pathlib.Path(self.log).read_text(errors="replace") if os.path.exists(self.log) else ""

    def stop(self):
        if self.server and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
                raise AssertionError("the server did not end on SIGTERM within 10 s") from None
        code = self.server.returncode if self.server else None
        self.server = None
        return code


def resident_kib(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} is gone")
