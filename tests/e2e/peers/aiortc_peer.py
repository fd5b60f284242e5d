"""aiortc as WHIP publisher or WHEP player; prints one JSON line with what it saw.

    aiortc_peer.py whip URL --tone 600 --seconds 10
    aiortc_peer.py whep URL --audio 1 --video 1 --seconds 10
"""
import argparse
import asyncio
import fractions
import json
import math
import time
import urllib.error
import urllib.request

import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

RATE = 48000


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, frequency):
        super().__init__()
        self.frequency, self.at, self.start = frequency, 0, None

    async def recv(self):
        self.start = self.start or time.time()
        await asyncio.sleep(max(0, self.start + self.at / RATE - time.time()))
        n = numpy.arange(self.at, self.at + 960)
        samples = (9000 * numpy.sin(2 * math.pi * self.frequency * n / RATE)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.at, fractions.Fraction(1, RATE)
        self.at += 960
        return frame


class Picture(MediaStreamTrack):
    kind = "video"

    def __init__(self):
        super().__init__()
        self.n, self.start = 0, None

    async def recv(self):
        self.start = self.start or time.time()
        await asyncio.sleep(max(0, self.start + self.n / 15 - time.time()))
        picture = numpy.full((240, 320, 3), 40, numpy.uint8)
        x = self.n * 4 % 280
        picture[80:160, x:x + 40] = (250, 200, 40)
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self.n * 6000, fractions.Fraction(1, 90000)
        self.n += 1
        return frame


def request(method, url, body=None, token=None):
    headers = {"Content-Type": "application/sdp"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    r = urllib.request.Request(url, body and body.encode(), headers, method=method)
    with urllib.request.urlopen(r, timeout=10) as reply:
        return reply.status, reply.headers, reply.read().decode()


def loudest(chunks):
    """Strongest frequency [Hz] of the last second."""
    sound = numpy.concatenate(chunks)[-RATE:].astype(float) if chunks else numpy.zeros(0)
    if len(sound) < RATE // 2 or numpy.abs(sound).max() < 200:
        return 0
    spectrum = numpy.abs(numpy.fft.rfft(sound * numpy.hanning(len(sound))))
    return round(float(spectrum.argmax() * RATE / len(sound)))


async def consume(track, seen):
    try:
        while True:
            frame = await track.recv()
            if track.kind == "video":
                seen["frames"] += 1
                seen["width"] = frame.width
                seen["pictures"].add(hash(frame.to_ndarray().tobytes()))
            else:
                samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
                seen["sound"].append(samples)
    except MediaStreamError:
        pass


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["whip", "whep"])
    parser.add_argument("url")
    parser.add_argument("--token")
    parser.add_argument("--tone", type=float, default=600)
    parser.add_argument("--audio", type=int, default=1)
    parser.add_argument("--video", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()

    pc = RTCPeerConnection()
    tracks = []
    if args.mode == "whip":
        if args.audio:
            pc.addTransceiver(Tone(args.tone), "sendonly")
        if args.video:
            pc.addTransceiver(Picture(), "sendonly")
    else:
        for kind, n in (("audio", args.audio), ("video", args.video)):
            for _ in range(n):
                pc.addTransceiver(kind, "recvonly")

    @pc.on("track")
    def on_track(track):
        seen = {"kind": track.kind, "frames": 0, "width": 0, "pictures": set(), "sound": []}
        tracks.append(seen)
        asyncio.ensure_future(consume(track, seen))

    await pc.setLocalDescription(await pc.createOffer())
    loop = asyncio.get_event_loop()
    status, headers, answer = await loop.run_in_executor(
        None, request, "POST", args.url, pc.localDescription.sdp, args.token)
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.sleep(args.seconds)
    result = {
        "status": status, "connection": pc.connectionState,
        "frames": [t["frames"] for t in tracks if t["kind"] == "video"],
        "pictures": [len(t["pictures"]) for t in tracks if t["kind"] == "video"],
        "widths": [t["width"] for t in tracks if t["kind"] == "video"],
        "tones": [loudest(t["sound"]) for t in tracks if t["kind"] == "audio"],
    }
    if args.mode == "whip":
        stats = await pc.getStats()
        result["packets_sent"] = {s.kind: s.packetsSent for s in stats.values() if s.type == "outbound-rtp"}
    location = urllib.parse.urljoin(args.url, headers["Location"])
    result["delete"] = (await loop.run_in_executor(
        None, request, "DELETE", location, None, args.token))[0]
    await pc.close()
    print(json.dumps(result), flush=True)


asyncio.run(main())
