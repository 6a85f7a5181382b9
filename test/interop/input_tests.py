"""What an operator or a client may get wrong: configs, devices, rights, paths, disks."""

import os
import pathlib
import shutil

import hawser
import network
from hawser import CONFIG, OK, SETUP, USAGE
from lab import FAR4, KIB, MIB, Case, KernelPeer, url, write_random


class Mistakes(Case):
    """Each is a message with the remedy and its own exit code, before the first packet."""

    @classmethod
    def setUpClass(cls):
        cls.machine, cls.other = network.Machine(), network.Machine()
        network.link(cls.machine, "h0", cls.other, "o0")
        cls.folder = network.folder()

    @classmethod
    def tearDownClass(cls):
        cls.machine.remove()
        cls.other.remove()
        network.remove_folder(cls.folder)

    PORT = '[[port]]\nid = "p0"\ndevice = "net_af_packet0,iface=h0"\naddress = ["10.9.0.2/24"]\n'

    def try_config(self, text, *words, prefix=()):
        node = hawser.Node(self.machine, [])
        pathlib.Path(node.config).write_text(text)
        os.chmod(node.config, 0o644)
        result = node.run(*(words or ("ports",)), timeout=30, prefix=prefix)
        network.remove_folder(node.folder)
        return result

    def test_a_good_config_shows_its_ports(self):
        result = self.try_config("[engine]\nmemory = \"64MiB\"\n" + self.PORT)
        self.expect_code(result, OK)
        self.assertIn("p0", result.out)

    def test_an_unknown_key_is_named_with_its_line(self):
        result = self.try_config("[engine]\nmemroy = \"64MiB\"\n" + self.PORT)
        self.expect_code(result, CONFIG)
        self.assertIn("memroy", result.err)
        self.assertIn(":2", result.err)

    def test_an_address_given_twice_is_refused(self):
        second = self.PORT.replace("p0", "p1").replace("packet0", "packet1")
        result = self.try_config(self.PORT + second)
        self.expect_code(result, CONFIG)
        self.assertIn("10.9.0.2", result.err)
        self.assertIn("twice", result.err)

    def test_a_config_that_is_not_toml_is_refused(self):
        self.expect_code(self.try_config("[engine\nthis is not a config"), CONFIG)

    def test_a_config_that_is_not_there_is_refused(self):
        done = self.machine.run(hawser.program(), "ports", "--config", "/nowhere/x.toml", check=False)
        self.assertEqual(done.returncode, CONFIG, done.stderr)
        self.assertIn("/nowhere/x.toml", done.stderr)

    def test_an_interface_that_does_not_exist_is_named(self):
        result = self.try_config(self.PORT.replace("iface=h0", "iface=nosuch0"))
        self.expect_code(result, CONFIG, SETUP)
        self.assertIn("nosuch0", result.err)

    def test_a_pci_address_that_does_not_exist_is_named(self):
        result = self.try_config(self.PORT.replace("net_af_packet0,iface=h0", "0000:7f:1f.7"))
        self.expect_code(result, CONFIG, SETUP)
        self.assertIn("7f:1f.7", result.err)

    def test_no_root_rights_give_a_message(self):
        program = shutil.copy(hawser.program(), self.folder)
        os.chmod(program, 0o755)
        os.environ["HAWSER"], before = program, os.environ.get("HAWSER")
        try:
            prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
            result = self.try_config("[engine]\nmemory = \"64MiB\"\n" + self.PORT, prefix=prefix)
        finally:
            os.environ.pop("HAWSER") if before is None else os.environ.update(HAWSER=before)
        self.expect_code(result, SETUP)
        self.assertRegex(result.err.lower(), "root|right|permi|cap_net")

    def test_an_unknown_option_is_a_usage_error(self):
        self.expect_code(self.try_config(self.PORT, "ports", "--frobnicate"), USAGE)

    def test_help_teaches_with_examples(self):
        for words in (["--help"], ["serve", "--help"], ["get", "--help"], ["put", "--help"], ["perf", "--help"],
                      ["perf", "run", "--help"], ["ports", "--help"]):
            done = self.machine.run(hawser.program(), *words, check=False)
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertIn("hawser", done.stdout)

    def test_a_root_that_is_no_directory_is_refused(self):
        result = self.try_config("[engine]\nmemory = \"64MiB\"\n" + self.PORT, "serve", "--root", "/nowhere/at/all")
        self.assertNotEqual(result.code, OK)
        self.assertIn("/nowhere/at/all", result.err)


class Paths(KernelPeer):
    """What a client may ask for, and what it gets."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        outside = pathlib.Path(cls.work, "secret.txt")
        outside.write_text("nobody may read this")
        root = pathlib.Path(cls.root)
        (root / "plain.txt").write_text("plain")
        (root / "folder").mkdir()
        (root / "inside").symlink_to("plain.txt")
        (root / "outside").symlink_to(outside)
        (root / "replaced").symlink_to(outside)
        (root / "above").symlink_to("..")
        (root / "with space & ünïcode.txt").write_text("odd name")
        cls.node.serve(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        super().tearDownClass()

    def ask(self, path, *words):
        """The status, and the body."""
        done = self.kernel.run("curl", "-sS", "-g", "--path-as-is", "-w", "\n%{http_code}", *words,
                               url(FAR4) + path, check=False, timeout=30)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def test_dots_do_not_leave_the_root(self):
        for path in ("../secret.txt", "folder/../../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt",
                     "folder/%2e%2e/%2e%2e/secret.txt", "above/secret.txt", "//../secret.txt", "../../../../etc/passwd"):
            status, body = self.ask(path)
            self.assertIn(status, range(400, 500), path)
            self.assertNotIn("nobody may read", body)
            self.assertNotIn("root:", body)

    def test_a_symlink_out_of_the_root_is_not_followed(self):
        status, body = self.ask("outside")
        self.assertIn(status, range(400, 500))
        self.assertNotIn("nobody", body)

    def test_a_symlink_within_the_root_is_consistent(self):
        status, body = self.ask("inside")
        self.assertTrue((status == 200 and body == "plain") or status in range(400, 500), (status, body))

    def test_a_put_through_a_symlink_does_not_leave_the_root(self):
        for path in ("replaced", "above/evil.txt", "../evil.txt", "%2e%2e/evil.txt"):
            self.ask(path, "-X", "PUT", "--data-binary", "evil")
        self.assertEqual(pathlib.Path(self.work, "secret.txt").read_text(), "nobody may read this")
        self.expect_gone(os.path.join(os.path.dirname(self.root), "evil.txt"))

    def test_a_name_of_5000_octets_is_an_error_and_not_the_end(self):
        self.assertIn(self.ask("n" * 5000)[0], range(400, 500))
        self.assertIn(self.ask("n" * 5000, "-X", "PUT", "--data-binary", "x")[0], range(400, 500))
        self.assertEqual(self.ask("plain.txt"), (200, "plain"))

    def test_a_request_header_of_a_mebibyte_is_refused(self):
        self.ask("plain.txt", "-H", "X-Long: " + "y" * 100 * KIB)
        self.assertEqual(self.ask("plain.txt"), (200, "plain"))

    def test_odd_names_are_served_and_listed(self):
        status, body = self.ask("with%20space%20%26%20%C3%BCn%C3%AFcode.txt")
        self.assertEqual((status, body), (200, "odd name"))

    def test_an_unknown_method_is_refused(self):
        self.assertIn(self.ask("plain.txt", "-X", "BREW")[0], (400, 405, 501))

    def test_a_directory_cannot_be_overwritten(self):
        self.assertIn(self.ask("folder", "-X", "PUT", "--data-binary", "x")[0], range(400, 500))
        self.assertTrue(os.path.isdir(os.path.join(self.root, "folder")))

    def test_a_range_beyond_the_end_is_416(self):
        self.assertEqual(self.ask("plain.txt", "-H", "Range: bytes=100-200")[0], 416)


class FullDisks(KernelPeer):
    """No space left: an error, a clean directory, and a server that goes on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        network.mount_small_disk(cls.root, "8m")
        write_random(os.path.join(cls.root, "small.bin"), MIB)
        cls.node.serve(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        super().tearDownClass()

    def test_a_put_to_a_full_disk_is_refused_and_leaves_nothing(self):
        source = write_random(os.path.join(self.work, "up.bin"), 32 * MIB)
        done = self.curl("-m", "60", "-T", source, url(FAR4, "up.bin"), check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual([p.name for p in pathlib.Path(self.root).iterdir() if p.is_file()], ["small.bin"])
        target = os.path.join(self.work, "small.bin")
        self.curl("-o", target, url(FAR4, "small.bin"))
        self.expect_same(os.path.join(self.root, "small.bin"), target)


class FullDiskOfTheClient(KernelPeer):
    """`hawser get` onto a disk without room."""

    def test_get_to_a_full_disk_names_the_file_and_leaves_nothing_under_its_name(self):
        write_random(os.path.join(self.root, "large.bin"), 32 * MIB)
        network.mount_small_disk(self.work, "8m")
        self.kernel.start("python3", "-m", "http.server", "80", "--directory", self.root)
        self.kernel.run("curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-o",
                        os.devnull, "-I", "http://10.9.0.1:80/")
        target = os.path.join(self.work, "large.bin")
        result = self.node.run("get", url("10.9.0.1", "large.bin", port=80), target)
        self.expect_code(result, hawser.LOCAL_FILE)
        self.assertIn("large.bin", result.err)
        self.expect_gone(target)
