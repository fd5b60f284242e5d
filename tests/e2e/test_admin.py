#!/usr/bin/python3
"""/v1 against docs/openapi.yaml: every operation is asked for, every answer fits its schema. Prints TAP.

Needs Debian's python3-yaml and python3-jsonschema.
"""
import base64
import hashlib
import hmac
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request

import jsonschema
import yaml

from raw_client import HTTP_PORT, OFFER, ROOT, WebSocket, print_tap, running

with open(os.path.join(ROOT, "docs", "openapi.yaml"), encoding="utf-8") as file:
    API = yaml.safe_load(file)
METHODS = ("get", "post", "patch", "delete", "put")
OPERATIONS = {(path, method) for path, item in API["paths"].items() for method in item
              if method in METHODS}
KEY = "0123456789abcdef0123456789abcdef"
seen = set()  # (path, method, status) that were answered


def resolve(node):
    """Follow a reference of the file."""
    while "$ref" in node:
        where = node["$ref"][2:].split("/")
        node = API
        for name in where:
            node = node[name]
    return node


def check_schema(schema, value):
    """The schema may refer to others of the file."""
    resolver = jsonschema.RefResolver("", API)
    jsonschema.Draft202012Validator(schema, resolver=resolver).validate(value)


def check_answer(path, method, status, content_type, body):
    """An answer must be one that the file has."""
    responses = API["paths"][path][method]["responses"]
    response = resolve(responses.get(str(status), responses["default"]))
    content = response["content"]
    kind = content_type.split(";")[0]
    assert kind in content, f"{method} {path} was answered {status} with {kind}"
    assert (status < 400) == (kind == "application/json"), (status, kind)
    try:
        check_schema(content[kind]["schema"], json.loads(body))
    except jsonschema.ValidationError as error:
        raise AssertionError(f"{method} {path}: {error.message} in {body}") from error
    seen.add((path, method, status))


def ask(method, path, wish=None, query="", headers=None, **values):
    """Ask for an operation of the file. @return (status, answer)"""
    assert (path, method) in OPERATIONS, f"{method} {path} is not in openapi.yaml"
    url = f"http://localhost:{HTTP_PORT}/v1" + path.format(**values) + query
    data = None
    headers = dict(headers or {})
    if wish is not None:
        if "requestBody" in API["paths"][path][method] and headers.pop("valid", True):
            schema = API["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
            check_schema(schema, wish)
        data = json.dumps(wish).encode()
        headers.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=data, method=method.upper(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            status, kind, body = reply.status, reply.headers["Content-Type"], reply.read()
    except urllib.error.HTTPError as error:
        status, kind, body = error.code, error.headers["Content-Type"], error.read()
    check_answer(path, method, status, kind, body)
    return status, json.loads(body)


def expect(status, *args, **kwargs):
    got, answer = ask(*args, **kwargs)
    assert got == status, f"{args} was answered {got}: {answer}"
    return answer


def refuse(status, code, *args, **kwargs):
    answer = expect(status, *args, **kwargs)
    assert answer["code"] == code, answer


ROOM, PARTICIPANT, TRACK = "/rooms/{room}", "/rooms/{room}/participants/{participant}", "/rooms/{room}/tracks/{track}"


def the_file_is_sound_and_has_every_route_of_the_server():
    with open(os.path.join(ROOT, "signaling", "http_admin.c"), encoding="utf-8") as source:
        routes = {("/" + path, method.lower())
                  for path, method in re.findall(r'{"([^"]+)", HTTP_(\w+), ADMIN_', source.read())}
    assert routes == OPERATIONS, routes ^ OPERATIONS
    for schema in API["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def rooms_participants_and_tracks_are_told():
    with running():
        ada = WebSocket()
        joined = ada.join("demo")
        who = {"room": "demo", "participant": joined["you"], "track": joined["tracks"][0]["id"]}
        assert expect(200, "get", "/server")["participants"] == 1
        assert expect(200, "get", "/rooms")["rooms"][0]["room"] == "demo"
        assert expect(200, "get", ROOM, **who)["participants"][0]["name"] == "x"
        assert len(expect(200, "get", ROOM + "/participants", **who)["participants"]) == 1
        assert expect(200, "get", PARTICIPANT, **who)["id"] == who["participant"]
        assert len(expect(200, "get", ROOM + "/tracks", **who)["tracks"]) == 1
        assert expect(200, "get", TRACK, **who)["source"] == "microphone"
        who["room"] = "other"
        refuse(404, "unknown_room", "get", ROOM, **who)
        refuse(404, "unknown_room", "get", PARTICIPANT, **who)


def who_is_muted_held_moved_and_kicked_hears_of_it():
    with running():
        ada, bob = WebSocket(), WebSocket()
        joined = ada.join("demo")
        who = {"room": "demo", "participant": joined["you"], "track": joined["tracks"][0]["id"]}
        bob_id = bob.join("demo")["you"]
        expect(200, "patch", TRACK, {"muted": True}, **who)
        event = ada.receive_type("track")
        assert event["track"]["muted"] and event["track"]["muted_by"] == "admin", event
        assert bob.receive_type("track")["track"]["muted_by"] == "admin"
        answer = expect(200, "patch", PARTICIPANT, {"muted": True, "hold": True, "kind": "audio"}, **who)
        assert answer["held"] == ["audio"] and answer["published"][0]["muted"], answer
        ada.send({"t": "mute", "id": 5, "track": who["track"], "muted": False})
        assert ada.receive_type("error")["code"] == "held"
        refuse(400, "bad_field", "patch", TRACK, {"muted": False}, headers={"valid": False}, **who)
        refuse(415, "unsupported_media_type", "patch", TRACK, {"muted": True},
               headers={"Content-Type": "text/plain"}, **who)
        expect(200, "post", PARTICIPANT + "/move", {"room": "side"}, **who)
        go = ada.receive_type("go")
        assert (go["action"], go["room"], go["code"]) == ("rejoin", "side", "moved"), go
        assert ada.receive() == 1000
        expect(200, "delete", PARTICIPANT, query="?reason=too%20loud", room="demo", participant=bob_id)
        go = bob.receive_type("go")
        assert (go["action"], go["code"], go["message"]) == ("leave", "kicked", "too loud"), go
        refuse(404, "unknown_room", "delete", PARTICIPANT, **who)


def a_publisher_by_whip_can_be_kicked_and_not_be_moved():
    with running():
        with open(os.path.join(ROOT, "tests", "data", "aiortc-whip.sdp"), "rb") as offer:
            request = urllib.request.Request(f"http://127.0.0.1:{HTTP_PORT}/whip/demo", data=offer.read(),
                                             headers={"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request, timeout=5) as reply:
            assert reply.status == 201
        someone = expect(200, "get", ROOM, room="demo")["participants"][0]
        assert someone["client"] == "whip" and someone["published"], someone
        who = {"room": "demo", "participant": someone["id"]}
        refuse(409, "not_movable", "post", PARTICIPANT + "/move", {"room": "b"}, **who)
        assert expect(200, "delete", PARTICIPANT, **who)["sent_away"] == 1
        assert expect(200, "get", "/rooms")["rooms"] == []


def rooms_are_limited_and_closed():
    with running():
        ada = WebSocket()
        ada.join("demo")
        answer = expect(200, "patch", ROOM, {"max_participants": 1, "max_room_kbps": 900}, room="demo")
        assert (answer["max_participants"], answer["max_room_kbps"]) == (1, 900), answer
        eve = WebSocket()
        eve.send({"t": "join", "id": 1, "room": "demo", "offer": "v=0"})
        assert eve.receive_type("error")["code"] == "room_full"
        assert expect(200, "delete", ROOM, room="demo")["sent_away"] == 1
        assert ada.receive_type("go")["code"] == "room_closed"


def a_server_is_emptied_and_ends():
    with running() as server:
        ada, eve = WebSocket(), WebSocket()
        ada.join("demo")
        assert not expect(200, "get", "/drain")["draining"]
        expect(200, "post", "/drain", {"deadline_s": 60})
        eve.send({"t": "join", "id": 1, "room": "demo", "offer": "v=0"})
        assert eve.receive_type("error")["code"] == "server_draining"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/healthz", timeout=5)
            raise AssertionError("/healthz is well")
        except urllib.error.HTTPError as error:
            assert error.code == 503 and json.load(error)["status"] == "draining"
        assert not expect(200, "delete", "/drain")["draining"]
        expect(200, "post", "/drain", {"deadline_s": 0, "stop": True, "redirect_url": "http://b.example/"})
        go = ada.receive_type("go")
        assert (go["action"], go["url"], go["code"]) == ("redirect", "http://b.example/", "drained"), go
        assert ada.receive() == 1000
        assert server.wait(10) == 0


def a_signal_lets_calls_go_on_for_a_while():
    with running("--drain-timeout-s", "600") as server:
        ada = WebSocket()
        ada.join("demo")
        server.terminate()
        while expect(200, "get", "/server")["state"] != "draining":
            pass
        ada.send({"t": "ping", "id": 2})
        assert ada.receive_type("pong")["re"] == 2
        ada.send({"t": "leave", "id": 3})
        assert server.wait(10) == 0


def the_token_is_asked_for():
    with running("--admin-token", "secret"):
        refuse(409, "no_signing_key", "post", "/tokens", {"sluice": {"room": "demo"}},
               headers={"Authorization": "Bearer secret"})
        refuse(401, "unauthorized", "get", "/rooms")
        expect(200, "get", "/rooms", headers={"Authorization": "Bearer secret"})


def sign(claims):
    """A JSON Web Token of the key "k" (HS256)."""
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    text = encode(b'{"alg":"HS256","typ":"JWT","kid":"k"}') + b"." + encode(json.dumps(claims).encode())
    return (text + b"." + encode(hmac.new(KEY.encode(), text, hashlib.sha256).digest())).decode()


def a_token_with_the_grant_is_for_its_room_and_who_is_moved_gets_one():
    with running("--keys", f"k:{KEY}"):
        expires = int(time.time()) + 600
        made = expect(200, "post", "/tokens", {"sub": "eve", "sluice": {"room": "*"}, "expires_in_s": 60})
        eve = WebSocket()
        eve.send({"t": "join", "id": 1, "room": "x", "token": made["token"], "offer": OFFER, "tracks": []})
        assert eve.receive_type("joined")["room"] == "x" and made["expires_in_s"] == 60
        ada = WebSocket()
        token = sign({"sub": "ada", "exp": expires, "sluice": {"room": "demo", "join": True, "publish": True}})
        ada.send({"t": "join", "id": 1, "room": "demo", "token": token, "offer": OFFER, "tracks": []})
        who = {"room": "demo", "participant": ada.receive_type("joined")["you"]}
        admin = {"Authorization": "Bearer " + sign(
            {"sub": "op", "exp": expires, "sluice": {"room": "demo", "admin": True}})}
        assert expect(200, "get", PARTICIPANT, headers=admin, **who)["identity"] == "ada"
        refuse(401, "unauthorized", "get", "/rooms", headers=admin)
        expect(200, "post", PARTICIPANT + "/move", {"room": "side"}, headers=admin, **who)
        go = ada.receive_type("go")
        again = WebSocket()
        again.send({"t": "join", "id": 1, "room": "side", "token": token, "offer": OFFER, "tracks": []})
        assert again.receive_type("error")["code"] == "token_room"
        again.send({"t": "join", "id": 2, "room": go["room"], "token": go["token"], "offer": OFFER, "tracks": []})
        assert again.receive_type("joined")["room"] == "side"


def every_operation_was_answered():
    missing = OPERATIONS - {(path, method) for path, method, status in seen if status < 400}
    assert not missing, missing


CASES = [the_file_is_sound_and_has_every_route_of_the_server, rooms_participants_and_tracks_are_told,
         who_is_muted_held_moved_and_kicked_hears_of_it,
         a_publisher_by_whip_can_be_kicked_and_not_be_moved, rooms_are_limited_and_closed,
         a_server_is_emptied_and_ends, a_signal_lets_calls_go_on_for_a_while, the_token_is_asked_for,
         a_token_with_the_grant_is_for_its_room_and_who_is_moved_gets_one,
         every_operation_was_answered]

if __name__ == "__main__":
    sys.exit(1 if print_tap(CASES) else 0)
