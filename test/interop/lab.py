"""Topologies that several tests share, and what they have in common."""

import filecmp
import hashlib
import os
import unittest

import network
from hawser import Node

NEAR4, FAR4 = "10.9.0.1", "10.9.0.2"
NEAR6, FAR6 = "fd00:9::1", "fd00:9::2"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

# Set by `run`: CI moves smaller files.
QUICK = {"on": False}
# What the kernel counted in the scenarios that it judged, in order: (test, line). `run` prints them as a table.
JUDGED = []


def large():
    return 256 * MIB if QUICK["on"] else GIB


def url(address, path="", port=8080):
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}/{path}"


def write_random(path, size):
    """Random octets: a lost or doubled block cannot hide."""
    with open(path, "wb") as out:
        left = size
        while left > 0:
            out.write(os.urandom(min(left, 4 * MIB)))
            left -= min(left, 4 * MIB)
    return path


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as data:
        while block := data.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Case(unittest.TestCase):
    """Assertions that print what a command said."""

    def expect_code(self, result, *codes):
        self.assertIn(result.code, codes, str(result))

    def expect_same(self, left, right):
        self.assertTrue(os.path.exists(right), f"{right} is not there")
        self.assertEqual(os.path.getsize(left), os.path.getsize(right))
        self.assertTrue(filecmp.cmp(left, right, shallow=False), f"{left} and {right} differ")

    def expect_gone(self, path):
        self.assertFalse(os.path.exists(path), f"{path} exists")


class HawserPair(Case):
    """Two Hawser machines over af_packet: `client` and `server`."""

    @classmethod
    def setUpClass(cls):
        cls.near, cls.far = network.Machine(), network.Machine()
        network.link(cls.near, "a0", cls.far, "b0")
        cls.client = Node(cls.near, [("net_af_packet0,iface=a0", [f"{NEAR4}/24", f"{NEAR6}/64"], "")])
        cls.server = Node(cls.far, [("net_af_packet0,iface=b0", [f"{FAR4}/24", f"{FAR6}/64"], "")])
        cls.root = network.folder()
        cls.work = network.folder()

    @classmethod
    def tearDownClass(cls):
        cls.near.remove()
        cls.far.remove()
        for folder in (cls.root, cls.work, cls.client.folder, cls.server.folder):
            network.remove_folder(folder)


class KernelPeer(Case):
    """A Hawser machine at the far addresses, and Linux at the near ones."""

    hawser_tail = ""

    @classmethod
    def setUpClass(cls):
        cls.kernel, cls.machine = network.Machine(), network.Machine()
        network.link(cls.kernel, "k0", cls.machine, "h0")
        network.give_address(cls.kernel, "k0", f"{NEAR4}/24", f"{NEAR6}/64")
        cls.node = Node(cls.machine, [("net_af_packet0,iface=h0", [f"{FAR4}/24", f"{FAR6}/64"], "")],
                        tail=cls.hawser_tail)
        cls.root = network.folder()
        cls.work = network.folder()

    @classmethod
    def tearDownClass(cls):
        cls.kernel.remove()
        cls.machine.remove()
        for folder in (cls.root, cls.work, cls.node.folder):
            network.remove_folder(folder)

    def curl(self, *words, timeout=120, check=True):
        return self.kernel.run("curl", "-sS", "-g", "--fail", *words, timeout=timeout, check=check)
