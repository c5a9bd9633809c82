"""Before the start: what stands in the way, who is waited for, what to look at, and what is in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cockpit.core import checklist, readiness, roles
from cockpit.core.attendance import reader
from cockpit.core.events import Finding
from cockpit.core.listing import some
from cockpit.core.state import State
from cockpit.tui import entries
from cockpit.tui.asks.base import hands
from cockpit.tui.marks import FOUND, Found, glyph
from cockpit.tui.progress import gauge
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import count, line, listed, pad, wrap

FEW = 12
"""So many targets are spoken of one by one; of more it is said how many are ready."""

REASONS_MOST = 4
"""Different reasons told of many targets; the others are folded away."""

GROUPS: Mapping[str, str] = {
    "nobody": "people",
    "role": "people",
    "left": "people",
    "staff": "people",
    "shift": "people",
    "target": "targets",
    "previous": "targets",
    "unseen": "targets",
    "clock": "targets",
    "machine": "targets",
    "limit": "limits",
    "breach": "limits",
    "signal": "limits",
    "check": "checklist",
    "unchecked": "checklist",
    "checklist": "checklist",
}
"""The group of a finding, by the first word of its key; whatever else there is belongs to the plan."""

LABEL = max(map(len, GROUPS.values()))

Reason = tuple[Found, str]


def rows(scene: Scene, width: int) -> Iterator[Row]:
    """What stands in the way first, each with its reason; what is in order folds to a line a group."""
    left = {f.key for f in scene.missing if readiness.for_people(scene.plan, f)}
    yield from _in_the_way(scene, [f for f in scene.missing if f.key not in left], width)
    yield from _looked_at(scene)
    for said in dict.fromkeys(_waited(scene, f) for f in scene.missing if f.key in left):
        yield from _told("person", said, width)
    in_order = [f for f in scene.findings if f.ok]
    for _, said in _gathered(scene.state, (f for f in in_order if f.doubtful)):
        yield from _told("look", f"look: {said}", width)
    groups: dict[str, list[Finding]] = {}
    for finding in in_order:
        if not finding.doubtful:
            groups.setdefault(_group(finding), []).append(finding)
    for name, findings in groups.items():
        yield from _in_order(scene, name, findings, width)
    yield fixed(line())


def _looked_at(scene: Scene) -> Iterator[Row]:
    """How far it is looked at: a bar for each group of which something isn't known yet."""
    probed = sum(1 for t in scene.plan.targets if t.id in scene.state.probes)
    groups = {"targets": (probed, len(scene.plan.targets), "reached")}
    for name, word in (("limits", "read"), ("checklist", "checked")):
        found = [f for f in scene.findings if _group(f) == name and not readiness.for_people(scene.plan, f)]
        known = sum(1 for f in found if not readiness.awaited(scene.state, f))
        groups[name] = (known, len(found), word)
    for name, (known, of, word) in groups.items():
        if known < of and of > 1:
            head = line(glyph(FOUND["awaited"]), " ", pad(name, LABEL), "  ")
            yield fixed(head + gauge(known / of) + line(f" {known} of {of} {word}"))


def _group(finding: Finding) -> str:
    return GROUPS.get(finding.key.partition(":")[0], "plan")


def _told(found: Found, said: str, width: int, indent: str = "") -> Iterator[Row]:
    """A reason below its mark, wrapped."""
    mark = glyph(FOUND[found])
    for n, part in enumerate(wrap(said, width - 2 - len(indent))):
        yield fixed(line(indent, mark if n == 0 else " ", " ", part))


def _in_the_way(scene: Scene, found: Sequence[Finding], width: int) -> Iterator[Row]:
    """Each reason, what is wrong before what isn't known yet; then what earlier releases left to do."""
    left = [f for f in found if f.key.startswith("action")]
    found = [f for f in found if f not in left]
    many = len(scene.plan.targets) > FEW
    reasons = _gathered(scene.state, (f for f in found if not many or _group(f) != "targets"))
    for mark, said in reasons:
        yield from _told(mark, said, width)
    if many and (of_targets := [f for f in found if _group(f) == "targets"]):
        yield from _of_many(scene, of_targets, width)
    yield from _left_to_do(scene, left, width)


def _left_to_do(scene: Scene, found: Sequence[Finding], width: int) -> Iterator[Row]:
    """A line an action, and beneath them why they stand in the way, and how that ends."""
    for finding in found:
        if finding.key != "actions":
            yield fixed(line(glyph(FOUND["wrong"]), " ", finding.text))
        elif scene.link.seat.may_act:
            yield from _told("wrong", f"{readiness.ACTIONS_FIRST} (w, then x or -)", width)
        else:
            yield from _told("wrong", finding.text, width)


def _of_many(scene: Scene, findings: Sequence[Finding], width: int) -> Iterator[Row]:
    """How many of many targets are ready, and why the others aren't."""
    every = len(scene.plan.targets)
    ready = every - len({f.key.partition(":")[2] for f in findings})
    (mark, first), *others = _gathered(scene.state, findings)
    yield from _told(mark, f"{ready} of {every} targets ready; {first}", width)
    shown = others if len(others) <= REASONS_MOST else others[: REASONS_MOST - 1]
    for mark, said in shown:
        yield from _told(mark, said, width, "  ")
    if rest := others[len(shown) :]:
        key = "group:reasons"
        yield Row(line("  ", (f"… {len(rest)} more reasons", "dim")).cut, key, folds=True)
        for mark, said in rest if scene.opened(key, False) else ():
            yield from _told(mark, said, width, "  ")


def _gathered(state: State, findings: Iterable[Finding]) -> list[Reason]:
    """The reasons, what is wrong first; targets and limits of which the same is said stand together."""
    gathered: dict[tuple[Found, About], dict[str, None]] = {}
    for finding in findings:
        names, about = _about(state, finding)
        found: Found = "awaited" if readiness.awaited(state, finding) else "wrong"
        gathered.setdefault((found, about), {}).update(dict.fromkeys(names))
    reasons: list[Reason] = [
        (found, f"{some(tuple(names))}{about.said}") for (found, about), names in gathered.items()
    ]
    return sorted(reasons, key=lambda reason: reason[0] == "awaited")


class About(NamedTuple):
    """What is said of targets or limits, behind their names; `key` is the host key that they have in common."""

    said: str
    key: str = ""


def _about(state: State, finding: Finding) -> tuple[tuple[str, ...], About]:
    """The targets or the limit that something is said of, and what; or nobody, and all of it as it stands."""
    kind, _, about = finding.key.partition(":")
    if kind == "machine":
        key = state.examined[about].host_key
        examined = (t.id for t in state.plan.targets if t.id in state.examined)
        first = next(t for t in examined if state.examined[t].host_key == key)
        return (first, about), About(" have one host key: several names for one machine?", key)
    if _group(finding) in ("targets", "limits") and finding.text.startswith(f"{about}: "):
        return (about,), About(finding.text.removeprefix(about))
    return (), About(finding.text)


# Who is waited for


def _waited(scene: Scene, finding: Finding) -> str:
    """Who does what, and how: by a key here, or at a screen of their own."""
    kind, _, about = finding.key.partition(":")
    if kind in ("role", "left"):
        return _role(scene, about)
    if kind == "checklist":
        item, said = scene.plan.item(about), scene.state.checks.get(about)
        evidence = f" ({said.found})" if said is not None and said.found else ""
        signers = checklist.missing(scene.state, item)
        return f"{_does(scene, signers, 'sign')} “{item.text}”{evidence}{_how(scene, signers, 'sign')}"
    signal = readiness.signal_of(scene.plan, finding)
    readers = tuple(filter(None, (reader(scene.plan, signal),)))
    if not entries.wanted(scene, signal):
        return finding.text
    does = _does(scene, readers, "enter") if readers else "anyone enters"
    return f"{does} {signal.name}{_how(scene, readers or (scene.link.me,), 'enter_number')}"


def _role(scene: Scene, role: str) -> str:
    holder = scene.plan.roles.holder(role) or ""
    if roles.accepted(scene.state, role):
        left = f"{scene.called(holder)}, {roles.called(role)}, has left"
        return f"{left}: they come back, or somebody takes it ({scene.keys['take_role']})"
    return f"{_does(scene, (holder,), 'accept')} {roles.called(role)}{_how(scene, (holder,), 'accept')}"


def _does(scene: Scene, who: tuple[str, ...], verb: str) -> str:
    """`you sign`, `Lee Chen signs`, `you and Dana Ruiz sign`."""
    one = len(who) == 1 and who[0] != scene.link.me
    return f"{listed(['you' if p == scene.link.me else scene.called(p) for p in who])} {verb}{'s' * one}"


def _how(scene: Scene, who: tuple[str, ...], action: str) -> str:
    if not scene.link.seat.may_act:
        return ""
    return f" ({scene.keys[action]})" if hands(scene, who) else ", at a screen of their own"


# What is in order


def _in_order(scene: Scene, name: str, findings: Sequence[Finding], width: int) -> Iterator[Row]:
    """A line for the group; all it stands for where it is unfolded."""
    key = f"group:{name}"
    said = findings[0].text if len(findings) == 1 else f"{len(findings)} checks in order"
    if name == "targets" and not any(_group(f) == name for f in scene.missing):
        said = f"{count(len(scene.plan.targets), 'target')} ready"
    head = line(glyph(FOUND["good"]), " ", pad(name, LABEL), "  ", (said, "dim"))
    yield Row(head.cut, key, folds=True)
    for finding in findings if scene.opened(key, False) else ():
        yield from _told("good", finding.text, width, "  ")
