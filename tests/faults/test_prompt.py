"""A step that asks a question gets no answer: it fails fast, and nothing hangs."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.faults.release import Shape, Site
from tests.remote.waiting import until

SURE = """printf 'Are you sure? [y/N] '; read -r answer; [ "$answer" = y ]"""
PASSWORD = """printf 'Password: ' > /dev/tty && read -r word < /dev/tty"""

SUDO = """(true < /dev/tty) 2> /dev/null || { echo 'sudo: a terminal is required to read the password' >&2; exit 1; }"""
"""What sudo does where it wants a password."""


@pytest.mark.parametrize(
    "asks", [SURE, PASSWORD, SUDO], ids=["are you sure", "password on the terminal", "sudo"]
)
async def test_a_step_that_asks_fails_at_once(tmp_path: Path, asks: str) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(Shape(work=asks))
        run = site.run()
        await until(lambda: '"StepFinished"' in run.out.read_text(), "the step's end", 30)
        finished = next(e for line in run.lines() if (e := json.loads(line))["type"] == "StepFinished")
        assert finished["finish"] == "failed"
        assert finished["exit_code"] not in (0, None)
        assert finished["seconds"] < 5
        assert "it seems to have asked for something" in finished["detail"], finished
        run.process.send_signal(signal.SIGTERM)
        assert await run.ended() == 130
        assert site.ran("web-1") == [finished["attempt"]]  # begun, never done
        assert site.broken() == []
