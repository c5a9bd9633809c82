"""What the review's dialogs ask: an answer in a line, an action with its owner and day, what became of one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from cockpit.core import commands as cmd
from cockpit.core import people, roles
from cockpit.core.attendance import speaks
from cockpit.core.commands import Command
from cockpit.core.events import Settlement
from cockpit.tui.asks.base import Ask, Choice, Make, refusal
from cockpit.tui.review_entries import Entry
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line, listed

DUE_AFTER = timedelta(days=14)
"""Where nobody says by when: two weeks, since the next release may be near."""

WHAT = "what will be there once it is done: which runbook, check, alert, page"


def answer(scene: Scene, entry: Entry) -> Ask:
    """Answer a question of the review, or what is asked about friction: a line each, which may be said anew."""
    question, about, me = entry.question, entry.about, scene.link.me

    def make(at: datetime, by: str, via: str, text: str) -> Command:
        return cmd.AnswerQuestion(at, by, via, text, question=question, about=about)

    def wrong(text: str) -> str:
        return refusal(scene, make(scene.link.now(), me, "", text))

    said = [
        line((f"{scene.called(by)}: ", "dim"), known.text)
        for (key, number, by), known in scene.state.answers.items()
        if (key, number) == (question, about)
    ]
    said += [line(("Whoever answers again replaces their own answer.", "dim"))] if said else []
    return Ask(
        entry.title, tuple(said), "keep it", _authors(scene, True), make, "in a line", True, wrong=wrong
    )


def act(scene: Scene, entry: Entry | None) -> Ask:
    """Ask somebody for something before the next release; `entry` is what it comes of."""
    about = entry.about if entry is not None else 0
    lines = (line(("about ", "dim"), entry.title),) if entry is not None and entry.title else ()

    def owned(owner: str) -> Make:
        return lambda at, by, via, text: _until(scene, text, owner, by, about)

    def wrong(text: str) -> str:
        return refusal(scene, _action(scene, text, me, _in_two_weeks(scene), about))

    me = scene.link.me
    choices = tuple(Choice(p.name, _holds(scene, p.id), "go on", owned(p.id)) for p in scene.plan.people)
    authors = _authors(scene, False)
    return Ask(
        "What is to be done, and who does it?",
        lines,
        "go on",
        authors,
        None,
        WHAT,
        True,
        choices=choices,
        wrong=wrong,
    )


def _until(scene: Scene, text: str, owner: str, by: str, about: int) -> Ask:
    """By when: two weeks from now, unless another day is typed."""
    suggested = _in_two_weeks(scene)

    def make(at: datetime, by: str, via: str, day: str) -> Command:
        return cmd.AddAction(at, by, via, text, owner=owner, due=day or suggested, about=about)

    def wrong(day: str) -> str:
        return refusal(scene, _action(scene, text, owner, day or suggested, about))

    lines: tuple[Line, ...] = (line((f"{scene.called(owner)}: ", "dim"), (text, "strong")),)
    field = f"another day than {suggested}, written like it"
    return Ask(f"Until {suggested}?", lines, "ask for it", (by,), make, field, wrong=wrong)


def settle(scene: Scene, entry: Entry, how: Settlement) -> Ask:
    """An action is done, or given up. One of an earlier session goes by that session's rules, which aren't known here:
    only whoever sits here speaks for themselves."""
    name = entry.action or entry.earlier
    number = name.rpartition("/")[2]

    def make(at: datetime, by: str, via: str, text: str) -> Command:
        return cmd.SettleAction(at, by, via, text, action=number, how=how)

    def wrong(text: str) -> str:
        return "" if entry.earlier else refusal(scene, make(scene.link.now(), scene.link.me, "", text))

    done = how == "closed"
    title = f"Is action {name} done?" if done else f"Give action {name} up?"
    field = "what was done" if done else "why it isn't needed any more"
    lines = (line(entry.title),)
    verb = "close it" if done else "waive it"
    authors = (scene.link.me,) if entry.earlier else _authors(scene, False)
    return Ask(title, lines, verb, authors, make, field, True, wrong=wrong)


def _authors(scene: Scene, stops: bool) -> tuple[str, ...]:
    """Whoever sits here, and everybody else whose word may be entered here."""
    me = scene.link.me
    others = (p.id for p in scene.plan.people if p.id != me)
    spoken = (p for p in others if speaks(scene.plan, scene.link.seat, p, stops=stops) is None)
    return (me, *spoken)


def _action(scene: Scene, text: str, owner: str, due: str, about: int) -> Command:
    return cmd.AddAction(scene.link.now(), scene.link.me, "", text, owner=owner, due=due, about=about)


def _in_two_weeks(scene: Scene) -> str:
    now = scene.link.now().astimezone(scene.zone)
    return f"{date(now.year, now.month, now.day) + DUE_AFTER:%Y-%m-%d}"


def _holds(scene: Scene, person: str) -> str:
    held = [roles.called(role) for role in people.roles_of(scene.plan, person)]
    return listed(held) if held else "no role"
