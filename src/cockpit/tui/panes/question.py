"""The question above the panes while the release can't go on by itself."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from cockpit.core import commands as cmd
from cockpit.core import consent, people, rollback, rollout, view
from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.decide import decide
from cockpit.core.journal import span
from cockpit.core.people_journal import sure
from cockpit.core.spans import clock
from cockpit.core.state import State, breached, unclean
from cockpit.tui import doubt, gate, going_back
from cockpit.tui.asks import forward
from cockpit.tui.asks.agreeing import against
from cockpit.tui.asks.forward import exceeded
from cockpit.tui.calls import since
from cockpit.tui.keys import offered
from cockpit.tui.offers import roll_back
from cockpit.tui.panes.alarms import alarms, fitting
from cockpit.tui.panes.banner import banner
from cockpit.tui.review_entries import over, standing
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, fit, join, line, number, pad, rewrap, time_of_day, wrap

Option = tuple[str, str, str]
"""(action, what it does, what that costs)"""

WAIT: Option = ("", "wait", "being reached")
DOUBT: Option = ("doubt", "settle the doubt", "")
EXCLUDE: Option = ("exclude", "exclude", "on without it")
RETRY: Option = ("retry", "retry", "runs the step there again")
EXPLAIN: Option = ("unexplained", "explain", "what was it?")

REASON_MOST = 120
"""Cells of what somebody typed that a question repeats; the journal has all of it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What has to be answered: sentences, the facts below them, each answer with its key and its cost."""

    said: tuple[str, ...] = ()
    facts: tuple[Line, ...] = ()
    options: tuple[Option, ...] = ()
    tone: Tone = "warn"


def question(scene: Scene, width: int, most: int) -> list[Line]:
    """What has to be answered and each answer with its key and its cost, then the alarms that are open; or empty.

    Where it would take more than `most` lines the facts give way first, then the alarms, then the sentence. A
    banner, where there is one, stands instead: then there is nothing to decide here.
    """
    state = scene.state
    if shown := banner(scene, width - 2, most):
        return shown
    able = offered(scene)
    open_ = alarms(scene, width - 2, able)
    if state.closed is not None:
        return _over(scene, width - 2, able)[:most]
    asked = asking(scene)
    if not asked.options:
        return fitting(open_, most, width - 2)
    inner, tone = width - 4, asked.tone
    answers = _options(scene, asked.options, inner, able)
    said = [line((part, tone)) for part in wrap(" ".join(asked.said), inner)] if asked.said else []
    said = _cut(said, most - len(answers), inner)
    open_ = fitting(open_, most - len(said) - len(answers), width - 2)
    facts = [part for fact in asked.facts for part in rewrap(fact, inner)]
    room = most - len(said) - len(answers) - len(open_)
    lines = [*said, *(fact.cut(inner) for fact in _fitting(facts, room)), *answers]
    return [*(line(("▲ " if n == 0 else "  ", tone)) + part for n, part in enumerate(lines)), *open_]


def asking(scene: Scene) -> Asking:
    """What has to be answered at this moment; nothing once it is over."""
    return scene.once(_everything_asked)


def _everything_asked(scene: Scene) -> Asking:
    state = scene.state
    if state.closed is not None or state.aborted is not None or state.left is not None:
        return Asking()
    if state.back_asked is not None:
        return _asked_back(scene, state.back_asked)
    return _both(_proposed(scene), _asked(scene))


def _over(scene: Scene, width: int, able: Container[str]) -> list[Line]:
    """How the release ended, and the way to its review."""
    review: Option = ("review", "review", standing(scene))
    return [over(scene).cut(width), *_options(scene, (review,), width, able)]


def _cut(said: list[Line], most: int, width: int) -> list[Line]:
    if len(said) <= most or most <= 0:
        return said[: max(0, most)]
    return [*said[: most - 1], (said[most - 1] + line(" …")).cut(width)]


def _fitting(facts: list[Line], most: int) -> list[Line]:
    if len(facts) <= most:
        return facts
    kept = facts[: max(0, most - 1)]
    return [*kept, line(("  … more of it in the panes and the journal", "dim"))] if kept else []


def _both(first: Asking, second: Asking) -> Asking:
    """Two questions at once: each answer stands there once."""
    if not first.options or not second.options:
        return first if first.options else second
    options = {option[1]: option for option in (*first.options, *second.options)}
    tone: Tone = "alarm" if "alarm" in (first.tone, second.tone) else "warn"
    return Asking(first.said + second.said, first.facts + second.facts, tuple(options.values()), tone)


def _proposed(scene: Scene) -> Asking:
    """Nobody has explained it in time: whoever may roll back is asked to."""
    proposed, unexplained = scene.state.proposed, scene.state.unexplained
    if proposed is None or unexplained is None:
        return Asking()
    reason = f": {fit(unexplained.reason, REASON_MOST)}" if unexplained.reason else ""
    stoppers = people.stoppers(scene.plan)
    said = (
        f"Nobody has explained it within {span(unexplained.within)} (since {since(scene, unexplained)}){reason}."
        f" A rollback is proposed to {_called(scene, stoppers)}; nothing expands meanwhile."
    )
    decline: Option = ("decline", "decline and go on", _do(scene, stoppers, "say", "why"))
    return Asking((said,), (), (_back(scene), EXPLAIN, decline), "alarm")


def _asked_back(scene: Scene, asked: ev.RollbackAsked) -> Asking:
    """A person asks to roll back, and others have yet to agree: the header's sentence says who."""
    state, able = scene.state, roll_back(scene)
    yes = ", ".join(
        f"{'you' if a.by == scene.link.me else scene.called(a.by)}{sure(a.level)}" for a in state.back_agreed
    )
    waited = f"asked {clock(scene.at - asked.at)} ago; "
    facts = [line((waited, "dim"), f"agreed: {yes}" if yes else "nobody has agreed yet")]
    if asked.evidence:
        then = ", ".join(f"{r.threshold}: {number(r.value)}, {r.verdict}" for r in asked.evidence)
        facts.append(line(("the limits said then: ", "dim"), then))
    if why := against(scene):
        facts.append(line((why, "warn")))
    does = {"override": f"roll back without {consent.called(state)}"}.get(able, able or "agree")
    back: Option = ("roll_back", does, "why" if able == "override" else going_back.cost(scene))
    does = "take it back" if asked.by == scene.link.me else "decline"
    no: Option = ("decline", does, "why; it stays paused")
    return Asking((), tuple(facts), (back, no, ("abort", "abort", "leaves it as it is")), "alarm")


def _asked(scene: Scene) -> Asking:
    state = scene.state
    if state.started is None:
        return Asking()
    if state.resumed is not None:
        return _taken_up(scene, state.resumed)
    if state.rollback is not None:
        return _going_back(scene)
    if state.paused is not None:
        return _stuck(scene) if rollout.stuck(state) else _paused(scene)
    if rollout.current_stage(state) is None and rollout.in_doubt(state):
        return _stuck(scene)
    return _both(_gate(scene), _short_window(scene))


def _taken_up(scene: Scene, resumed: ev.SessionResumed) -> Asking:
    """Taken up again: what was open then and is known now, and whether to go on."""
    state = scene.state
    who, when = scene.called(resumed.by), time_of_day(resumed.at, scene.zone)
    where = " in the middle of a rollback" if state.rollback else ""
    said = f"Taken up again by {who} at {when}{where}: nothing goes on until somebody says so."
    if resumed.reason:
        said += f" Taken over: {resumed.reason}."
    if resumed.plan_file:
        said += f" {resumed.plan_file}: this session goes by its own copy."
    facts = _then_and_now(scene)
    abort: Option = ("abort", "abort", "leaves it as it is")
    if state.rollback is not None:
        stoppers = people.stoppers(scene.plan)
        may = "you may" if scene.link.me in stoppers else people.names(scene.plan, stoppers)
        return Asking((said,), facts, (("pause", "go on rolling back", may), *_settle(state), abort))
    facts += _unclean(scene)
    if rollout.stuck(state):
        tone: Tone = "alarm" if doubt.wants_a_person(scene) else "warn"
        return Asking((said,), facts, (*_mending(scene), _back(scene)), tone)
    go_on: Option = ("pause", "accept and go on" if breached(state) else "go on", _who_resumes(scene))
    tone = "alarm" if breached(state) else "warn"
    return Asking((said,), facts, (go_on, *_settle(state), _back(scene), abort), tone)


def _then_and_now(scene: Scene) -> tuple[Line, ...]:
    """A line for each attempt that was open when the session ended: what was known then, and what is now."""
    pairs = view.reopened(scene.state)
    if not pairs:
        return (line(("  nothing was running when it ended", "dim")),)
    names = max(len(_named(a)) for a, _ in pairs)
    return tuple(
        line(
            "  ",
            pad(_named(attempt), min(names, 32)),
            (f"  then: sent {time_of_day(attempt.started_at, scene.zone)}, no end known", "dim"),
            ("   now: ", "dim"),
            (now, _now_tone(attempt)),
        )
        for attempt, now in pairs
    )


def _named(attempt: Attempt) -> str:
    back = "rollback of " if attempt.direction == "back" else ""
    return f"{back}{attempt.step} on {attempt.target}"


def _now_tone(attempt: Attempt) -> Tone:
    if attempt.status in ("succeeded", "rolled_back"):
        return "good"
    if attempt.status == "running":
        return "now"
    return "warn" if attempt.unsettled else "alarm"


def _unclean(scene: Scene) -> tuple[Line, ...]:
    """The limits that don't plainly pass: going on over them is a decision."""
    over, unknown = breached(scene.state), [t.id for t in unclean(scene.state)]
    unknown = [id_ for id_ in unknown if id_ not in over]
    said = [line(("  ▲ ", "alarm"), (_exceeded(scene, over), "alarm"))] if over else []
    if unknown:
        said.append(line(("  ? ", "warn"), (f"not clean, or not read yet: {', '.join(unknown)}", "warn")))
    return tuple(said)


def _going_back(scene: Scene) -> Asking:
    """A rollback that stays partial, or waits for a target in doubt."""
    state, result = scene.state, scene.state.rollback_result
    if result is not None and result.unproven:
        retry: Option = ("retry", "retry", "runs it there again")
        close: Option = ("close", "close as it is", "stays partial")
        return Asking((), _doubts(scene), (retry, *_settle(state), close), "alarm")
    every = [b for wave in rollback.way_back(state, scene.at) for b in wave]
    waiting = [b for b in every if b.status == "waiting"]
    if not waiting or any(b.status in ("running", "pending") for b in every):
        return Asking()
    return Asking((), _doubts(scene), (WAIT, DOUBT))


def _stuck(scene: Scene) -> Asking:
    """Targets in trouble hold the rollout up, or its end; the header's sentence names them."""
    loud = doubt.wants_a_person(scene)
    wait = () if loud else (WAIT,)
    return Asking((), _doubts(scene), (*wait, *_mending(scene), _back(scene)), "alarm" if loud else "warn")


def _doubts(scene: Scene) -> tuple[Line, ...]:
    """A line for each attempt in doubt."""
    return tuple(
        line((_named(a), "strong"), (f": {'; '.join(doubt.known(scene, a))}", "text"))
        for a in rollout.in_doubt(scene.state)
    )


def _settle(state: State) -> tuple[Option, ...]:
    return (DOUBT,) if rollout.in_doubt(state) else ()


def _mending(scene: Scene) -> tuple[Option, ...]:
    """What helps the targets in trouble: settle what is in doubt, run again what may be, go on without."""
    trouble = [p.attempt for _, p in rollout.troubled(scene.state)]
    failed = any(a is not None and a.status != "in_doubt" for a in trouble)
    return (*_settle(scene.state), *((RETRY,) if failed else ()), *((EXCLUDE,) if trouble else ()))


def _paused(scene: Scene) -> Asking:
    state, back = scene.state, _back(scene)
    if limits := breached(state):
        said = (_exceeded(scene, limits), "The rollout is paused: nothing new starts.")
        accept: Option = ("pause", "accept and go on", _why_by(scene))
        return Asking(said, (), (back, ("", "keep waiting", "limits keep watching"), accept), "alarm")
    if isinstance(state.paused, ev.RolloutPaused) and state.paused.by != ev.COCKPIT:
        return Asking()  # paused by hand: the header says so, and nobody is asked anything
    why = _why(scene)
    return Asking((why,) if why else (), (), (("pause", "resume", _who_resumes(scene)), back))


def _who_resumes(scene: Scene) -> str:
    """Whose word going on takes: whatever the core wouldn't let the decision owner do without a reason."""
    owner, state = scene.plan.roles.decision_owner, replace(scene.state, attended=False)
    resume = cmd.ResumeRollout(scene.at, owner, accepting=breached(state))
    if isinstance(decide(state, resume), cmd.Refused):
        return _why_by(scene)
    if isinstance(state.paused, ev.LeftAlone):
        promoters = people.promoters(scene.plan)
        return "you may" if scene.link.me in promoters else _do(scene, promoters, "decide")
    return "anyone may"


def _why_by(scene: Scene) -> str:
    """Who decides where no gate says otherwise, and has to say why."""
    return _do(scene, people.promoters(scene.plan), "say", "why")


def _called(scene: Scene, who: tuple[str, ...]) -> str:
    """`you or Lee Chen`."""
    others = tuple(person for person in who if person != scene.link.me)
    names = [people.names(scene.plan, others)] if others else []
    return " or ".join([*(["you"] if len(others) < len(who) else []), *names])


def _do(scene: Scene, who: tuple[str, ...], verb: str, what: str = "") -> str:
    """`you say why`, `Dana Ruiz says why`."""
    ending = "" if scene.link.me in who else "s"
    return f"{_called(scene, who)} {verb}{ending}{f' {what}' if what else ''}"


def _gate(scene: Scene) -> Asking:
    """A stage waits for the yes of its approvers: what they are asked, who has said yes, and what speaks for it."""
    stage = gate.waiting(scene)
    if stage is None or stage.gate is None:
        return Asking()
    asked = (stage.gate.instructions,) if stage.gate.instructions else ()
    facts = (*gate.standing(scene, stage, stage.gate), *gate.evidence(scene, stage))
    no: Option = ("reject", "reject", "pauses, with a reason")
    return Asking(asked, facts, (_yes(scene), no, _back(scene)))


def _yes(scene: Scene, cost: str = "") -> Option:
    """Promoting the stage that waits; saying yes to it as one of several costs nothing yet."""
    asking = forward.promoting(scene)
    verb = "promote" if isinstance(asking, str) else asking.verb
    return ("go", verb, cost if verb == "promote" else "")


def _short_window(scene: Scene) -> Asking:
    """What the window has against the stage that waits: promoting it is then a decision of its own."""
    state, stage = scene.state, rollout.current_stage(scene.state)
    if stage is None or state.phase != "waiting" or state.promoted == stage.name:
        return Asking()
    if not (against := scene.late):
        return Asking()
    options = (_yes(scene, _why_by(scene)), _back(scene))
    return Asking((f"{against[:1].upper()}{against[1:]}.",), (), options)


def _exceeded(scene: Scene, limits: tuple[str, ...]) -> str:
    return " ".join(f"{exceeded(scene, limit)}." for limit in limits)


def _why(scene: Scene) -> str:
    match scene.state.paused:
        case ev.RolloutPaused(threshold=str(), reason=reason):
            return f"Paused by a limit that is no longer exceeded: {reason}."
        case ev.RolloutPaused(reason=reason):
            return f"Paused: {reason}. That is no longer so."
        case ev.LeftAlone(at=at):
            return f"Paused at {time_of_day(at, scene.zone)}: the release was due to expand, and nobody was here."
        case _:
            return ""


def _back(scene: Scene) -> Option:
    return ("roll_back", "roll back", going_back.cost(scene))


def _options(scene: Scene, options: tuple[Option, ...], width: int, able: Container[str]) -> list[Line]:
    """The answers side by side, as many on a line as fit; only those that can be given here have their key."""
    each = [
        line(
            (scene.keys[action] if action in able else "–", "key"),
            (f" {what}", "strong"),
            (f": {cost}" if cost else "", "dim"),
        )
        for action, what, cost in options
    ]
    lines: list[Line] = []
    for option in each:
        longer = join([*lines[-1:], option], "    ")
        lines = [*lines[:-1], longer] if lines and longer.cells <= width else [*lines, option.cut(width)]
    return lines
