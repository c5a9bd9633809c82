"""What a notice says: the occasion that an event answers to, and its one line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.journal import number, span
from cockpit.core.plan import HERE, Plan
from cockpit.core.roles import called
from cockpit.core.text import visible

LONGEST = 4000
"""Characters of a message, as many as Slack advises; what is longer ends in an ellipsis."""

_TAG = re.compile(r"<(?=\S)")
_EVERYBODY = re.compile(r"(?<!\w)@(?=(?:channel|all|here|everyone)\b)", re.IGNORECASE)


def occasion(event: ev.Event) -> str:
    """The word under `on` in [[notify]] that the event answers to, or empty."""
    match event:
        case ev.ScreenDetached():
            return "unattended"
        case ev.RolloutPaused() | ev.StageRejected() | ev.GateTimedOut() | ev.WindowClosed() | ev.LeftAlone():
            return "pause"
        case ev.RollbackStarted() | ev.RollbackAsked(to=(_, *_)):
            return "rollback"
        case ev.ThresholdTripped(action="escalate"):
            return "escalate"
        case ev.ThresholdTripped(action="notify"):
            return "notify"
        case ev.UnexplainedReported() | ev.RollbackProposed():
            return "unexplained"
        case ev.ReleaseAborted():
            return "abort"
        case ev.SessionClosed():
            return event.outcome
        case _:
            return ""


def audience(event: ev.Event) -> frozenset[str]:
    """The occasions whose listeners are told of the event; empty where nobody is."""
    word = occasion(event)
    if word and isinstance(event, ev.ScreenDetached | ev.RollbackProposed | ev.RollbackAsked):
        return frozenset((word, "escalate"))  # somebody has to come
    return frozenset((word,)) if word else frozenset()


def message(event: ev.Event, plan: Plan) -> str:
    """One line: the release, what happened, what it means, and what to do; to whom it is addressed."""
    return _line(occasion(event), _said(event, plan), plan)


def left_open(roles: Sequence[tuple[str, str]], plan: Plan) -> str:
    """The line about roles (and who holds them) that were left open by whoever's last screen went."""
    held: dict[str, list[str]] = {}
    for role, person in roles:
        held.setdefault(person, []).append(called(role))
    who = "; ".join(f"{plan.person_name(p)}, {' and '.join(mine)}, has left" for p, mine in held.items())
    what = "nothing expands until they are back, or somebody takes the role"
    return _line("unattended", f"{who}: {what}. `cockpit attach`", plan)


def _line(word: str, said: str, plan: Plan) -> str:
    release = plan.release
    head = f"{release.service} {release.version} in {release.environment}"
    line = f"{head}: {word.replace('_', ' ')}{f': {said}' if said else ''}"
    line = visible(" ".join(line.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _said(event: ev.Event, plan: Plan) -> str:
    match event:
        case ev.RollbackStarted(override=str(why)) if why:
            words = f"{_words(event.reason)}; " if event.reason else ""
            return f"{words}without waiting for everybody who was to agree: {_words(why)}"
        case (
            ev.RolloutPaused(reason=reason)
            | ev.RollbackStarted(reason=reason)
            | ev.ReleaseAborted(reason=reason)
        ):
            return _words(reason)
        case ev.StageRejected(by=by, stage=stage, reason=reason):
            return f"{plan.person_name(by)} rejected {stage} at its gate{f': {_words(reason)}' if reason else ''}"
        case ev.ThresholdTripped():
            return _tripped(event, plan)
        case ev.UnexplainedReported():
            who = plan.person_name(event.by)
            seen = f" what is seen ({_words(event.reason)})" if event.reason else " what is seen"
            return (
                f"{who} can't explain{seen}. Nothing is promoted meanwhile; without an explanation within "
                f'{span(event.within)} a rollback is proposed. `cockpit explain "what it was"`'
            )
        case ev.RollbackProposed():
            return (
                f"a rollback is proposed, {_words(event.reason)}. {_people(event.to, plan)}: `cockpit rollback`, or "
                f'`cockpit decline "why"`'
            )
        case ev.RollbackAsked():
            why = f" ({_words(event.reason)})" if event.reason else ""
            return (
                f"{plan.person_name(event.by)} asks to roll back{why}, and the rollout is paused. "
                f'{_people(event.to, plan)}: `cockpit rollback` agrees, `cockpit decline "why"` declines'
            )
        case ev.LeftAlone():
            return "the next slice is due, and nobody is at a screen to see it. `cockpit attach`"
        case ev.ScreenDetached():
            return "nobody is at a screen any more, and nothing expands until somebody is. `cockpit attach`"
        case _:
            return ""


def _words(text: str) -> str:
    """What somebody typed, so that a chat shows it: `<!channel>` or `@all` would call everybody, `<url|text>` links."""
    return _EVERYBODY.sub("＠", _TAG.sub("‹", text))


def _tripped(event: ev.ThresholdTripped, plan: Plan) -> str:
    limit = next((t for t in plan.thresholds if t.id == event.threshold), None)
    unit = next((s.unit for s in plan.signals if limit is not None and s.name == limit.signal), "")
    unit = "" if limit is not None and limit.compare else unit
    name = event.threshold if limit is None else limit.called
    where = f" on {event.target}" if event.target not in (None, HERE) else ""
    told = f"{name}, now {number(event.value, unit)}{where}. {event.message}".strip()
    told += "" if told.endswith((".", "!", "?")) else "."
    who = _people(event.escalate_to, plan)
    if event.action != "escalate":
        return f"{told} ({who})" if who else told
    called = f"Called: {who}. " if who else ""
    return f"{told} {called}Whoever is here says so: `cockpit here`, or i on the screen"


def _people(names: tuple[str, ...], plan: Plan) -> str:
    """People, roles or free text with how to reach them: "Dana Ruiz #dana, finance on call: +1 555 0100"."""
    contacts = {p.id: f"{p.name} {p.contact or ''}".strip() for p in plan.people}
    persons = people.holders(plan, names)
    return ", ".join(contacts.get(person, person) for person in persons)
