"""GStreamer's webrtcbin as WHIP publisher or WHEP player; prints one JSON line with what it saw.

    gst_peer.py whip URL --tone 700 --seconds 10
    gst_peer.py whep URL --seconds 10
"""
import argparse
import json
import sys
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402
import numpy  # noqa: E402

PUBLISH = """
webrtcbin name=w bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! videoconvert
  ! vp8enc deadline=1 keyframe-max-dist=150 ! rtpvp8pay pt=96 mtu=1200
  ! application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000 ! w.sink_0
audiotestsrc is-live=true wave=sine freq={tone} volume=0.4 ! audio/x-raw,rate=48000,channels=1 ! audioconvert
  ! opusenc ! rtpopuspay pt=111
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2 ! w.sink_1
"""
CAPS = {
    "video": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2",
}


def request(method, url, body=None, token=None):
    headers = {"Content-Type": "application/sdp"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    r = urllib.request.Request(url, body and body.encode(), headers, method=method)
    with urllib.request.urlopen(r, timeout=10) as reply:
        return reply.status, reply.headers, reply.read().decode()


class Peer:
    def __init__(self, args):
        self.args = args
        self.loop = GLib.MainLoop()
        self.result = {"frames": 0, "pictures": 0, "width": 0, "tone": 0}
        self.sound, self.pictures, self.location, self.keep = [], set(), None, []
        if args.mode == "whip":
            self.pipe = Gst.parse_launch(PUBLISH.format(tone=args.tone))
            self.w = self.pipe.get_by_name("w")
            for t in self.transceivers():
                t.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        else:
            self.pipe = Gst.Pipeline.new()
            self.w = Gst.ElementFactory.make("webrtcbin", "w")
            self.w.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipe.add(self.w)
            for kind in ("video", "audio"):
                self.w.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                            Gst.Caps.from_string(CAPS[kind]))
            self.w.connect("pad-added", self.on_pad)
        self.w.connect("on-negotiation-needed", self.on_negotiation)
        self.w.connect("notify::ice-gathering-state", self.on_gathering)
        bus = self.pipe.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)

    def transceivers(self):
        n = 0
        while True:
            t = self.w.emit("get-transceiver", n)
            if not t:
                return
            yield t
            n += 1

    def on_error(self, _bus, message):
        print(message.parse_error(), file=sys.stderr)
        self.loop.quit()

    def on_negotiation(self, _w):
        promise = Gst.Promise.new_with_change_func(self.on_offer, None)
        self.w.emit("create-offer", None, promise)

    def on_offer(self, promise, _data):
        reply = promise.get_reply()
        self.keep.append((promise, reply))
        self.w.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def on_gathering(self, w, _property):
        if w.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.send_offer)

    def send_offer(self):
        offer = self.w.get_property("local-description").sdp.as_text()
        status, headers, answer = request("POST", self.args.url, offer, self.args.token)
        self.result["status"] = status
        self.location = urllib.parse.urljoin(self.args.url, headers["Location"])
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(answer.encode(), message)
        self.w.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(
            GstWebRTC.WebRTCSDPType.ANSWER, message), Gst.Promise.new())
        GLib.timeout_add(int(self.args.seconds * 1000), self.finish)
        return False

    def on_pad(self, _w, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        video = pad.get_current_caps().get_structure(0).get_string("media") == "video"
        chain = ("queue ! rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=GRAY8" if video else
                 "queue ! rtpopusdepay ! opusdec ! audioconvert ! audioresample ! "
                 "audio/x-raw,format=S16LE,rate=48000,channels=1")
        tail = Gst.parse_bin_from_description(
            chain + " ! appsink name=sink emit-signals=true sync=false max-buffers=100", True)
        tail.get_by_name("sink").connect("new-sample", self.on_picture if video else self.on_sound)
        self.pipe.add(tail)
        tail.sync_state_with_parent()
        pad.link(tail.get_static_pad("sink"))

    def on_picture(self, sink):
        sample = sink.emit("pull-sample")
        self.result["frames"] += 1
        self.result["width"] = sample.get_caps().get_structure(0).get_value("width")
        buffer = sample.get_buffer()
        self.pictures.add(hash(buffer.extract_dup(0, buffer.get_size())))
        return Gst.FlowReturn.OK

    def on_sound(self, sink):
        buffer = sink.emit("pull-sample").get_buffer()
        self.sound.append(numpy.frombuffer(buffer.extract_dup(0, buffer.get_size()), numpy.int16))
        return Gst.FlowReturn.OK

    def finish(self):
        if self.sound:
            sound = numpy.concatenate(self.sound)[-48000:].astype(float)
            spectrum = numpy.abs(numpy.fft.rfft(sound * numpy.hanning(len(sound))))
            if numpy.abs(sound).max() > 200:
                self.result["tone"] = round(float(spectrum.argmax() * 48000 / len(sound)))
        self.result["pictures"] = len(self.pictures)
        self.result["connection"] = self.w.get_property("connection-state").value_nick
        self.result["delete"] = request("DELETE", self.location, None, self.args.token)[0]
        self.loop.quit()
        return False

    def run(self):
        self.pipe.set_state(Gst.State.PLAYING)
        GLib.timeout_add_seconds(int(self.args.seconds) + 30, self.loop.quit)
        self.loop.run()
        print(json.dumps(self.result), flush=True)
        self.pipe.set_state(Gst.State.NULL)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["whip", "whep"])
    parser.add_argument("url")
    parser.add_argument("--token")
    parser.add_argument("--tone", type=float, default=700)
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    Gst.init(None)
    Peer(args).run()


main()
