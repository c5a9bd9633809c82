"""The keys of people: real ones of every kind, those that are none, and private ones that nobody may see."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path

import pytest

from cockpit.planfile import parse
from tests.planfile.plans import PLAN, changed, good, places, said

PRIVATE = "this is a private key: whoever sees the plan, or saw it, can log in and sign as its owner"


def people(key: str) -> str:
    return f"[people]\nlee = {{}}\ndana = {{ key = {key} }}\n"


def made(path: Path, *words: str) -> tuple[str, str]:
    """A new key of OpenSSH's own: its public line and its private file."""
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "dana", "-f", str(path), *words], check=True)
    return path.with_name(f"{path.name}.pub").read_text().strip(), path.read_text()


def line(kind: str, *parts: bytes) -> str:
    """The line of a key that only hardware could make."""
    strings = b"".join(len(part).to_bytes(4) + part for part in (kind.encode(), *parts))
    return f"{kind} {base64.b64encode(strings).decode()}"


@pytest.mark.parametrize(
    "words",
    [
        ("-t", "ed25519"),
        ("-t", "rsa", "-b", "2048"),
        *(("-t", "ecdsa", "-b", bits) for bits in ("256", "384", "521")),
    ],
    ids=" ".join,
)
def test_a_key_as_ssh_keygen_makes_it_is_taken_with_or_without_its_comment(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    public, _ = made(tmp_path / "key", *words)
    kind, key, _ = public.split()
    for written in (public, f"{kind} {key}", f"  {kind}  {key} dana at work "):
        (_, dana) = good(more=people(f'"{written}"')).people
        assert dana.key == written
    for cut in (8, 16, 40):
        assert said(changed(more=people(f'"{kind} {key[:-cut]}"'))) == [
            "31:16: this key is cut short or changed"
        ]
    for end in ("AAAA", "AAAAAAAA"):
        longer = base64.b64encode(base64.b64decode(key) + base64.b64decode(end)).decode()
        assert said(changed(more=people(f'"{kind} {longer}"'))) == ["31:16: this key is cut short or changed"]


def test_keys_that_live_in_hardware() -> None:
    ed25519 = ("sk-ssh-ed25519@openssh.com", b"x" * 32, b"ssh:")
    ecdsa = ("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", b"\x04" + b"x" * 64, b"ssh:")
    for whole in (ed25519, ecdsa):
        assert good(more=people(f'"{line(*whole)}"'))
        assert said(changed(more=people(f'"{line(*whole[:-1])}"'))) == [
            "31:16: this key is cut short or changed"
        ]
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
        other = line(kind, *ed25519[1:])
        assert said(changed(more=people(f'"{other}"'))) == ["31:16: this key is cut short or changed"]


def test_a_curve_that_is_not_the_one_of_its_type() -> None:
    mixed = line("ecdsa-sha2-nistp256", b"nistp384", b"\x04" + b"x" * 64)
    assert said(changed(more=people(f'"{mixed}"'))) == ["31:16: this key is cut short or changed"]


def test_an_rsa_key_that_can_be_forged_is_refused(tmp_path: Path) -> None:
    public, _ = made(tmp_path / "key", "-t", "rsa", "-b", "1024")
    checked = changed(more=people(f'"{public}"'))
    assert said(checked) == [
        "31:16: an RSA key of 1024 bits can be forged: nobody takes its signatures",
    ]
    assert checked.problems[0].hint == "let them make a new one: ssh-keygen -t ed25519"


def test_what_was_pasted_in_the_place_of_a_key_is_never_shown() -> None:
    for pasted in ('"hunter2-hunter2"', '"ssh-ed25519 hunter2"', '"hunter2\\u0007"', '"""\nhunter2\n"""'):
        checked = changed(more=people(pasted))
        assert len(checked.problems) == 1
        assert "hunter2" not in checked.problems[0].render() + repr(checked.problems)


def secrets(private: str) -> list[str]:
    """The lines of a private key that give it away."""
    return [text for text in re.split(r"\\n|\n", private) if text and "-----" not in text]


@pytest.mark.parametrize(
    "words", [("-t", "ed25519"), ("-t", "rsa", "-m", "PEM"), ("-t", "ecdsa", "-m", "PKCS8")]
)
def test_a_private_key_is_refused_and_never_shown_however_it_was_pasted(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    _, private = made(tmp_path / "key", *words)
    on_one_line = private.replace("\n", "\\n")
    for quotes, pasted in (
        ('"', on_one_line),
        ('"""', private),
        ("'''", private),
        ('"', private),
        ("", private),
    ):
        checked = changed(more=people(f"{quotes}{pasted}{quotes}"))
        assert said(checked) == [f"31:{16 + len(quotes)}: {PRIVATE}"]
        (problem,) = checked.problems
        assert "replace that key wherever it is in use" in problem.hint
        shown = problem.render() + repr(checked.problems)
        assert not [secret for secret in secrets(private) if secret[:12] in shown]
        assert "PRIVATE KEY-----" in shown


def test_a_private_key_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    _, private = made(tmp_path / "key", "-t", "ed25519")
    comment = "".join(f"# {text}\n" for text in private.splitlines())
    body = "".join(private.splitlines()[1:-1])
    putty = f"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{body}\nPrivate-MAC: {'ab' * 32}\n"
    for text in (comment, f"x = '{body}'\n", f'notes = """{putty}"""\n', f"[{private}]\n"):
        checked = parse((PLAN + text).encode(), "plan.toml")
        assert [p.message for p in checked.problems] == [PRIVATE]
        assert not [s for s in secrets(private) if s[20:40] in checked.problems[0].render()]


def test_no_damage_to_the_plan_shows_a_private_key(tmp_path: Path) -> None:
    _, private = made(tmp_path / "key", "-t", "rsa", "-m", "PEM")
    secret = secrets(private)[4]
    for damage in (b"\xff", b"\0", "\u202e".encode()):
        data = PLAN.encode() + people(f'"""{private}"""').encode().replace(
            secret.encode(), secret[:20].encode() + damage
        )
        checked = parse(data, "plan.toml")
        assert checked.problems
        assert secret[:20] not in "".join(p.render() for p in checked.problems) + repr(checked.problems)


def test_a_line_that_only_speaks_of_private_keys_is_fine() -> None:
    item = '[[checklist]]\nid = "leaks"\ntext = "No key lies in the repository"\nowner = "dana"\n'
    item += "check = \"! grep -r -e '-----BEGIN RSA PRIVATE KEY-----' /srv/checkout\"\n"
    assert good(more=item).checklist[0].check is not None


def test_the_beginning_of_a_key_is_only_an_example() -> None:
    for shortened in ("ssh-ed25519 AAAAC3Nz... dana", "ssh-rsa AAAAB3…"):
        checked = changed(more=people(f'"{shortened}"'))
        assert checked.plan is not None
        assert places(checked.warnings) == [
            "31:16: only the beginning of a key: nothing that they sign will count, nor anything without it"
        ]
