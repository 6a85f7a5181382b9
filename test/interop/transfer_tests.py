"""Files between two Hawser machines."""

import json
import os

from hawser import OK, TIMED_OUT
from lab import FAR4, FAR6, KIB, MIB, HawserPair, large, sha256, url, write_random


class Transfers(HawserPair):
    """Everything that `get`, `put` and `serve` move between two Hawser machines over af_packet."""

    SIZES = {"empty.bin": 0, "one.bin": 1, "odd.bin": 3 * MIB + 7}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, size in cls.SIZES.items():
            write_random(os.path.join(cls.root, name), size)
            write_random(os.path.join(cls.work, "up-" + name), size)
        os.mkdir(os.path.join(cls.root, "inbox"))
        cls.server.serve(cls.root)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        super().tearDownClass()
        assert code in (0, 130), f"the server ended with {code}"

    def fetch(self, address, name):
        target = os.path.join(self.work, "down-" + name)
        result = self.client.run("get", url(address, name), target)
        self.expect_code(result, OK)
        self.expect_same(os.path.join(self.root, name), target)
        os.remove(target)

    def send(self, address, name):
        result = self.client.run("put", os.path.join(self.work, "up-" + name), url(address, "inbox/" + name))
        self.expect_code(result, OK)
        self.expect_same(os.path.join(self.work, "up-" + name), os.path.join(self.root, "inbox", name))
        os.remove(os.path.join(self.root, "inbox", name))

    def test_get_of_an_empty_file_over_ipv4(self):
        self.fetch(FAR4, "empty.bin")

    def test_get_of_one_octet_over_ipv4(self):
        self.fetch(FAR4, "one.bin")

    def test_get_of_an_odd_size_over_ipv4(self):
        self.fetch(FAR4, "odd.bin")

    def test_get_of_an_empty_file_over_ipv6(self):
        self.fetch(FAR6, "empty.bin")

    def test_get_of_one_octet_over_ipv6(self):
        self.fetch(FAR6, "one.bin")

    def test_get_of_an_odd_size_over_ipv6(self):
        self.fetch(FAR6, "odd.bin")

    def test_put_of_an_empty_file_over_ipv4(self):
        self.send(FAR4, "empty.bin")

    def test_put_of_one_octet_over_ipv4(self):
        self.send(FAR4, "one.bin")

    def test_put_of_an_odd_size_over_ipv4(self):
        self.send(FAR4, "odd.bin")

    def test_put_of_an_empty_file_over_ipv6(self):
        self.send(FAR6, "empty.bin")

    def test_put_of_one_octet_over_ipv6(self):
        self.send(FAR6, "one.bin")

    def test_put_of_an_odd_size_over_ipv6(self):
        self.send(FAR6, "odd.bin")

    def test_a_large_file_is_fetched_over_ipv4_and_checked(self):
        source = write_random(os.path.join(self.root, "large.bin"), large())
        target = os.path.join(self.work, "large.bin")
        result = self.client.run("get", url(FAR4, "large.bin"), target, "--sha256", sha256(source), "--json")
        self.expect_code(result, OK)
        self.expect_same(source, target)
        self.assertTrue(any("progress" in json.dumps(e) for e in result.events) or result.seconds < 2, str(result))
        os.remove(source)
        os.remove(target)

    def test_a_large_file_is_sent_over_ipv6(self):
        source = write_random(os.path.join(self.work, "large-up.bin"), large())
        result = self.client.run("put", source, url(FAR6, "inbox/large.bin"))
        self.expect_code(result, OK)
        self.expect_same(source, os.path.join(self.root, "inbox", "large.bin"))
        os.remove(source)
        os.remove(os.path.join(self.root, "inbox", "large.bin"))

    def test_several_files_are_sent_in_one_command(self):
        files = [write_random(os.path.join(self.work, f"many-{n}.bin"), n * 100 * KIB) for n in range(5)]
        self.expect_code(self.client.run("put", *files, url(FAR4, "inbox/")), OK)
        for file in files:
            self.expect_same(file, os.path.join(self.root, "inbox", os.path.basename(file)))
            os.remove(file)

    def test_a_listing_names_every_file(self):
        target = os.path.join(self.work, "listing.html")
        self.expect_code(self.client.run("get", url(FAR4), target), OK)
        listing = open(target).read()
        for name in (*self.SIZES, "inbox"):
            self.assertIn(name, listing)

    def test_verify_compares_the_digest_of_the_server(self):
        target = os.path.join(self.work, "verified.bin")
        self.expect_code(self.client.run("get", "--verify", url(FAR4, "odd.bin"), target), OK)
        self.expect_same(os.path.join(self.root, "odd.bin"), target)

    def test_a_wrong_checksum_leaves_no_file_under_the_name(self):
        target = os.path.join(self.work, "refused.bin")
        result = self.client.run("get", "--sha256", "0" * 64, url(FAR4, "odd.bin"), target)
        self.assertNotEqual(result.code, OK, str(result))
        self.expect_gone(target)

    def test_a_file_that_is_not_there_gives_an_error_and_no_file(self):
        target = os.path.join(self.work, "nothing.bin")
        result = self.client.run("get", url(FAR4, "no-such-file"), target)
        self.assertNotEqual(result.code, OK, str(result))
        self.assertIn("404", result.out + result.err)
        self.expect_gone(target)

    def test_an_interrupted_get_is_continued(self):
        source = write_random(os.path.join(self.root, "resumed.bin"), 8 * MIB)
        target = os.path.join(self.work, "resumed.bin")
        with open(source, "rb") as whole, open(target + ".part", "wb") as part:
            part.write(whole.read(5 * MIB))
        result = self.client.run("get", "-c", url(FAR4, "resumed.bin"), target)
        self.expect_code(result, OK)
        self.expect_same(source, target)

    def test_an_address_without_a_host_times_out_or_is_unreachable(self):
        target = os.path.join(self.work, "nobody.bin")
        result = self.client.run("get", "--timeout", "3s", url("10.9.0.77", "x"), target)
        self.assertNotEqual(result.code, OK)
        self.assertLess(result.seconds, 15)
        self.expect_gone(target)
        self.assertTrue(result.err.strip(), "no message")

    def test_a_closed_port_is_refused_at_once(self):
        result = self.client.run("get", url(FAR4, "x", port=81), os.path.join(self.work, "refused"))
        self.assertNotIn(result.code, (OK, TIMED_OUT), str(result))
        self.assertLess(result.seconds, 10)
