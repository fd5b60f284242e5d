#!/usr/bin/python3
"""The server as a process: signals, exit codes and what it says. Prints TAP. Standard library only."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from raw_client import HTTP_PORT, OFFER, SLUICE, UDP_PORT, WebSocket, print_tap, running


def health():
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/healthz", timeout=5) as reply:
        return json.load(reply)


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
            assert (go["action"], go["code"]) == ("rejoin", "server_stopping"), go  # another may start
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


def read_until(server, words):
    """@return the lines of the log up to one that has these words"""
    lines = []
    while not lines or words not in lines[-1]:
        lines.append(server.stderr.readline())
        assert lines[-1], f"the server has ended after {lines}"
    return lines


def limits():
    with urllib.request.urlopen(f"http://localhost:{HTTP_PORT}/v1/server", timeout=5) as reply:
        return json.load(reply)["limits"]


def sighup_reads_the_settings_again_and_drops_nobody():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sluice.yaml")

        def write(text):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

        write("max_participants_per_room: 5\nmax_rooms: 6\nroom_spread: 7\n")
        with running("--config", path, "--max-rooms", "8") as server:
            client = WebSocket()
            client.join("demo")
            assert (limits()["max_participants_per_room"], limits()["max_rooms"]) == (5, 8)
            write("max_participants_per_room: 1\nmax_rooms: 9\nseal: libsrtp2\nturn_secret: hunter2\n"
                  "log_format: json\n")
            server.send_signal(signal.SIGHUP)
            log = "".join(read_until(server, "settings were read again"))
            assert 'key=max_participants_per_room before="5" after="1"' in log, log
            assert 'needs a restart: key=seal before="auto" after="libsrtp2"' in log, log
            assert 'key=turn_secret before="" after="..."' in log and "hunter2" not in log, log
            assert "max_rooms" not in log, log  # a flag is over the file
            assert '"changed":' in log.splitlines()[-1], log  # the last line is JSON already
            assert (limits()["max_participants_per_room"], limits()["max_rooms"]) == (1, 8)
            second = WebSocket()
            second.send({"t": "join", "id": 1, "room": "demo", "offer": OFFER})
            assert second.receive_type("error")["code"] == "room_full"
            client.send({"t": "ping", "id": 2})
            assert client.receive_type("pong")["re"] == 2

            write("max_participants_per_room: many\n")
            server.send_signal(signal.SIGHUP)
            log = read_until(server, "the settings stay as they are")
            assert "max_participants_per_room" in json.loads(log[-1])["error"], log
            assert limits()["max_participants_per_room"] == 1
            client.send({"t": "ping", "id": 3})
            assert client.receive_type("pong")["re"] == 3


CASES = [the_banner_names_the_page_and_the_page_is_there,
         both_signals_tell_the_clients_and_end_with_0,
         a_client_that_does_not_answer_does_not_hold_the_server_up,
         a_second_signal_ends_it_at_once,
         sighup_reads_the_settings_again_and_drops_nobody,
         sigpipe_and_broken_connections_harm_nobody,
         ports_in_use_are_explained_with_what_to_try,
         wrong_settings_are_explained_and_end_with_2]


if __name__ == "__main__":
    sys.exit(1 if print_tap(CASES) else 0)
