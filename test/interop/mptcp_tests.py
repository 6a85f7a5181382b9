"""Multipath TCP between Hawser and Linux, both ways round."""

import signal
import time

import lab
from lab import MIB
from multipath import HawserFetches, LinuxFetches, linux, ours

MANY = 1000


# Connects, waits until the paths have joined, and only then asks for the file.
ASK_LATE = """
import socket, sys, time
address, target = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
s.settimeout(20)
s.connect((address, 8080))
time.sleep(0.5)
s.sendall(b'GET /file.bin HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')
with s.makefile('rb') as answer, open(target, 'wb') as out:
    while answer.readline().strip():
        pass
    while block := answer.read(1 << 20):
        out.write(block)
"""


class Handshake:
    """The handshake of one subflow, from the counters of the side that Linux is on."""

    def expect_handshake(self, **more):
        names = ("MPCapableSYNTX", "MPCapableSYNACKRX") if self.linux_opens else ("MPCapableSYNRX", "MPCapableACKRX")
        self.judge(**{name: (1, MANY) for name in names}, **more)


class OnePath(Handshake):
    """What one subflow needs."""

    paths = 1
    rate = "400mbit"

    def test_a_file_over_ipv4(self):
        self.fetch()
        self.expect_handshake(MPJoinSynRx=0, MPJoinSynTx=0)

    def test_a_file_over_ipv6(self):
        self.fetch(v6=True)
        self.expect_handshake()

    def test_linux_wants_checksums(self):
        with self.sysctl("net.mptcp.checksum_enabled", 1):
            self.fetch()
        self.expect_handshake()

    def test_an_option_taken_from_the_syn_means_tcp(self):
        self.wires.rules("tcp flags & (syn|ack) == syn reset tcp option mptcp")
        self.fetch()
        self.judge(**({"MPCapableFallbackSYNACK": (1, MANY)} if self.linux_opens else {"MPCapableSYNRX": 0}))

    def test_an_option_taken_from_the_syn_ack_means_tcp(self):
        self.wires.rules("tcp flags & (syn|ack) == syn|ack reset tcp option mptcp")
        self.fetch()
        name = "MPCapableFallbackSYNACK" if self.linux_opens else "MPCapableFallbackACK"
        self.judge(**{name: (1, MANY)})

    def test_options_taken_behind_the_handshake_mean_tcp(self):
        self.allowed = ("MPCapableFallbackACK", "MPCapableDataFallback", "DssFallback")
        self.wires.rules("tcp flags & syn == 0 reset tcp option mptcp")
        self.fetch()
        self.judge()


class OnePathOfLinux(OnePath, LinuxFetches):
    def test_a_client_without_mptcp(self):
        self.fetch(multipath=False)
        self.judge(MPCapableSYNTX=0)

    def test_a_client_that_is_killed(self):
        self.start_fetch()
        self.await_octets(4 * MIB)
        # Linux closes fast when octets wait that nobody will read; a client that stands still has some.
        self.child.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        self.child.kill()
        self.await_counter("MPFastcloseTx")
        self.target += ".again"
        self.fetch()
        self.judge()


class OnePathOfHawser(OnePath, HawserFetches):
    def test_linux_answers_with_cookies(self):
        with self.sysctl("net.ipv4.tcp_syncookies", 2):
            self.fetch()
        self.expect_handshake()

    def test_a_client_that_is_interrupted_closes_fast(self):
        self.start_fetch()
        self.await_octets(4 * MIB)
        self.child.send_signal(signal.SIGINT)
        self.child.wait(15)
        self.await_counter("MPFastcloseRx")
        self.judge()


class OnePathChecksums(OnePathOfHawser):
    """Hawser wants checksums, whatever Linux wants."""

    mptcp = "checksum = true"


class TwoPaths:
    """What happens to one connection on several links."""

    def start_on_both(self):
        """A transfer that both paths carry."""
        self.open_paths()
        self.start_fetch()
        self.await_counter("MPJoinSynAckRx" if self.linux_opens else "MPJoinAckRx", self.paths - 1)
        self.await_octets(4 * MIB)

    def await_silence(self, path):
        """Until a path carries next to nothing of what arrives. What it had in its queue still comes."""
        carried = [self.wires.octets()[path]]
        while len(carried) == 1 or carried[-1] - carried[-2] > MIB / 4:
            self.await_octets(self.arrived() + 4 * MIB)
            carried.append(self.wires.octets()[path])

    def expect_joins(self, count=None, **more):
        joins = self.paths - 1 if count is None else count
        name = "MPJoinSynAckRx" if self.linux_opens else "MPJoinAckRx"
        self.judge(**{name: (joins, MANY)}, **more)

    def expect_short(self, gap):
        """How soon octets flow again is decided by the side that sends them."""
        if self.linux_opens:
            self.assertLess(gap, 1)

    def test_every_path_carries_its_share(self):
        self.open_paths()
        self.fetch()
        self.expect_joins()
        self.expect_shared(0.5 / self.paths)

    def test_a_path_falls_silent_and_comes_back(self):
        for path in range(self.paths):
            self.wires.shape(path, "40mbit")
        self.start_on_both()
        last = self.paths - 1
        self.wires.cut(last)
        silent = self.wires.octets()[last]
        self.await_octets(self.arrived() + 8 * MIB)
        self.assertLess(self.wires.octets()[last] - silent, MIB)
        self.wires.mend()
        back, since = self.wires.octets()[last], time.monotonic()
        while self.wires.octets()[last] - back < MIB // 4:
            self.assertIsNone(self.child.poll(), "the transfer ended without the path that came back")
            time.sleep(0.05)
        print(f"    the path carries data again after {time.monotonic() - since:.1f} s")
        self.assertLess(time.monotonic() - since, 5)
        self.finish()
        self.judge()

    def test_the_first_path_dies(self):
        self.start_on_both()
        self.wires.cut(0)
        self.expect_short(self.finish())
        self.judge()

    def test_a_link_goes_down(self):
        self.start_on_both()
        self.kernel.run("ip", "link", "set", "k1", "down")
        self.expect_short(self.finish())
        self.judge()

    def test_checksums(self):
        with self.sysctl("net.mptcp.checksum_enabled", 1):
            self.open_paths()
            self.fetch()
        self.expect_joins()


class TwoPathsOfLinux(TwoPaths, LinuxFetches):
    """Linux joins what Hawser announces: each of its addresses is reached by its own link only. An endpoint of Linux
    that opens subflows would try them to the first address, too."""

    def open_paths(self):
        self.limits()
        for path in range(1, self.paths):
            self.endpoint(path, "signal")

    def test_linux_joins_the_addresses_that_hawser_announces(self):
        self.limits()
        self.fetch()
        self.judge(AddAddr=(1, MANY), EchoAddTx=(1, MANY), MPJoinSynAckRx=(1, MANY))
        self.expect_shared(0.5 / self.paths)

    def test_every_path_is_there_before_the_first_octet(self):
        """Before it acknowledged data once, Linux drops what comes out of order."""
        self.open_paths()
        done = self.kernel.run("python3", "-c", ASK_LATE, ours(0), self.target, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_whole()
        self.expect_joins()

    def test_linux_may_not_join(self):
        self.limits(subflows=0, accepted=0)
        self.fetch()
        self.judge(MPJoinSynTx=0, MPJoinSynRx=(0, MANY))

    def test_a_backup_carries_nothing(self):
        self.limits()
        self.endpoint(1, "signal", "backup")
        self.fetch()
        self.expect_joins(1)
        self.assertLess(self.shares()[1], 0.02)

    def test_a_path_becomes_a_backup(self):
        self.start_on_both()
        self.kernel.run("ip", "mptcp", "endpoint", "change", linux(1), "backup")
        self.await_counter("MPPrioTx")
        self.await_silence(1)
        self.finish()
        self.judge()

    def test_linux_takes_an_address_away(self):
        self.start_on_both()
        self.kernel.run("ip", "mptcp", "endpoint", "flush")
        self.finish()
        self.judge(MPRstRx=(0, MANY))

    def test_a_full_mesh_of_linux(self):
        self.limits()
        self.endpoint(1, "subflow", "fullmesh")
        self.fetch()
        self.expect_joins(1)


class TwoPathsOfHawser(TwoPaths, HawserFetches):
    def open_paths(self):
        self.limits()
        for path in range(1, self.paths):
            self.endpoint(path, "signal")

    def test_hawser_joins_the_addresses_that_linux_announces(self):
        self.limits()
        self.endpoint(1, "signal")
        self.fetch()
        self.judge(AddAddrTx=(1, MANY), EchoAdd=(1, MANY), MPJoinAckRx=(1, MANY))

    def test_an_ipv6_path_joins_an_ipv4_connection(self):
        # Slow enough for the case that the announcement comes late, and the port first tries IPv4 in vain.
        for path in range(self.paths):
            self.wires.shape(path, "25mbit")
        self.limits()
        self.kernel.run("ip", "address", "delete", f"{linux(1)}/24", "dev", "k1")
        self.endpoint(1, "signal", v6=True)
        self.fetch()
        self.kernel.run("ip", "address", "add", f"{linux(1)}/24", "dev", "k1")
        self.judge(AddAddrTx=(1, MANY), MPJoinAckRx=(1, MANY))

    def test_an_announced_address_that_nobody_has(self):
        self.limits()
        self.kernel.run("ip", "mptcp", "endpoint", "add", "10.9.77.1", "signal")
        self.fetch()
        self.judge(AddAddrTx=(1, MANY))

    def test_linux_allows_no_joins(self):
        self.limits(subflows=0, accepted=0)
        self.fetch()
        self.judge(MPJoinAckRx=0)

    def test_linux_allows_no_joins_to_its_first_address(self):
        with self.sysctl("net.mptcp.allow_join_initial_addr_port", 0):
            self.open_paths()
            self.fetch()
        self.expect_joins()

    def test_linux_joins_with_cookies(self):
        with self.sysctl("net.ipv4.tcp_syncookies", 2):
            self.open_paths()
            self.fetch()
        self.expect_joins()

    def test_linux_makes_a_path_a_backup(self):
        self.start_on_both()
        self.kernel.run("ip", "mptcp", "endpoint", "change", linux(1), "backup")
        self.await_counter("MPPrioTx")
        self.finish()
        self.judge()

    def test_linux_takes_an_address_away(self):
        self.start_on_both()
        self.kernel.run("ip", "mptcp", "endpoint", "flush")
        self.await_counter("RmAddrTx")
        self.finish()
        self.judge()


class FourPathsOfLinux(TwoPathsOfLinux):
    paths = 4
    rate = "50mbit"


class FourPathsOfHawser(TwoPathsOfHawser):
    paths = 4
    rate = "50mbit"


class LargeFile:
    """A gibibyte (in CI less) over every path."""

    rate = "400mbit"

    @classmethod
    def size_of_file(cls):
        return lab.large()

    def open_paths(self):
        self.limits()
        for path in range(1, self.paths):
            self.endpoint(path, "signal")

    def test_a_large_file(self):
        self.open_paths()
        self.fetch()
        self.judge(**{"MPJoinSynAckRx" if self.linux_opens else "MPJoinAckRx": (self.paths - 1, MANY)})
        self.expect_shared(0.02)


class LargeOverTwoOfLinux(LargeFile, LinuxFetches):
    paths = 2


class LargeOverFourOfLinux(LargeFile, LinuxFetches):
    paths = 4


class LargeOverTwoOfHawser(LargeFile, HawserFetches):
    paths = 2


class LargeOverFourOfHawser(LargeFile, HawserFetches):
    paths = 4
