"""A server that is tested from outside: started, asked by HTTP, ended."""

import atexit
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import subprocess
import time

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")
SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
SECRET = "only-for-this-test-and-long-enough"
KEYS = ["--keys", "test:" + SECRET]  # of a server that takes the tokens of sign()


class Failed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failed(what)


def read(name):
    with open(os.path.join(DATA, name), encoding="utf-8", newline="") as file:
        return file.read()


class Answer:
    def __init__(self, reply):
        self.status = reply.status
        self.headers = reply.headers
        self.body = reply.read().decode()

    def all(self, name):
        return self.headers.get_all(name) or []

    def has(self, name):
        return self.headers.get(name) or ""

    def __str__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:300]!r}"

    def expect(self, *statuses):
        check(self.status in statuses, f"expected {statuses}: {self}")
        return self

    def problem(self, *statuses):
        """RFC 9457."""
        self.expect(*statuses)
        check(self.has("Content-Type") == "application/problem+json", str(self))
        body = json.loads(self.body)
        check(body["status"] == self.status and body["code"] and body["detail"], str(self))
        return self


# All cases come from one address, one after the other.
NO_LIMITS = [word for name in ("connects", "joins", "failures", "identity-joins")
             for word in (f"--max-{name}-per-s", "0")]


class Server:
    def __init__(self, binary, *args):
        self.token = None
        self.process = subprocess.Popen(
            [binary, "--listen", "127.0.0.1:0", "--udp-port", "0", "--workers", "1",
             "--log-level", "error", *NO_LIMITS, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        atexit.register(self.stop)
        banner = self.process.stdout.readline()
        found = re.search(r"http://\S+:(\d+)", banner)
        check(found, f"the server did not start: {banner!r}")
        self.port = int(found.group(1))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def ask(self, method, path, body=None, **fields):
        """Fields are named as in Python: content_type. None leaves one out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {name.replace("_", "-"): value for name, value in fields.items()
                   if value is not None}
        if self.token and "authorization" not in fields:
            headers["Authorization"] = "Bearer " + self.token
        connection.request(method, path, body=body, headers=headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def post(self, path, offer, **fields):
        return self.ask("POST", path, offer, **{"content_type": SDP, **fields})

    def patch(self, path, fragment, **fields):
        return self.ask("PATCH", path, fragment, **{"content_type": FRAGMENT, **fields})


def sign(**grants):
    """A JSON Web Token (RFC 7519) of SECRET, HS256."""
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = {"sub": "ada", "exp": int(time.time()) + grants.pop("lasts_s", 600), "sluice": grants}
    text = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (text + b"." + part(hmac.new(SECRET.encode(), text, hashlib.sha256).digest())).decode()


def run(server, cases, only, number):
    """Run cases for both, or what `only` says. Returns the last number, and how many failed."""
    failed = 0
    for case in cases:
        for media in [only[case]] if case in only else ("whip", "whep"):
            number += 1
            name = f"{media}: {case.__name__.replace('_', ' ')} ({case.__doc__})"
            try:
                case(server, media)
                print(f"ok {number} - {name}", flush=True)
            except (Failed, OSError, ValueError, LookupError, http.client.HTTPException) as error:
                failed += 1
                print(f"# {error!r}\nnot ok {number} - {name}", flush=True)
    return number, failed


def has_option(binary, name):
    return name in subprocess.run([binary, "--help"], check=True, capture_output=True,
                                  text=True).stdout
