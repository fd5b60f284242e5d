"""The server as a process, and raw clients of it. Standard library only."""
import base64
import contextlib
import json
import os
import socket
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SLUICE_BUILD", os.path.join(ROOT, "build"))
SLUICE = os.path.join(BUILD, "sfu", "sluice")
HTTP_PORT, UDP_PORT = 18480, 18482

OFFER = "\r\n".join([
    "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendonly", "a=rtcp-mux",
    "a=ice-ufrag:user", "a=ice-pwd:passwordpasswordpassword",
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=setup:actpass",
    "a=rtpmap:111 opus/48000/2", "a=ssrc:1000 cname:x", ""])


class WebSocket:
    """Just enough of RFC 6455 to talk to the server; pings are ignored."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", HTTP_PORT), timeout=5)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /ws HTTP/1.1\r\nHost: localhost:{HTTP_PORT}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                             "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        assert b"101" in self.stream.readline()
        while self.stream.readline() not in (b"\r\n", b""):
            pass

    def send(self, message, opcode=1):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        head = (struct.pack("!BB", 0x80 | opcode, 0x80 | len(data)) if len(data) < 126 else
                struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, len(data)))
        self.socket.sendall(head + b"\0\0\0\0" + data)  # a mask of zeroes

    def receive(self):
        """@return a message, or the number of the close frame, or None at the end"""
        while True:
            head = self.stream.read(2)
            if len(head) < 2:
                return None
            length = head[1] & 0x7F
            if length == 126:
                length = struct.unpack("!H", self.stream.read(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self.stream.read(8))[0]
            data = self.stream.read(length)
            if head[0] & 0xF == 8:
                self.send(data[:2], 8)
                return struct.unpack("!H", data[:2])[0]
            if head[0] & 0xF == 1:
                return json.loads(data)

    def receive_type(self, wanted):
        while True:
            message = self.receive()
            assert isinstance(message, dict), f"{message} instead of {wanted}"
            if message["t"] == wanted:
                return message

    def join(self, room):
        self.send({"t": "join", "id": 1, "room": room, "name": "x", "offer": OFFER, "tracks": []})
        return self.receive_type("joined")


@contextlib.contextmanager
def running(*args, env=None):
    """A server; killed at the end if it still runs."""
    process = subprocess.Popen(
        [SLUICE, "--listen", f"127.0.0.1:{HTTP_PORT}", "--udp-port", str(UDP_PORT), "--workers", "2",
         *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=env)
    try:
        process.banner = process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def print_tap(cases):
    """Run the cases. @return how many failed"""
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    for number, case in enumerate(cases, 1):
        try:
            case()
        except (AssertionError, OSError, KeyError, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"# {type(error).__name__}: {error} (line {error.__traceback__.tb_next.tb_lineno})")
            print("not ", end="")
        print(f"ok {number} - {case.__name__.replace('_', ' ')}", flush=True)
    return failed
