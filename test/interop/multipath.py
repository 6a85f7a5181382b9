"""Linux and Hawser with several links between them, and the kernel's own counters as the judge."""

import contextlib
import json
import os
import pathlib
import subprocess
import time

import lab
import network
from hawser import OK, Node
from lab import MIB, Case, sha256, url, write_random

# What must not move unless a scenario is about it. AddAddrDrop may: Linux counts an ADD_ADDR that is sent again while
# it still looks at the first. So may RcvWndConflict: two of its CPUs announced the shared window at the same moment.
ERRORS = ("DSSNotMatching", "DSSCorruptionFallback", "DSSCorruptionReset", "DSSNoMatchTCP", "DataCsumErr",
          "NoDSSInWindow", "FallbackFailed", "MPJoinSynAckHMacFailure", "MPJoinAckHMacFailure",
          "MPJoinNoTokenFound", "MPCapableFallbackACK", "MPCapableFallbackSYNACK", "MPCapableDataFallback",
          "DssFallback", "MD5SigFallback", "SimultConnectFallback", "MPFailTx", "MPFailRx", "InfiniteMapTx",
          "InfiniteMapRx", "Blackhole", "RmAddrDrop")
# What says nothing about the protocol: how often queues and windows changed.
NOISE = ("MPCurrEstab", "OFOQueue", "OFOQueueTail", "OFOMerge", "RcvWndShared", "SndWndShared", "RcvWndConflict",
         "RcvWndConflictUpdate")


def linux(path, v6=False):
    return f"fd00:9:{path}::1" if v6 else f"10.9.{path}.1"


def ours(path, v6=False):
    return f"fd00:9:{path}::2" if v6 else f"10.9.{path}.2"


def counters(machine):
    """The MPTcpExt MIB of a namespace."""
    lines = [line.split() for line in machine.run("cat", "/proc/net/netstat").stdout.splitlines()]
    rows = [line[1:] for line in lines if line[0] == "MPTcpExt:"]
    return dict(zip(rows[0], map(int, rows[1])))


class Wires:
    """Bridges between the two machines: one for each path, which can be slow, deaf or meddlesome."""

    def __init__(self, kernel, hawser, paths, rate):
        self.machine = network.Machine()
        self.paths = paths
        for path in range(paths):
            network.link(kernel, f"k{path}", self.machine, f"l{path}")
            network.link(self.machine, f"r{path}", hawser, f"h{path}")
            self.machine.run("ip", "link", "add", f"b{path}", "type", "bridge")
            for side in "lr":
                self.machine.run("ip", "link", "set", f"{side}{path}", "master", f"b{path}")
            self.machine.run("ip", "link", "set", f"b{path}", "up")
            self.shape(path, rate)

    def shape(self, path, rate):
        for side in "lr":
            self.machine.run("tc", "qdisc", "replace", "dev", f"{side}{path}", "root", "tbf",
                             "rate", rate, "burst", "32kb", "latency", "20ms")

    def rules(self, *rules):
        """What the bridges do with the frames that they forward, in nft's words."""
        body = "\n".join(rules)
        self.machine.run("nft", "-f", "-", input=f"""
            table bridge wires {{}}
            delete table bridge wires
            table bridge wires {{
            chain forward {{
            type filter hook forward priority 0;
            {body}
            }}
            }}
            """)

    def cut(self, path):
        """Nothing passes, and nobody is told."""
        self.rules(f"iifname {{ l{path}, r{path} }} counter drop")

    def mend(self):
        self.machine.run("nft", "delete", "table", "bridge", "wires", check=False)

    def octets(self):
        """Octets that each path carried so far, both ways together."""
        listed = json.loads(self.machine.run("ip", "-j", "-s", "link").stdout)
        sent = {link["ifname"]: link["stats64"]["tx"]["bytes"] for link in listed if "stats64" in link}
        return [sent[f"l{path}"] + sent[f"r{path}"] for path in range(self.paths)]


class Multipath(Case):
    """The machines, and what every scenario needs. `paths` links; [mptcp] has the lines of `mptcp`."""

    paths = 2
    mptcp = ""
    rate = "100mbit"
    sysctls = {}

    @classmethod
    def setUpClass(cls):
        cls.kernel, cls.machine = network.Machine(), network.Machine()
        cls.wires = Wires(cls.kernel, cls.machine, cls.paths, cls.rate)
        for path in range(cls.paths):
            network.give_address(cls.kernel, f"k{path}", f"{linux(path)}/24", f"{linux(path, True)}/64")
        for name, value in {"net.ipv4.conf.all.rp_filter": 0, "net.mptcp.add_addr_timeout": 1, **cls.sysctls}.items():
            cls.kernel.run("sysctl", "-qw", f"{name}={value}")
        ports = [(f"net_af_packet{path},iface=h{path}", [f"{ours(path)}/24", f"{ours(path, True)}/64"], "")
                 for path in range(cls.paths)]
        cls.node = Node(cls.machine, ports, tail=f"\n[mptcp]\n{cls.mptcp}\n")
        cls.root, cls.work = network.folder(), network.folder()
        cls.size = cls.size_of_file()
        cls.file = write_random(os.path.join(cls.root, "file.bin"), cls.size)
        cls.digest = sha256(cls.file)
        cls.start_server()

    @classmethod
    def size_of_file(cls):
        return (48 if lab.QUICK["on"] else 128) * MIB

    @classmethod
    def tearDownClass(cls):
        cls.stop_server()
        for machine in (cls.kernel, cls.machine, cls.wires.machine):
            machine.remove()
        for folder in (cls.root, cls.work, cls.node.folder):
            network.remove_folder(folder)

    def setUp(self):
        self.target = os.path.join(self.work, "file.bin")
        self.allowed = ()
        self.before = counters(self.kernel)
        self.carried = self.wires.octets()

    def tearDown(self):
        self.wires.mend()
        self.kernel.run("ip", "mptcp", "endpoint", "flush")
        for path in range(self.paths):
            self.kernel.run("ip", "link", "set", f"k{path}", "up")
            # A link that goes down loses its IPv6 addresses.
            self.kernel.run("ip", "address", "replace", f"{linux(path, True)}/64", "dev", f"k{path}", "nodad")
            self.wires.shape(path, self.rate)
        for name in (self.target, self.target + ".part"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(name)

    # What Linux does by itself.
    def limits(self, subflows=8, accepted=8):
        self.kernel.run("ip", "mptcp", "limits", "set", "subflows", subflows, "add_addr_accepted", accepted)

    def endpoint(self, path, *flags, v6=False):
        self.kernel.run("ip", "mptcp", "endpoint", "add", linux(path, v6), "dev", f"k{path}", *flags)

    @contextlib.contextmanager
    def sysctl(self, name, value):
        was = self.kernel.run("sysctl", "-n", name).stdout.strip()
        self.kernel.run("sysctl", "-qw", f"{name}={value}")
        yield
        self.kernel.run("sysctl", "-qw", f"{name}={was}")

    # What was seen.
    def moved(self):
        now = counters(self.kernel)
        return {name: now[name] - self.before.get(name, 0) for name in now if now[name] != self.before.get(name, 0)}

    def shares(self):
        carried = [now - then for now, then in zip(self.wires.octets(), self.carried)]
        return [octets / max(sum(carried), 1) for octets in carried]

    def await_counter(self, name, least=1, seconds=10):
        deadline = time.monotonic() + seconds
        while self.moved().get(name, 0) < least:
            self.assertLess(time.monotonic(), deadline, f"{name} did not reach {least}: {self.moved()}")
            time.sleep(0.05)

    def judge(self, **expected):
        """Prints what the kernel counted, and holds it against `expected`: a number, or (least, most)."""
        moved = self.moved()
        print("    " + " ".join(f"{name} {count}" for name, count in moved.items() if name != "MPCurrEstab"))
        print("    shares " + " ".join(f"{share:.2f}" for share in self.shares()))
        counted = " ".join(f"{name}={moved[name]}" for name in sorted(moved) if name not in NOISE)
        lab.JUDGED.append((self.id().split(".", 1)[-1], counted))
        for name, wanted in expected.items():
            least, most = wanted if isinstance(wanted, tuple) else (wanted, wanted)
            self.assertTrue(least <= moved.get(name, 0) <= most, f"{name} is {moved.get(name, 0)}, not {wanted}: {moved}")
        wrong = [name for name in ERRORS if moved.get(name) and name not in expected and name not in self.allowed]
        self.assertFalse(wrong, f"{', '.join(wrong)}: {moved}")

    def expect_whole(self):
        self.assertTrue(os.path.exists(self.target), "there is no file")
        self.assertEqual(os.path.getsize(self.target), self.size)
        self.assertEqual(sha256(self.target), self.digest)

    def expect_shared(self, least=0.25):
        shares = self.shares()
        self.assertGreaterEqual(min(shares), least, f"shares {shares}")

    # A transfer in the background, for things that happen in the middle of it.
    def await_octets(self, octets, seconds=30):
        deadline = time.monotonic() + seconds
        while self.arrived() < octets:
            self.assertLess(time.monotonic(), deadline, f"only {self.arrived()} octets arrived")
            self.assertIsNone(self.child.poll(), "the transfer ended too early:\n" + self.said())
            time.sleep(0.02)

    def arrived(self):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.target)
        return 0

    def finish(self, seconds=120):
        """Waits for the end; returns the longest time in which nothing arrived."""
        longest, last, since = 0, self.arrived(), time.monotonic()
        deadline = since + seconds
        while self.child.poll() is None:
            now, arrived = time.monotonic(), self.arrived()
            self.assertLess(now, deadline, f"the transfer hangs at {arrived} octets:\n{self.said()}")
            if arrived != last:
                longest, last, since = max(longest, now - since), arrived, now
            time.sleep(0.01)
        self.assertEqual(self.child.returncode, 0, self.said())
        self.expect_whole()
        print(f"    longest gap {longest:.2f} s")
        return longest


class LinuxFetches(Multipath):
    """Linux's curl, with MPTCP, from `hawser serve`."""

    linux_opens = True

    @classmethod
    def start_server(cls):
        cls.node.serve(cls.root)

    @classmethod
    def stop_server(cls):
        cls.node.stop()

    def curl(self, v6=False, multipath=True):
        prefix = ("mptcpize", "run") if multipath else ()
        return [*prefix, "curl", "-sS", "-g", "--fail", "-m", "120", "-o", self.target, url(ours(0, v6), "file.bin")]

    def fetch(self, **how):
        done = self.kernel.run(*self.curl(**how), timeout=150, check=False)
        if done.returncode != 0:
            self.fail(f"curl: {done.stderr}{self.moved()}\n{self.node.read_log()}")
        self.expect_whole()

    def start_fetch(self):
        self.log = os.path.join(self.work, "curl.log")
        with open(self.log, "wb") as log:
            self.child = self.kernel.start(*self.curl(), stdout=log, stderr=subprocess.STDOUT)

    def said(self):
        return pathlib.Path(self.log).read_text(errors="replace") + self.node.read_log()


class HawserFetches(Multipath):
    """`hawser get` from nginx on Linux, with MPTCP."""

    linux_opens = False

    @classmethod
    def start_server(cls):
        config = os.path.join(cls.work, "nginx.conf")
        pathlib.Path(config).write_text(f"""
            daemon off; master_process off; user root; pid {cls.work}/nginx.pid; error_log {cls.work}/error.log;
            events {{ worker_connections 64; }}
            http {{ access_log off; client_body_temp_path {cls.work}/body; proxy_temp_path {cls.work}/proxy;
              fastcgi_temp_path {cls.work}/fastcgi; uwsgi_temp_path {cls.work}/uwsgi; scgi_temp_path {cls.work}/scgi;
              server {{ listen 8080; listen [::]:8080; root {cls.root}; }} }}""")
        cls.nginx = cls.kernel.start("mptcpize", "run", "nginx", "-c", config, "-e", os.path.join(cls.work, "error.log"))
        cls.kernel.run("curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-I",
                       url("127.0.0.1", "file.bin"))

    @classmethod
    def stop_server(cls):
        cls.nginx.terminate()

    def fetch(self, v6=False):
        self.expect_code(self.node.run("get", url(linux(0, v6), "file.bin"), self.target), OK)
        self.expect_whole()

    def arrived(self):
        """The file has its size from the start, so the wires are asked."""
        return sum(now - then for now, then in zip(self.wires.octets(), self.carried))

    def start_fetch(self):
        self.child = self.node.start("get", url(linux(0), "file.bin"), self.target)

    def said(self):
        return self.node.read_log()
