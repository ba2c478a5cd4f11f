"""SIP messages as text in and out (RFC 3261, 7), and digest authentication (RFC 2617). No socket."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

_SHORT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}


@dataclass(slots=True)
class Message:
    """A request (``method``) or a response (``status``). Header names are kept as written, found in any case."""

    method: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def get(self, name: str, default: str = "") -> str:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def call_id(self) -> str:
        return self.get("call-id")

    @property
    def cseq(self) -> tuple[int, str]:
        number, _, method = self.get("cseq").partition(" ")
        return int(number), method.strip()

    @property
    def contact_uri(self) -> str:
        found = re.search(r"<([^>]+)>", self.get("contact"))
        return found[1] if found else self.get("contact")

    def encode(self) -> bytes:
        first = f"{self.method} {self.uri} SIP/2.0" if self.method else f"SIP/2.0 {self.status} {self.reason}"
        body = self.body.encode()
        lines = [
            first,
            *(f"{key}: {value}" for key, value in self.headers),
            f"Content-Length: {len(body)}",
            "",
            "",
        ]
        return "\r\n".join(lines).encode() + body


def parse(data: bytes) -> Message:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    headers = []
    for line in lines:
        key, _, value = line.partition(":")
        name = _SHORT.get(key.strip().lower(), key.strip())
        if name.lower() != "content-length":
            headers.append((name, value.strip()))
    text = body.decode("utf-8", "replace")
    if first.startswith("SIP/2.0"):
        _, status, reason = first.split(" ", 2)
        return Message(status=int(status), reason=reason, headers=headers, body=text)
    method, uri, _ = first.split(" ", 2)
    return Message(method=method, uri=uri, headers=headers, body=text)


def authorization(challenge: str, *, method: str, uri: str, user: str, password: str) -> str:
    """The answer to a ``WWW-Authenticate`` or ``Proxy-Authenticate`` header (MD5, with or without qop=auth)."""
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    realm, nonce = fields["realm"], fields["nonce"]
    ha1 = _md5(f"{user}:{realm}:{password}")
    ha2 = _md5(f"{method}:{uri}")
    parts = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"', "algorithm=MD5"]
    if "auth" in fields.get("qop", ""):
        cnonce = secrets.token_hex(8)
        response = _md5(f"{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}")
        parts += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    else:
        response = _md5(f"{ha1}:{nonce}:{ha2}")
    return "Digest " + ", ".join([*parts, f'response="{response}"'])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
