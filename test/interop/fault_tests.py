"""Peers that vanish, stall, flood and lie."""

import os
import pathlib
import signal
import subprocess
import time

import network
from hawser import OK, PEER, TIMED_OUT, Node
from lab import FAR4, GIB, KIB, MIB, NEAR4, HawserPair, KernelPeer, url, write_random

HOSTILE = pathlib.Path(__file__).resolve().parent / "hostile.py"


class VanishingPeers(HawserPair):
    """kill -9 of one side of a transfer between two Hawser machines."""

    def setUp(self):
        # Sparse, but long enough to be under way when the blow comes.
        self.big = os.path.join(self.root, "big.bin")
        with open(self.big, "wb") as out:
            out.truncate(6 * GIB)
        self.server.serve(self.root)
        self.target = os.path.join(self.work, "big.bin")

    def tearDown(self):
        self.server.stop()
        for path in (self.target, self.target + ".part"):
            if os.path.exists(path):
                os.remove(path)

    def start_get(self, *options):
        child = self.client.start("get", *options, url(FAR4, "big.bin"), self.target)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and child.poll() is None:
            if "MiB of 6.0 GiB" in self.client.read_log():
                return child
            time.sleep(0.02)
        raise AssertionError("the transfer did not start:\n" + self.client.read_log())

    def test_get_ends_within_its_timeout_when_the_server_is_killed(self):
        child = self.start_get("--timeout", "3s")
        self.server.server.kill()
        began = time.monotonic()
        code = child.wait(30)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn(code, (TIMED_OUT, PEER))
        self.assertTrue(self.client.read_log().strip(), "no message")
        self.expect_gone(self.target)

    def test_the_server_goes_on_when_a_client_is_killed(self):
        self.start_get().kill()
        write_random(os.path.join(self.root, "after.bin"), MIB)
        target = os.path.join(self.work, "after.bin")
        self.expect_code(self.client.run("get", url(FAR4, "after.bin"), target), OK)
        self.expect_same(os.path.join(self.root, "after.bin"), target)

    def test_an_interrupted_get_leaves_no_file_under_the_name(self):
        child = self.start_get()
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(15), 130)
        self.expect_gone(self.target)

    def test_a_put_cut_in_half_leaves_no_file_under_the_name(self):
        source = os.path.join(self.work, "sparse.bin")
        with open(source, "wb") as out:
            out.truncate(4 * GIB)
        child = self.client.start("put", source, url(FAR4, "half.bin"))
        time.sleep(1.5)
        self.assertIsNone(child.poll(), "the transfer ended too early:\n" + self.client.read_log())
        child.kill()
        time.sleep(0.5)
        self.expect_gone(os.path.join(self.root, "half.bin"))
        self.assertIsNone(self.server.server.poll())
        os.remove(source)


class RudeClients(KernelPeer):
    """Kernel clients that break off, stall or crawl."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_random(os.path.join(cls.root, "file.bin"), 24 * MIB)
        with open(os.path.join(cls.root, "big.bin"), "wb") as out:
            out.truncate(8 * GIB)
        cls.node.serve(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        super().tearDownClass()

    def expect_alive(self):
        target = os.path.join(self.work, "alive.bin")
        self.curl("-m", "30", "-o", target, url(FAR4, "file.bin"))
        self.expect_same(os.path.join(self.root, "file.bin"), target)

    def in_kernel(self, code, *words, timeout=60):
        done = self.kernel.run("python3", "-c", code, *words, timeout=timeout, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_clients_that_are_killed_do_not_hurt_the_server(self):
        clients = [self.kernel.start("curl", "-s", "-o", os.devnull, url(FAR4, "big.bin")) for _ in range(8)]
        time.sleep(1)
        for client in clients:
            client.kill()
        self.expect_alive()

    def test_a_client_that_resets_in_the_middle(self):
        self.in_kernel("import socket,struct,sys\n"
                       "for i in range(50):\n"
                       "  s=socket.create_connection((sys.argv[1],8080),5);s.sendall(b'GET /big.bin HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
                       "  s.recv(100000);s.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0));s.close()\n", FAR4)
        self.expect_alive()

    def test_a_client_that_does_not_read_for_a_while_gets_it_all(self):
        out = self.in_kernel("import socket,sys,time\n"
                             "s=socket.socket();s.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,20000);s.connect((sys.argv[1],8080))\n"
                             "s.sendall(b'GET /file.bin HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')\n"
                             "time.sleep(4);n=0\n"
                             "while True:\n"
                             "  d=s.recv(1<<20)\n"
                             "  if not d: break\n"
                             "  n+=len(d)\n"
                             "print(n)\n", FAR4)
        self.assertGreater(int(out), 24 * MIB)

    def test_clients_that_never_read_do_not_stop_the_others(self):
        sleeper = ("import socket,sys,time\n"
                   "socks=[]\n"
                   "for i in range(30):\n"
                   "  s=socket.socket();s.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,1);s.connect((sys.argv[1],8080))\n"
                   "  s.sendall(b'GET /big.bin HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');socks.append(s)\n"
                   "time.sleep(20)\n")
        child = self.kernel.start("python3", "-c", sleeper, FAR4)
        time.sleep(2)
        self.expect_alive()
        child.kill()

    def test_a_client_with_a_window_of_a_few_octets(self):
        out = self.in_kernel("import socket,sys,time\n"
                             "s=socket.socket();s.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,1);s.connect((sys.argv[1],8080))\n"
                             "s.sendall(b'GET /file.bin HTTP/1.1\\r\\nHost: x\\r\\nRange: bytes=0-19999\\r\\nConnection: close\\r\\n\\r\\n')\n"
                             "d=b''\n"
                             "while len(d)<3000: d+=s.recv(7)\n"
                             "while True:\n"
                             "  b=s.recv(4000)\n"
                             "  if not b: break\n"
                             "  d+=b\n"
                             "print(len(d.split(b'\\r\\n\\r\\n',1)[1]))\n", FAR4, timeout=90)
        self.assertEqual(int(out), 20000)

    def test_half_a_request_is_not_waited_for_for_ever(self):
        self.in_kernel("import socket,sys\n"
                       "s=socket.create_connection((sys.argv[1],8080));s.sendall(b'GET /file.bin HT');s.settimeout(40)\n"
                       "try:\n"
                       "  while s.recv(1000): pass\n"
                       "except ConnectionResetError: pass\n", FAR4)

    def test_a_put_cut_in_half_by_curl_leaves_nothing(self):
        source = os.path.join(self.work, "half.bin")
        with open(source, "wb") as out:
            out.truncate(GIB)
        self.curl("-m", "1", "--limit-rate", "20M", "-T", source, url(FAR4, "half.bin"), check=False)
        time.sleep(0.5)
        self.expect_gone(os.path.join(self.root, "half.bin"))
        self.expect_alive()


class BadCompany(KernelPeer):
    """Raw frames beside a transfer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = write_random(os.path.join(cls.root, "file.bin"), 64 * MIB)
        cls.node.serve(cls.root)
        cls.mac = cls.machine.run("cat", "/sys/class/net/h0/address").stdout.strip()

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        super().tearDownClass()

    def attack(self, mode, seconds, rate=None):
        words = ["python3", HOSTILE, mode, "k0", self.mac, NEAR4, FAR4, "8080", seconds, "7"]
        child = self.kernel.start(*words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(0.5)
        target = os.path.join(self.work, "beside.bin")
        options = ["--limit-rate", rate] if rate else []
        self.curl("-m", "60", *options, "-o", target, url(FAR4, "file.bin"), timeout=90)
        self.expect_same(self.file, target)
        out, _ = child.communicate(timeout=90)
        self.assertEqual(child.returncode, 0, out)
        self.assertIsNone(self.node.server.poll(), self.node.read_log())
        # And afterwards all is as before.
        self.curl("-m", "60", "-o", target, url(FAR4, "file.bin"))
        self.expect_same(self.file, target)
        return int(out.split()[-1])

    def test_a_syn_flood_beside_a_transfer(self):
        self.assertGreater(self.attack("flood", 5), 10 * KIB)

    def test_a_scan_of_all_ports_beside_a_transfer(self):
        self.assertGreater(self.attack("scan", 5), 60000)

    def test_damaged_segments_beside_a_transfer(self):
        self.assertGreater(self.attack("garbage", 5), KIB)

    def test_blind_resets_beside_a_transfer(self):
        self.assertGreater(self.attack("reset", 5, rate="20M"), KIB)


class LossyLinks(KernelPeer):
    """One frame in a hundred is lost, both ways."""

    @classmethod
    def setUpClass(cls):
        cls.kernel, cls.machine = network.Machine(), network.Machine()
        cls.wire = network.LossyWire(cls.kernel, "k0", cls.machine, "h0", every=100)
        network.give_address(cls.kernel, "k0", f"{NEAR4}/24")
        cls.node = Node(cls.machine, [("net_af_packet0,iface=h0", [f"{FAR4}/24"], "")])
        cls.root, cls.work = network.folder(), network.folder()
        cls.file = write_random(os.path.join(cls.root, "file.bin"), 16 * MIB)
        cls.node.serve(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        cls.wire.machine.remove()
        super().tearDownClass()

    def test_hawser_sends_a_whole_file_through_loss(self):
        target = os.path.join(self.work, "lossy.bin")
        before = self.wire.lost()
        self.curl("-m", "60", "-o", target, url(FAR4, "file.bin"))
        self.expect_same(self.file, target)
        self.assertGreater(self.wire.lost(), before)

    def test_hawser_receives_a_whole_file_through_loss(self):
        self.curl("-m", "60", "-T", self.file, url(FAR4, "copy.bin"))
        self.expect_same(self.file, os.path.join(self.root, "copy.bin"))

    def test_twenty_connections_open_and_close_through_loss(self):
        write_random(os.path.join(self.root, "small.bin"), KIB)
        for _ in range(20):
            self.curl("-m", "30", "-o", os.devnull, url(FAR4, "small.bin"))
