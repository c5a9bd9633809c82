"""What is found out before the start and beside the rollout, recorded where it is news."""

from __future__ import annotations

import re
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.state import State

JITTER = timedelta(seconds=5)
"""A clock that is off by as much more, or less, than was told is no news."""

FRESH = timedelta(minutes=5)
"""How long a number that a check printed stands, while it stays as healthy as it was."""

_DIGITS = re.compile(r"\d+")


def report(state: State, c: cmd.Command) -> list[ev.Event]:
    """The event, where it says something else than before."""
    match c:
        case cmd.ReportRehearsal():
            return [ev.RehearsalFound(c.at, c.rehearsed_at, c.unproven, c.rollback, c.detail)]
        case cmd.ReportUsualTimes():
            return [] if state.usual == c.times else [ev.UsualTimesFound(c.at, c.times)]
        case cmd.ReportExamined():
            return _examined(state, c)
        case cmd.ReportCheck():
            return _checked(state, c)
        case cmd.ReportActions():
            left = state.left_to_do
            if left is not None and (left.actions, left.detail) == (c.actions, c.detail):
                return []
            return [ev.ActionsFound(c.at, c.actions, c.detail)]
        case cmd.ReportFreezes():
            known = state.freezes
            if known is not None and known.detail == c.detail and (c.detail or known.freezes == c.freezes):
                return []
            return [ev.FreezesRead(c.at, c.freezes, c.detail)]
        case cmd.ReportPlaybooks():
            said = state.playbooks
            if said is not None and said.problems == c.problems:
                return []
            return [ev.PlaybooksChecked(c.at, c.problems)]
        case cmd.ReportSecrets():
            if state.secrets is not None and state.secrets.problems == c.problems:
                return []
            return [ev.SecretsLookedUp(c.at, c.problems)]
        case cmd.ReportSignal():
            read = state.signals.get(c.signal)
            if read is not None and (read.ok, read.detail) == (c.ok, c.detail):
                return []
            return [ev.SignalRead(c.at, c.signal, c.ok, c.detail)]
        case _:  # pragma: no cover
            raise TypeError(f"unknown command {c!r}")


def _checked(state: State, c: cmd.ReportCheck) -> list[ev.Event]:
    """A check's result. What differs in its numbers only is no news for a while: an age would tell of each minute."""
    said = state.checks.get(c.item)
    if said is not None and (said.ok, _DIGITS.sub("#", said.detail)) == (c.ok, _DIGITS.sub("#", c.detail)):
        same = (said.found, said.detail) == (c.found, c.detail)
        alike = _DIGITS.sub("#", said.found) == _DIGITS.sub("#", c.found)
        if same or (alike and c.at - said.at < FRESH):
            return []
    return [ev.ItemChecked(c.at, c.item, c.ok, c.found, c.detail)]


def _examined(state: State, c: cmd.ReportExamined) -> list[ev.Event]:
    known = state.examined.get(c.target)
    if known is not None and (known.host_key, known.versions) == (c.host_key, c.versions):
        was, now = known.clock_ahead, c.clock_ahead
        if was == now or (was is not None and now is not None and abs(now - was) < JITTER):
            return []
    return [ev.TargetExamined(c.at, c.target, c.clock_ahead, c.host_key, c.versions)]
