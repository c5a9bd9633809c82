"""The review's questions and their answers, the usual times beside them, and what the log says of both."""

from __future__ import annotations

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.journal import line, say
from cockpit.core.people_journal import SAYINGS
from cockpit.core.questions import FRICTION_KINDS, QUESTIONS, asked, fault
from cockpit.core.state import initial
from tests.core.plans import T0, Session, plan, render


def answer(s: Session, question: str, text: str, about: int = 0, by: str = "sam") -> cmd.AnswerQuestion:
    return cmd.AnswerQuestion(s.at, by, "", text, question=question, about=about)


def test_there_are_five_questions_for_friction_and_none_for_blame() -> None:
    assert list(QUESTIONS) == ["smooth", "plan", "tools", "alerts", "context"]
    assert all(question.endswith("?") for question in QUESTIONS.values())
    assert not any(
        word in text.lower() for text in QUESTIONS.values() for word in ("who", "fault", "mistake")
    )


def test_a_question_is_named_by_its_words_and_one_about_friction_by_its_kind() -> None:
    assert asked("plan") == "Where was the plan unclear, or wrong?"
    assert asked("late_entry") == "late entry"


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_of_the_review_is_about_no_record(question: str) -> None:
    assert fault(question, 0) == ""
    assert fault(question, 7) == f"“{question}” is about no record"


@pytest.mark.parametrize("kind", FRICTION_KINDS)
def test_one_about_friction_is_about_a_record(kind: str) -> None:
    assert fault(kind, 7) == ""
    assert fault(kind, 0) == f"“{kind}” is asked about a record: name it with --about RECORD"


def test_what_was_never_asked_is_said() -> None:
    said = fault("blame", 0)
    assert said.startswith(
        "no question 'blame': there are smooth, plan, tools, alerts, context; and of friction"
    )
    assert all(kind in said for kind in FRICTION_KINDS)


def test_an_answer_is_kept_in_a_line_and_a_second_one_takes_its_place() -> None:
    s = Session()
    s.do(answer(s, "plan", "  the gate's\n instructions  "))
    s.do(answer(s, "plan", "nothing", by="lee"))
    s.do(answer(s, "approval", "two more people may", about=7))
    s.do(answer(s, "plan", "the gate's question"))
    assert {key: a.text for key, a in s.state.answers.items()} == {
        ("plan", 0, "sam"): "the gate's question",
        ("plan", 0, "lee"): "nothing",
        ("approval", 7, "sam"): "two more people may",
    }
    assert ev.QuestionAnswered(T0, "plan", 0, "the gate's instructions", "sam", "") in s.log


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (cmd.AnswerQuestion(T0, "sam", reason="x", question="blame"), "no question 'blame'"),
        (cmd.AnswerQuestion(T0, "sam", reason="x", question="plan", about=3), "“plan” is about no record"),
        (
            cmd.AnswerQuestion(T0, "sam", reason="x" * 301, question="plan"),
            "it has 301 characters, 300 at most",
        ),
        (cmd.AnswerQuestion(T0, "sam", reason=" \n ", question="plan"), "an empty answer says nothing"),
        (cmd.AnswerQuestion(T0, "eve", reason="x", question="plan"), "eve isn't in the plan's [people]"),
    ],
)
def test_an_answer_to_nothing_by_nobody_or_without_words_is_refused(
    command: cmd.AnswerQuestion, why: str
) -> None:
    assert s_refuses(command).startswith(why)


def s_refuses(command: cmd.Command) -> str:
    return Session().refused(command)


def test_questions_are_answered_after_the_end_too() -> None:
    s = Session()
    s.do(cmd.Abort(s.at, "dana"))
    s.tick()
    assert s.state.closed is not None
    s.do(answer(s, "smooth", "the abort"))
    assert s.state.answers["smooth", 0, "sam"].text == "the abort"
    assert replay(s.log, initial(s.plan, render)) == s.state


def test_usual_times_are_told_once() -> None:
    s = Session()
    times = (ev.UsualTime("switch", "run", 12.5, 9), ev.UsualTime("switch", "back", 8.0, 2))
    told = s.do(cmd.ReportUsualTimes(s.at, times))
    assert told == [ev.UsualTimesFound(T0, times)]
    assert s.do(cmd.ReportUsualTimes(s.at, times)) == []
    assert s.state.usual == times
    assert s.do(cmd.ReportUsualTimes(s.at, times[:1])) != []


def test_the_journal_says_what_was_answered_and_found() -> None:
    the_plan, nothing = plan(), {}.get
    said = ev.QuestionAnswered(T0, "tools", 0, "the switch asks twice", "sam", "dana")
    assert line(said, the_plan, nothing) == (
        "22:00:00  Sam Okoro (at Dana Ruiz's screen): answered “Where did tools slow us down, above all on the way "
        "back?”: the switch asks twice"
    )
    about = ev.QuestionAnswered(T0, "slow_step", 41, "a cold cache", "sam", "")
    assert say(about, the_plan, nothing) == "answered “slow step”: a cold cache"
    one = ev.UsualTime("switch", "run", 12.5, 9)
    assert say(ev.UsualTimesFound(T0, (one, one)), the_plan, nothing) == (
        "earlier releases tell how long 2 steps took"
    )
    assert say(ev.UsualTimesFound(T0, (one,)), the_plan, nothing).endswith("how long 1 step took")
    assert SAYINGS[ev.UsualTimesFound](ev.UsualTimesFound(T0, ()), the_plan).endswith(
        "how long no steps took"
    )
