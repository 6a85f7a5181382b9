"""What many connections cost."""

import os

from hawser import resident_kib
from lab import FAR4, KIB, KernelPeer, write_random

# Runs on the kernel's side: opens and closes connections, each with a request and its whole answer.
CHURN = """
import socket, sys
address, count, close = sys.argv[1], int(sys.argv[2]), sys.argv[3]
request = b'GET /small.bin HTTP/1.1\\r\\nHost: x\\r\\nConnection: ' + close.encode() + b'\\r\\n\\r\\n'
for n in range(count):
    s = socket.create_connection((address, 8080), 20)
    s.sendall(request)
    got = b''
    while len(got) < 1024 or (close == 'close'):
        block = s.recv(65536)
        if not block:
            break
        got += block
    assert len(got) > 1024, got
    s.close()
"""

# Holds connections open until it is told to go.
HOLD = """
import resource, socket, sys
address, count, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
held = []
for n in range(count):
    held.append(socket.create_connection((address, port), 20))
print('held', flush=True)
sys.stdin.read()
"""


class ManyConnections(KernelPeer):
    """Memory of the server, as the kernel counts it."""

    # What a connection in TIME-WAIT held stays with the process for the next one. So that the most of them at once do
    # not depend on how many the machine opens in a second, they wait shortly.
    hawser_tail = '\n[tcp]\ntime_wait = "10ms"\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_random(os.path.join(cls.root, "small.bin"), KIB)

    def tearDown(self):
        self.node.stop()

    def churn(self, count, close):
        done = self.kernel.run("python3", "-c", CHURN, FAR4, count, close, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def grow(self, close):
        self.node.serve(self.root, "--quiet")
        pid = self.node.server.pid
        self.churn(2000, close)
        before = resident_kib(pid)
        self.churn(10000, close)
        after = resident_kib(pid)
        print(f"    10,000 connections: {before} KiB before, {after} KiB after")
        # Less than a tenth of a kilobyte each: allocator noise, not a leak.
        self.assertLess(after - before, 1024)

    def test_memory_does_not_grow_over_10000_connections_that_the_client_closes(self):
        self.grow("keep-alive")

    def test_memory_does_not_grow_over_10000_connections_that_the_server_closes(self):
        self.grow("close")

    def test_an_idle_connection_costs_at_most_2_kib(self):
        self.node.server = self.node.start("perf", "serve", "--sink", "--json")
        self.node.await_log("listening")
        pid = self.node.server.pid
        # So many that what the allocator does by the page is less than an octet of each.
        few, many = 1000, 9000
        sizes = []
        for count in (few, many):
            holder = self.kernel.start("python3", "-c", HOLD, FAR4, count, 5201, stdin=-1, stdout=-1, text=True)
            self.assertEqual(holder.stdout.readline().strip(), "held")
            sizes.append(resident_kib(pid))
            holder.stdin.close()
            holder.wait(30)
        each = (sizes[1] - sizes[0]) * 1024 / (many - few)
        print(f"    {few} idle: {sizes[0]} KiB, {many} idle: {sizes[1]} KiB: {each:.0f} octets each")
        self.assertLessEqual(each, 2048)
