"""Hostile values reach shells quoted: no canary is ever made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.release import SHAPES, Shape, Site, table
from tests.remote.waiting import until


def attacks(canary: Path) -> list[str]:
    """Ways to get `touch canary` run by a shell that reads the text unquoted, or in quotes of its own."""
    touch = f"touch {canary}"
    return [
        f"$({touch})",
        f"`{touch}`",
        f"'; {touch}; '",
        f'"; {touch}; "',
        f"; {touch} #",
        f"| {touch}",
        f"& {touch}",
    ]


def toml(text: str) -> str:
    """`text` as a TOML string, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


async def test_plan_values_and_captured_output_run_nothing(tmp_path: Path) -> None:
    canary, told = tmp_path / "canary", tmp_path / "told"
    hostile = " ".join(attacks(canary))
    work = f"cat {tmp_path}/output"  # printed by the target, captured, told in the log
    async with Site(tmp_path) as site:
        (tmp_path / "output").write_text("\n".join([*attacks(canary), hostile]))
        plan = site.write_plan(
            Shape(work=f"{work}; printf '%s\\n' {{change_ref}} {{flag}} {{release}} >> told")
        )
        text = plan.read_text()
        for value in ("Ledger", "ledger", "test", "2", "1"):
            text = text.replace(f'= "{value}"\n', f"= {toml(f'{value} {hostile}')}\n")
        text = text.replace("customer_impact", f"change_ref = {toml(hostile)}\ncustomer_impact")
        text = text.replace("[[stage]]", f"[[stage]]\nvars = {{ flag = {toml(hostile)} }}")
        notify = table("[notify]", on=["completed"], run=f"printf '%s\\n' {{message}} >> {told}")
        plan.write_text(f"{text}\n{notify}\n")
        for target in site.targets:
            (tmp_path / target / "version").write_text(f"1 {hostile}\n")
        run = site.run()
        assert await run.ended() == 0, run.said()
        assert site.versions() == [f"2 {hostile}"] * 3
        for target in site.targets:
            lines = (tmp_path / target / "told").read_text().splitlines()
            assert lines == [hostile, hostile, f"Ledger {hostile}"]
        assert f"ledger {hostile} 2 {hostile} in test {hostile}" in told.read_text()
        assert site.broken() == []
        assert not canary.exists()
        review = tmp_path / "review.md"
        assert await site.export(review).ended() == 0
        assert not canary.exists()


async def test_a_signals_output_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["rollback"])
        (tmp_path / "errors").write_text(f"1\n{attacks(canary)[0]}\n")
        run = site.run()
        await until(lambda: "must print one number" in run.out.read_text(), "the reading", 20)
        run.process.terminate()
        assert await run.ended() in (5, 130)
        assert not canary.exists()


@pytest.mark.parametrize(
    "host",
    [
        "-oProxyCommand=touch {canary}",
        "$(touch {canary})",
        pytest.param("x; touch {canary}", marks=pytest.mark.faults_slow),
        pytest.param("`touch {canary}`", marks=pytest.mark.faults_slow),
    ],
)
async def test_a_hosts_name_runs_nothing(tmp_path: Path, host: str) -> None:
    canary = tmp_path / "canary"
    async with Site(tmp_path, 1) as site:
        text = site.write_plan().read_text()
        stages = text.index("[[stage]]")
        named = text[:stages].replace('"127.0.0.1"', toml(host.format(canary=canary)))
        site.plan.write_text(named + table("[stage]", name="web", targets=["web-1"], steps=["switch"]))
        for command in ("check", "run"):
            who = ("--as", "dana", "--headless") if command == "run" else ()
            run = site.cockpit(command, site.plan, *who)
            assert await run.ended(40) in (2, 5), run.said()
        assert site.ran("web-1") == []
        assert not canary.exists()
