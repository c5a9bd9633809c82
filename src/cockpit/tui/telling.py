"""What the terminal around the screen is told: how it stands in the title, how far it is, and when to ring."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from math import inf

from cockpit.core import rollback, rollout
from cockpit.core.state import State
from cockpit.settings import Settings
from cockpit.tui.needs import Need, mine, needs, strikes
from cockpit.tui.panes.header import standing
from cockpit.tui.scene import Scene
from cockpit.tui.text import fit

AT_MOST_EVERY = 1.0
"""Seconds between two words to the terminal."""

RING_EVERY = 10.0
"""Seconds between two rings of the bell; what would ring in between does so afterwards, if it lasts or has struck."""

TITLE_MOST = 120
"""Cells of a title."""

BELL, END = "\a", "\x1b\\"
REMEMBER, RESTORE = "\x1b[22;2t", f"\x1b]2;{END}\x1b[23;2t"
"""The title from before, onto the terminal's stack and off it; a terminal without one is left with none of ours."""

NO_PROGRESS = f"\x1b]9;4;0;0{END}"
MOMENT = timedelta(seconds=1)
GOES, WRONG, STANDS = 1, 2, 4
"""The states of a progress bar: it moves, something is wrong, it stands still."""


class Telling:
    """Follows a release's scenes. What it tells is written by `write(now, last)`: `last` puts all back at the end.

    `settings` are those in force. Where it isn't `live`, but a replay, nothing rings and nothing moves on.
    """

    def __init__(
        self,
        write: Callable[[str, str], None],
        settings: Callable[[], Settings],
        live: bool = True,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._write = write
        self._settings = settings
        self._live = live
        self._env = env
        self._at = self._rang = -inf
        self._known: frozenset[str] | None = None
        self._due: frozenset[str] = frozenset()
        self._heard, self._struck = 0, False
        self.anew()

    def anew(self) -> None:
        """The terminal knows nothing of us: at the beginning, and after it was somebody else's for a while."""
        self._title = self._progress = ""
        self._at = -inf

    def follow(self, scene: Scene, now: float) -> None:
        """Tell what is new in this scene; `now` in seconds of any clock that only goes forward."""
        if now - self._at < AT_MOST_EVERY:
            return
        self._at = now
        every = needs(scene)
        said = self._entitle(scene, mine(scene, every)) + self._move_on(scene, every)
        said += self._ring(scene, every, now) if self._live else ""
        if said:
            self._write(said, RESTORE * bool(self._title) + NO_PROGRESS * bool(self._progress))

    def _entitle(self, scene: Scene, own: tuple[Need, ...]) -> str:
        wanted = self._settings()["title"] == "on" and takes_titles(self._env)
        new = title(scene, bool(own), self._live) if wanted else ""
        if new == self._title:
            return ""
        before, self._title = self._title, new
        return REMEMBER * (not before) + f"\x1b]2;{new}{END}" if new else RESTORE

    def _move_on(self, scene: Scene, every: tuple[Need, ...]) -> str:
        wanted = self._settings()["progress"]
        shown = self._live and (wanted == "on" or (wanted == "auto" and shows_progress(self._env)))
        new = progress(scene, any(need.alarm for need in every)) if shown else ""
        if new == self._progress:
            return ""
        self._progress = new
        return new or NO_PROGRESS

    def _ring(self, scene: Scene, every: tuple[Need, ...], now: float) -> str:
        """The bell, where there is something new since; not for what there was when the screen was opened."""
        wanted = self._settings()["bell"]
        loud, came = wanted == "any alarm", scene.link.events[self._heard :]
        alarms = tuple(need for need in every if need.alarm and loud)
        lasting = frozenset(need.name for need in (*mine(scene, every), *alarms))
        if self._known is None:
            self._known, came = lasting, ()
        self._due = (self._due | (lasting - self._known)) & lasting
        self._struck = loud and (self._struck or any(map(strikes, came)))
        self._known, self._heard = lasting, len(scene.link.events)
        if not (self._due or self._struck) or now - self._rang < RING_EVERY:
            return ""
        self._rang, self._due, self._struck = now, frozenset(), False
        return BELL if wanted != "off" else ""


def title(scene: Scene, your_move: bool, live: bool = True) -> str:
    """`● canary 6:12 of 10:00 · checkout → PRODUCTION`, safe to print, and first of all whether it is your move."""
    release = scene.plan.release
    head = "REPLAY · " if not live else "▲ your move · " if your_move else ""
    return fit(
        f"{head}{standing(scene).plain} · {release.service} → {release.environment.upper()}", TITLE_MOST
    )


def takes_titles(env: Mapping[str, str]) -> bool:
    """Whether the terminal takes a title: a console without a window doesn't."""
    return env.get("TERM", "") not in ("", "dumb", "linux", "unknown")


def progress(scene: Scene, wrong: bool) -> str:
    """The sequence for a bar that says how far it is (ConEmu's OSC 9;4); empty before the start and after the end.

    `wrong`: there is an alarm.
    """
    state = scene.state
    if state.started is None or state.closed is not None:
        return ""
    stands = state.paused is not None or state.phase == "waiting" or state.rollback is not None
    how = WRONG if wrong else STANDS if stands else GOES
    return f"\x1b]9;4;{how};{round(100 * _done(scene))}{END}"


def _done(scene: Scene) -> float:
    """How much of it is done, from 0 to 1: of what is to be proven while it goes back, else of the waves and bakes."""
    state = scene.state
    if state.rollback is not None:
        every = [b for wave in rollback.way_back(state, scene.at) for b in wave]
        return sum(b.status == "proven" for b in every) / max(1, len(every))
    before = sum(len(waves) for waves in state.slices[: state.stage])
    return (before + _done_of_stage(scene, state)) / max(1, sum(len(waves) for waves in state.slices))


def _done_of_stage(scene: Scene, state: State) -> float:
    stage = rollout.current_stage(state)
    if stage is None or state.phase == "waiting":
        return 0
    if state.phase == "baking" and state.bake is not None:
        return state.wave + 0.5 + 0.5 * min(1, state.bake.done(scene.at) / max(state.bake.bake_time, MOMENT))
    wave = state.slices[state.stage][state.wave]
    there = sum(rollout.progress(state, stage, wave, t).status == "succeeded" for t in wave.targets)
    return state.wave + 0.5 * there / max(1, len(wave.targets))


def shows_progress(env: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show progress; others take the sequence for a notification, or print it."""
    if "TMUX" in env or "STY" in env:
        return False
    if "WT_SESSION" in env or env.get("ConEmuANSI") == "ON":
        return True
    program, version = env.get("TERM_PROGRAM", ""), env.get("TERM_PROGRAM_VERSION", "")
    if env.get("LC_TERMINAL") == "iTerm2":  # what SSH passes on of it
        program, version = "iTerm.app", env.get("LC_TERMINAL_VERSION", "")
    if program == "iTerm.app":
        return _numbers(version) >= (3, 6, 6)
    return program in ("ghostty", "WezTerm") or _numbers(env.get("VTE_VERSION", "")) >= (8000,)


def _numbers(version: str) -> tuple[int, ...]:
    """`3.6.6beta1` as (3, 6, 6)."""
    found = re.match(r"\d{1,9}(?:\.\d{1,9})*", version, re.ASCII)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
