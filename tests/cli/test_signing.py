"""Signed sign-offs as people make them: a session here, a key elsewhere, and plain ssh-keygen that confirms them."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.core import statement
from cockpit.core.events import ChecklistSigned
from cockpit.remote import signing
from cockpit.store.log import Log, read
from tests import keys
from tests.cli.conftest import home_in
from tests.cli.shell import cockpit, command, write
from tests.cli.test_attending import Session
from tests.faults.pty import Terminal
from tests.forked import NURSERY
from tests.sshd import Sshd

MORE = """
[people.noa]
name = "Noa Levi"
os_user = "not-here"
key = "{noa}"

[people.ann]
name = "Ann Berg"
key = "{ann}"

[[stage]]
name = "rest"
targets = ["web-1"]
steps = ["switch"]
gate = {{ approvers = ["noa", "ann"], instructions = "Orders fine?" }}

[[checklist]]
id = "backup"
text = "Last night's backup restored on staging"
owner = "noa"
before = "close"

[[checklist]]
id = "drill"
text = "Rollback tried on staging"
owner = "ann"
before = "close"

[[checklist]]
id = "smoke"
text = "Smoke tests pass"
owner = "ann"
before = "close"

[[checklist]]
id = "piped"
text = "The pipeline is clean"
owner = "ann"
before = "close"

[[checklist]]
id = "never"
text = "Nobody signs this: the session stays open"
owner = "ann"
before = "close"

[[checklist]]
id = "briefed"
text = "Support is briefed"
owner = "sam"
before = "close"
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, sshd_server: Sshd) -> Iterator[Session]:
    """A headless session that waits at the gate of its second stage."""
    path = tmp_path_factory.mktemp("signing")
    for name in ("noa", "ann", "mallory"):
        keys.new_key(path / name)
    public = {name: (path / f"{name}.pub").read_text().strip() for name in ("noa", "ann")}
    home = home_in(path)
    home.pop("SSH_AUTH_SOCK", None)
    plan = write(path, sshd_server, "true", MORE.format(**public))
    words = command(
        plan, "--headless", "--as", "dana", "--log", path / "logs" / "small.db", "--override", "x"
    )
    with NURSERY.piped(words, "stderr", env=home) as process:
        try:
            assert process.stderr is not None
            assert any("“rest”" in line for line in process.stderr)
            yield Session(home, path, plan, process)
        finally:
            process.kill()


def elsewhere(
    session: Session, *words: object, said: str = "", who: str = "noa"
) -> subprocess.CompletedProcess[str]:
    """Cockpit on somebody's own machine: no session, no plan, only their key."""
    home = {**home_in(session.path / f"home-of-{who}"), "SSH_AUTH_SOCK": ""}
    return cockpit(home, "sign", *words, said=said)


def asked(session: Session, item: str, who: str = "noa") -> str:
    """The challenge for somebody who isn't there."""
    done = session.asks("sign", item, "--ask", who=who)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def handed_in(session: Session, block: str, who: str = "dana") -> subprocess.CompletedProcess[str]:
    return cockpit(session.home, "sign", "--block", "-", "--as", who, said=block)


def test_the_whole_conversation(session: Session) -> None:
    """Noa isn't at the session's machine: her key signs at home what the session asks for."""
    done = session.asks("sign", "backup", "--ask", who="noa")
    assert done.returncode == 0, done.stderr
    line = done.stdout.strip()
    assert "\n" not in line
    assert "“Last night's backup restored on staging”" in done.stderr
    again = next(part for part in done.stderr.splitlines() if "cockpit sign --challenge" in part)
    assert shlex.split(again)[-1] == line  # ready to be copied

    signed = elsewhere(session, *shlex.split(again)[2:], "--key", session.path / "noa")
    assert signed.returncode == 0, signed.stderr
    assert "“Last night's backup restored on staging”" in signed.stderr
    assert "  who      noa" in signed.stderr
    assert "15 min from now" in signed.stderr
    block = session.path / "block"
    block.write_text(signed.stdout)

    done = session.asks("sign", "--block", block, "--note", "checked with Ops", who="dana")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("record ")
    event = session.events("ChecklistSigned")[-1]
    assert (event.by, event.via, event.level, event.note) == ("noa", "dana", "key", "checked with Ops")
    assert event.signature == signed.stdout

    done = session.asks("sign", "--block", block, who="dana")
    assert (done.returncode, "each signature counts once" in done.stderr) == (1, True)


def test_it_is_pasted_from_end_to_end(session: Session) -> None:
    line = asked(session, "gate:rest", who="noa")
    signed = elsewhere(session, "--challenge", "-", "--key", session.path / "noa", said=f"{line}\n")
    assert signed.returncode == 0, signed.stderr
    assert "the gate of stage rest" in signed.stderr
    done = handed_in(session, signed.stdout)
    assert done.returncode == 0, done.stderr
    approved = session.events("StageApproved")[-1]
    assert (approved.by, approved.stage, approved.level) == ("noa", "rest", "key")


def test_with_the_key_at_hand(session: Session, tmp_path: Path) -> None:
    refused = session.asks("sign", "drill", who="ann")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert (
        "refused: no SSH agent is known here (SSH_AUTH_SOCK isn't set). Nothing was signed" in refused.stderr
    )
    assert "what waits for the signature still waits: start an agent" in refused.stderr
    with keys.agent(tmp_path) as socket:
        key = tmp_path / "ann"
        key.write_bytes((session.path / "ann").read_bytes())
        key.chmod(0o600)
        with_agent = {"SSH_AUTH_SOCK": str(socket)}
        empty = cockpit(session.home, "sign", "drill", "--as", "ann", **with_agent)
        assert (empty.returncode, "the SSH agent doesn't sign with this key" in empty.stderr) == (1, True)
        subprocess.run(["ssh-add", "-q", str(key)], env={**session.home, **with_agent}, check=True)
        done = cockpit(
            session.home, "sign", session.log, "drill", "--as", "ann", "--note", "6 min", **with_agent
        )
    assert done.returncode == 0, done.stderr
    (event,) = (e for e in session.events("ChecklistSigned") if e.item == "drill")
    assert (event.by, event.via, event.level, event.note) == ("ann", "", "key", "6 min")


def test_whoever_has_no_key_signs_by_name(session: Session) -> None:
    done = session.asks("sign", "briefed", "--note", "all of them", who="sam")
    assert done.returncode == 0, done.stderr
    (event,) = (e for e in session.events("ChecklistSigned") if e.item == "briefed")
    assert (event.by, event.level, event.signature) == ("sam", "typed", "")


@pytest.mark.parametrize(
    ("words", "who", "status", "told"),
    [
        (("sign",), "ann", 2, "ITEM is a checklist item's id, gate:STAGE, role:ROLE or rollback:SERVICE"),
        (("sign", "nothing"), "ann", 1, "refused: the plan has no checklist item nothing"),
        (("sign", "nothing"), "sam", 1, "refused: the plan has no checklist item nothing"),
        (("sign", "never"), "sam", 1, "signing never takes Ann Berg"),
        (("sign", "never", "--key", "missing"), "ann", 1, "missing doesn't sign"),
        (("sign", "never", "--ask", "--key", "x"), "ann", 2, "--key says with what is signed"),
        (("sign", "never", "--ask"), "sam", 1, "the plan has no key of Sam Okoro: there is nothing to sign"),
        (("sign", "never", "--ask"), "", 1, "say whose signature it is to be"),
        (("sign", "never", "--ask"), "dana", 1, "the plan has no key of Dana Ruiz"),
        (("sign", "never", "--ask", "--block", "x"), "ann", 2, "not allowed with argument"),
        (
            ("sign", "role:decision_owner", "--ask"),
            "ann",
            1,
            "Dana Ruiz is decision owner, and hasn't offered it",
        ),
        (("sign", "never", "--challenge", "x"), "ann", 2, "leave out 'never'"),
        (
            ("sign", "--challenge", "rm -rf /"),
            "",
            2,
            "this is no challenge of cockpit's: copy the whole line. Nothing",
        ),
        (("sign", "--block", "missing"), "dana", 2, "missing can't be read (No such file or directory)"),
        (("sign", "--block", "/bin/sh"), "dana", 2, "/bin/sh is no text, so no sign-off"),
        (("sign", "x", "y", "--block", "z"), "dana", 2, "leave out 'y'"),
    ],
    ids=lambda part: "-".join(part)[:30] if isinstance(part, tuple) else "",
)
def test_what_is_refused(session: Session, words: tuple[str, ...], who: str, status: int, told: str) -> None:
    before = len(read(session.log).events)
    done = session.asks(*words, who=who) if who else cockpit(session.home, *words)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert told in done.stderr
    assert len(read(session.log).events) == before


@pytest.mark.parametrize("text", ["", "yes", "cockpit-signoff v1 person=lee"])
def test_a_block_that_is_none_is_not_handed_in(session: Session, text: str) -> None:
    done = handed_in(session, text)
    assert (done.returncode, "paste all of it. Nothing was handed in" in done.stderr) == (2, True), (
        done.stderr
    )


def test_a_block_by_another_key_is_refused(session: Session) -> None:
    line = asked(session, "never", who="ann")
    forged = elsewhere(session, "--challenge", line, "--key", session.path / "mallory")
    assert forged.returncode == 0
    done = handed_in(session, forged.stdout)
    fingerprint = keys.fingerprint(session.path / "mallory.pub")
    assert (done.returncode, f"refused: another key made it, {fingerprint}" in done.stderr) == (1, True), (
        done.stderr
    )


def test_several_keys_in_the_agent_have_to_be_told_apart(session: Session, tmp_path: Path) -> None:
    line = asked(session, "never", who="ann")
    with keys.agent(tmp_path) as socket:
        home = {**session.home, "SSH_AUTH_SOCK": str(socket)}
        for name in ("one", "two"):
            public = keys.new_key(tmp_path / name)
            subprocess.run(["ssh-add", "-q", str(tmp_path / name)], env=home, check=True)
            (tmp_path / name).unlink()
            done = cockpit(home, "sign", "--challenge", line)
            if name == "one":
                assert done.returncode == 0, done.stderr
        assert (done.returncode, done.stdout) == (2, "")
        assert "the SSH agent holds 2 keys (somebody at home, somebody at home): say which" in done.stderr
        done = cockpit(home, "sign", "--challenge", line, "--key", tmp_path / "two.pub")
        assert done.returncode == 0, done.stderr
    assert public.startswith("ssh-ed25519")


async def test_a_passphrase_is_asked_for_on_the_terminal(session: Session, tmp_path: Path) -> None:
    line = asked(session, "never", who="ann")
    public = keys.new_key(tmp_path / "key", passphrase="four words of it")
    words = command("sign", "--challenge", line, "--key", tmp_path / "key")
    async with Terminal(words, rows=60, cols=200, env=session.home) as terminal:
        await terminal.shows("Enter passphrase")
        terminal.type("four words of it\n")
        assert await terminal.ends() == 0
        told = terminal.data.decode().replace("\r", "")
    assert "four words" not in told
    block = told[told.index(f"{line}\n-----BEGIN SSH") :]
    assert await signing.verify(*statement.parts(block), public, "ann") == ""


def test_the_three_parts_fit_into_one_pipe(session: Session, tmp_path: Path) -> None:
    """As from a machine at home over ssh: nothing but the challenge and the block goes through."""
    cockpit_ = shlex.join(command())
    sign = f"{cockpit_} sign --challenge - --key {session.path / 'ann'}"
    pipe = f"{cockpit_} sign piped --ask --as ann | {sign} | {cockpit_} sign --block - --as dana"
    in_shell(session, tmp_path, pipe)
    assert [e.by for e in session.events("ChecklistSigned") if e.item == "piped"] == ["ann"]


def test_what_hides_in_a_challenge_keeps_it_from_being_signed(session: Session) -> None:
    line = asked(session, "never", who="ann")
    hostile = line.replace("Nobody signs this", "Lunch\x1b[2J\u202epaid\u200b").replace(
        "session=", "session=x"
    )
    done = elsewhere(session, "--challenge", "-", "--key", session.path / "noa", said=hostile)
    assert done.returncode == 2
    assert "holds what no challenge of cockpit's does" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_log_and_its_review_prove_it_without_cockpit(session: Session, tmp_path: Path) -> None:
    """The page's own commands: plain ssh-keygen signs, and verifies what is exported, but nothing that was changed."""
    signing, verifying = shell_blocks()
    (tmp_path / "challenge").write_text(session.asks("sign", "smoke", "--ask", who="ann").stdout)
    in_shell(session, tmp_path, signing.replace("~/.ssh/id_ed25519", str(session.path / "ann")))
    done = session.asks("sign", "--block", tmp_path / "block", who="dana")
    assert done.returncode == 0, done.stderr

    verify = verifying.replace("cockpit export SESSION", shlex.join(command("export", session.log)))
    verify = verify.replace('"backup"', '"smoke"').replace("-I lee", "-I ann")
    done = in_shell(session, tmp_path, verify)
    assert 'Good "cockpit-signoff" signature for ann' in done.stdout

    last = verify.splitlines()[-1]
    for name in ("statement", "signature", "allowed_signers"):
        sound = (tmp_path / name).read_text()
        at = len(sound) // 2
        (tmp_path / name).write_text(f"{sound[:at]}{'x' if sound[at] != 'x' else 'y'}{sound[at + 1 :]}")
        assert in_shell(session, tmp_path, last, status=255).returncode == 255, name
        (tmp_path / name).write_text(sound)
    assert in_shell(session, tmp_path, last).returncode == 0

    done = cockpit(session.home, "verify", session.log)
    assert done.returncode == 0, done.stdout
    assert "each made with its person's key in the plan, for what its record says" in done.stdout
    exported = cockpit(session.home, "export", session.log).stdout
    assert re.search(
        r"\| smoke \|.* Ann Berg \(at the screen of Dana Ruiz, .*signed with their key\) \|", exported
    )


async def test_a_forged_signature_in_a_log_is_found_offline(session: Session, tmp_path: Path) -> None:
    """A log that was made anew, with a chain that holds: only the key tells."""
    line = asked(session, "never", who="ann")
    events = [event for _, event in read(session.log).events]
    at = statement.read(line).until
    for key, told in (("mallory", "another key made it"), ("ann", "")):
        block = statement.block(line, keys.signed(f"{line}\n", session.path / key))
        forged = ChecklistSigned(at, "never", "ann", "", "", (), "key", block)
        path = tmp_path / f"{key}.db"
        log = await Log.create(path)
        await log.append([*events, forged])
        await log.close()
        done = await asyncio.to_thread(cockpit, session.home, "verify", path)
        assert done.returncode == (1 if told else 0), done.stdout
        assert (f"NOT sound. record {len(events) + 1}: {told}" in done.stdout) == bool(told)


def shell_blocks() -> list[str]:
    page = (Path(__file__).parents[2] / "docs" / "sign-offs.md").read_text()
    return re.findall(r"```sh\n(.*?)\n```", page, re.DOTALL)


def in_shell(session: Session, path: Path, text: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    words = ["sh", "-euc", text]
    done = subprocess.run(words, cwd=path, env=session.home, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done
