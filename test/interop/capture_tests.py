"""--capture, judged by tshark."""

import os

import network
from hawser import OK, Node
from lab import FAR4, MIB, NEAR4, Case, KernelPeer, url, write_random


def tshark(machine, path, *words):
    return machine.run("tshark", "-n", "-r", path, *words, timeout=120).stdout


def count(machine, path, condition):
    return len(tshark(machine, path, "-Y", condition, "-T", "fields", "-e", "frame.number").split())


def payload_octets(segments):
    """What lines of stream, sequence number and length cover, however often."""
    total, reached = 0, {}
    for stream, begin, length in sorted(tuple(map(int, line.split())) for line in segments.splitlines()):
        begin, end = max(begin, reached.get(stream, begin)), begin + length
        total += max(end - begin, 0)
        reached[stream] = max(end, reached.get(stream, end))
    return total


# Wrong checksums, lengths and options, whatever the protocol.
MALFORMED = "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || " \
            "_ws.expert.severity == 8388608"  # 8388608: error


class Captures(KernelPeer):
    """What Hawser wrote about itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = write_random(os.path.join(cls.root, "file.bin"), 4 * MIB)
        cls.capture = os.path.join(cls.work, "server.pcapng")
        cls.node.serve(cls.root, "--capture", cls.capture)
        cls.curl(cls, "-o", os.path.join(cls.work, "down.bin"), url(FAR4, "file.bin"))
        cls.curl(cls, "-T", cls.file, url(FAR4, "copy.bin"))
        cls.node.stop()

    def test_no_frame_is_malformed(self):
        strict = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
        bad = tshark(self.kernel, self.capture, *strict, "-Y", MALFORMED)
        self.assertEqual(bad, "")

    def test_the_octets_of_both_ways_are_all_there(self):
        for direction, least in ((f"ip.src == {FAR4}", 4 * MIB), (f"ip.src == {NEAR4}", 4 * MIB)):
            total = payload_octets(tshark(self.kernel, self.capture, "-Y", direction + " && tcp.len > 0", "-T", "fields",
                                          "-e", "tcp.stream", "-e", "tcp.seq", "-e", "tcp.len"))
            self.assertGreaterEqual(total, least)
            self.assertLess(total, least + 4096)

    def test_handshakes_and_ends_are_there(self):
        self.assertEqual(count(self.kernel, self.capture, "tcp.flags.syn == 1 && tcp.flags.ack == 0"), 2)
        self.assertGreaterEqual(count(self.kernel, self.capture, "tcp.flags.fin == 1"), 2)


class LossyCapture(Case):
    """tshark's view of retransmissions against our own counters, on a link that loses frames."""

    def test_tshark_counts_the_retransmissions_that_we_count(self):
        kernel, machine = network.Machine(), network.Machine()
        network.LossyWire(kernel, "k0", machine, "h0", every=200)
        network.give_address(kernel, "k0", f"{NEAR4}/24")
        node = Node(machine, [("net_af_packet0,iface=h0", [f"{FAR4}/24"], "")])
        work = network.folder()
        capture = os.path.join(work, "sender.pcapng")
        kernel.start("socat", "-u", "TCP-LISTEN:9000,reuseaddr", "OPEN:/dev/null")
        result = node.run("perf", "run", NEAR4, "--plain", "--port", "9000", "--bytes", "12MiB", "--capture", capture, "--json")
        self.expect_code(result, OK)
        ours = int(find(result.summary, "retransmi"))
        # Where it was captured nothing can be out of order: what tshark calls so was sent again.
        again = "(tcp.analysis.retransmission || tcp.analysis.out_of_order)"
        theirs = count(kernel, capture, f"ip.src == {FAR4} && {again}")
        print(f"    retransmissions: ours {ours}, tshark {theirs}")
        self.assertGreater(ours, 0)
        # tshark guesses from the order of what it sees, so it may call a few of them by another name.
        self.assertLessEqual(abs(ours - theirs), max(3, ours // 10))
        payload = tshark(kernel, capture, "-Y", f"ip.src == {FAR4} && tcp.len > 0", "-T", "fields", "-e", "tcp.seq",
                         "-e", "tcp.len").split("\n")
        last = max(int(line.split("\t")[0]) + int(line.split("\t")[1]) for line in payload if line)
        self.assertEqual(last - 1, 12 * MIB)


def find(value, word):
    """The first number in nested JSON whose key contains `word`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if word in key and isinstance(inner, (int, float)):
                return inner
            found = find(inner, word)
            if found is not None:
                return found
    if isinstance(value, list):
        for inner in value:
            found = find(inner, word)
            if found is not None:
                return found
    return None
