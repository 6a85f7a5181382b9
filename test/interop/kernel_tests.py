"""Ordinary Linux programs as peers, in both roles."""

import json
import os
import pathlib
import subprocess

from hawser import OK
from lab import FAR4, FAR6, MIB, NEAR4, NEAR6, KernelPeer, large, url, write_random


class KernelClients(KernelPeer):
    """The kernel's curl against `hawser serve`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, size in {"empty.bin": 0, "one.bin": 1, "odd.bin": 5 * MIB + 3}.items():
            write_random(os.path.join(cls.root, name), size)
        cls.node.serve(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        super().tearDownClass()

    def fetch(self, address, name):
        target = os.path.join(self.work, "down.bin")
        self.curl("-o", target, url(address, name))
        if os.path.getsize(os.path.join(self.root, name)) == 0 and not os.path.exists(target):
            open(target, "w").close()  # curl writes no file for an empty body.
        self.expect_same(os.path.join(self.root, name), target)
        os.remove(target)

    def send(self, address, name, size):
        source = write_random(os.path.join(self.work, "up.bin"), size)
        self.curl("-T", source, url(address, name))
        self.expect_same(source, os.path.join(self.root, name))
        os.remove(os.path.join(self.root, name))

    def test_curl_gets_an_empty_file(self):
        self.fetch(FAR4, "empty.bin")

    def test_curl_gets_one_octet(self):
        self.fetch(FAR4, "one.bin")

    def test_curl_gets_an_odd_size_over_ipv4(self):
        self.fetch(FAR4, "odd.bin")

    def test_curl_gets_an_odd_size_over_ipv6(self):
        self.fetch(FAR6, "odd.bin")

    def test_curl_gets_a_large_file_over_ipv4(self):
        write_random(os.path.join(self.root, "large.bin"), large())
        self.fetch(FAR4, "large.bin")
        os.remove(os.path.join(self.root, "large.bin"))

    def test_curl_puts_an_empty_file(self):
        self.send(FAR4, "up-empty.bin", 0)

    def test_curl_puts_one_octet(self):
        self.send(FAR4, "up-one.bin", 1)

    def test_curl_puts_an_odd_size_over_ipv4(self):
        self.send(FAR4, "up-odd.bin", 5 * MIB + 1)

    def test_curl_puts_a_large_file_over_ipv6(self):
        self.send(FAR6, "up-large.bin", large())

    def test_curl_puts_with_chunked_encoding(self):
        source = write_random(os.path.join(self.work, "chunked.bin"), 3 * MIB + 1)
        self.curl("-H", "Transfer-Encoding: chunked", "-T", source, url(FAR4, "chunked.bin"))
        self.expect_same(source, os.path.join(self.root, "chunked.bin"))

    def test_curl_gets_a_range(self):
        whole = pathlib.Path(self.root, "odd.bin").read_bytes()
        target = os.path.join(self.work, "range.bin")
        self.curl("-r", "1000000-1999999", "-o", target, url(FAR4, "odd.bin"))
        self.assertEqual(pathlib.Path(target).read_bytes(), whole[1000000:2000000])

    def test_curl_sees_the_headers_of_a_file(self):
        head = self.curl("-I", url(FAR4, "odd.bin")).stdout.lower()
        self.assertIn(f"content-length: {5 * MIB + 3}", head)
        self.assertIn("accept-ranges: bytes", head)
        self.assertIn("etag:", head)

    def test_curl_reads_the_listing_as_html_and_as_json(self):
        self.assertIn("odd.bin", self.curl(url(FAR4)).stdout)
        listing = json.loads(self.curl("-H", "Accept: application/json", url(FAR6)).stdout)
        self.assertIn("odd.bin", json.dumps(listing))

    def test_curl_asks_for_a_digest(self):
        head = self.curl("-D", "-", "-o", os.devnull, "-H", "Want-Repr-Digest: sha-256=1", url(FAR4, "odd.bin")).stdout
        self.assertIn("repr-digest: sha-256=:", head.lower())

    def test_many_requests_share_one_connection(self):
        done = self.curl("-w", "%{num_connects}\n", *(["-o", os.devnull, url(FAR4, "one.bin")] * 50))
        self.assertEqual(sum(int(n) for n in done.stdout.split()), 1)

    def test_sixteen_clients_at_once(self):
        words = self.kernel.command("curl", "-sS", "--fail", "-o", os.devnull, url(FAR4, "odd.bin"))
        clients = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(16)]
        for client in clients:
            _, error = client.communicate(timeout=60)
            self.assertEqual(client.returncode, 0, error)

    def test_the_kernel_pings_hawser(self):
        code = "import socket,os,struct,sys\n" \
               "s=socket.socket(socket.AF_INET,socket.SOCK_RAW,1);s.settimeout(3)\n" \
               "b=struct.pack('>BBHHH',8,0,0,7,1)+b'hawser00'\n" \
               "c=sum(struct.unpack('>8H',b));c=(c>>16)+(c&65535);c=~(c+(c>>16))&65535\n" \
               "s.sendto(b[:2]+struct.pack('>H',c)+b[4:],(sys.argv[1],0));d=s.recv(100)\n" \
               "assert d[20]==0 and d[28:]==b'hawser00',d\n"
        self.kernel.run("python3", "-c", code, FAR4)


class KernelServers(KernelPeer):
    """Hawser as the client of nginx, socat and netcat on a kernel."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, size in {"empty.bin": 0, "one.bin": 1, "odd.bin": 5 * MIB + 3}.items():
            write_random(os.path.join(cls.root, name), size)
        config = os.path.join(cls.work, "nginx.conf")
        pathlib.Path(config).write_text(f"""
            daemon off; worker_processes 1; user root; pid {cls.work}/nginx.pid; error_log {cls.work}/error.log;
            events {{ worker_connections 64; }}
            http {{ access_log off; sendfile on; client_max_body_size 0; client_body_temp_path {cls.work}/body;
              proxy_temp_path {cls.work}/proxy; fastcgi_temp_path {cls.work}/fastcgi;
              uwsgi_temp_path {cls.work}/uwsgi; scgi_temp_path {cls.work}/scgi;
              server {{ listen 80; listen [::]:80; root {cls.root}; }} }}""")
        cls.kernel.start("nginx", "-c", config, "-e", os.path.join(cls.work, "error.log"))
        cls.kernel.run("curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1",
                       "-o", os.devnull, url(NEAR4, "one.bin", port=80))

    def fetch(self, address, name):
        target = os.path.join(self.work, "down-" + name)
        self.expect_code(self.node.run("get", url(address, name, port=80), target), OK)
        self.expect_same(os.path.join(self.root, name), target)
        os.remove(target)

    def test_get_of_an_empty_file_from_nginx(self):
        self.fetch(NEAR4, "empty.bin")

    def test_get_of_one_octet_from_nginx(self):
        self.fetch(NEAR4, "one.bin")

    def test_get_from_nginx_over_ipv4(self):
        self.fetch(NEAR4, "odd.bin")

    def test_get_from_nginx_over_ipv6(self):
        self.fetch(NEAR6, "odd.bin")

    def test_get_of_a_large_file_from_nginx(self):
        write_random(os.path.join(self.root, "large.bin"), large())
        self.fetch(NEAR4, "large.bin")
        os.remove(os.path.join(self.root, "large.bin"))

    def test_perf_run_sends_to_a_socat_sink(self):
        sink = self.kernel.start("socat", "-u", "TCP6-LISTEN:9000,ipv6only=0,reuseaddr", "OPEN:/dev/null")
        result = self.node.run("perf", "run", NEAR4, "--plain", "--port", "9000", "--time", "2s", "--json")
        self.expect_code(result, OK)
        self.assertEqual(sink.wait(10), 0)

    def test_perf_run_receives_from_a_socat_source(self):
        self.kernel.start("socat", "-u", "OPEN:/dev/zero", "TCP6-LISTEN:9001,ipv6only=0,reuseaddr")
        result = self.node.run("perf", "run", NEAR6, "--plain", "--reverse", "--port", "9001", "--time", "2s", "--json",
                               "--profile")
        self.expect_code(result, OK)
        profile = next(event for event in result.events if event["event"] == "profile")
        frames = result.summary["received_bytes"] / 1440  # At the most in one: IPv6, MTU 1500.
        self.assertGreater(profile["rx_frames"], 0.9 * frames)
        self.assertGreater(profile["cycles_per_frame"]["engine"], 0)


class KernelMeasures(KernelPeer):
    """Plain TCP programs of a kernel against `hawser perf serve`."""

    def start(self, mode):
        self.node.server = self.node.start("perf", "serve", mode, "--json")
        self.node.await_log("listening")

    def tearDown(self):
        self.node.stop()

    def test_netcat_fills_a_sink(self):
        self.start("--sink")
        data = write_random(os.path.join(self.work, "nc.bin"), 32 * MIB)
        with open(data, "rb") as source:
            done = subprocess.run(self.kernel.command("nc", "-N", FAR4, "5201"), stdin=source, timeout=60)
        self.assertEqual(done.returncode, 0)

    def test_iperf_fills_a_sink_over_ipv4(self):
        self.start("--sink")
        done = self.kernel.run("iperf", "-c", FAR4, "-p", "5201", "-t", "2", "-f", "m")
        self.assertIn("Mbits/sec", done.stdout)

    def test_socat_drains_a_source_over_ipv6(self):
        self.start("--source")
        done = self.kernel.run("timeout", "2", "socat", "-u", f"TCP6:[{FAR6}]:5201", "OPEN:/dev/null", check=False)
        self.assertIn(done.returncode, (0, 124, 143))
        self.assertIsNone(self.node.server.poll(), self.node.read_log())
