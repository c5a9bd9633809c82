"""SSH keys as a plan has them: public ones taken apart, private ones found wherever they were pasted."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from cockpit.planfile.scalars import Mistake

PUB_FILE = "write the line of their .pub file, as `cat ~/.ssh/id_ed25519.pub` prints it"

RSA_LEAST = 2048
"""Bits of an RSA key below which nobody should believe its signatures."""

_ED25519 = 32
_POINTS = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
_KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    *(f"ecdsa-sha2-{curve}" for curve in _POINTS),
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_CALLED = re.compile(r"(?:ssh|ecdsa|sk)-[a-z0-9-]{1,40}(?:@[a-z.]{1,20})?")

PRIVATE = re.compile(
    r"(?P<head>-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY ?-{4,5}(?=(?:[\s#]|\\[nr])*(?:[A-Za-z0-9+/]{16}|[A-Z][A-Za-z-]+:)))"
    r".*?(?:-{4,5} ?END [A-Z0-9 ]*PRIVATE KEY|\Z)"
    r"|(?P<putty>PuTTY-User-Key-File-\d).*?(?:Private-MAC: *|\Z)[0-9a-f]*"
    r"|(?P<bare>b3BlbnNzaC1rZXktdjE)(?:[A-Za-z0-9+/=\s]|\\[nr])*",
    re.DOTALL,
)
"""A private key in PEM, in PuTTY's form, or as OpenSSH's base64 without its first line."""


def masked(text: str) -> str:
    """`text`, of the same length and lines, without what is secret of private keys."""
    return PRIVATE.sub(
        lambda m: m[m.lastgroup or 0] + re.sub(r"[^\n]", "…", m[0][len(m[m.lastgroup or 0]) :]), text
    )


def shortened(line: str) -> bool:
    """Whether the line has a key's type, and in place of the key only its beginning and dots."""
    words = line.split()
    return len(words) > 1 and words[0] in _KINDS and ("..." in words[1] or "…" in words[1])


def public_key(line: str) -> bytes:
    """The key of a .pub file's line, without type and comment; Mistake says why it is none, and never quotes it."""
    words = line.split()
    kind = words[0] if words else ""
    if "\n" in line or kind not in _KINDS or len(words) < 2:
        raise Mistake(_no_line(words), PUB_FILE)
    try:
        key = base64.b64decode(words[1], validate=True)
        parts = list(_parts(key))
    except (binascii.Error, ValueError):
        raise Mistake("this key is cut short or changed", PUB_FILE) from None
    if not parts or parts[0] != kind.encode():
        raise Mistake("this key isn't of the type that stands before it", PUB_FILE)
    if not _whole(kind, parts):
        raise Mistake("this key is cut short or changed", PUB_FILE)
    bits = int.from_bytes(parts[2]).bit_length() if kind == "ssh-rsa" else RSA_LEAST
    if bits < RSA_LEAST:
        message = f"an RSA key of {bits} bits can be forged: nobody takes its signatures"
        raise Mistake(message, "let them make a new one: ssh-keygen -t ed25519")
    return key


def _no_line(words: list[str]) -> str:
    """What is wrong with a line that doesn't begin as a key does."""
    kind = words[0] if words else ""
    if kind in _KINDS:
        return "a key is one line: its type, the key itself, and whose it is"
    if any(word in _KINDS for word in words):
        return "something stands before the key: nothing would act on it"
    return (
        f"`{kind}` is no type of key that signs here"
        if _CALLED.fullmatch(kind)
        else "this is no SSH public key"
    )


def _parts(key: bytes) -> Iterator[bytes]:
    """The strings that a key is made of, each behind its length (RFC 4251, section 5); ValueError if one is cut."""
    while key:
        end = 4 + int.from_bytes(key[:4])
        if len(key) < max(4, end):
            raise ValueError
        yield key[4:end]
        key = key[end:]


def _whole(kind: str, parts: list[bytes]) -> bool:
    """Whether the parts are those of a key of this kind (RFC 4253, 5656, 8709; PROTOCOL.u2f of OpenSSH)."""
    hardware = kind.startswith("sk-")
    if "ed25519" in kind:
        return len(parts) == 2 + hardware and len(parts[1]) == _ED25519
    if kind == "ssh-rsa":
        return len(parts) == 3
    curve = next(curve for curve in _POINTS if curve in kind)
    return len(parts) == 3 + hardware and parts[1] == curve.encode() and len(parts[2]) == _POINTS[curve]
