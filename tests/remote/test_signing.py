"""Signatures by real keys, a real agent and OpenSSH's ssh-keygen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.remote.signing import SigningError, allowed_signer, held_keys, plain, sign, verify
from tests import keys
from tests.keys import add, fingerprint, new_key, signed

LINE = "cockpit-signoff v1 person=lee decision=sign about=backup text='Backup restored'"
KINDS = ("ed25519", "rsa", "ecdsa")


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An agent of our own, empty."""
    with keys.agent(tmp_path) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield


@pytest.fixture
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_file_signs_and_its_public_key_confirms_it(
    tmp_path: Path, no_agent: None, kind: str
) -> None:
    public = new_key(tmp_path / "key", kind)
    armoured = await sign(LINE, public, tmp_path / "key")
    assert await verify(LINE, armoured, public, "lee") == ""
    assert "altered" in await verify(f"{LINE} ", armoured, public, "lee")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_agent_signs_with_the_key_that_is_named(tmp_path: Path, agent: None, kind: str) -> None:
    for name in ("other", "key"):
        new_key(tmp_path / name, kind)
        add(tmp_path / name)
    public = (tmp_path / "key.pub").read_text()
    armoured = await sign(LINE, public)
    assert await verify(LINE, armoured, public, "lee") == ""
    assert [plain(key) for key in await held_keys()].count(plain(public)) == 1


async def test_a_public_key_file_means_the_agents_key(tmp_path: Path, agent: None) -> None:
    public = new_key(tmp_path / "key")
    add(tmp_path / "key")
    armoured = await sign(LINE, "", tmp_path / "key.pub")
    assert await verify(LINE, armoured, public, "lee") == ""


async def test_where_there_is_no_agent(tmp_path: Path, no_agent: None) -> None:
    with pytest.raises(SigningError, match=r"no SSH agent is known here.*still waits: start an agent"):
        await sign(LINE, new_key(tmp_path / "key"))
    assert await held_keys() == ()


async def test_an_agent_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody.sock"))
    with pytest.raises(SigningError, match="the SSH agent doesn't sign with this key"):
        await sign(LINE, new_key(tmp_path / "key"))
    assert await held_keys() == ()


async def test_a_key_that_the_agent_does_not_hold(tmp_path: Path, agent: None) -> None:
    new_key(tmp_path / "other")
    add(tmp_path / "other")
    with pytest.raises(
        SigningError, match=r"the SSH agent doesn't sign with this key .*No private key found"
    ):
        await sign(LINE, new_key(tmp_path / "key"))


async def test_nobody_is_asked_for_a_passphrase_where_the_agent_signs(
    tmp_path: Path, agent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\ntouch {asked}\n")
    ask.chmod(0o700)
    for name, value in (("SSH_ASKPASS", str(ask)), ("SSH_ASKPASS_REQUIRE", "force"), ("DISPLAY", ":0")):
        monkeypatch.setenv(name, value)
    public = new_key(tmp_path / "key", passphrase="never told")
    with pytest.raises(SigningError):
        await sign(LINE, public)
    assert not asked.exists()
    with pytest.raises(SigningError):
        await sign(LINE, public, tmp_path / "key")
    assert asked.exists()


async def test_a_passphrase_is_asked_for_where_a_file_is_named(
    tmp_path: Path, no_agent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho told\n")
    ask.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(ask))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    public = new_key(tmp_path / "key", passphrase="told!")
    with pytest.raises(SigningError, match="doesn't sign"):
        await sign(LINE, public, tmp_path / "key")
    ask.write_text("#!/bin/sh\necho 'told!'\n")
    assert await verify(LINE, await sign(LINE, public, tmp_path / "key"), public, "lee") == ""


async def test_a_key_file_that_is_none(tmp_path: Path, no_agent: None) -> None:
    (tmp_path / "key").write_text("not a key")
    for name in ("key", "missing"):
        with pytest.raises(SigningError, match=rf"{name} doesn't sign"):
            await sign(LINE, "", tmp_path / name)


async def test_whose_name_it_is_verified_under(tmp_path: Path, no_agent: None) -> None:
    public = new_key(tmp_path / "key")
    assert await verify(LINE, await sign(LINE, public, tmp_path / "key"), public, "zoë.o-1") == ""


async def test_another_key_is_told_by_its_fingerprint(tmp_path: Path, no_agent: None) -> None:
    mine, theirs = new_key(tmp_path / "mine"), new_key(tmp_path / "theirs")
    why = await verify(LINE, await sign(LINE, theirs, tmp_path / "theirs"), mine, "lee")
    theirs_is, mine_is = fingerprint(tmp_path / "theirs.pub"), fingerprint(tmp_path / "mine.pub")
    assert why == f"another key made it, {theirs_is}; the plan has {mine_is}"


async def test_a_signature_for_another_purpose(tmp_path: Path) -> None:
    public = new_key(tmp_path / "key")
    why = await verify(LINE, signed(f"{LINE}\n", tmp_path / "key", "git"), public, "lee")
    assert why == "it was made for another purpose (git), not as a sign-off"


async def test_what_is_no_signature(tmp_path: Path, no_agent: None) -> None:
    public = new_key(tmp_path / "key")
    armoured = await sign(LINE, public, tmp_path / "key")
    for text in (
        "",
        "nonsense",
        armoured + "more",
        f"more\n{armoured}",
        armoured.replace("U1NI", "AAAA"),
        "é",
    ):
        assert "there is no signature in it" in await verify(LINE, text, public, "lee")
    body = armoured.splitlines()
    cut = "\n".join([body[0], body[1][:40], body[-1], ""])
    assert "another key made it" in await verify(LINE, cut, public, "lee")


@pytest.mark.parametrize("key", ["", "ssh-ed25519", "ssh-ed25519 ***", "cert-authority ssh-ed25519 AAAA"])
async def test_a_key_that_is_none(tmp_path: Path, agent: None, key: str) -> None:
    armoured = await sign(LINE, new_key(tmp_path / "key"), tmp_path / "key")
    assert await verify(LINE, armoured, key, "lee") == "the plan's key is no SSH public key"
    with pytest.raises(SigningError, match="no SSH public key"):
        await sign(LINE, key)


@pytest.mark.parametrize("person", ["*", "lee,mallory", "!lee", "-f", "#lee", "lee chen", 'l"ee', "l?e", ""])
async def test_an_id_that_would_mean_others_too_is_not_taken(
    tmp_path: Path, no_agent: None, person: str
) -> None:
    public = new_key(tmp_path / "key")
    armoured = await sign(LINE, public, tmp_path / "key")
    assert "plainer id" in await verify(LINE, armoured, public, person)


async def test_a_second_line_in_a_plans_key_names_no_other_signer(tmp_path: Path) -> None:
    mine, theirs = new_key(tmp_path / "mine"), new_key(tmp_path / "theirs")
    assert allowed_signer("lee", f"{mine}\nlee {theirs}") == f'lee namespaces="cockpit-signoff" {plain(mine)}'


async def test_nothing_is_left_behind(tmp_path: Path, agent: None, monkeypatch: pytest.MonkeyPatch) -> None:
    public = new_key(tmp_path / "key")
    add(tmp_path / "key")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    assert await verify(LINE, await sign(LINE, public), public, "lee") == ""
    assert os.listdir(tmp_path / "tmp") == []


async def test_where_openssh_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = new_key(tmp_path / "key")
    armoured = await sign(LINE, public, tmp_path / "key")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SigningError, match=r"ssh-keygen can't be run here .*Install OpenSSH's client"):
        await verify(LINE, armoured, public, "lee")


async def test_a_tool_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = new_key(tmp_path / "key")
    armoured = await sign(LINE, public, tmp_path / "key")
    (tmp_path / "ssh-keygen").write_text("#!/bin/sh\nexec /bin/sleep 600\n")
    (tmp_path / "ssh-keygen").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("cockpit.remote.signing.VERIFY_S", 0.05)
    with pytest.raises(SigningError, match="ssh-keygen didn't end within"):
        await verify(LINE, armoured, public, "lee")
