"""The link emulator is what the other tests believe it is: Linux on both sides measures it."""

import json
import pathlib
import sys
import time

import network
from emulated import EmulatedPaths
from lab import Case

NEAR, FAR = "10.9.0.1", "10.9.0.2"
PROBE = pathlib.Path(__file__).parent / "udp_probe.py"


class EmulatedLinks(Case):
    def setUp(self):
        self.left, self.right = network.Machine(), network.Machine()
        self.wire = None

    def tearDown(self):
        if self.wire:
            self.wire.remove()
        self.left.remove()
        self.right.remove()

    def join(self, more="", **keys):
        self.wire = EmulatedPaths(self.left, self.right, [keys], more)
        network.give_address(self.left, "a0", f"{NEAR}/24")
        network.give_address(self.right, "b0", f"{FAR}/24")
        self.right.start(sys.executable, PROBE, "echo")
        self.wire.start()
        self.probe(3, 0.2)  # The neighbours know each other from here on.

    def probe(self, count, interval):
        """(answers, mean round trip in ms)."""
        said = json.loads(self.left.run(sys.executable, PROBE, "probe", FAR, count, interval).stdout)
        return said["answers"], said["mean_ms"]

    def test_a_round_trip_takes_both_delays(self):
        self.join(rate="1Gbit/s", delay="20ms")
        answers, mean = self.probe(50, 0.02)
        self.assertEqual(answers, 50)
        self.assertGreater(mean, 40)
        self.assertLess(mean, 45)

    def test_as_many_frames_are_lost_as_asked(self):
        self.join(rate="1Gbit/s", delay="1ms", more='[[change]]\nat = "2s"\nloss = "10%"\n')
        time.sleep(2)
        answers, _ = self.probe(1000, 0.003)
        # 81 % come back; five standard deviations are 62.
        self.assertGreater(answers, 748)
        self.assertLess(answers, 872)
        counts = self.wire.stop()
        self.assertEqual(1000 - answers, sum(counts[0, way]["losses"] for way in ("there", "back")))

    def test_a_cut_path_is_silent_and_comes_back(self):
        self.join(rate="1Gbit/s", delay="1ms", more='[[cut]]\nfrom = "2s"\nuntil = "4s"\n')
        answers, _ = self.probe(50, 0.1)
        # Of the five seconds two are cut.
        self.assertGreater(answers, 25)
        self.assertLess(answers, 33)

    def test_a_connection_gets_the_rate(self):
        self.join(rate="20Mbit/s", delay="5ms", queue="100KiB")
        self.right.start("iperf3", "-s", "-1")
        while ":5201" not in self.right.run("ss", "-ltnH").stdout:
            time.sleep(0.05)
        said = json.loads(self.left.run("iperf3", "-c", FAR, "-t", "4", "-J", check=False).stdout)
        self.assertNotIn("error", said)
        rate = said["end"]["sum_received"]["bits_per_second"] / 1e6
        # 1,448 of 1,514 octets of a frame are payload: 19.1 Mbit/s at most.
        self.assertGreater(rate, 16)
        self.assertLess(rate, 19.3)
