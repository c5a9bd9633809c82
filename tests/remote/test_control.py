"""A control shell's first call: sent together with the script, and run by no shell that is unfit."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.remote import spool
from cockpit.remote.base import OnOutput
from cockpit.remote.channel import NothingRan
from cockpit.remote.control import Control, Wire
from cockpit.remote.here import HereRunner
from tests.remote.station import ANNA, at


class Overheard:
    """A shell on this machine; in `order` what went to it and what came from it."""

    def __init__(self, state: Path) -> None:
        self.driver = at(ANNA, state)
        self.runner = HereRunner(self.driver)
        self.order: list[str] = []
        self.control = Control(self.open, lambda: None, self.driver)

    async def open(
        self,
        command: str,
        stdin: bytes | None,
        on_data: OnOutput,
        on_sent: Callable[[], None],
        on_error: OnOutput | None = None,
    ) -> Wire:
        def heard(data: bytes) -> None:
            self.order.append("heard")
            on_data(data)

        wire: Any = await self.runner._start(command, stdin, heard, on_sent, on_error)
        write = wire.write

        def written(data: bytes) -> bool:
            self.order.append("sent")
            return write(data)

        wire.write = written
        return wire

    async def close(self) -> None:
        self.control.leave()
        await self.runner.close()


async def test_the_first_call_goes_out_with_the_script_and_the_next_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    shell = Overheard(tmp_path)
    answer, sent = await shell.control.ask(spool.call("say", "one"))
    assert (answer.words, shell.order[:3]) == ("one", ["sent", "sent", "heard"])
    before = len(shell.order)
    later, again = await shell.control.ask(spool.call("say", "two"))
    assert (later.words, shell.order[before:]) == ("two", ["sent", "heard"])
    assert sent < again
    await shell.close()


async def test_who_asks_at_the_same_time_gets_their_own_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    shell = Overheard(tmp_path)
    words = [str(n) for n in range(8)]
    answers = await asyncio.gather(*(shell.control.ask(spool.call("say", word)) for word in words))
    assert [answer.words for answer, _ in answers] == words
    await shell.close()


async def test_a_shell_that_is_unfit_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "mkdir"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shell, call = Overheard(tmp_path), spool.call("create", str(tmp_path / "canary"))
    with pytest.raises(NothingRan, match="no setsid"):
        await shell.control.ask(call)
    await shell.close()
    both = spool.setup(shell.driver, "m" * 32, None) + call
    said = await asyncio.to_thread(subprocess.run, ["/bin/sh"], input=both, capture_output=True)
    assert said.stdout.count(b"unfit") == 1
    assert not (tmp_path / "canary").exists()
