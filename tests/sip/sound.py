"""Sound on the wire: G.711 mu-law over RTP (RFC 3550, 3551), keys as telephone-events (RFC 4733), measuring.

A :class:`Stream` sends a packet every 20 ms, as a telephone does, and keeps what it hears.
"""

from __future__ import annotations

import math
import random
import re
import socket
import struct
import wave
from array import array
from collections import deque
from pathlib import Path

from engine.clock import Clock

RATE = 8000
FRAME = 160  # samples in 20 ms
EVENTS = "0123456789*#ABCD"


def _encode(sample: int) -> int:
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F)) & 0xFF


def _decode(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 132) << ((code >> 4) & 7)) - 132
    return -magnitude if code & 0x80 else magnitude


_DECODED = array("h", (_decode(code) for code in range(256)))
SILENCE = bytes([0xFF]) * FRAME


def tone(hz: float, seconds: float, *, amplitude: int = 8000) -> bytes:
    """A sine as mu-law, whole frames."""
    count = max(1, round(seconds * RATE / FRAME)) * FRAME
    return bytes(_encode(round(amplitude * math.sin(2 * math.pi * hz * n / RATE))) for n in range(count))


def pcm(encoded: bytes) -> array[int]:
    return array("h", (_DECODED[code] for code in encoded))


def strength(samples: array[int], hz: float, *, rate: int = RATE) -> float:
    """How much of ``hz`` is in the samples: the amplitude of that sine (Goertzel), 0 to 32767."""
    if not samples:
        return 0.0
    k = 2 * math.cos(2 * math.pi * hz / rate)
    older = old = 0.0
    for sample in samples:
        older, old = old, sample + k * old - older
    power = max(0.0, old * old + older * older - k * old * older)
    return 2 * math.sqrt(power) / len(samples)


def loudness(samples: array[int]) -> float:
    """Root mean square."""
    return math.sqrt(sum(s * s for s in samples) / len(samples)) if samples else 0.0


def read_wav(path: Path) -> list[array[int]]:
    """The channels of a 16-bit WAV. Reads a file that is still being written, too (its length says 0 then)."""
    with wave.open(str(path), "rb") as file:
        channels = file.getnchannels()
        data = array("h", file.readframes(file.getnframes()))
    return [data[n::channels] for n in range(channels)]


class Stream:
    """The sound of one call, in both directions."""

    def __init__(self, clock: Clock, ip: str = "127.0.0.1") -> None:
        self._clock = clock
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ip, 0))
        self.ip, self.port = self._socket.getsockname()
        self.heard = bytearray()  # mu-law, without what telephone-events took the place of
        self.packets = 0
        self.digits: list[str] = []  # keys that the other side sent
        self._last_event = None
        self._remote: tuple[str, int] | None = None
        self._payload = 0
        self._event_payload = 101
        self._to_say: deque[bytes | tuple[int, int, bool, int]] = deque()
        self._said = clock.event()
        self._said.set()
        self._greenlets = [clock.spawn(self._listen)]

    def offer(self) -> str:
        """The session description (SDP) that we send."""
        return (
            "v=0\r\n"
            f"o=- {random.randrange(1 << 30)} 1 IN IP4 {self.ip}\r\ns=-\r\nc=IN IP4 {self.ip}\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    def connect(self, sdp: str) -> None:
        """Begin to send where the other side's description says."""
        media = re.search(r"^m=audio (\d+) RTP/AVP ([\d ]+)", sdp, re.M)
        host = re.search(r"^c=IN IP4 (\S+)", sdp, re.M)
        if media is None or host is None:
            raise ValueError(f"no sound in this description: {sdp!r}")
        if (event := re.search(r"^a=rtpmap:(\d+) telephone-event", sdp, re.M)) is not None:
            self._event_payload = int(event[1])
        starting = self._remote is None
        self._remote = (host[1], int(media[1]))
        if starting:
            self._greenlets.append(self._clock.spawn(self._speak))

    def say(self, encoded: bytes) -> None:
        """Queue sound (mu-law) behind what is being said; silence goes out when there is nothing."""
        self._said.clear()
        self._to_say.extend(encoded[n : n + FRAME] for n in range(0, len(encoded), FRAME))

    def press(self, keys: str, *, held: float = 0.1, pause: float = 0.06) -> None:
        """Queue keys as telephone-events."""
        self._said.clear()
        for key in keys:
            frames = max(2, round(held * 50))
            for n in range(frames):
                self._to_say.append((EVENTS.index(key), (n + 1) * FRAME, False, n))
            for _ in range(3):  # the end of an event is sent three times
                self._to_say.append((EVENTS.index(key), frames * FRAME, True, frames))
            self._to_say.extend([SILENCE] * max(1, round(pause * 50)))

    def wait_said(self, timeout: float) -> bool:
        """Wait until everything queued has gone out."""
        return self._said.wait(timeout)

    def hears(self, hz: float, *, last: float = 0.5) -> float:
        """The strength of a tone in the last seconds heard."""
        return strength(pcm(bytes(self.heard[-round(last * RATE) :])), hz)

    def save(self, path: Path) -> None:
        """Write what was heard as a WAV."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(pcm(bytes(self.heard)).tobytes())

    def close(self) -> None:
        for greenlet in self._greenlets:
            greenlet.kill()
        self._socket.close()

    def _speak(self) -> None:
        sequence, stamp, source = (
            random.randrange(1 << 15),
            random.randrange(1 << 30),
            random.randrange(1 << 32),
        )
        due = self._clock.monotonic()
        event_stamp = stamp
        first = True
        while True:
            item = self._to_say.popleft() if self._to_say else SILENCE
            if isinstance(item, bytes):
                payload, marker, when, data = self._payload, first, stamp, item.ljust(FRAME, b"\xff")
            else:
                event, duration, end, position = item
                if position == 0:
                    event_stamp = stamp
                payload, marker, when = self._event_payload, position == 0, event_stamp
                data = struct.pack("!BBH", event, (0x80 if end else 0) | 10, duration)
            first = False
            head = struct.pack(
                "!BBHII", 0x80, (0x80 if marker else 0) | payload, sequence, when & 0xFFFFFFFF, source
            )
            assert self._remote is not None
            self._socket.sendto(head + data, self._remote)
            if not self._to_say:
                self._said.set()
            sequence = (sequence + 1) & 0xFFFF
            stamp += FRAME
            due += 0.02
            self._clock.sleep(max(0.0, due - self._clock.monotonic()))

    def _listen(self) -> None:
        while True:
            data, _ = self._socket.recvfrom(2048)
            if len(data) <= 12 or data[0] >> 6 != 2:
                continue
            payload, stamp = data[1] & 0x7F, data[4:8]
            if payload == self._event_payload and len(data) >= 16:
                if (stamp, data[12]) != self._last_event and data[12] < len(EVENTS):
                    self._last_event = (stamp, data[12])
                    self.digits.append(EVENTS[data[12]])
            elif payload == self._payload:
                self.packets += 1
                self.heard += data[12:]
