"""Paths with a rate, a delay and faults between two machines, by test/emulator."""

import json
import os
import pathlib
import time

import network

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def program():
    return os.environ.get("EMULATOR", str(ROOT / "build" / "release" / "test" / "emulator" / "emulator"))


class EmulatedPaths:
    """The devices a0, a1... of the left machine lead to b0, b1... of the right one.

    `paths`: the keys of test/emulator/plan.hpp for each, as a dictionary; `more`: further tables of the plan.
    """

    def __init__(self, left, right, paths, more="", seed=1):
        self.machine = network.Machine()
        self.folder = network.folder()
        plan = f"seed = {seed}\n"
        for number, keys in enumerate(paths):
            network.link(left, f"a{number}", self.machine, f"l{number}")
            network.link(self.machine, f"r{number}", right, f"b{number}")
            devices = [f"net_af_packet{2 * number + side},iface={end}{number}" for side, end in enumerate("lr")]
            plan += f"[[path]]\ndevices = {json.dumps(devices)}\n"
            plan += "".join(f'{key} = "{value}"\n' for key, value in keys.items())
        self.plan = os.path.join(self.folder, "plan.toml")
        self.log = os.path.join(self.folder, "emulator.log")
        pathlib.Path(self.plan).write_text(plan + more)
        self.process = None

    def start(self):
        """The plan's times count from about here."""
        with open(self.log, "wb") as log:
            self.process = self.machine.start(program(), self.plan, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while "ready" not in self.read_log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the emulator did not start:\n{self.read_log()}")
            time.sleep(0.02)

    def read_log(self):
        return pathlib.Path(self.log).read_text(errors="replace")

    def stop(self):
        """What it did to each way: {(path, "there" or "back"): counts}."""
        self.process.terminate()
        self.process.wait(10)
        rows = (json.loads(line) for line in self.read_log().splitlines() if line.startswith('{"path"'))
        return {(row["path"], row["way"]): row for row in rows}

    def remove(self):
        self.machine.remove()
        network.remove_folder(self.folder)
