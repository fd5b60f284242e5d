#!/usr/bin/python3
"""The server as a process: signals, exit codes and what it says. Prints TAP. Standard library only."""
import base64
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("SLUICE_BUILD", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build"))
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


def health():
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/healthz", timeout=5) as reply:
        return json.load(reply)


@contextlib.contextmanager
def running(*args):
    """A server; killed at the end if it still runs."""
    process = subprocess.Popen(
        [SLUICE, "--listen", f"127.0.0.1:{HTTP_PORT}", "--udp-port", str(UDP_PORT), "--workers", "2",
         *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        process.banner = process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def run(*args):
    return subprocess.run([SLUICE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=10, check=False)


def the_banner_names_the_page_and_the_page_is_there():
    with running() as server:
        url = f"http://localhost:{HTTP_PORT}"
        assert url in server.banner, server.banner
        with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/", timeout=5) as reply:
            assert b"<html" in reply.read().lower()
        assert health()["workers"] == 2


def both_signals_tell_the_clients_and_end_with_0():
    for number in (signal.SIGTERM, signal.SIGINT):
        with running() as server:
            client, idle = WebSocket(), WebSocket()
            client.join("demo")
            assert health()["participants"] == 1
            server.send_signal(number)
            go = client.receive_type("go")
            assert (go["action"], go["code"]) == ("leave", "server_stopping"), go
            assert client.receive() == 1001
            assert idle.receive_type("go")["code"] == "server_stopping"
            assert idle.receive() == 1001
            assert server.wait(5) == 0


def a_client_that_does_not_answer_does_not_hold_the_server_up():
    with running("--stop-timeout-s", "1") as server:
        client = WebSocket()
        client.join("demo")
        started = time.monotonic()
        server.terminate()
        assert server.wait(5) == 0
        assert time.monotonic() - started < 4


def a_second_signal_ends_it_at_once():
    with running("--stop-timeout-s", "30") as server:
        client = WebSocket()
        client.join("demo")
        server.terminate()
        while True:
            try:
                health()
            except urllib.error.HTTPError as error:
                assert error.code == 503
                break
        started = time.monotonic()
        server.terminate()
        assert server.wait(5) == 1
        assert time.monotonic() - started < 1


def sigpipe_and_broken_connections_harm_nobody():
    with running() as server:
        client = WebSocket()
        client.join("demo")
        server.send_signal(signal.SIGPIPE)
        for _ in range(20):
            broken = WebSocket()
            broken.send({"t": "ping", "id": 1})
            broken.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            broken.stream.close()
            broken.socket.close()
        client.send({"t": "ping", "id": 2})
        assert client.receive_type("pong")["re"] == 2
        assert server.poll() is None


def ports_in_use_are_explained_with_what_to_try():
    with running():
        second = run("--listen", f"127.0.0.1:{HTTP_PORT}", "--udp-port", "0")
        assert second.returncode == 1, second
        assert f"port {HTTP_PORT} is in use" in second.stderr and "--listen" in second.stderr, second
        second = run("--listen", "127.0.0.1:0", "--udp-port", str(UDP_PORT))
        assert second.returncode == 1, second
        assert f"UDP port {UDP_PORT} is in use" in second.stderr, second
        assert "--udp-port" in second.stderr, second


def wrong_settings_are_explained_and_end_with_2():
    for args, words in [(["--nonsense"], "no option --nonsense"),
                        (["--workers", "x"], "number from 0 to 64"),
                        (["--config", "/nonexistent.yaml"], "cannot be read"),
                        (["--listen", "example.org:80"], "ADDR:PORT")]:
        result = run(*args)
        assert result.returncode == 2 and words in result.stderr, (args, result)


CASES = [the_banner_names_the_page_and_the_page_is_there,
         both_signals_tell_the_clients_and_end_with_0,
         a_client_that_does_not_answer_does_not_hold_the_server_up,
         a_second_signal_ends_it_at_once,
         sigpipe_and_broken_connections_harm_nobody,
         ports_in_use_are_explained_with_what_to_try,
         wrong_settings_are_explained_and_end_with_2]


def main():
    failed = 0
    print(f"1..{len(CASES)}", flush=True)
    for number, case in enumerate(CASES, 1):
        try:
            case()
        except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"# {type(error).__name__}: {error} (line {error.__traceback__.tb_next.tb_lineno})")
            print("not ", end="")
        print(f"ok {number} - {case.__name__.replace('_', ' ')}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
