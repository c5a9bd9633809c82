"""The output pane: what the chosen step printed, shown and never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from cockpit.core.attempt import Attempt
from cockpit.core.spans import clock
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import chop, line, wrap

BYTES_MOST = 256 * 1024
LINES_MOST = 2000


def rows(scene: Scene, width: int) -> Sequence[Row]:
    """The command, then its output's last lines, wrapped."""
    attempt = chosen(scene)
    if attempt is None:
        return [fixed(line(("nothing has run yet", "dim")))]
    head = [fixed(line((part, "dim"))) for part in wrap(f"$ {attempt.line}", width)]
    data = scene.link.output(attempt.id)
    if not data:
        silent = "no output yet" if attempt.status == "running" else "no output"
        return [*head, fixed(line((silent, "dim")))]
    return [*head, *_printed(bytes(data[-BYTES_MOST:]), len(data) > BYTES_MOST, width)]


def note(scene: Scene) -> str:
    """Whose output it is, and how that attempt stands."""
    attempt = chosen(scene)
    if attempt is None:
        return ""
    back = "rollback of " if attempt.direction == "back" else ""
    took = scene.at - attempt.started_at if attempt.status == "running" else None
    stands = attempt.status.replace("_", " ") + (f" {clock(took)}" if took is not None else "")
    again = f", attempt {attempt.n}" if attempt.n > 1 else ""
    return f"{back}{attempt.step} on {attempt.target}{again}: {stands}"


def chosen(scene: Scene) -> Attempt | None:
    """The attempt that is chosen, else one that runs, else the latest."""
    if scene.attempt and (found := scene.state.find(scene.attempt)) is not None:
        return found
    every = [a for many in scene.state.attempts.values() for a in many[-1:]]
    running = [a for a in every if a.status == "running"]
    return max(running or every, key=lambda a: a.started_at, default=None)


@lru_cache(4)
def _printed(data: bytes, cut: bool, width: int) -> tuple[Row, ...]:
    """The bytes as rows. Line ends are line ends; every other control is made visible."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    lines = text.expandtabs(8).removesuffix("\n").split("\n")
    if cut:
        lines = ["… earlier output is in the session's log …", *lines[1:]]
    parts = [part for one in lines[-LINES_MOST:] for part in chop(one, width)]
    return tuple(fixed(line(part)) for part in parts[-LINES_MOST:])
