#!/usr/bin/env python3
"""What can be heard in WAV files, as one JSON object.

  audio_compare.py tone FILE          dominant frequency [Hz], its share of the power, loudness
  audio_compare.py correlate A B      how much of A is in B: correlation 0..1, delay of B [s]

Correlation is taken over pieces of A of half a second, each shifted by itself by up to 0.3 s around
the common delay, as a jitter buffer may add or drop 20 ms anywhere; weighted by their energy.
"""

import argparse
import json
import struct
import sys

import numpy as np

RATE = 48000
PIECE_S = 0.5
SHIFT_S = 0.3


def chunks(data):
    at = 12
    while at + 8 <= len(data):
        name, length = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        yield name, data[at + 8:at + 8 + length]
        at += 8 + length + length % 2


def read(path):
    """All channels of a WAV file mixed, -1..1, at RATE."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        sys.exit(f"{path}: not a WAV file")
    parts = dict(reversed(list(chunks(data))))
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", parts[b"fmt "])
    kind = {(1, 16): "<i2", (1, 32): "<i4", (3, 32): "<f4"}.get((1 if tag == 0xfffe else tag, bits))
    if kind is None:
        sys.exit(f"{path}: format {tag} with {bits} bits is not read here")
    raw = parts[b"data"]
    raw = raw[:len(raw) // (channels * bits // 8) * (channels * bits // 8)]
    sound = np.frombuffer(raw, kind).astype(float).reshape(-1, channels).mean(axis=1)
    sound = sound / (2.0 ** (bits - 1)) if tag != 3 else sound
    return resample(sound, rate)


def resample(sound, rate):
    """By Fourier transform: exact for what both rates can carry."""
    if rate == RATE or len(sound) == 0:
        return sound
    length = round(len(sound) * RATE / rate)
    return np.fft.irfft(pad_spectrum(np.fft.rfft(sound), length // 2 + 1), length) \
        * length / len(sound)


def pad_spectrum(spectrum, length):
    return np.pad(spectrum[:length], (0, max(0, length - len(spectrum))))


def tone(sound):
    if len(sound) == 0 or not np.any(sound):
        return {"frequency": 0.0, "share": 0.0, "rms": 0.0, "seconds": len(sound) / RATE}
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2 * len(sound))) ** 2
    power[:round(20 * 2 * len(sound) / RATE)] = 0  # what nobody hears
    peak = int(np.argmax(power))
    width = round(10 * 2 * len(sound) / RATE)
    share = power[max(0, peak - width):peak + width].sum() / power.sum()
    return {"frequency": peak * RATE / (2 * len(sound)), "share": float(share),
            "rms": float(np.sqrt(np.mean(sound ** 2))), "seconds": len(sound) / RATE}


def cross(a, b):
    """Cross-correlation of a with b at every delay of b from 0 to len(b) - 1, then negative ones."""
    length = 1 << int(len(a) + len(b)).bit_length()
    return np.fft.irfft(np.conj(np.fft.rfft(a, length)) * np.fft.rfft(b, length), length)


def best_delay(a, b):
    values = cross(a, b)
    at = int(np.argmax(np.abs(values)))
    return at if at < len(values) // 2 else at - len(values)


def piece_of(b, start, length):
    """b[start:start + length], with silence where it has nothing."""
    out = np.zeros(length)
    low, high = max(0, start), min(len(b), start + length)
    if low < high:
        out[low - start:high - start] = b[low:high]
    return out


def correlate_piece(piece, area):
    """Best normalised correlation of `piece` anywhere in `area`."""
    values = cross(piece, area)[:len(area) - len(piece) + 1]
    squares = np.concatenate(([0.0], np.cumsum(area ** 2)))
    energy = squares[len(piece):] - squares[:-len(piece)]
    norm = np.sqrt(np.sum(piece ** 2) * np.maximum(energy, 1e-9))
    return float(np.max(values / norm))


def correlate(a, b):
    if not np.any(a) or not np.any(b):
        return {"correlation": 0.0, "delay": 0.0}
    delay = best_delay(a, b)
    shift = round(SHIFT_S * RATE)
    length = round(PIECE_S * RATE)
    total = weight = 0.0
    for start in range(0, len(a), length):
        piece = a[start:start + length]
        energy = float(np.sum(piece ** 2))
        if energy < 1e-6 or len(piece) < RATE // 10:
            continue
        area = piece_of(b, start + delay - shift, len(piece) + 2 * shift)
        total += energy * max(0.0, correlate_piece(piece, area))
        weight += energy
    return {"correlation": total / weight if weight else 0.0, "delay": delay / RATE}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tone").add_argument("file")
    pair = commands.add_parser("correlate")
    pair.add_argument("a")
    pair.add_argument("b")
    args = parser.parse_args()
    if args.command == "tone":
        result = tone(read(args.file))
    else:
        result = correlate(read(args.a), read(args.b))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
