"""Machines and links out of namespaces and veth pairs, gone when the process is gone."""

import atexit
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile

PREFIX = f"hw{os.getpid()}"
_counter = itertools.count()
_machines = []
_folders = []


def run(*command, check=True, **options):
    """Runs to the end; the output is text."""
    options.setdefault("timeout", 60)
    words = [str(word) for word in command]
    done = subprocess.run(words, text=True, capture_output=True, errors="replace", **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


class Machine:
    """A namespace. What runs in it is killed with it."""

    def __init__(self):
        self.name = f"{PREFIX}-{next(_counter)}"
        self.children = []
        run("ip", "netns", "add", self.name)
        _machines.append(self)
        run("ip", "-n", self.name, "link", "set", "lo", "up")

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def run(self, *words, **options):
        return run(*self.command(*words), **options)

    def start(self, *words, **options):
        """Starts a process in its own group; it ends with the machine at the latest."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        child = subprocess.Popen(self.command(*words), start_new_session=True, **options)
        self.children.append(child)
        return child

    def remove(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        listed = run("ip", "netns", "pids", self.name, check=False).stdout.split()
        for pid in listed:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        run("ip", "netns", "delete", self.name, check=False)
        if self in _machines:
            _machines.remove(self)


def link(left, left_device, right, right_device, mtu=1500):
    """Joins two machines. Offloads are off: Hawser drives the ends with plain frames."""
    run("ip", "link", "add", left_device, "netns", left.name, "type", "veth",
        "peer", "name", right_device, "netns", right.name)
    for machine, device in ((left, left_device), (right, right_device)):
        # An end that Hawser drives has no address, so the kernel behind it stays silent.
        machine.run("sysctl", "-qw", f"net.ipv6.conf.{device}.disable_ipv6=1")
        machine.run("ethtool", "-K", device, "tx", "off", "rx", "off", "sg", "off", "tso", "off",
                    "gso", "off", "gro", "off", check=False)
        machine.run("ip", "link", "set", device, "mtu", mtu, "up")


class LossyWire:
    """A bridge between two machines that loses one frame in `every` in each direction, at random."""

    def __init__(self, left, left_device, right, right_device, every):
        self.machine = Machine()
        link(left, left_device, self.machine, "left")
        link(right, right_device, self.machine, "right")
        self.machine.run("ip", "link", "add", "wire", "type", "bridge")
        for device in ("left", "right"):
            self.machine.run("ip", "link", "set", device, "master", "wire")
        self.machine.run("ip", "link", "set", "wire", "up")
        rules = f"""table bridge wire {{ chain forward {{
            type filter hook forward priority 0;
            ether type != arp numgen random mod {every} 0 counter drop
            }}
            }}"""
        self.machine.run("nft", "-f", "-", input=rules)

    def lost(self):
        listed = self.machine.run("nft", "list", "ruleset").stdout
        return int(listed.split("counter packets ")[1].split()[0])


def give_address(machine, device, *addresses):
    """Lets the kernel of this machine be a peer."""
    machine.run("sysctl", "-qw", f"net.ipv6.conf.{device}.disable_ipv6=0")
    for address in addresses:
        options = ["nodad"] if ":" in address else []
        machine.run("ip", "address", "add", address, "dev", device, *options)


def folder():
    """A new directory that is removed at exit. Large files fit."""
    path = tempfile.mkdtemp(prefix=PREFIX + "-")
    _folders.append(path)
    os.chmod(path, 0o755)
    return path


def mount_small_disk(path, size="8m"):
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)


def remove_folder(path):
    if os.path.ismount(path):
        run("umount", "-l", path, check=False)
    shutil.rmtree(path, ignore_errors=True)
    if path in _folders:
        _folders.remove(path)


def clean_up():
    for machine in list(_machines):
        machine.remove()
    for path in list(_folders):
        for mount in (line.split()[1] for line in open("/proc/mounts")):
            if mount.startswith(path):
                run("umount", "-l", mount, check=False)
        remove_folder(path)


def _die(number, _frame):
    clean_up()
    sys.exit(128 + number)


atexit.register(clean_up)
for _signal in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(_signal, _die)
