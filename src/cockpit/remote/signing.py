"""Signatures over sign-offs: OpenSSH's own ssh-keygen makes them and checks them."""

from __future__ import annotations

import asyncio
import base64
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cockpit.core.errors import CockpitError
from cockpit.core.statement import NAMESPACE
from cockpit.core.text import visible

VERIFY_S, SIGN_S, TYPING_S = 10.0, 60.0, 300.0
"""How long a check may take; a signature, which may wait for a touch; and one that may wait for a passphrase."""

SAID_MOST = 200
"""How many characters of what a tool complains about are told."""

_ARMOUR = re.compile(
    r"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]{1,20000})\n-----END SSH SIGNATURE-----\n?"
)
_KEY_TYPE = re.compile(r"(sk-)?(ssh|ecdsa)-[a-z0-9@.-]{1,60}")
_PERSON = re.compile(r"[^\s\"*?!,#\\-][^\s\"*?!,\\]*")


class SigningError(CockpitError):
    """Nothing was signed, or nothing could be checked; the message says why and what to do."""


class _Ran(NamedTuple):
    status: int
    said: bytes
    complaint: str


async def sign(line: str, public_key: str, key_file: Path | None = None) -> str:
    """The armoured signature over `line`, a statement.

    The SSH agent makes it with `public_key` (as a plan has it), and nobody is asked for anything here; or ssh-keygen
    with `key_file`, whose passphrase it may ask for on the terminal (where that is a public key: the agent).
    SigningError where that can't be.
    """
    if key_file is not None:
        return await _made(line, key_file.expanduser(), None, f"{key_file} doesn't sign")
    if not os.environ.get("SSH_AUTH_SOCK"):
        raise SigningError(f"no SSH agent is known here (SSH_AUTH_SOCK isn't set). {_UNSIGNED}")
    try:
        key = plain(public_key)
    except ValueError as fault:
        raise SigningError(f"{fault}. {_UNSIGNED}") from None
    with _private() as there:
        # Without the private key beside it there is nothing that ssh-keygen could ask a passphrase for.
        public = there / "key.pub"
        public.write_text(f"{key}\n")
        return await _made(line, public, _asking_nobody(), "the SSH agent doesn't sign with this key")


async def verify(line: str, armoured: str, public_key: str, person: str) -> str:
    """Why the armoured signature isn't that of `person`, whose key this is, over `line`; or empty where it is.

    SigningError where it can't be checked at all.
    """
    made = _taken_apart(armoured)
    if made is None:
        return "there is no signature in it: paste all of it, down to END SSH SIGNATURE"
    try:
        signer = allowed_signer(person, public_key)
    except ValueError as fault:
        return str(fault)
    with _private() as there:
        (there / "signers").write_text(f"{signer}\n")
        (there / "signature").write_text(armoured)
        words = ("verify", "-f", there / "signers", "-I", person, "-n", NAMESPACE, "-s", there / "signature")
        ran = await _run(("ssh-keygen", "-Y", *words), message(line), _asking_nobody(), VERIFY_S)
    return "" if ran.status == 0 else _reason(made, public_key)


async def held_keys() -> tuple[str, ...]:
    """The public keys that the SSH agent holds, as lines; none where there is no agent."""
    if not os.environ.get("SSH_AUTH_SOCK"):
        return ()
    ran = await _run(("ssh-add", "-L"), b"", _asking_nobody(), VERIFY_S)
    lines = ran.said.decode(errors="replace").splitlines() if ran.status == 0 else []
    return tuple(line for line in lines if _KEY_TYPE.fullmatch(line.partition(" ")[0]))


def message(line: str) -> bytes:
    """What is signed of a statement: its line with the line's end."""
    return f"{line}\n".encode()


def allowed_signer(person: str, public_key: str) -> str:
    """The line of an allowed_signers file, as ssh-keygen(1) has it, that takes sign-offs of `person`.

    ValueError where the key is none, or the id can't stand there.
    """
    if not _PERSON.fullmatch(person):
        raise ValueError(f"{person!r} can't be told apart in a list of signers: the plan needs a plainer id")
    return f'{person} namespaces="{NAMESPACE}" {plain(public_key)}'


def plain(public_key: str) -> str:
    """The type and the body of a public key, without its comment; ValueError where it is none."""
    words = public_key.split()
    if len(words) < 2 or not _KEY_TYPE.fullmatch(words[0]) or not _blob(words[1]):
        raise ValueError("the plan's key is no SSH public key")
    return f"{words[0]} {words[1]}"


def fingerprint(public_key: str) -> str:
    """A public key's fingerprint as OpenSSH writes it."""
    return _fingerprint(_blob(plain(public_key).partition(" ")[2]))


_UNSIGNED = (
    "Nothing was signed, and what waits for the signature still waits: start an agent and `ssh-add` the key, or name "
    "the key's file: `cockpit sign … --key FILE`."
)


async def _made(line: str, key_file: Path, env: Mapping[str, str] | None, otherwise: str) -> str:
    """What ssh-keygen makes with that key; without an `env` that forbids it, it may ask for a passphrase."""
    words = ("ssh-keygen", "-Y", "sign", "-f", key_file, "-n", NAMESPACE)
    ran = await _run(words, message(line), env, TYPING_S if env is None else SIGN_S)
    armoured = ran.said.decode(errors="replace")
    if ran.status != 0 or _taken_apart(armoured) is None:
        raise SigningError(f"{otherwise}{ran.complaint}. {_UNSIGNED}")
    return armoured


def _asking_nobody() -> dict[str, str]:
    """An environment in which OpenSSH's tools ask nobody for a passphrase."""
    unasked = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "SSH_ASKPASS")}
    return {**unasked, "SSH_ASKPASS_REQUIRE": "never"}


@contextmanager
def _private() -> Iterator[Path]:
    """A directory closed to everybody else, for as long as it is needed."""
    with TemporaryDirectory(prefix="cockpit-signing-") as name:
        yield Path(name)


async def _run(
    words: Sequence[str | Path], said: bytes, env: Mapping[str, str] | None, within_s: float
) -> _Ran:
    """Run a tool of OpenSSH's to its end. With an `env` it has no terminal; without, it has ours, and our errors."""
    tool = str(words[0])
    try:
        process = await asyncio.create_subprocess_exec(
            *map(str, words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=None if env is None else asyncio.subprocess.PIPE,
            env=env,
            start_new_session=env is not None,
        )
    except OSError as fault:
        raise SigningError(
            f"{tool} can't be run here ({fault.strerror}): without it nothing is signed, and no signature counts. "
            "Install OpenSSH's client (openssh-client), 8.2 or later."
        ) from None
    try:
        async with asyncio.timeout(within_s):
            out, err = await process.communicate(said)
    except TimeoutError:
        raise SigningError(
            f"{tool} didn't end within {within_s:.0f} s. Nothing was signed or checked."
        ) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _Ran(process.returncode or 0, out, _complaint(err))


def _complaint(err: bytes | None) -> str:
    """The last line of what a tool complains about, to stand behind a sentence; or nothing."""
    lines = (err or b"").decode(errors="replace").strip().splitlines()
    return f" ({visible(lines[-1])[:SAID_MOST]})" if lines else ""


class _Made(NamedTuple):
    """What a signature says of itself: which key made it (a body, in base64), and what for."""

    key: bytes
    namespace: str


def _taken_apart(armoured: str) -> _Made | None:
    """What a signature says of itself, unproven: the first fields of PROTOCOL.sshsig; None where it is none."""
    found = _ARMOUR.fullmatch(armoured)
    rest = _blob(found[1].replace("\n", "")) if found else b""
    if rest[:10] != b"SSHSIG\0\0\0\1":
        return None
    key, rest = _field(rest[10:])
    namespace, _ = _field(rest)
    return _Made(key, namespace.decode(errors="replace"))


def _field(rest: bytes) -> tuple[bytes, bytes]:
    """A string of the SSH protocol (RFC 4251, 5), and what follows it."""
    end = 4 + int.from_bytes(rest[:4], "big")
    return rest[4:end], rest[end:]


def _blob(body: str) -> bytes:
    """What stands in base64 there; nothing where it is none."""
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return b""


def _reason(made: _Made, public_key: str) -> str:
    """Why ssh-keygen takes a signature for bad, as far as it tells of itself."""
    key = _blob(plain(public_key).partition(" ")[2])
    if made.key != key:
        return f"another key made it, {_fingerprint(made.key)}; the plan has {_fingerprint(key)}"
    if made.namespace != NAMESPACE:
        return f"it was made for another purpose ({visible(made.namespace)[:40]}), not as a sign-off"
    return "what it was made for isn't what stands above it: one of them was altered"


def _fingerprint(blob: bytes) -> str:
    return f"SHA256:{base64.b64encode(sha256(blob).digest()).decode().rstrip('=')}"
