"""`ice: full`: a server behind a symmetric NAT that maps nothing is found by those it looks for, also
over a relay where both sides are behind such NATs, and with no UDP at all on the server's side."""
import os
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SLUICE_BUILD", os.path.join(ROOT, "build"))
NETLAB = os.path.join(ROOT, "bench", "netlab")

# Signaling reaches a server behind a NAT by a tunnel, which the server's side opens: `front` joins
# connections to port 8080 with those that `back` makes to port 9000.
TUNNEL = r'''
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
def join(a, b):
    for pair in ((a, b), (b, a)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
if sys.argv[1] == "front":
    clients, backs = socket.create_server(("0.0.0.0", 8080)), socket.create_server(("0.0.0.0", 9000))
    while True:
        back = backs.accept()[0]
        client = clients.accept()[0]
        back.sendall(b"!")
        join(client, back)
else:
    while True:
        back = socket.create_connection((sys.argv[2], 9000))
        if back.recv(1) != b"!":
            break
        join(back, socket.create_connection(("127.0.0.1", 8080)))
'''

SECRET = "a-secret-of-relay-and-server"
TURNSERVER = (f"turnserver -n --use-auth-secret --static-auth-secret={SECRET} --realm=test --no-tls --no-dtls --no-cli "
              "--listening-ip={relay} --relay-ip={relay} --min-port=40000 --max-port=40100 --log-file=stdout "
              "--userdb=/tmp/sluice-no-such-db --pidfile=/dev/null > /dev/null")
RECORDING = os.path.join(tempfile.gettempdir(), f"sluice-ice-full-{os.getpid()}.wav")
CLIENT = "{build}/client/sluice-client --server ws://{front}:8080 --room demo --for 6"


def check(ok, what):
    if not ok:
        raise AssertionError(what)


def call(*nodes, servers=""):
    """Sound flows from Tone to Ear, which records it, through a server that nobody can reach unasked."""
    lines = ["node front", *nodes,
             "serve front TUNNEL front", "wait front 9000",
             "serve server {build}/sfu/sluice --workers 1 --ice full --log-level warn " + servers,
             "wait server 8080", "serve server TUNNEL back {front}", "sleep 2s",
             f"run tone {CLIENT} --name Tone --send tone:440",
             f"run ear {CLIENT} --name Ear --record {RECORDING}"]
    args = [a for line in lines for a in ("-e", line.replace("TUNNEL", '/usr/bin/python3 -c "$SLUICE_TUNNEL"'))]
    result = subprocess.run([NETLAB, "--build", BUILD, *args], capture_output=True, text=True, timeout=60,
                            stdin=subprocess.DEVNULL, env=dict(os.environ, SLUICE_TUNNEL=TUNNEL), check=False)
    check(result.returncode == 0, f"{result.returncode}\n{result.stdout}{result.stderr}")
    with open(RECORDING, "rb") as file:
        check(any(file.read()[44 + 96000:]), "what was recorded is silent")
    os.unlink(RECORDING)


RELAY = ("node relay", f"serve relay {TURNSERVER}", "wait relay 3478")
RELAYS = "--turn-secret " + SECRET + " --ice-servers 'turn:{relay}:3478?transport=%s'"


def server_behind_a_symmetric_nat_finds_its_clients():
    call("node server nat=symmetric", "node tone", "node ear")


def relay_carries_what_two_symmetric_nats_keep_apart():
    call("node server nat=symmetric", "node tone nat=symmetric", "node ear nat=symmetric", *RELAY,
         servers=RELAYS % "udp")


def server_without_udp_goes_over_tcp_to_its_relay():
    call("node server nat=symmetric block=udp", "node tone", "node ear", *RELAY, servers=RELAYS % "tcp")


CASES = (server_behind_a_symmetric_nat_finds_its_clients, relay_carries_what_two_symmetric_nats_keep_apart,
         server_without_udp_goes_over_tcp_to_its_relay)


def main():
    if not os.path.exists("/dev/net/tun"):
        print("1..0 # SKIP this kernel has no /dev/net/tun")
        return 0
    failed = 0
    print(f"1..{len(CASES)}")
    for i, case in enumerate(CASES):
        start = time.monotonic()
        name = case.__name__.replace("_", " ")
        try:
            case()
            print(f"ok {i + 1} - {name} # {time.monotonic() - start:.1f} s", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {i + 1} - {name}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    return failed > 0


sys.exit(main())
