#!/usr/bin/env python3
"""What RFC 9725 (WHIP) and draft-ietf-wish-whep (WHEP) demand of a server, by section.

    whip_whep.py PATH_OF_SLUICE

Starts servers on loopback: an open one, and one with a key. Needs nothing but Python. Prints TAP.
"""

import json
import re
import socket
import sys

from served import FRAGMENT, KEYS, SDP, Server, check, has_option, read, run, sign

ETAG = re.compile(r'"[\x21\x23-\x7e]+"$')  # a strong one: RFC 9110 section 8.8.3

NEW_ICE = {"ice-ufrag": "ysXw", "ice-pwd": "vw5LmwG4y/e6dPP/zAP9Gp5k"}


def start_session(server, media):
    """POST an offer; returns answer and the path of the session."""
    answer = server.post(f"/{media}/demo", read(f"chromium-{media}.sdp")).expect(201)
    return answer, answer.has("Location")


def end_session(server, path):
    server.ask("DELETE", path).expect(200)


def attributes(sdp, name):
    return re.findall(rf"^a={name}(?::(.*?))?\r?$", sdp, re.M)


def sections(sdp):
    return re.split(r"^(?=m=)", sdp, flags=re.M)[1:]


HOST = ("a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host",)


def fragment_of(media, new=None, candidates=HOST):
    """What the client of start_session() sends in a PATCH; `new`: other credentials."""
    offer = read(f"chromium-{media}.sdp")
    ice = {name: (new or {}).get(name) or attributes(offer, name)[0]
           for name in ("ice-ufrag", "ice-pwd")}
    lines = ["a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"]
    lines += [f"a={name}:{value}" for name, value in ice.items()]
    return "\r\n".join([*lines, *candidates, "a=end-of-candidates", ""])


# Cases are run for WHIP and for WHEP, but for those of ONLY. These are on the open server.

def post_is_answered_with_a_session(server, media):
    """WHIP 4.2, WHEP 4.3.1: 201, the SDP answer, its type, and Location"""
    answer, path = start_session(server, media)
    check(answer.has("Content-Type") == SDP, str(answer))
    check(answer.body.startswith("v=0\r\n"), str(answer))
    check(re.match(rf"/{media}/demo/\w{{16,}}$", path), f"Location is {path}")
    end_session(server, path)


def answer_is_of_one_direction(server, media):
    """WHIP 4.2, WHEP 4.3.5: the answer is recvonly, or sendonly"""
    answer, path = start_session(server, media)
    want = {"whip": "recvonly", "whep": "sendonly"}[media]
    for section in sections(answer.body):
        check(re.search(rf"^a={want}\r$", section, re.M), section)
    end_session(server, path)


def sendrecv_is_taken(server, media):
    """WHIP 4.2, WHEP 4.3.5: clients may offer sendrecv"""
    offer = re.sub(r"^a=(sendonly|recvonly)", "a=sendrecv", read(f"chromium-{media}.sdp"),
                   flags=re.M)
    answer = server.post(f"/{media}/demo", offer).expect(201)
    want = {"whip": "recvonly", "whep": "sendonly"}[media]
    check(len(re.findall(rf"^a={want}\r$", answer.body, re.M)) == 2, answer.body)
    end_session(server, answer.has("Location"))


def other_directions_are_refused(server, media):
    """WHIP 4.2, WHEP 4.3.5: the other direction must not be used"""
    other = {"whip": "whep", "whep": "whip"}[media]
    server.post(f"/{media}/demo", read(f"chromium-{other}.sdp")).problem(422)


def other_types_are_refused(server, media):
    """WHIP 4.2, WHEP 4.3.4: a POST of another content type gets 4xx"""
    offer = read(f"chromium-{media}.sdp")
    answer = server.post(f"/{media}/demo", offer, content_type="application/json").problem(415)
    check(answer.has("Accept-Post") == SDP, str(answer))
    server.post(f"/{media}/demo", offer, content_type=None).problem(415)
    parameter = server.post(f"/{media}/demo", offer, content_type="Application/SDP; charset=utf-8")
    end_session(server, parameter.expect(201).has("Location"))


def malformed_offers_are_refused(server, media):
    """WHIP 4.2, WHEP 4.3.4: a malformed SDP gets 4xx"""
    offer = read(f"chromium-{media}.sdp")
    for bad in ("", "hello", "v=0\r\n", offer.replace("a=fingerprint", "a=x"), "v=0\r\n\0",
                offer.replace("a=ice-ufrag:", "a=x:"), offer.replace("a=group:BUNDLE", "a=x")):
        server.post(f"/{media}/demo", bad).problem(400)


def a_get_is_answered_with_nothing(server, media):
    """WHIP 4.1, WHEP 4.1: GET of endpoint and session: 2xx without content"""
    _, path = start_session(server, media)
    for method in ("GET", "HEAD"):
        for where in (f"/{media}/demo", path):
            answer = server.ask(method, where)
            check(answer.status in (200, 204) and answer.body == "", str(answer))
    end_session(server, path)
    server.ask("GET", path).problem(404)


def players_find_endpoints_by_head(server, media):
    """WHEP 4.2: HEAD of an endpoint: 200 and its Content-Type, as GET"""
    for method in ("GET", "HEAD"):
        answer = server.ask(method, f"/{media}/demo").expect(200)
        check(answer.has("Content-Type") == SDP, str(answer))


def delete_ends_the_session(server, media):
    """WHIP 4.2, WHEP 4.4: DELETE: 200, and it is gone"""
    _, path = start_session(server, media)
    server.ask("DELETE", path).expect(200)
    server.ask("DELETE", path).problem(404)
    server.patch(path, fragment_of(media), if_match="*").problem(404)


def delete_takes_no_notice_of_etags(server, media):
    """WHIP 4.3.1, WHEP 4.5.1: an entity-tag in a DELETE is ignored"""
    _, path = start_session(server, media)
    server.ask("DELETE", path, if_match='"other"').expect(200)


def options_serve_cors(server, media):
    """WHIP 4.2, WHEP 4.4: OPTIONS: 200 with Accept-Post, and what CORS needs"""
    _, path = start_session(server, media)
    for where, methods in ((f"/{media}/demo", ["POST"]), (path, ["PATCH", "DELETE"])):
        answer = server.ask("OPTIONS", where, access_control_request_method=methods[0],
                            origin=f"http://127.0.0.1:{server.port}").expect(200)
        check(answer.has("Accept-Post") == SDP, str(answer))
        check(answer.has("Access-Control-Allow-Origin"), str(answer))
        allowed = answer.has("Access-Control-Allow-Methods").split(", ")
        check(all(method in allowed for method in methods), str(answer))
        fields = answer.has("Access-Control-Allow-Headers").lower().split(", ")
        check({"authorization", "content-type", "if-match"} <= set(fields), str(answer))
    answer = server.post(f"/{media}/demo", read(f"chromium-{media}.sdp"),
                         origin=f"http://127.0.0.1:{server.port}").expect(201)
    other = answer.has("Location")
    exposed = answer.has("Access-Control-Expose-Headers").lower().split(", ")
    check({"location", "etag", "link"} <= set(exposed), str(answer))
    end_session(server, path)
    end_session(server, other)


def pages_of_others_are_refused(server, media):
    """FETCH: pages of an origin that is not allowed get nothing"""
    offer = read(f"chromium-{media}.sdp")
    for origin in ("https://evil.example", "null"):
        for method in ("OPTIONS", "POST"):
            answer = server.ask(method, f"/{media}/demo", offer, content_type=SDP, origin=origin)
            answer.problem(403)
            check(not answer.has("Access-Control-Allow-Origin"), str(answer))


def relays_are_linked(server, media):
    """WHIP 4.6, WHEP 4.8: Link with rel=ice-server and credentials in the 201"""
    answer, path = start_session(server, media)
    links = [link for link in answer.all("Link") if 'rel="ice-server"' in link]
    check(links[0] == '<stun:stun.example.net>; rel="ice-server"', str(links))
    for uri in ("turn:turn.example.net?transport=udp", "turns:turn.example.net?transport=tcp"):
        found = [link for link in links if link.startswith(f"<{uri}>")]
        check(len(found) == 1, f"{uri}: {links}")
        check(re.search(r'; username="\d+:?[^"]*"; credential="[^"]+"; credential-type="password"$',
                        found[0]), found[0])
    end_session(server, path)


def relays_are_in_no_preflight(server, media):
    """WHIP 4.6: OPTIONS that is no preflight may link relays, a preflight should not"""
    plain = server.ask("OPTIONS", f"/{media}/demo").expect(200)
    check(len(plain.all("Link")) >= 3, str(plain))
    preflight = server.ask("OPTIONS", f"/{media}/demo", access_control_request_method="POST")
    check(not preflight.expect(200).all("Link"), str(preflight))


def etag_is_in_the_201(server, media):
    """WHIP 4.3.1, WHEP 4.5.1: a strong ETag of the ICE session in the 201, unique"""
    tags = set()
    for _ in range(3):
        answer, path = start_session(server, media)
        check(ETAG.match(answer.has("ETag")), str(answer))
        tags.add(answer.has("ETag"))
        end_session(server, path)
    check(len(tags) == 3, str(tags))


def patch_needs_an_etag(server, media):
    """WHIP 4.3.1, WHEP 4.5.1: 428 without If-Match, 412 with one that does not match"""
    answer, path = start_session(server, media)
    tag = answer.has("ETag")
    server.patch(path, fragment_of(media)).problem(428)
    for other in ('"other"', "W/" + tag, tag[:-1], tag.strip('"'), '"a", "b"'):
        server.patch(path, fragment_of(media), if_match=other).problem(412)
    server.patch(path, fragment_of(media), if_match=f'"a", {tag}').expect(204)
    end_session(server, path)


def trickle_is_answered_with_204(server, media):
    """WHIP 4.3.2, WHEP 4.5.2: candidates: 204, no body, no ETag"""
    answer, path = start_session(server, media)
    for _ in range(2):
        trickled = server.patch(path, fragment_of(media), if_match=answer.has("ETag")).expect(204)
        check(not trickled.body and not trickled.has("ETag"), str(trickled))
    server.patch(path, fragment_of(media), if_match="*").expect(204)
    end_session(server, path)


def useless_candidates_are_passed_over(server, media):
    """WHIP 4.3.2, WHEP 4.5.2: unknown transports and names that cannot be resolved are discarded"""
    answer, path = start_session(server, media)
    candidates = ("a=candidate:1 1 sctp 1 192.0.2.1 9 typ host",
                  "a=candidate:2 1 udp 1 9f1f1c3a.local 9 typ host",
                  "a=candidate:3 1 tcp 1 192.0.2.1 9 typ host tcptype active",
                  "a=candidate:4 1 udp 1 2001:db8::1 9 typ host")
    server.patch(path, fragment_of(media, candidates=candidates),
                 if_match=answer.has("ETag")).expect(204)
    end_session(server, path)


def bad_patches_are_refused(server, media):
    """WHIP 4.3.1, WHEP 4.5.1: PATCH of another type, or malformed: 4xx"""
    answer, path = start_session(server, media)
    tag = answer.has("ETag")
    refused = server.patch(path, fragment_of(media), if_match=tag, content_type=SDP).problem(415)
    check(refused.has("Accept-Patch") == FRAGMENT, str(refused))
    for bad in ("", "hello", "a=ice-ufrag:only\r\n",
                fragment_of(media, candidates=("a=candidate:1 1 udp",))):
        server.patch(path, bad, if_match=tag).problem(400)
    server.patch(path, fragment_of(media), if_match=tag).expect(204)
    end_session(server, path)


def ice_is_restarted(server, media):
    """WHIP 4.3.3, WHEP 4.5.3: other credentials: 200, ours and candidates, a new ETag"""
    answer, path = start_session(server, media)
    restarted = server.patch(path, fragment_of(media, NEW_ICE), if_match="*").expect(200)
    check(restarted.has("Content-Type") == FRAGMENT, str(restarted))
    check(ETAG.match(restarted.has("ETag")), str(restarted))
    check(restarted.has("ETag") != answer.has("ETag"), str(restarted))
    for name in ("ice-ufrag", "ice-pwd"):
        check(len(attributes(restarted.body, name)) == 1, restarted.body)
        before = attributes(answer.body, name)[0]
        check(attributes(restarted.body, name)[0] != before, restarted.body)
    check(attributes(restarted.body, "candidate"), restarted.body)
    for name in ("ice-lite", "ice-options", "ice-pacing"):
        check(bool(attributes(restarted.body, name)) == bool(attributes(answer.body, name)),
              f"a={name}: {restarted.body}")
    check("m=" in restarted.body and attributes(restarted.body, "mid")[0] == "0", restarted.body)
    end_session(server, path)


def old_etags_end_with_the_ice_session(server, media):
    """WHIP 4.3.1, WHEP 4.5.1: after a restart the ETag before is outdated"""
    answer, path = start_session(server, media)
    restarted = server.patch(path, fragment_of(media, NEW_ICE), if_match=answer.has("ETag"))
    restarted.expect(200)
    server.patch(path, fragment_of(media, NEW_ICE), if_match=answer.has("ETag")).problem(412)
    server.patch(path, fragment_of(media, NEW_ICE), if_match=restarted.has("ETag")).expect(204)
    end_session(server, path)


def a_restart_that_fails_changes_nothing(server, media):
    """WHIP 4.3.3, WHEP 4.5.3: a restart that cannot be: an error, and the ICE session stays"""
    answer, path = start_session(server, media)
    bad = fragment_of(media, {"ice-ufrag": "x", "ice-pwd": "tooshort"})
    server.patch(path, bad, if_match="*").problem(400)
    server.patch(path, fragment_of(media), if_match=answer.has("ETag")).expect(204)
    end_session(server, path)


def media_is_bundled(server, media):
    """WHIP 4.4.1, WHEP 4.6.1: one BUNDLE group, rtcp-mux and rtcp-mux-only in each m-line"""
    answer, path = start_session(server, media)
    check(attributes(answer.body, "group") == ["BUNDLE 0 1"], answer.body)
    for section in sections(answer.body):
        check("a=rtcp-mux\r\n" in section and "a=rtcp-mux-only\r\n" in section, section)
    end_session(server, path)


def one_stream_is_sent(server, media):
    """WHEP 4.6.2: all m-lines of the answer have one msid"""
    answer, path = start_session(server, media)
    streams = {msid.split()[0] for msid in attributes(answer.body, "msid")}
    check(len(streams) == 1 and len(attributes(answer.body, "msid")) == 2, answer.body)
    end_session(server, path)


def half_answers_are_not_given(server, media):
    """WHIP 4.4.3: an m-line that cannot be taken refuses all: 422 or 400"""
    offer = re.sub(r"^a=rtpmap:(\d+) (VP8|VP9|H264|AV1|H265)/", r"a=rtpmap:\1 Other/",
                   read(f"chromium-{media}.sdp"), flags=re.M)
    server.post(f"/{media}/demo", offer).problem(422)


def active_clients_are_taken(server, media):
    """WHIP 4.4.4: an offer with a=setup:active is answered a=setup:passive"""
    offer = read(f"chromium-{media}.sdp").replace("a=setup:actpass", "a=setup:active")
    answer = server.post(f"/{media}/demo", offer).expect(201)
    check(set(attributes(answer.body, "setup")) == {"passive"}, answer.body)
    end_session(server, answer.has("Location"))


def the_answer_has_all_candidates(server, media):
    """WHIP 4.3.2, WHEP 4.5.2: the answer has the full list of candidates"""
    answer, path = start_session(server, media)
    first = sections(answer.body)[0]
    check(attributes(first, "candidate") and "a=end-of-candidates\r\n" in first, first)
    end_session(server, path)


def urls_of_sessions_are_random(server, media):
    """WHIP 5, WHEP 5: nobody guesses the URL of a session"""
    names = set()
    for _ in range(3):
        _, path = start_session(server, media)
        names.add(path.rsplit("/", 1)[1])
        end_session(server, path)
    check(len(names) == 3 and all(len(name) >= 22 for name in names), str(names))


def sessions_of_one_kind_are_not_of_the_other(server, media):
    """a session is where its Location is, and nowhere else"""
    _, path = start_session(server, media)
    other = {"whip": "whep", "whep": "whip"}[media]
    server.ask("DELETE", path.replace(media, other)).problem(404)
    server.ask("DELETE", path.replace("demo", "other")).problem(404)
    end_session(server, path)


def other_methods_are_not_allowed(server, media):
    """RFC 9110 15.5.6: 405 with Allow"""
    _, path = start_session(server, media)
    for method, where in (("PUT", f"/{media}/demo"), ("PATCH", f"/{media}/demo"),
                          ("DELETE", f"/{media}/demo"), ("POST", path), ("PUT", path)):
        answer = server.ask(method, where, "x").problem(405)
        check(method not in answer.has("Allow").split(", ") and answer.has("Allow"), str(answer))
    end_session(server, path)


def simulcast_is_answered(server, media):
    """WHIP 4.8: an offer of simulcast is answered with a=simulcast"""
    answer = server.post(f"/{media}/demo", simulcast_offer()).expect(201)
    check(attributes(answer.body, "simulcast"), answer.body)
    check(attributes(answer.body, "simulcast")[0].startswith("recv "), answer.body)
    end_session(server, answer.has("Location"))


def simulcast_offer():
    lines = "a=rid:q send\r\na=rid:h send\r\na=simulcast:send q;h\r\n"
    ids = ("a=extmap:20 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
           "a=extmap:21 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n")
    head, audio, video = re.split(r"^(?=m=)", read("chromium-whip.sdp"), flags=re.M)
    video = re.sub(r"^a=(ssrc|extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:r).*\r?\n", "", video,
                   flags=re.M)
    return head + audio + video.rstrip("\r\n") + "\r\n" + ids + lines


def links_of(answer):
    """Relation -> (path, attribute events)."""
    found = [re.match(r'<([^>]+)>; rel="([^"]+)"(?:; events="([^"]+)")?', link)
             for link in answer.all("Link")]
    return {link.group(2): (link.group(1), link.group(3)) for link in found if link}


EVENTS = "urn:ietf:params:whep:ext:core:server-sent-events"
LAYER = "urn:ietf:params:whep:ext:core:layer"


def extensions_are_linked(server, media):
    """WHEP 4.10, extensions 4 and 5: a Link for each, and layers among the events"""
    answer, path = start_session(server, media)
    links = links_of(answer)
    check(links[EVENTS][0] and "layers" in links[EVENTS][1].split(","), str(links))
    check(links[LAYER][0].startswith("/"), str(links))
    end_session(server, path)


def streams_of_events_are_made_and_go(server, media):
    """WHEP extensions 4: POST: 201 and Location; DELETE, then 404; gone with the session"""
    answer, path = start_session(server, media)
    sse = links_of(answer)[EVENTS][0]
    post = server.ask("POST", sse, '["active","viewercount"]', content_type="application/json")
    stream = post.expect(201).has("Location")
    check(stream.startswith(sse + "/"), str(post))
    other = server.ask("POST", sse).expect(201).has("Location")
    server.ask("DELETE", stream).expect(200)
    server.ask("GET", stream).problem(404)
    end_session(server, path)
    server.ask("GET", other).problem(404)


def unknown_events_are_refused(server, media):
    """WHEP extensions 4: an event that is not advertised: 400, and no stream"""
    answer, path = start_session(server, media)
    sse = links_of(answer)[EVENTS][0]
    for body in ('["active","scte35"]', "{}", "["):
        server.ask("POST", sse, body, content_type="application/json").problem(400)
    end_session(server, path)


class Reader:
    """What comes of a stream of events."""

    def __init__(self, server, path):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 10)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.file = self.socket.makefile("r", encoding="utf-8", newline="")
        status = self.file.readline()
        head = "".join(iter(self.file.readline, "\r\n"))
        check(status.startswith("HTTP/1.1 200 ") and "Content-Type: text/event-stream" in head,
              status + head)

    def next(self):
        """The next event: its name and data, which is one line of JSON."""
        lines = list(iter(lambda: self.file.readline().rstrip("\n"), ""))
        if lines and lines[0].startswith(":"):
            return self.next()
        check(len(lines) == 2 and lines[0].startswith("event: ") and
              lines[1].startswith("data: "), str(lines))
        return lines[0][7:], json.loads(lines[1][6:])

    def close(self):
        self.file.close()
        self.socket.close()


def events_tell_what_is_wanted(server, media):
    """WHEP extensions 4.1, 4.2, 4.5: active, inactive (never at first), viewercount"""
    answer, path = start_session(server, media)
    sse = links_of(answer)[EVENTS][0]
    made = server.ask("POST", sse, '["active","inactive","viewercount"]',
                      content_type="application/json").expect(201)
    reader = Reader(server, made.has("Location"))
    check(reader.next() == ("viewercount", {"viewercount": 1}), "the player itself")
    _, publisher = start_session(server, "whip")
    check(reader.next() == ("active", {}), "somebody publishes")
    _, other = start_session(server, media)
    check(reader.next() == ("viewercount", {"viewercount": 2}), "another player")
    end_session(server, publisher)
    check(reader.next() == ("inactive", {}), "nobody publishes any more")
    end_session(server, other)
    end_session(server, path)
    check(reader.file.read() in ("", 'event: viewercount\ndata: {"viewercount":1}\n\n'), "the end")
    reader.close()


def layers_are_chosen(server, media):
    """WHEP extensions 5: POST of a layer: 200; of none that there is: an error"""
    answer, path = start_session(server, media)
    layer = links_of(answer)[LAYER][0]

    def choose(body):
        return server.ask("POST", layer, body, content_type="application/json")

    for body in ("{}", '{"mediaId":"1"}', '{"mediaId":"1","maxHeight":180}',
                 '{"temporalLayerId":0}'):
        choose(body).expect(200)
    choose('{"mediaId":"7"}').problem(422)
    choose('{"mediaId":"0"}').problem(422)  # sound
    choose('{"rid":"hd"}').problem(409)     # nobody publishes
    choose('{"rid":7}').problem(400)
    server.ask("POST", layer, "{}", content_type=SDP).problem(415)
    end_session(server, path)


CASES = [
    post_is_answered_with_a_session, answer_is_of_one_direction, sendrecv_is_taken,
    other_directions_are_refused, other_types_are_refused, malformed_offers_are_refused,
    a_get_is_answered_with_nothing, players_find_endpoints_by_head, delete_ends_the_session,
    delete_takes_no_notice_of_etags, options_serve_cors, pages_of_others_are_refused,
    relays_are_linked,
    relays_are_in_no_preflight, etag_is_in_the_201, patch_needs_an_etag,
    trickle_is_answered_with_204, useless_candidates_are_passed_over, bad_patches_are_refused,
    ice_is_restarted, old_etags_end_with_the_ice_session, a_restart_that_fails_changes_nothing,
    media_is_bundled, one_stream_is_sent, half_answers_are_not_given, active_clients_are_taken,
    the_answer_has_all_candidates, urls_of_sessions_are_random,
    sessions_of_one_kind_are_not_of_the_other, other_methods_are_not_allowed,
    simulcast_is_answered, extensions_are_linked, streams_of_events_are_made_and_go,
    unknown_events_are_refused, events_tell_what_is_wanted, layers_are_chosen,
]

ONLY = {
    players_find_endpoints_by_head: "whep", one_stream_is_sent: "whep",
    half_answers_are_not_given: "whip", simulcast_is_answered: "whip",
    extensions_are_linked: "whep", streams_of_events_are_made_and_go: "whep",
    unknown_events_are_refused: "whep", events_tell_what_is_wanted: "whep",
    layers_are_chosen: "whep",
}


# The same for a server with a key.

def tokens_are_asked_for(server, media):
    """WHIP 4.7.1, WHEP 4.9.1: 401 with WWW-Authenticate without a token"""
    offer = read(f"chromium-{media}.sdp")
    answer = server.post(f"/{media}/demo", offer, authorization=None).problem(401)
    check(answer.has("WWW-Authenticate").startswith("Bearer"), str(answer))
    check("error=" not in answer.has("WWW-Authenticate"), str(answer))
    basic = server.post(f"/{media}/demo", offer, authorization="Basic YTpi").problem(401)
    check(basic.has("WWW-Authenticate").startswith("Bearer"), str(basic))


def bad_tokens_are_refused(server, media):
    """WHIP 4.7.1, WHEP 4.9.1; RFC 6750 3.1: invalid_token for bad and expired ones"""
    offer = read(f"chromium-{media}.sdp")
    for token in ("nonsense", sign(room="demo", join=True) + "x",
                  sign(room="demo", publish=True, subscribe=True, join=True, lasts_s=-600)):
        answer = server.post(f"/{media}/demo", offer, authorization="Bearer " + token).problem(401)
        check('error="invalid_token"' in answer.has("WWW-Authenticate"), str(answer))


def other_rooms_are_refused(server, media):
    """RFC 6750 3.1: 403 for what a good token is not for"""
    token = sign(room="other", join=True, publish=True, subscribe=True)
    server.post(f"/{media}/demo", read(f"chromium-{media}.sdp"),
                authorization="Bearer " + token).problem(403)


def sessions_ask_for_tokens(server, media):
    """WHIP 4.7.1, WHEP 4.9.1: sessions ask for the token, too"""
    answer, path = start_session(server, media)
    tag = answer.has("ETag")
    server.patch(path, fragment_of(media), if_match=tag, authorization=None).problem(401)
    server.ask("DELETE", path, authorization=None).problem(401)
    server.ask("DELETE", path, authorization="Bearer nonsense").problem(401)
    server.patch(path, fragment_of(media), if_match=tag).expect(204)
    old = sign(room="demo", join=True, publish=True, subscribe=True, lasts_s=-600)
    server.ask("DELETE", path, authorization="Bearer " + old).expect(200)


def preflights_need_no_token(server, media):
    """WHIP 4.7.1, WHEP 4.9.1: preflights come without a token"""
    answer = server.ask("OPTIONS", f"/{media}/demo", authorization=None,
                        access_control_request_method="POST",
                        access_control_request_headers="authorization,content-type").expect(200)
    check("authorization" in answer.has("Access-Control-Allow-Headers").lower(), str(answer))


def relays_are_for_who_has_a_token(server, media):
    """WHIP 4.6: OPTIONS links relays only to who may use them"""
    check(not server.ask("OPTIONS", f"/{media}/demo", authorization=None).all("Link"), "no token")
    check(server.ask("OPTIONS", f"/{media}/demo").all("Link"), "a token")


CASES_WITH_KEY = [tokens_are_asked_for, bad_tokens_are_refused, other_rooms_are_refused,
                  sessions_ask_for_tokens, preflights_need_no_token,
                  relays_are_for_who_has_a_token, relays_are_linked]

RELAYS = ["--ice-servers", "stun:stun.example.net",
          "--ice-servers", "turn:turn.example.net?transport=udp",
          "--ice-servers", "turns:turn.example.net?transport=tcp", "--turn-secret", "for-tests"]


def main():
    binary = sys.argv[1]
    server = Server(binary, *RELAYS)
    number, failed = run(server, CASES, ONLY, 0)
    server.stop()
    if has_option(binary, "--keys"):
        server = Server(binary, *RELAYS, *KEYS)
        server.token = sign(room="demo", join=True, publish=True, subscribe=True)
        number, more = run(server, CASES_WITH_KEY, {}, number)
        failed += more
        server.stop()
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
