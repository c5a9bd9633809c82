"""A gate in words: who has said yes, whose word is wanted, by when, and what speaks for it."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import gates, people, rollout
from cockpit.core.people_journal import sure
from cockpit.core.plan import ChecklistItem, Gate, Stage
from cockpit.tui import items
from cockpit.tui.asks.base import TO_BE_SIGNED, entered_by, hands
from cockpit.tui.marks import FOUND, glyph
from cockpit.tui.progress import running_out
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, join, line, number

SOON = timedelta(minutes=2)
"""The gate's timeout is warned of from so long before it on."""

FOLLOWS = {
    "pause": "then the rollout pauses",
    "rollback": "then the release rolls back",
    "abort": "then the release is aborted",
}
"""What follows where nobody decides in time."""


def waiting(scene: Scene) -> Stage | None:
    """The stage that waits at its gate for a decision, or None."""
    state = scene.state
    stage = rollout.current_stage(state)
    if stage is None or stage.gate is None or state.started is None or state.phase != "waiting":
        return None
    over = state.closed or state.aborted or state.rollback or state.promoted == stage.name
    return None if over else stage


def standing(scene: Scene, stage: Stage, gate: Gate) -> list[Line]:
    """The time that is left, who has said yes and whose word is wanted, and why a word from here doesn't count."""
    said = [*_time_left(scene, gate), line(_so_far(scene, stage, gate))]
    if unproven(scene, stage):
        why = "a typed name doesn't open this gate: from their own account, or signed with their key"
        said.append(line((why, "warn")))
    return said


def _so_far(scene: Scene, stage: Stage, gate: Gate) -> str:
    """`1 of 2 said yes: Lee Chen (own account); still wanted: you or Sam Okoro`."""
    yes = ", ".join(f"{_called(scene, a.by)}{sure(a.level)}" for a in scene.state.approvals)
    who = " or ".join(_called(scene, p) for p in gates.deciders(scene.state, stage)) or "nobody"
    if gates.opened(scene.state, stage):
        return f"{yes} said yes; {who} lets it begin"
    of = f"{gate.needs}{' different people' * (gate.distinct and gate.needs > 1)}"
    said = f"{len(gates.approved(scene.state, gate))} of {of} said yes{f': {yes}' if yes else ''}"
    return f"{said}; still wanted: {who}"


def _called(scene: Scene, person: str) -> str:
    return "you" if person == scene.link.me else scene.called(person)


def unproven(scene: Scene, stage: Stage) -> bool:
    """Whether approvers' words can be entered here, and none of them is sure enough for the gate."""
    if stage.gate is None or gates.opened(scene.state, stage):
        return False
    who = gates.deciders(scene.state, stage)
    return bool(hands(scene, who)) and not proven(scene, who)


def proven(scene: Scene, who: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `who` whose word counts at a gate when it is given here: theirs for sure, or signed with their key."""
    return tuple(person for person in hands(scene, who) if _sure(scene, person))


def _sure(scene: Scene, person: str) -> bool:
    plan, seat = scene.plan, scene.link.seat
    signature = TO_BE_SIGNED if people.has_key(plan, person) else ""
    via = entered_by(scene, person)
    said = cmd.Promote(scene.at, person, via, os_user=seat.os_user, signature=signature)
    return people.unproven(plan, said, "", people.level(plan, said)) is None


def _time_left(scene: Scene, gate: Gate) -> list[Line]:
    state = scene.state
    if gate.timeout is None or state.asked is None:
        return []
    left = max(state.asked + gate.timeout - scene.at, timedelta(0))
    tone: Tone = "warn" if left <= SOON or gate.on_timeout != "pause" else "text"
    return [
        running_out(left, gate.timeout, SOON, tone) + line((f" to decide, {FOLLOWS[gate.on_timeout]}", tone))
    ]


def evidence(scene: Scene, stage: Stage) -> list[Line]:
    """What the limits say now, in one line, and each item of the stage with its check and its signatures."""
    return [*_limits(scene), *(item(scene, i) for i in items.before(scene, stage))]


def _limits(scene: Scene) -> list[Line]:
    judged = [(t, scene.link.judgement(t.id)) for t in scene.plan.thresholds if not t.observe_only]
    if not judged:
        return []
    calm = all(j is not None and j.verdict == "pass" and j.breaching_since is None for _, j in judged)
    said: dict[str, Line] = {}
    for t, j in judged:
        if calm:
            value = number(j.value) if j is not None and j.value is not None else "no data"
            ratio = f"× {t.compare}" if t.compare and value != "no data" else ""
            said[f"{t.signal}{ratio}"] = line(f"{t.signal} ", (value, "strong"), ratio)
        elif j is None or j.verdict != "pass" or j.breaching_since is not None:
            known = scene.state.verdicts.get(t.id)
            verdict = "not read yet" if j is None else "over" if j.verdict == "pass" else j.verdict
            verdict += ", accepted" * (known is not None and scene.state.accepts(known))
            value = "" if j is None or j.value is None else f"{number(j.value)}, "
            said[t.id] = line((f"{t.called}: {value}{verdict}", "warn"))
    head = line(glyph(FOUND["good"]), " every limit passes: ") if calm else line(("▲ ", "warn"))
    return [head + join(said.values(), ", ")]


def item(scene: Scene, item: ChecklistItem) -> Line:
    """`✔ Support is briefed: Kim Park (own account) · ✔ its check says 12: healthy`."""
    signed = ", ".join(items.signature(scene, s) for s in scene.state.signed.get(item.id, ()))
    wants = items.wanted(scene, item)
    mark = glyph(FOUND["person"] if wants else FOUND["good"])
    words = "; ".join(part for part in (f"{signed} signed" if signed else "", wants) if part)
    head = line(mark, f" {item.text}", (f": {words}" if words else "", "warn" if wants else "dim"))
    return join([head, items.checked(scene, item)], " · ")
