"""What nobody can explain, the rollback proposed for it, and "I'm here" to a call."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import alarm, consent, people
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Command
from cockpit.core.journal import span
from cockpit.core.spans import clock
from cockpit.tui.asks.base import Ask, Asked, Choice, Make, may, refusal, voices
from cockpit.tui.calls import since, whom
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line, time_of_day


def unexplained(scene: Scene) -> Asked:
    """Say that nobody can explain what is seen; once somebody has, say what it was."""
    me = scene.link.me
    if scene.state.unexplained is not None:
        return _explain(scene, scene.state.unexplained)
    if refused := refusal(scene, cmd.ReportUnexplained(scene.at, me)):
        return refused
    within = span(scene.plan.rollback.explain_within)
    stoppers = people.names(scene.plan, people.stoppers(scene.plan))
    lines = (
        line(("Nothing expands until somebody says what it was.", "strong")),
        line(f"If nobody has within {within}, a rollback is proposed to {stoppers}."),
    )
    field = "what is seen, in a few words"
    return Ask("We can't explain this", lines, "say so", (me,), cmd.ReportUnexplained, field)


def _explain(scene: Scene, open_: ev.UnexplainedReported) -> Ask:
    lines = (
        line((f"since {since(scene, open_)}: ", "dim"), (open_.reason or "nothing more was said", "strong")),
        line("Explained, the release may go on; what was said stays in the log."),
    )
    field = "what it was, and how that is known"
    return Ask("What was it?", lines, "explain", (scene.link.me,), cmd.Explain, field, needed=True)


def decline(scene: Scene) -> Asked:
    """Don't roll back although it is proposed, or asked for."""
    proposed = scene.state.proposed
    if scene.state.back_asked is not None:
        return _decline_asked(scene, scene.state.back_asked)
    authors = may(scene, people.stoppers(scene.plan)) if proposed is not None else (scene.link.me,)
    if refused := refusal(scene, cmd.DeclineProposal(scene.at, authors[0], reason="?")):
        return refused
    assert proposed is not None  # else it would have been refused
    lines = (
        line((proposed.reason, "strong")),
        line("Going on without an explanation: the release may expand again, and the clock stops."),
    )
    title = "Decline the rollback, and go on?"
    return Ask(title, lines, "go on", authors, cmd.DeclineProposal, "why", needed=True, danger=True)


def _decline_asked(scene: Scene, asked: ev.RollbackAsked) -> Asked:
    """No to what a person asks for; whoever asked takes it back."""
    authors = may(scene, consent.decliners(scene.state))
    if refused := refusal(scene, cmd.DeclineProposal(scene.at, authors[0], reason="?")):
        return refused
    goes_on = "The rollout stays paused until somebody resumes it; whoever asked may ask again."
    lines = (line((asked_by(scene, asked), "strong")), line(goes_on))
    mine = asked.by in authors
    title, verb = ("Take it back?", "take it back") if mine else ("Decline the rollback?", "decline")
    return Ask(title, lines, verb, authors, cmd.DeclineProposal, "why", needed=True, danger=True)


def asked_by(scene: Scene, asked: ev.RollbackAsked) -> str:
    """`Lee Chen asked to roll back at 22:14:05: errors rise`."""
    who = "You" if asked.by == scene.link.me else scene.called(asked.by)
    why = f": {asked.reason}" if asked.reason else ""
    return f"{who} asked to roll back at {time_of_day(asked.at, scene.zone)}{why}"


def answer(scene: Scene) -> Asked:
    """I'm here: to the call that is open, or to one of several."""
    mine = answerable(scene)
    if not mine:
        refused = refusal(scene, cmd.AnswerEscalation(scene.at, scene.link.me))
        return refused or "nobody is called at the moment"
    field = "what you say to it"
    if len(mine) == 1:
        call, authors = mine[0]
        lines = _about(scene, call)
        title = f"Here for {_called(scene, call)}?"
        make = _answering(call.threshold)
        return Ask(title, lines, "I'm here", authors, make, field, about=call.threshold)
    choices = tuple(
        Choice(
            _called(scene, call),
            f"called {whom(scene, call)}, {_ago(scene, call)}",
            "I'm here",
            _answering(call.threshold),
            authors,
        )
        for call, authors in mine
    )
    return Ask("Here for which call?", (), "I'm here", (), None, field, choices=choices)


def answerable(scene: Scene) -> tuple[tuple[ev.ThresholdTripped, tuple[str, ...]], ...]:
    """The open calls that can be answered at this screen, each with whose answer it may be."""
    calls = scene.state.escalations.values()
    each = ((c, voices(scene, alarm.called(scene.state, c) or (scene.link.me,))) for c in calls)
    return tuple((call, authors) for call, authors in each if authors)


def _about(scene: Scene, call: ev.ThresholdTripped) -> tuple[Line, ...]:
    facts = (("called: ", whom(scene, call)), ("", _ago(scene, call)), ("", call.message))
    return tuple(line((name, "dim"), said) for name, said in facts if said)


def _called(scene: Scene, call: ev.ThresholdTripped) -> str:
    return scene.plan.threshold(call.threshold).called


def _ago(scene: Scene, call: ev.ThresholdTripped) -> str:
    return f"{clock(scene.at - call.at)} without an answer"


def _answering(threshold: str) -> Make:
    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.AnswerEscalation(at, by, via, reason, threshold=threshold)

    return make
