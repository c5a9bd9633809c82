"""Secrets are found where the plan points, and what can't be had is said without them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote import secrets
from cockpit.remote.secrets import SecretError, is_reference, look_up, mask


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


async def test_a_command_that_hangs_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(secrets, "CMD_S", timedelta(seconds=0.3).total_seconds())
    with pytest.raises(SecretError, match=r"no secret within 0\.3 s"):
        await look_up(f"cmd:(trap '' TERM; sleep 60) & echo $! >{tmp_path}/pid; wait")
    pid = (tmp_path / "pid").read_text().strip()
    stat = Path("/proc") / pid / "stat"
    assert not stat.exists() or ") Z " in stat.read_text()


def test_the_longest_secret_is_hidden_first() -> None:
    assert mask("a s3cret-2 and a s3cret", ["s3cret", "s3cret-2", ""]) == "a *** and a ***"


@pytest.mark.parametrize("value", ["", "env:", "env: x", "https://x", "environment:X"])
def test_other_words_are_no_references(value: str) -> None:
    assert not is_reference(value)
