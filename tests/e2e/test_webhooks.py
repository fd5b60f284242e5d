#!/usr/bin/python3
"""Webhooks with a receiver that fails at times. Prints TAP. Standard library and openssl(1) only."""
import hashlib
import hmac
import http.server
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from raw_client import HTTP_PORT, WebSocket, print_tap, running

RECEIVER_PORT, SECRET = 18490, "whsec-test"


def verify(header, body, secret, tolerance_s=300):
    """What docs/ADMIN.md tells receivers to do."""
    fields = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, fields["v1"]) and abs(time.time() - int(fields["t"])) < tolerance_s


class Receiver:
    """Takes events, but for those that `judge` refuses: it says the status, None hangs up."""

    def __init__(self, judge=lambda number, event: 200, context=None):
        self.events, self.tries, self.bad = [], 0, []
        self.condition = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)
                with receiver.condition:
                    if not verify(self.headers["Sluice-Signature"], body, SECRET):
                        receiver.bad.append(event)
                    receiver.tries += 1
                    status = judge(receiver.tries, event)
                    if status == 200:
                        receiver.events.append(event)
                    receiver.condition.notify_all()
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", RECEIVER_PORT), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, name, count=1, seconds=20):
        """Until so many events of a name have come."""
        with self.condition:
            there = self.condition.wait_for(
                lambda: sum(e["event"] == name for e in self.events) >= count, seconds)
            assert there, f"no {name} in {[e['event'] for e in self.events]}"


def with_hooks(url=f"http://127.0.0.1:{RECEIVER_PORT}/events"):
    return running("--webhooks", url, "--webhook-secret", SECRET)


def check_room(events, name):
    """Events of one room come in order, each once, and whatever begins ends."""
    mine = [e for e in events if e.get("room", {}).get("name") == name]
    assert [e["room"]["seq"] for e in mine] == list(range(1, len(mine) + 1)), mine
    assert len({e["id"] for e in mine}) == len(mine)
    assert (mine[0]["event"], mine[-1]["event"]) == ("room_started", "room_finished"), mine
    for begin, end, what in [("participant_joined", "participant_left", "participant"),
                             ("track_published", "track_unpublished", "track")]:
        assert sorted(e[what]["id"] for e in mine if e["event"] == begin) == \
            sorted(e[what]["id"] for e in mine if e["event"] == end), mine


def events_are_signed_and_in_order():
    with Receiver() as receiver, with_hooks():
        receiver.wait("server_started")
        ada, bob = WebSocket(), WebSocket()
        ada.join("demo")
        bob.join("demo")
        for client in (ada, bob):
            client.send({"t": "leave", "id": 9})
        receiver.wait("room_finished")
        assert not receiver.bad, receiver.bad
        check_room(receiver.events, "demo")
        assert len(receiver.events) == 1 + 2 + 4 * 2, receiver.events


def a_receiver_that_fails_at_times_gets_everything_in_order():
    answers = {2: 500, 4: None, 5: 404, 9: 503}
    with Receiver(lambda number, event: answers.get(number, 200)) as receiver, with_hooks():
        for room in ("a", "b"):
            client = WebSocket()
            client.join(room)
            client.send({"t": "leave", "id": 9})
        receiver.wait("room_finished", 2)
        check_room(receiver.events, "a")
        check_room(receiver.events, "b")
        assert receiver.tries == len(receiver.events) + len(answers), receiver.tries
        metrics = ""
        end = time.monotonic() + 5  # the server may not have read the last answer yet
        while "sluice_webhook_queued 0\n" not in metrics:
            assert time.monotonic() < end, metrics
            with urllib.request.urlopen(f"http://localhost:{HTTP_PORT}/metrics", timeout=5) as reply:
                metrics = reply.read().decode()
        assert "sluice_webhook_failed_tries_total 4\n" in metrics, metrics
        assert f"sluice_webhook_delivered_total {len(receiver.events)}\n" in metrics


def who_is_there_when_the_server_stops_is_told_to_have_left():
    with Receiver() as receiver, with_hooks() as server:
        client = WebSocket()
        client.join("demo")
        receiver.wait("track_published")
        server.send_signal(signal.SIGTERM)
        assert client.receive_type("go")["code"] == "server_stopping"
        assert client.receive() == 1001
        assert server.wait(8) == 0
        receiver.wait("room_finished")
        left = [e for e in receiver.events if e["event"] == "participant_left"]
        assert [e["reason"] for e in left] == ["server_stopping"], left
        check_room(receiver.events, "demo")


def a_certificate_of_nobody_is_not_trusted():
    with tempfile.TemporaryDirectory() as folder:
        key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        url = f"https://localhost:{RECEIVER_PORT}/"
        with Receiver(context=context) as receiver, with_hooks(url) as server:
            line = ""
            while "was not taken" not in line:
                line = server.stderr.readline()
                assert line, "the server is gone"
            assert receiver.tries == 0


CASES = [events_are_signed_and_in_order, a_receiver_that_fails_at_times_gets_everything_in_order,
         who_is_there_when_the_server_stops_is_told_to_have_left, a_certificate_of_nobody_is_not_trusted]

if __name__ == "__main__":
    sys.exit(1 if print_tap(CASES) else 0)
