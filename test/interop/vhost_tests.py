"""Two Hawser processes over virtio-user and vhost, in shared hugepages."""

import os
import pathlib
import unittest

import network
from hawser import OK, Node
from lab import MIB, Case, url, write_random

HUGEPAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
NEEDED = 384  # of 2 MiB, for both sides


class Vhost(Case):
    """No kernel between them: checksum offload and large segments are negotiated here."""

    @classmethod
    def setUpClass(cls):
        cls.before = int(HUGEPAGES.read_text())
        if cls.before < NEEDED:
            try:
                HUGEPAGES.write_text(str(NEEDED))
            except OSError:
                pass
        if int(HUGEPAGES.read_text()) < NEEDED:
            raise unittest.SkipTest(f"this machine has no {NEEDED} hugepages to give")
        cls.near, cls.far = network.Machine(), network.Machine()
        cls.work, cls.root = network.folder(), network.folder()
        socket = os.path.join(cls.work, "vhost.sock")
        huge = "hugepages = true"
        cls.server = Node(cls.far, [(f"net_vhost0,iface={socket}", ["10.9.0.2/24", "fd00:9::2/64"], "")])
        cls.client = Node(cls.near, [(f"net_virtio_user0,path={socket}", ["10.9.0.1/24", "fd00:9::1/64"], "")])
        for node in (cls.server, cls.client):
            text = pathlib.Path(node.config).read_text().replace("hugepages = false", huge)
            pathlib.Path(node.config).write_text(text)
        cls.file = write_random(os.path.join(cls.root, "file.bin"), 256 * MIB)
        cls.server.serve(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.near.remove()
        cls.far.remove()
        for folder in (cls.work, cls.root, cls.server.folder, cls.client.folder):
            network.remove_folder(folder)
        if cls.before < NEEDED:
            HUGEPAGES.write_text(str(cls.before))

    def fetch(self, address):
        target = os.path.join(self.work, "down.bin")
        self.expect_code(self.client.run("get", url(address, "file.bin"), target), OK)
        self.expect_same(self.file, target)
        os.remove(target)

    def test_a_file_crosses_vhost_over_ipv4(self):
        self.fetch("10.9.0.2")

    def test_a_file_crosses_vhost_over_ipv6(self):
        self.fetch("fd00:9::2")

    def test_a_client_may_come_back(self):
        for _ in range(3):
            self.fetch("10.9.0.2")
