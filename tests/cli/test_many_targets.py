"""A plan of a thousand targets at the command line: checked at once, readable, and honest about open files."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.cli import descriptors, doctor_machine, main, reading
from cockpit.core.errors import UsageError
from cockpit.core.plan import SshSettings
from cockpit.core.vocabulary import Finding
from tests.core.plans import plan, web

MANY = plan(targets=web(1000))


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """What the login may have open, soft and hard, instead of what this process may."""
    now = {"files": (1024, 4096)}

    def put(_: int, pair: tuple[int, int]) -> None:
        if pair[0] > 60_000:
            raise OSError
        now["files"] = pair

    monkeypatch.setattr(resource, "getrlimit", lambda _: now["files"])
    monkeypatch.setattr(resource, "setrlimit", put)
    return now


def test_as_many_files_are_opened_as_the_login_may_have(limits: dict[str, tuple[int, int]]) -> None:
    descriptors.as_many_as_may_be()
    assert limits["files"] == (4096, 4096)
    assert descriptors.objection(MANY) == ""
    limits["files"] = (1024, resource.RLIM_INFINITY)
    descriptors.as_many_as_may_be()  # refused: it stays as it is
    assert descriptors.allowed() == 1024
    limits["files"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert descriptors.allowed() == descriptors.MOST


def test_a_login_that_may_have_too_few_is_told_so(limits: dict[str, tuple[int, int]]) -> None:
    limits["files"] = (1024, 1024)
    assert descriptors.objection(MANY).startswith(
        "1000 targets want 1100 files and connections open at once, and this login may have 1024: raise"
    )
    (check,) = doctor_machine.open_files(MANY)
    assert check.state == "bad" and "may have 1024" in check.what and check.do.startswith("raise")
    jumping = replace(MANY, ssh=SshSettings(jump="bastion"))
    assert [c.state for c in doctor_machine.open_files(jumping)] == ["look"]
    assert [c.state for c in doctor_machine.open_files(None)] == ["look"]
    limits["files"] = (8192, 8192)
    assert [c.state for c in doctor_machine.open_files(MANY)] == ["ok"]


def test_who_is_chosen_may_be_named_by_a_range_or_a_group() -> None:
    assert reading._chosen(MANY, ()) is None
    assert reading._chosen(MANY, ("web-[7-8]", "here")) == {"web-7", "web-8", "here"}
    assert len(reading._chosen(MANY, ("web",)) or ()) == 1000
    with pytest.raises(UsageError, match="no target or group 'wex'"):
        reading._chosen(MANY, ("wex",))
    with pytest.raises(UsageError, match="runs backwards"):
        reading._chosen(MANY, ("web-[8-7]",))


def test_what_is_the_same_of_many_targets_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    reached = [Finding(f"target:{t.id}", True, f"{t.id}: reachable") for t in MANY.targets]
    other = Finding("target:web-5", False, "web-5: refused")
    reading._lines("ok", [*reached[:4], other, *reached[5:]])
    assert capsys.readouterr().out.splitlines() == [
        "  ok    web-[1-4], web-[6-1000]: reachable",
        "  ok    web-5: refused",
    ]


def test_a_plan_of_many_targets_and_steps_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plan.toml"
    steps = "".join(
        f'[[step]]\nid = "s{n}"\nrun = "s{n} {{host}}"\nrollback = "u{n}"\nidempotent = true\n'
        for n in range(200)
    )
    names = ", ".join(f'"s{n}"' for n in range(200))
    path.write_text(f"""
[release]
name = "Tax"
service = "checkout"
environment = "test"
version = "7"
previous_version = "6"
customer_impact = "Nobody sees it."
[roles]
decision_owner = "dana"
rollback_owner = "dana"
[targets]
"rack[1-4]-web-[001-250]" = {{ host = "10.0.[1-4].[1-250]", groups = ["web"] }}
{steps}
[[stage]]
name = "first"
targets = ["rack2-web-[010-019]"]
steps = ["s0"]
[[stage]]
name = "web"
targets = ["web"]
steps = [{names}]
""")
    assert main(["check", "--offline", str(path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "  wave 1 of 1: rack2-web-[010-019]" in told
    assert "      run*             s199 10.0.1.1" in told
    assert len(told) < 2000
