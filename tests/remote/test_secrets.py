"""Secrets are found where the plan points, and what can't be had is said without them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote import secrets
from cockpit.remote.secrets import SecretError, exposed, is_reference, look_up, mask
from tests.remote.waiting import alive, until


async def test_each_kind_of_reference_leads_to_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text("s3cret\n")
    for reference in (
        "env:SHOP_TOKEN",
        f"file:{tmp_path}/token",
        "file:~/token",
        "cmd:echo s3cret; echo no >&2",
    ):
        assert is_reference(reference)
        assert await look_up(reference) == "s3cret"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("env:SHOP_TOKEN", "the environment has no SHOP_TOKEN"),
        ("env:EMPTY", "the environment's EMPTY is empty"),
        ("file:/nope/token", "/nope/token can't be read: No such file or directory"),
        ("cmd:echo s3cret; exit 3", "the command that gives the secret failed: exit 3"),
        ("cmd:true", "what the command printed is empty"),
        (
            "cmd:printf 's3cret\\ns3cret'",
            "what the command printed is more than one line, or holds control characters",
        ),
        ("cmd:printf 's3cret\\377'", "what the command printed is no text"),
        ("s3cret", "a secret is written env:NAME, file:PATH or cmd:LINE"),
    ],
)
async def test_what_cannot_be_had_says_why_and_gives_nothing_away(
    reference: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    monkeypatch.setenv("EMPTY", "")
    with pytest.raises(SecretError) as caught:
        await look_up(reference)
    assert str(caught.value) == said


async def test_what_a_command_may_be_given_and_what_not(tmp_path: Path) -> None:
    kept = tmp_path / "secret"
    key = "-----BEGIN\nit's $x \\ \t ü\r\nEND"
    kept.write_bytes(f"{key}\n".encode())
    assert await look_up(f"file:{kept}", lines=True) == key
    kept.write_bytes(b"x" * 65536 + b"\r\n")
    assert await look_up(f"file:{kept}", lines=True) == "x" * 65536
    assert await look_up(f"cmd:cat {kept}", lines=True) == "x" * 65536
    for data, said in (
        (b"x" * 65537, "is longer than 64 kB"),
        (b"a\0b", "holds a NUL character, which no command can be given"),
        (b"\xff\xfe", "is no text"),
        (b"\n", "is empty"),
    ):
        kept.write_bytes(data)
        for reference, called in (
            (f"file:{kept}", str(kept)),
            (f"cmd:cat {kept}", "what the command printed"),
        ):
            with pytest.raises(SecretError) as caught:
                await look_up(reference, lines=True)
            assert str(caught.value) == f"{called} {said}"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SecretError, match="is empty"):
        await look_up(f"file:{pipe}")
    with pytest.raises(SecretError, match="Is a directory"):
        await look_up(f"file:{tmp_path}")


async def test_a_command_that_hangs_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(secrets, "CMD_S", timedelta(seconds=0.3).total_seconds())
    with pytest.raises(SecretError, match=r"no secret within 0\.3 s"):
        await look_up(f"cmd:(trap '' TERM; sleep 60) & echo $! >{tmp_path}/pid; wait")
    pid = (tmp_path / "pid").read_text().strip()
    await until(lambda: not alive(int(pid)), "the end of what it started")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660, 0o602])
def test_a_file_that_others_get_at_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    token = tmp_path / "a token"
    token.write_text("s3cret\n")
    token.chmod(mode)
    why = exposed("file:~/a token")
    assert why == (
        f"~/a token is open to other users of this machine (mode {mode:o}): `chmod 600 '{tmp_path}/a token'`"
    )
    token.chmod(0o600)
    assert exposed("file:~/a token") == ""


@pytest.mark.parametrize(
    "reference", ["env:HOME", "cmd:/etc/passwd", "file:/nope", "file:a\0b", "/etc/passwd", ""]
)
def test_of_nothing_else_it_is_told(reference: str) -> None:
    assert exposed(reference) == ""


def test_the_longest_secret_is_hidden_first() -> None:
    assert mask("a s3cret-2 and a s3cret", ["s3cret", "s3cret-2", ""]) == "a *** and a ***"


@pytest.mark.parametrize("value", ["", "env:", "env: x", "https://x", "environment:X"])
def test_other_words_are_no_references(value: str) -> None:
    assert not is_reference(value)
