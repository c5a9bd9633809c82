"""The review in lines: what cost time with its question, the questions everybody is asked, and actions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cockpit.core import events as ev
from cockpit.core.friction import Friction
from cockpit.core.journal import span
from cockpit.core.questions import FRICTION_KINDS, QUESTIONS, asked
from cockpit.tui.marks import RELEASE, glyph
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, Tone, count, line, pad_left, rewrap, time_of_day

MOST = 7
"""Of what cost time, so much is shown: whoever wants all of it has `cockpit review` and the report."""

COST, NARROW_COST = 11, 8
"""Cells of the first column: `12 min 26 s`; where there is little room that is cut."""

NARROW = 60
"""Cells of a list below which there is little room."""

MARKED = 3
"""Cells of a mark and the spaces around it, before the text."""

Part = tuple[str, Tone]
BLANK: Part = ("", "text")
ANSWERED: Part = ("✔", "good")
UNANSWERED: Part = ("○", "warn")
TO_DO: Part = ("□", "warn")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be chosen: in lines, and what it is about. A heading has no `key`.

    `question` with `about` is what an answer to it says; `action` the number of an open action of this session,
    `earlier` the name of one that another session left to do.
    """

    key: str
    lines: tuple[Line, ...]
    title: str = ""
    question: str = ""
    about: int = 0
    action: str = ""
    earlier: str = ""

    @property
    def settles(self) -> bool:
        """Whether it is an action that can be closed or waived."""
        return bool(self.action or self.earlier)


def entries(
    scene: Scene, found: Sequence[Friction], width: int, unread: int = 0, settled: Collection[str] = ()
) -> list[Entry]:
    """All of it, top to bottom. `unread` records weren't measured yet; `settled` are actions of earlier sessions."""
    return [
        *_friction(scene, found, width, unread),
        *_questions(scene, width),
        *_actions(scene, width, settled),
    ]


def rows(every: Sequence[Entry]) -> list[Row]:
    """The entries as rows of a pane: the first line of each can be chosen."""
    return [fixed(text, entry.key if n == 0 else "") for entry in every for n, text in enumerate(entry.lines)]


def _friction(scene: Scene, found: Sequence[Friction], width: int, unread: int) -> Iterator[Entry]:
    """The costliest, then what is answered although it isn't among them."""
    yield _heading("What cost time, and what wasn't as agreed", first=True)
    shown = found[:MOST]
    for one in shown:
        cost = span(one.cost) if one.cost is not None else "–"
        answers = _answers(scene, one.kind, one.seq, width)
        said = _beside((cost, "strong"), _mark(answers), line(one.told), width)
        said += _below(line((one.question, "now")), width)
        key = f"friction:{one.kind}:{one.subject}"
        yield Entry(key, (*said, *answers), one.question, one.kind, one.seq)
    if unread:
        yield _remark(f"{unread} records are still to be read …", width)
    elif not found:
        yield _remark(_nothing(scene), width)
    elif len(found) > MOST:
        yield _remark(f"… and {len(found) - MOST} more: `cockpit review` lists all", width)
    measured = {(one.kind, one.seq) for one in shown}
    for kind, about in _answered_friction(scene):
        if (kind, about) not in measured and not unread:
            title = f"{asked(kind)}, record {about}"
            said = _beside(BLANK, ANSWERED, line(title), width)
            said += _answers(scene, kind, about, width)
            yield Entry(f"answered:{kind}:{about}", tuple(said), title, kind, about)


def _nothing(scene: Scene) -> str:
    """Why there is nothing that cost time."""
    over = scene.state.closed is not None
    if scene.state.started is not None:
        return f"{'' if over else 'so far '}nothing was waited for, and all was as agreed"
    return "it ended before anything had begun" if over else "nothing has begun yet"


def _questions(scene: Scene, width: int) -> Iterator[Entry]:
    yield _heading("What everybody is asked")
    for key, question in QUESTIONS.items():
        answers = _answers(scene, key, 0, width)
        said = _beside(BLANK, _mark(answers), line((question, "strong")), width)
        yield Entry(f"question:{key}", (*said, *answers), question, key)


def _actions(scene: Scene, width: int, settled: Collection[str]) -> Iterator[Entry]:
    yield _heading("Actions before the next release")
    mine = open_actions(scene)
    for action in mine:
        about = f"  record {action.about}" if action.about else ""
        said = _to_do(scene, action.owner, action.due, action.text, about)
        lines = tuple(_beside((action.action, "strong"), TO_DO, said, width))
        yield Entry(f"action:{action.action}", lines, action.text, action=action.action)
    if not mine:
        yield _remark("none is open of this release", width)
    left = scene.state.left_to_do.actions if scene.state.left_to_do is not None else ()
    for old in left:
        said = _to_do(scene, old.owner, old.due, old.text, f"  {old.name}")
        done = old.name in settled
        lines = tuple(_beside(("earlier", "dim"), ANSWERED if done else TO_DO, said, width))
        yield Entry(f"earlier:{old.name}", lines, old.text, earlier="" if done else old.name)


def open_actions(scene: Scene) -> tuple[ev.ActionAdded, ...]:
    """The actions that this release's review asked for, and nobody has settled."""
    return tuple(action for action in scene.state.actions.values() if isinstance(action, ev.ActionAdded))


def standing(scene: Scene, found: Sequence[Friction] | None = None) -> str:
    """`2 of 5 questions answered, 1 of 4 about friction, 1 open action`; `found` is the friction, where it is measured.

    Of what is answered about friction that isn't measured it is only said how much there is.
    """
    questions = len({question for question, _, _ in scene.state.answers if question in QUESTIONS})
    about = _answered_friction(scene)
    every = dict.fromkeys([*about, *((one.kind, one.seq) for one in found or ())])
    of = f" of {len(every)}" if found is not None else ""
    friction = f", {len(about)}{of} about friction" if every else ""
    actions = count(len(open_actions(scene)), "open action")
    return f"{questions} of {len(QUESTIONS)} questions answered{friction}, {actions}"


def _answered_friction(scene: Scene) -> list[tuple[str, int]]:
    """The kind and the record of all friction that somebody has answered about."""
    return list(dict.fromkeys((q, n) for q, n, _ in scene.state.answers if q in FRICTION_KINDS))


def over(scene: Scene) -> Line:
    """`✔ completed at 12:02:11, 42 min after its start`; empty while it isn't over."""
    closed, started = scene.state.closed, scene.state.started
    if closed is None:
        return Line()
    mark = RELEASE[closed.outcome]
    partial = " in part" if closed.partial else ""
    after = (
        f", {span(closed.at - started.at)} after its start" if started is not None else ", before its start"
    )
    return glyph(mark) + line(
        (f" {mark[1]}{partial}", "strong"), f" at {time_of_day(closed.at, scene.zone)}{after}"
    )


def _heading(text: str, first: bool = False) -> Entry:
    said = line((text, "title"))
    return Entry("", (said,) if first else (Line(), said))


def _remark(text: str, width: int) -> Entry:
    return Entry("", tuple(_below(line((text, "dim")), width)))


def _mark(answers: Sequence[Line]) -> Part:
    return ANSWERED if answers else UNANSWERED


def _to_do(scene: Scene, owner: str, due: str, text: str, behind: str) -> Line:
    return line((f"{scene.called(owner)}, until {due}: ", "dim"), text, (behind, "dim"))


def _answers(scene: Scene, question: str, about: int, width: int) -> list[Line]:
    """What everybody said to it."""
    said: list[Line] = []
    for (key, number, by), answer in scene.state.answers.items():
        if (key, number) == (question, about):
            said += _below(line((f"{scene.called(by)}: ", "dim"), answer.text), width)
    return said


def _below(text: Line, width: int) -> list[Line]:
    """Text under the one above it."""
    return _beside(BLANK, BLANK, text, width)


def _beside(first: Part, mark: Part, text: Line, width: int) -> list[Line]:
    """The first column and a mark, and beside them the text in as many lines as it takes."""
    column = COST if width >= NARROW else NARROW_COST
    head = line((pad_left(first[0], column), first[1]), " ", mark if mark[0] else " ", " ")
    parts = rewrap(text, max(8, width - column - MARKED))
    return [(head if n == 0 else line(" " * (column + MARKED))) + part for n, part in enumerate(parts)]
