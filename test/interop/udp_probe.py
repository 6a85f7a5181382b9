#!/usr/bin/env python3
"""Datagrams there and back, where no ping is installed.

Usage: udp_probe.py echo                         answers for ever
       udp_probe.py probe ADDRESS COUNT SECONDS  one each SECONDS; prints {"answers": N, "mean_ms": T}
"""

import json
import select
import socket
import sys
import time

PORT = 7007


def echo():
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("", PORT))
    while True:
        octets, peer = wire.recvfrom(2048)
        wire.sendto(octets, peer)


def probe(address, count, interval):
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.connect((address, PORT))
    sent, taken = {}, {}
    begin = time.monotonic()
    while len(taken) < count and time.monotonic() < begin + count * interval + 1:
        due = begin + len(sent) * interval
        if len(sent) < count and time.monotonic() >= due:
            sent[len(sent)] = time.monotonic()
            wire.send(str(len(sent) - 1).encode())
        wait = max(0.0, due - time.monotonic()) if len(sent) < count else 0.1
        if select.select([wire], [], [], wait)[0]:
            try:
                number = int(wire.recv(2048))
            except ConnectionRefusedError:
                continue
            taken.setdefault(number, time.monotonic() - sent[number])
    mean = 1000 * sum(taken.values()) / len(taken) if taken else None
    print(json.dumps({"answers": len(taken), "mean_ms": mean}))


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        echo()
    else:
        probe(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
