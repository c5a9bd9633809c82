"""What a log comes to: the facts of its folded state in plain words, the same from every version that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.plan import Plan
from cockpit.core.state import State, initial
from cockpit.core.view import exit_code, partial
from cockpit.steps import commands


def folded(events: Iterable[ev.Event], plan: Plan) -> State:
    """The state at the log's end."""
    return replay(events, initial(plan, commands))


def facts(state: State) -> dict[str, Any]:
    """What is known at the end. Only what every version must agree on: a field that a later one adds isn't here."""
    return {
        "exit_code": exit_code(state),
        "outcome": state.closed.outcome if state.closed else "",
        "partial": list(partial(state)),
        "stage": state.stage,
        "waves": [list(wave) for wave in state.waves_begun],
        "attempts": {
            a.id: [a.status, a.proven, a.exit_code, a.verify_exit_code, a.seconds, a.settled]
            for many in _sorted(state.attempts).values()
            for a in many
        },
        "excluded": sorted(state.excluded),
        "rolled_back": [
            list(state.rollback_result.proven) if state.rollback_result else [],
            list(state.rollback_result.unproven) if state.rollback_result else [],
        ],
        "verdicts": {id_: [v.verdict, v.value, v.target] for id_, v in _sorted(state.verdicts).items()},
        "limits": {t.id: [t.op, t.limit, t.for_.total_seconds()] for t in state.plan.thresholds},
        "signals": {name: read.ok for name, read in _sorted(state.signals).items()},
        "roles": dict(sorted(state.plan.roles.held())),
        "signed": {item: [[s.by, s.level] for s in signed] for item, signed in _sorted(state.signed).items()},
        "statements": len(state.statements),
        "checks": {item: [check.ok, check.found] for item, check in _sorted(state.checks).items()},
        "actions": {number: type(action).__name__ for number, action in _sorted(state.actions).items()},
        "answers": sorted(
            [question, about, by, a.text] for (question, about, by), a in state.answers.items()
        ),
        "usual": [[u.step, u.direction, u.seconds, u.runs] for u in state.usual],
        "left_to_do": [action.name for action in state.left_to_do.actions] if state.left_to_do else [],
        "here": sorted(state.screens),
        "released": sorted(state.released),
    }


def _sorted(found: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(found.items()))
