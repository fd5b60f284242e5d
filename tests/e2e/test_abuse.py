#!/usr/bin/python3
"""A call goes on without a loss while somebody floods the server. Prints TAP. Standard library only."""
import base64
import contextlib
import hmac
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

from raw_client import BUILD, HTTP_PORT, ROOT, UDP_PORT, WebSocket, print_tap, running

FLOOD = os.path.join(BUILD, "bench", "flood")
BENCH = os.path.join(BUILD, "bench", "sluice-bench")
SECONDS = 10
PRIVATE = "10.99.0.1"  # of the namespace: no address of the host itself, so it has limits
SECRET = "a-secret-of-at-least-32-bytes-for-tests"


def token(secret):
    """@return a JSON Web Token for any room (RFC 7519, HS256)"""
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    text = b".".join(encode(json.dumps(part).encode()) for part in (
        {"alg": "HS256", "typ": "JWT", "kid": "k1"}, {"sluice": {"room": "*"}}))
    return (text + b"." + encode(hmac.digest(secret.encode(), text, "sha256"))).decode()


def start(*args):
    return subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def result_of(process, seconds):
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return json.loads(out)


@contextlib.contextmanager
def call(server, seconds=SECONDS):
    """A meeting of three, with sound and video, and two who watch; it must lose nothing."""
    bench = start(BENCH, "meeting", "--publishers", "3", "--subscribers", "2", "--sluice",
                  f"ws://127.0.0.1:{HTTP_PORT}/ws?access_token={token(SECRET)}", "--seconds", str(seconds), "--warm-up", "1",
                  "--json", "--quiet")
    try:
        time.sleep(1.5)  # they have joined; the rest of the flood falls into what is measured
        yield
        result = result_of(bench, seconds + 30)
        print(f"# call: {result['packets']} packets, {result['lost']} lost, delay p99 "
              f"{result['delay_ms']['p99']} ms, server {cpu_s(server):.1f} s of CPU time")
        assert result["packets"] > 100 * seconds and result["lost"] == 0, result
    finally:
        bench.kill()
        bench.wait()


def flood(mode, port, *args, address="127.0.0.1"):
    return start(FLOOD, mode, address, str(port), "--seconds", str(SECONDS), *args)


def finish(process, what):
    result = result_of(process, SECONDS + 30)
    print(f"# {what}: {json.dumps(result)}")
    return result


def cpu_s(server):
    """CPU time of the server so far."""
    with open(f"/proc/{server.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def metrics():
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/metrics", timeout=5) as reply:
        lines = [line.rsplit(" ", 1) for line in reply.read().decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


def guarded(*args):
    """A server that wants tokens."""
    return running("--keys", f"k1:{SECRET}", *args)


def ten_thousand_silent_connections_cost_the_call_nothing():
    wanted = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200)
    if wanted < 10000:
        print(f"# descriptors allow {wanted} connections only")
    with running("--max-connections", "12000") as server:
        with call(server):
            idle = flood("idle", HTTP_PORT, "--count", str(wanted), "--rate", "5000")
            most, deadline = 0.0, time.monotonic() + SECONDS - 1
            while time.monotonic() < deadline and most < wanted:
                most = max(most, metrics()["sluice_http_connections"])
                time.sleep(0.2)
        result = finish(idle, f"idle, {most:.0f} open at a time")
        assert most >= wanted * 0.95, most
        assert result["opened"] >= wanted, result
        assert server.poll() is None


def a_thousand_bad_joins_a_second_cost_the_call_nothing():
    with guarded("--max-messages-per-s", "0") as server:  # from this host, and so without any limit
        with call(server):
            joins = flood("joins", HTTP_PORT, "--rate", "1000", "--token", token(SECRET[::-1]))
        result = finish(joins, "joins")
        assert result["sent"] >= 990 * SECONDS and result["received"] >= result["sent"] * 0.95, result
        assert server.poll() is None


def bad_joins_of_an_address_are_refused_before_they_cost_anything():
    with guarded("--listen", f"0.0.0.0:{HTTP_PORT}") as server:
        with call(server):
            joins = flood("joins", HTTP_PORT, "--rate", "1000", "--token", token(SECRET[::-1]),
                          address=PRIVATE)
        finish(joins, "joins of one address")
        counters = metrics()
        limited = counters['sluice_rate_limited_total{what="failures"}']
        ended = counters["sluice_rate_dismissed_total"]
        print(f"# {limited:.0f} joins refused, {ended:.0f} sessions ended")
        assert limited > 0
        assert server.poll() is None


def stun_and_dtls_of_strangers_cost_the_call_nothing_and_get_no_answer():
    with running() as server:
        with call(server):
            storms = [flood(mode, UDP_PORT + worker, "--count", "2000", "--rate", "10000")
                      for worker in range(2) for mode in ("stun", "hello")]
        for storm in storms:
            result = finish(storm, "datagrams")
            assert result["sent_bytes"] > 0 and result["received"] == 0, result
        assert server.poll() is None


def stun(kind, *attributes, key=None):
    """A message of RFC 8489; with `key` it has MESSAGE-INTEGRITY and FINGERPRINT."""
    body = b"".join(struct.pack("!HH", name, len(value)) + value + b"\0" * (-len(value) % 4)
                    for name, value in attributes)
    head = struct.pack("!HHI", kind, len(body) + (24 if key else 0), 0x2112A442) + os.urandom(12)
    if not key:
        return head + body
    digest = hmac.digest(key.encode(), head + body, "sha1")
    text = (head[:2] + struct.pack("!H", len(body) + 32) + head[4:] + body +
            struct.pack("!HH", 0x0008, 20) + digest)
    return text + struct.pack("!HHI", 0x8028, 4, zlib.crc32(text) ^ 0x5354554E)


def probes(answer):
    """Name and bytes of what an attacker could send; `answer` is the SDP of somebody in a room."""
    ours = answer.split("a=ice-ufrag:")[1].split("\r\n")[0]
    password = answer.split("a=ice-pwd:")[1].split("\r\n")[0]
    user = (0x0006, f"{ours}:user".encode())
    nobody = (0x0006, b"nobody:user")
    with open(os.path.join(ROOT, "tests", "fuzz", "corpus", "dtls", "client_hello"), "rb") as file:
        hello = file.read()[2:]
    return [
        ("nothing", b""),
        ("one byte", b"\0"),
        ("a binding request without a name", stun(0x0001)),
        ("one for nobody", stun(0x0001, nobody)),
        ("one for nobody, with a wrong key", stun(0x0001, nobody, key="wrong")),
        ("one without a key", stun(0x0001, user)),
        ("one with a wrong key", stun(0x0001, user, key="wrong")),
        ("one with what nobody understands", stun(0x0001, user, (0x7777, b""), key=password)),
        ("the smallest that is right", stun(0x0001, user, (0x0024, bytes(4)), (0x802A, bytes(8)),
                                            key=password)),
        ("an indication", stun(0x0011, user)),
        ("an answer", stun(0x0101, user, key=password)),
        ("an allocation of TURN", stun(0x0003, (0x0019, b"\x11\0\0\0"))),
        ("channel data of TURN", b"\x40\x00\x00\x04abcd"),
        ("a ClientHello", hello),
        ("a short ClientHello", hello[:60]),
        ("an alert of DTLS", bytes([21, 254, 253]) + bytes(8) + b"\0\2\2\0"),
        ("RTP", b"\x80\x60" + os.urandom(200)),
        ("RTCP", b"\x80\xc8\0\6" + os.urandom(24)),
        ("a long one of zeroes", bytes(1472)),
    ]


def no_answer_is_longer_than_what_it_answers():
    with running():
        client = WebSocket()
        answer = client.join("demo")["answer"]
        sent = []
        for port in (UDP_PORT, UDP_PORT + 1):
            for name, data in probes(answer):
                probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                probe.connect(("127.0.0.1", port))
                probe.send(data)
                sent.append((name, len(data), probe))
        time.sleep(1)  # for answers, and for what would be sent again
        answered = 0
        for name, length, probe in sent:
            probe.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                back = 0
                while True:
                    back += len(probe.recv(65536))
                    assert back <= length, f"{name}: {back} bytes for {length}"
                    answered += 1
            probe.close()
        assert answered >= 1, "not even the right one was answered"


UPGRADE = ("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
POST = b"POST /whip/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n"

# What slow clients begin with, and the byte that they send then, again and again; b"": nothing more
SLOW = {
    "silence": (b"", b""),
    "half a head": (b"GET / HTTP/1.1\r\nX: ", b"a"),
    "half a body": (POST + b"Content-Length: 999\r\n\r\n", b"a"),
    "half a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n", b"a"),
    "kept alive": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    "half a frame": (UPGRADE + b"\x81\xfe\x10\0\0\0\0\0", b"a"),
    "half a handshake": (b"\x16\x03\x01\x02\0\1\0\1\xfc\x03\x03", b"a"),
}


def is_closed(client, byte):
    try:
        client.send(byte)
        return client.recv(65536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def wait_for_ends(names):
    left = {}
    for name in names:
        left[name] = socket.create_connection(("127.0.0.1", HTTP_PORT), timeout=5)
        left[name].sendall(SLOW[name][0])
        left[name].settimeout(0)
    deadline = time.monotonic() + 8
    while left and time.monotonic() < deadline:
        time.sleep(0.25)
        left = {name: client for name, client in left.items() if not is_closed(client, SLOW[name][1])}
    assert not left, f"still there: {list(left)}"


def nobody_keeps_a_connection_by_being_slow():
    limits = ("--request-timeout-s", "2", "--join-timeout-s", "2")
    with running(*limits):
        wait_for_ends(name for name in SLOW if name != "half a handshake")
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{name}.pem" for name in ("cert", "key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-subj", "/CN=localhost", "-days", "2", "-out", files[0], "-keyout",
                        files[1]], check=True, stdin=subprocess.DEVNULL, capture_output=True)
        with running(*limits, "--tls-cert", files[0], "--tls-key", files[1]):
            wait_for_ends(["silence", "half a handshake"])


def who_does_not_read_is_cut_off():
    with running("--max-messages-per-s", "0", "--max-bytes-per-s", "0") as server:
        deaf, other = WebSocket(), WebSocket()
        deaf.socket.settimeout(0.2)
        closed = False
        ping = b'{"t":"ping","id":1}'
        frame = bytes([0x81, 0x80 | len(ping), 0, 0, 0, 0]) + ping
        deadline = time.monotonic() + 30
        while not closed and time.monotonic() < deadline:
            try:
                deaf.socket.sendall(frame * 2000)
            except TimeoutError:
                pass
            except OSError:
                closed = True
        assert closed, "its answers are kept for ever"
        other.send({"t": "ping", "id": 2})
        assert other.receive_type("pong")["re"] == 2
        assert server.poll() is None


CASES = [ten_thousand_silent_connections_cost_the_call_nothing,
         a_thousand_bad_joins_a_second_cost_the_call_nothing,
         bad_joins_of_an_address_are_refused_before_they_cost_anything,
         stun_and_dtls_of_strangers_cost_the_call_nothing_and_get_no_answer,
         no_answer_is_longer_than_what_it_answers,
         nobody_keeps_a_connection_by_being_slow, who_does_not_read_is_cut_off]


if __name__ == "__main__":
    sys.exit(1 if print_tap(CASES) else 0)
