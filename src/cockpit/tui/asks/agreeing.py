"""Rolling back where others must agree to it: ask them, agree, or go without those who haven't."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cockpit.core import commands as cmd
from cockpit.core import consent, people
from cockpit.core import events as ev
from cockpit.core.commands import Command, Refused
from cockpit.tui import gate
from cockpit.tui.asks.alarms import asked_by
from cockpit.tui.asks.base import Ask, Asked, Choice, Make, hands, may, tried, voices
from cockpit.tui.asks.stopping import roll_back as at_once
from cockpit.tui.asks.stopping import undoing, worded
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line

FIELD = "why"
WITHOUT = "why it can't wait for them"


def roll_back(scene: Scene) -> Asked:
    """Undo everything that was touched: by one word, or by that of everybody whose approval the plan wants."""
    if not scene.plan.rollback.approval:
        return at_once(scene)
    asked = scene.state.back_asked
    if asked is None:
        return _first(scene)
    mine = agreers(scene)
    if mine and (scene.link.me in mine or not _stoppers(scene)):
        return _agree(scene, asked, mine)
    if mine:
        return _either(scene, asked, mine)
    return _without(scene, asked)


def agreers(scene: Scene) -> tuple[str, ...]:
    """Those whose agreement is missing and can be given here: theirs for sure, or signed with their key."""
    return gate.proven(scene, consent.awaited(scene.state))


def against(scene: Scene) -> str:
    """Why an agreement that might be entered here doesn't count, or empty."""
    if not hands(scene, consent.awaited(scene.state)) or agreers(scene):
        return ""
    return "a typed name doesn't agree to a rollback: from their own account, or signed with their key"


def _stoppers(scene: Scene) -> tuple[str, ...]:
    return voices(scene, people.stoppers(scene.plan), stops=True)


def _make(scene: Scene) -> Make:
    service = scene.plan.release.service

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.RollBack(at, by, via, reason, service=service)

    return make


def _first(scene: Scene) -> Asked:
    """Nobody asks yet: it begins at once where nobody else has to agree, else the rollout pauses and they are asked."""
    authors = may(scene, consent.askers(scene.plan), stops=True)
    decided = tried(scene, cmd.RollBack(scene.at, authors[0]))
    if isinstance(decided, Refused):
        return decided.reason
    asks = next((event.to for event in decided if isinstance(event, ev.RollbackAsked)), ())
    if any(isinstance(event, ev.RollbackStarted) for event in decided):
        alone = line("Nobody else has to agree: it begins at once.")
        return worded(scene, "Roll back", [alone, *undoing(scene)], "roll back", authors, _make(scene))
    names = people.listed("you" if person == scene.link.me else scene.called(person) for person in asks)
    pauses = "it stays paused" if scene.state.paused is not None else "the rollout pauses"
    lines = [
        line((f"This asks {names or consent.called(scene.state)}; {pauses} meanwhile.", "strong")),
        line("It begins with the last agreement. Limits act as agreed, whoever has yet to say so."),
        line(),
        *undoing(scene),
    ]
    release = scene.plan.release
    title = f"Ask to roll back {release.service} {release.version} on {release.environment}?"
    return Ask(title, tuple(lines), "ask", authors, _make(scene), FIELD, danger=True)


def _facts(scene: Scene, asked: ev.RollbackAsked) -> list[Line]:
    return [line((asked_by(scene, asked), "strong"))]


def _begins(scene: Scene, mine: tuple[str, ...]) -> bool:
    """Whether the rollback begins with this agreement."""
    decided = tried(scene, cmd.RollBack(scene.at, mine[0]))
    return not isinstance(decided, Refused) and any(isinstance(e, ev.RollbackStarted) for e in decided)


def _agree(scene: Scene, asked: ev.RollbackAsked, mine: tuple[str, ...]) -> Ask:
    """Agree to what somebody asks for: with the last agreement it begins."""
    facts = _facts(scene, asked)
    if _begins(scene, mine):
        lines = [*facts, line("With this agreement it begins, at once."), line(), *undoing(scene)]
        return replace(
            worded(scene, "Roll back", lines, "roll back", mine, _make(scene)), about=asked.at.isoformat()
        )
    others = people.listed(scene.called(p) for p in consent.awaited(scene.state) if p not in mine)
    lines = [*facts, line(f"It begins once {others} agrees too."), line(), *undoing(scene)]
    return Ask(
        "Agree to roll back?", tuple(lines), "agree", mine, _make(scene), FIELD, about=asked.at.isoformat()
    )


def _either(scene: Scene, asked: ev.RollbackAsked, mine: tuple[str, ...]) -> Ask:
    """At a screen where others' words are entered: they agree, or whoever may stop the release goes without."""
    agree = _agree(scene, asked, mine)
    names = people.listed(map(scene.called, mine))
    stoppers = _stoppers(scene)

    def agreed(at: datetime, by: str, via: str, reason: str) -> Ask:
        return agree

    def without(at: datetime, by: str, via: str, reason: str) -> Ask:
        return _override(scene, asked, stoppers)

    choices = (
        Choice(f"{names} agrees", "said here, entered at this screen", "go on", agreed, mine),
        Choice(
            f"roll back without {consent.called(scene.state)}", "with a reason", "go on", without, stoppers
        ),
    )
    lines = tuple(_facts(scene, asked))
    return Ask("Roll back, as was asked?", lines, "go on", mine, None, choices=choices, danger=True)


def _without(scene: Scene, asked: ev.RollbackAsked) -> Asked:
    """Go without those who have yet to agree, or why that isn't for anybody here."""
    authors = may(scene, people.stoppers(scene.plan), stops=True)
    decided = tried(scene, cmd.RollBack(scene.at, authors[0], override="?"))
    if isinstance(decided, Refused):
        own = tried(scene, cmd.RollBack(scene.at, scene.link.me))
        return own.reason if isinstance(own, Refused) else decided.reason
    return _override(scene, asked, authors)


def _override(scene: Scene, asked: ev.RollbackAsked, authors: tuple[str, ...]) -> Ask:
    lacks = consent.called(scene.state)
    lines = [
        *_facts(scene, asked),
        line((f"{lacks} has yet to agree. Going without is on record, with your reason.", "warn")),
        line(),
        *undoing(scene),
    ]

    def make(at: datetime, by: str, via: str, reason: str) -> Ask:
        def surely(at: datetime, by: str, via: str, _: str) -> Command:
            return cmd.RollBack(at, by, via, override=reason)

        return worded(scene, "Roll back", lines, "roll back", (by,), surely)

    title = f"Roll back without {lacks}?"
    return Ask(title, tuple(lines), "go without", authors, make, WITHOUT, needed=True, danger=True)
