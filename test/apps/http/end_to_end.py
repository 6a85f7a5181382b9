#!/usr/bin/env python3
"""The appliance protocol over loopback: our server and client, curl, nginx, and peers that misbehave.

    end_to_end.py PROGRAM    the path of http_on_sockets

Wants curl; what wants nginx or root is skipped without them. Ends with "N passed, N failed".
"""
import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath(sys.argv[1])
BIG = 24 * 1024 * 1024 + 17
BAD_KIND = {"timed-out": 12, "broken": 13, "protocol": 14, "status": 15, "checksum": 16,
            "local-file": 17, "disk-full": 18, "connection": 11}


class Server:
    """http_on_sockets serve, on a port of its choice."""

    def __init__(self, root, *options):
        self.root = root
        self.process = subprocess.Popen([PROGRAM, "serve", root, "0", "--quiet", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline().split()[-1])
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def say(self, text, shut=False):
        """Sends octets as they are and returns all that comes back."""
        with self.connect() as peer:
            peer.sendall(text if isinstance(text, bytes) else text.encode())
            if shut:
                peer.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := peer.recv(65536):
                answer += chunk
            return answer

    def status(self, text):
        return int(self.say(text).split(None, 2)[1])


def curl(*arguments, **options):
    return subprocess.run(["curl", "-sS", "--max-time", "60", "--path-as-is", *arguments],
                          capture_output=True, timeout=90, **options)


def curl_status(*arguments):
    return int(curl("-o", "/dev/null", "-w", "%{http_code}", *arguments).stdout)


def client(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=120)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def digest_field(data):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(data).digest()).decode() + ":"


def names(directory):
    return sorted(os.listdir(directory))


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


class World:
    """What the tests work on: a root with files, a directory for what is fetched, a server."""

    def __init__(self, base):
        self.base = base
        self.root = os.path.join(base, "root")
        self.out = os.path.join(base, "out")
        os.makedirs(os.path.join(self.root, "sub"))
        os.makedirs(self.out)
        self.big = os.urandom(BIG)
        for name, data in (("empty", b""), ("one", b"x"), ("big", self.big), ("sub/a b", b"deep")):
            write(os.path.join(self.root, name), data)
        write(os.path.join(base, "secret"), b"secret")
        os.symlink("../secret", os.path.join(self.root, "escape"))
        os.symlink("sub/a b", os.path.join(self.root, "inside"))
        self.server = Server(self.root)
        self.url = self.server.url

    def path(self, name):
        return os.path.join(self.base, name)


def test_curl_gets_files_of_all_sizes(world):
    for name in ("empty", "one", "big", "sub/a%20b", "inside"):
        want = content(os.path.join(world.root, name.replace("%20", " ")))
        assert curl(f"{world.url}/{name}").stdout == want, name


def test_head_tells_what_get_would(world):
    lines = curl("-I", f"{world.url}/big").stdout.decode().lower()
    assert f"content-length: {BIG}" in lines and "etag:" in lines and "accept-ranges: bytes" in lines


def test_ranges(world):
    assert curl("-r", "5-9", f"{world.url}/big").stdout == world.big[5:10]
    assert curl("-r", "-7", f"{world.url}/big").stdout == world.big[-7:]
    assert curl("-r", f"{BIG - 3}-", f"{world.url}/big").stdout == world.big[-3:]
    several = curl("-r", "0-4,100-104", f"{world.url}/big").stdout
    assert world.big[0:5] in several and world.big[100:105] in several
    assert several.count(b"Content-Range: bytes ") == 2
    assert curl_status("-r", f"{BIG}-", f"{world.url}/big") == 416
    assert curl_status("-r", "0-0", f"{world.url}/empty") == 416
    etag = [line.split(None, 1)[1] for line in curl("-I", f"{world.url}/big").stdout.decode().splitlines()
            if line.lower().startswith("etag")][0]
    assert curl_status("-r", "0-0", "-H", f"If-Range: {etag}", f"{world.url}/big") == 206
    assert curl_status("-r", "0-0", "-H", 'If-Range: "x"', f"{world.url}/big") == 200
    assert curl_status("-H", f"If-None-Match: {etag}", f"{world.url}/big") == 304
    assert curl_status("-H", 'If-Match: "x"', f"{world.url}/big") == 412


def test_curl_resumes(world):
    target = world.path("resumed")
    write(target, world.big[:1000003])
    assert curl("-C", "-", "-o", target, f"{world.url}/big").returncode == 0
    assert content(target) == world.big


def test_paths_that_lead_nowhere_or_out(world):
    for path, status in (("nope", 404), ("escape", 403), ("../secret", 403), ("%2e%2e/secret", 403),
                         ("sub/../../secret", 403), ("a%00b", 400), ("%zz", 400), ("big/", 404),
                         ("a" * 5000, 404), ("a" * 9000, 414), ("a" * 20000, 414)):
        assert curl_status(f"{world.url}/{path}") == status, path[:40]
    # A redirect must stay on this host whatever the path looks like.
    head = curl("-I", f"{world.url}//sub").stdout.decode()
    assert "301" in head and "location: /sub/" in head.lower(), head


def test_listings(world):
    page = curl(f"{world.url}/").stdout.decode()
    assert "<title>/</title>" in page and 'href="./sub/"' in page and "escape" not in page
    for way in (["-H", "Accept: application/json", f"{world.url}/"], [f"{world.url}/?format=json"]):
        entries = {entry["name"]: entry for entry in json.loads(curl(*way).stdout)}
        assert entries["big"]["size"] == BIG and entries["sub"]["type"] == "directory"
        assert "escape" not in entries
    assert b"a b" in client("list", f"{world.url}/sub").stdout


def test_methods_and_odd_requests(world):
    say = world.server.status
    assert say("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == 204
    assert say("DELETE /one HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == 405
    assert say("BREW /one HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == 501
    assert say("GET /one HTTP/1.1\r\nConnection: close\r\n\r\n") == 400
    assert say("GET /one HTTP/1.0\r\n\r\n") == 200
    assert say("GET /one HTTP/2.0\r\n\r\n") == 505
    assert say("nonsense\r\n\r\n") == 400
    assert say("GET /one HTTP/1.1\r\nHost: h\r\nX: " + "x" * 20000 + "\r\n\r\n") == 431
    assert say("GET /one HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nConnection: close\r\n\r\n") == 417
    assert say("PUT /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == 411
    assert say("PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Range: bytes 0-0/2\r\n"
               "Connection: close\r\n\r\nx") == 400
    assert say("PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Encoding: gzip\r\n"
               "Connection: close\r\n\r\nx") == 415
    assert say("PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
               "\r\n0\r\n\r\n") == 400
    assert "p" not in names(world.root)


def test_pipelined_requests_are_answered_in_order(world):
    get = "GET /{} HTTP/1.1\r\nHost: h\r\n{}\r\n"
    answer = world.server.say(get.format("one", "") + get.format("nope", "") + get.format("sub/a%20b", "") +
                              "PUT /pipelined HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
                              get.format("pipelined", "Connection: close\r\n"))
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"200", b"404", b"200", b"201", b"200"]
    assert answer.endswith(b"abc")
    os.unlink(os.path.join(world.root, "pipelined"))


def test_curl_puts_files_of_all_sizes(world):
    target = os.path.join(world.root, "sub", "put")
    for name in ("empty", "one", "big"):
        source = os.path.join(world.root, name)
        for extra in ([], ["-H", "Expect:"], ["-H", "Expect: 100-continue"]):
            assert curl_status("-T", source, *extra, f"{world.url}/sub/put") in (201, 204)
            assert content(target) == content(source), (name, extra)
    with open(os.path.join(world.root, "big"), "rb") as source:  # In chunks.
        assert curl("-T", "-", "-w", "%{http_code}", f"{world.url}/sub/put", stdin=source).stdout == b"204"
    assert content(target) == world.big
    os.unlink(target)
    assert curl_status("-T", source.name, f"{world.url}/nowhere/put") == 409
    assert curl_status("-T", source.name, f"{world.url}/sub/{'a' * 300}") == 414
    assert curl_status("-T", os.path.join(world.root, "one"), f"{world.url}/escape") in (201, 204)
    assert content(world.path("secret")) == b"secret", "a PUT must replace the link and not follow it"
    os.unlink(os.path.join(world.root, "escape"))
    os.symlink("../secret", os.path.join(world.root, "escape"))
    assert names(os.path.join(world.root, "sub")) == ["a b"]


def test_preconditions_of_put(world):
    one = os.path.join(world.root, "one")
    assert curl_status("-T", one, "-H", "If-None-Match: *", f"{world.url}/sub/a%20b") == 412
    assert curl_status("-T", one, "-H", 'If-Match: "x"', f"{world.url}/sub/a%20b") == 412
    assert content(os.path.join(world.root, "sub", "a b")) == b"deep"


def test_digests(world):
    one = os.path.join(world.root, "one")
    put = ["-T", one, f"{world.url}/sub/d"]
    right, wrong = digest_field(b"x"), digest_field(b"y")
    assert curl_status("-H", f"Repr-Digest: {wrong}", *put) == 400
    assert curl_status("-H", f"Content-Digest: {wrong}", *put) == 400
    assert curl_status("-H", "Repr-Digest: sha-256=:broken:", *put) == 400
    assert names(os.path.join(world.root, "sub")) == ["a b"]
    answer = curl("-i", "-H", f"Repr-Digest: {right}", "-H", "Want-Repr-Digest: sha-256=5", *put)
    assert f"Repr-Digest: {right}".encode() in answer.stdout
    os.unlink(os.path.join(world.root, "sub", "d"))
    chunked = ("PUT /sub/d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: Repr-Digest\r\n"
               "Connection: close\r\n\r\n1\r\nx\r\n0\r\nRepr-Digest: {}\r\n\r\n")
    assert world.server.status(chunked.format(wrong)) == 400
    assert world.server.status(chunked.format(right)) == 201
    os.unlink(os.path.join(world.root, "sub", "d"))
    for method in ([], ["-I"]):
        answer = curl(*method, "-i", "-H", "Want-Repr-Digest: sha-256=1", f"{world.url}/big").stdout
        assert digest_field(world.big).encode() in answer[:2000]


def test_a_put_cut_in_half_leaves_nothing(world):
    before = names(world.root)
    head = "PUT /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
    world.server.say(head.encode() + b"x" * 50000, shut=True)
    with world.server.connect() as peer:  # And one that ends with a reset.
        peer.sendall(head.encode() + b"x" * 50000)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    chunked = "PUT /cut HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"
    world.server.say(chunked, shut=True)
    assert names(world.root) == before
    assert curl(f"{world.url}/one").stdout == b"x"


def test_a_full_disk_gives_507_and_keeps_nothing(world):
    if os.geteuid() != 0:
        return "wants root"
    disk = world.path("disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "http-test", disk], check=True)
    server = Server(disk)
    try:
        big = os.path.join(world.root, "big")
        assert curl_status("-T", big, f"{server.url}/f") == 507
        with open(big, "rb") as source:  # Without a length it shows only on the way.
            assert curl("-T", "-", "-w", "%{http_code}", "-o", "/dev/null", f"{server.url}/f",
                        stdin=source).stdout == b"507"
        assert names(disk) == []
        for option in ([], ["--trailer"]):
            result = client("put", big, f"{server.url}/f", *option)
            assert result.returncode == BAD_KIND["status"] and b"507" in result.stderr, result
        result = client("get", f"{world.url}/big", disk + "/")
        assert result.returncode == BAD_KIND["disk-full"], result
        assert names(disk) == []
        assert curl_status("-T", os.path.join(world.root, "one"), f"{server.url}/f") == 201
    finally:
        server.stop()
        subprocess.run(["umount", disk], check=True)


def test_limits_of_the_server(world):
    server = Server(world.root, "--read-only")
    assert curl_status("-T", os.path.join(world.root, "one"), f"{server.url}/f") == 405
    server.stop()
    server = Server(world.root, "--max-body", "10")
    write(world.path("eleven"), b"12345678901")
    assert curl_status("-T", world.path("eleven"), f"{server.url}/f") == 413
    with open(world.path("eleven"), "rb") as source:
        assert curl("-T", "-", "-w", "%{http_code}", "-o", "/dev/null", f"{server.url}/f",
                    stdin=source).stdout == b"413"
    server.stop()
    assert "f" not in names(world.root)


def test_slow_clients_are_ended(world):
    server = Server(world.root, "--stall", "700")
    for text in ("", "GET /one HT", "PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"):
        begin = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            server.say(text)
        assert 0.5 < time.monotonic() - begin < 8, text
    with server.connect() as peer:  # One that asks for much and reads nothing.
        peer.sendall(b"GET /big HTTP/1.1\r\nHost: h\r\n\r\n" * 3)
        time.sleep(2.5)
        with contextlib.suppress(ConnectionResetError):
            received = 0
            while chunk := peer.recv(1 << 20):
                received += len(chunk)
            assert received < 3 * BIG
    assert curl(f"{server.url}/one").stdout == b"x"
    assert server.stop() == 0


def test_a_slow_reader_gets_the_end_of_its_last_answer(world):
    wanted = os.urandom(1 << 20)
    path = os.path.join(world.root, "slow")
    with open(path, "wb") as file:
        file.write(wanted)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        peer.settimeout(20)
        peer.connect(("127.0.0.1", world.server.port))
        peer.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(4)  # By then the server waits for nothing any more.
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    os.unlink(path)
    assert answer.endswith(wanted), f"{len(answer)} octets"


def test_many_idle_connections_cost_no_threads(world):
    peers = [world.server.connect() for _ in range(400)]
    try:
        for peer in peers:
            peer.sendall(b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
        for peer in peers:
            assert peer.recv(4096).endswith(b"x")
        with open(f"/proc/{world.server.process.pid}/status", encoding="ascii") as status:
            threads = [line for line in status if line.startswith("Threads")]
        assert int(threads[0].split()[1]) <= 4, threads
    finally:
        for peer in peers:
            peer.close()


def test_our_client_gets_from_our_server(world):
    for name in ("empty", "one", "big", "sub/a%20b"):
        for option in ([], ["--verify"], ["--resume", "--verify"]):
            result = client("get", f"{world.url}/{name}", world.out + "/", *option)
            assert result.returncode == 0, result
            plain = name.replace("%20", " ")
            path = os.path.join(world.out, os.path.basename(plain))
            assert content(path) == content(os.path.join(world.root, plain))
            os.unlink(path)
    assert client("get", f"{world.url}/one", "-").stdout == b"x"
    assert names(world.out) == []


def test_our_client_puts_to_our_server(world):
    for name in ("empty", "one", "big"):
        for option in ([], ["--header"], ["--trailer"]):
            source = os.path.join(world.root, name)
            result = client("put", source, f"{world.url}/sub/", *option)
            assert result.returncode == 0, result
            assert content(os.path.join(world.root, "sub", name)) == content(source)
            os.unlink(os.path.join(world.root, "sub", name))
    result = client("put", os.path.join(world.root, "big"), f"{world.url}/nowhere/f")
    assert result.returncode == BAD_KIND["status"] and b"409" in result.stderr, result


def test_our_client_says_what_went_wrong(world):
    out = world.out + "/"
    for arguments, kind in ((("get", f"{world.url}/nope", out), "status"),
                            (("get", "http://127.0.0.1:1/f", out), "connection"),
                            (("get", f"{world.url}/one", "/nowhere/f"), "local-file"),
                            (("put", "/nowhere/f", f"{world.url}/f"), "local-file"),
                            (("get", f"{world.url}/one", out, "--sha256", "0" * 64), "checksum")):
        result = client(*arguments)
        assert result.returncode == BAD_KIND[kind] and result.stderr, (arguments, result)
    assert names(world.out) == []


class Impostor:
    """A server that says what it is told and then does what it is told."""

    def __init__(self, *answers, stays=False):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/f"
        self.answers = answers
        self.stays = stays
        self.pid = os.fork()
        if self.pid == 0:
            self.run()
            os._exit(0)

    def run(self):
        for answer in self.answers:
            peer, _ = self.listener.accept()
            peer.recv(65536)
            peer.sendall(answer)
            if self.stays:
                time.sleep(60)
            peer.close()

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.listener.close()


def test_our_client_meets_broken_servers(world):
    ok = b"HTTP/1.1 200 OK\r\n"
    cases = (
        ((ok + b"Content-Length: 10\r\n\r\nabc",), False, "broken"),
        ((ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",), False, "broken"),
        ((ok + b"Content-Length: 10\r\n\r\nabc",), True, "timed-out"),
        ((b"",), True, "timed-out"),
        ((b"",), False, "broken"),
        ((b"SSH-2.0-x\r\n",), True, "protocol"),
        ((ok + b"Content-Length: 3\r\nRepr-Digest: " + digest_field(b"abd").encode() + b"\r\n\r\nabc",),
         False, "checksum"),
        ((ok + b"Content-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc",), False, "protocol"),
        ((b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-7/8\r\nContent-Length: 3\r\n\r\nabc",),
         False, "protocol"),
        ((b"HTTP/1.1 302 Found\r\nLocation: /f\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",) * 9,
         False, "protocol"),
        ((b"HTTP/1.1 302 Found\r\nLocation: http://h.example/\r\nContent-Length: 0\r\n\r\n",), False, "status"),
    )
    for answers, stays, kind in cases:
        server = Impostor(*answers, stays=stays)
        result = client("get", server.url, world.out + "/", "--stall", "1500")
        server.stop()
        assert result.returncode == BAD_KIND[kind], (answers[0], kind, result)
        assert names(world.out) == [], answers[0]
    for answer in (ok + b"\r\nabc", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok +
                   b"Content-Length: 3\r\n\r\nabc", b"HTTP/1.0 200 OK\r\n\r\nabc"):
        server = Impostor(answer)
        assert client("get", server.url, "-").stdout == b"abc", answer
        server.stop()


def test_our_client_resumes(world):
    etag = curl("-I", f"{world.url}/big").stdout.decode().split("ETag: ")[1].split("\r")[0]
    tag = hashlib.sha256(etag.encode()).hexdigest()[:16]
    part = os.path.join(world.out, f".big.{tag}.part")
    stale = os.path.join(world.out, ".big.0123456789abcdef.part")
    write(stale, b"of another state")
    for length in (1, 1000003, BIG - 1, BIG, BIG + 5):
        write(part, (world.big + b"extra")[:length])
        result = client("get", f"{world.url}/big", world.out + "/", "--resume", "--verify")
        assert result.returncode == 0, result
        assert f"({min(length, BIG - 1)} were there)".encode() in result.stderr, result
        assert content(os.path.join(world.out, "big")) == world.big
        assert names(world.out) == ["big"]
    os.unlink(os.path.join(world.out, "big"))
    write(part, b"y" * 1000)  # A part with other octets must not survive the digest.
    result = client("get", f"{world.url}/big", world.out + "/", "--resume", "--verify")
    assert result.returncode == BAD_KIND["checksum"], result
    assert names(world.out) == []


def test_our_client_keeps_a_part_when_the_server_dies(world):
    body = b"ETag: \"e\"\r\nAccept-Ranges: bytes\r\nContent-Length: 2000000\r\n\r\n" + b"z" * 1000000
    server = Impostor(b"HTTP/1.1 200 OK\r\n" + body)
    result = client("get", server.url, world.out + "/", "--resume")
    server.stop()
    assert result.returncode == BAD_KIND["broken"], result
    kept = names(world.out)
    assert len(kept) == 1 and kept[0].startswith(".f.") and kept[0].endswith(".part"), kept
    assert os.path.getsize(os.path.join(world.out, kept[0])) == 1000000
    os.unlink(os.path.join(world.out, kept[0]))


def test_nginx_is_a_peer(world):
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if nginx is None:
        return "wants nginx"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base = world.path("nginx")
    os.mkdir(base)
    config = f"""daemon off; pid {base}/pid; error_log {base}/log; worker_processes 1;
        events {{ worker_connections 64; }}
        http {{ access_log off; client_max_body_size 0; client_body_temp_path {base}/body; proxy_temp_path {base}/p;
          fastcgi_temp_path {base}/f; uwsgi_temp_path {base}/u; scgi_temp_path {base}/s;
          server {{ listen 127.0.0.1:{port}; root {world.root}; autoindex on; autoindex_format json; }} }}"""
    if os.geteuid() == 0:
        config = "user root; " + config
    write(f"{base}/conf", config.encode())
    process = subprocess.Popen([nginx, "-e", f"{base}/log", "-c", f"{base}/conf"])
    try:
        wait_until(lambda: curl("-o", "/dev/null", f"http://127.0.0.1:{port}/one").returncode == 0)
        url = f"http://127.0.0.1:{port}"
        for name in ("empty", "one", "big"):
            result = client("get", f"{url}/{name}", world.out + "/", "--resume", "--verify")
            assert result.returncode == 0, result
            assert content(os.path.join(world.out, name)) == content(os.path.join(world.root, name))
            os.unlink(os.path.join(world.out, name))
        etag = curl("-I", f"{url}/big").stdout.decode().split("ETag: ")[1].split("\r")[0]
        tag = hashlib.sha256(etag.encode()).hexdigest()[:16]
        write(os.path.join(world.out, f".big.{tag}.part"), world.big[:5000000])
        result = client("get", f"{url}/big", world.out + "/", "--resume")
        assert result.returncode == 0 and b"(5000000 were there)" in result.stderr, result
        assert content(os.path.join(world.out, "big")) == world.big
        os.unlink(os.path.join(world.out, "big"))
        assert b"- 1 one" in client("list", f"{url}/").stdout
        assert b"d - sub" in client("list", url).stdout
        assert client("get", f"{url}/nope", world.out + "/").returncode == BAD_KIND["status"]
        result = client("put", os.path.join(world.root, "big"), f"{url}/f")
        assert result.returncode == BAD_KIND["status"] and b"405" in result.stderr, result
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_wget_and_aria2_are_peers(world):
    for program, arguments in (("wget", ["-q", "-O"]), ("aria2c", ["-q", "-x4", "-s4", "-k1M", "-d", "/", "-o"])):
        if shutil.which(program) is None:
            continue
        target = world.path(program)
        subprocess.run([program, *arguments, target, f"{world.url}/big"], check=True, timeout=90)
        assert content(target) == world.big, program


def test_the_server_stops_when_told(world):
    server = Server(world.root)
    idle = server.connect()
    curl(f"{server.url}/one")
    assert server.stop() == 0
    idle.close()


def main():
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory(prefix="hawser-http-") as base:
        world = World(base)
        for name, test in list(globals().items()):
            if not name.startswith("test_") or (len(sys.argv) > 2 and sys.argv[2] not in name):
                continue
            begin = time.monotonic()
            try:
                skipped = test(world)
                print(f"{'skip' if skipped else 'ok  '} {time.monotonic() - begin:5.1f} s  "
                      f"{name[5:].replace('_', ' ')}{': ' + skipped if skipped else ''}", flush=True)
                passed += 1
            except Exception as error:  # A test may fail in any way; the others go on.
                print(f"FAIL {time.monotonic() - begin:5.1f} s  {name[5:].replace('_', ' ')}: "
                      f"{type(error).__name__} line {error.__traceback__.tb_next.tb_lineno}: {error}", flush=True)
                failed += 1
        if world.server.stop() != 0:
            print("FAIL the server did not end well")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
