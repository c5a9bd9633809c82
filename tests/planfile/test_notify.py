"""Who is told, as a plan says it: references to an address, and addresses that no message shows."""

from datetime import timedelta

import pytest

from cockpit.core.plan import Notify, RollbackTerms
from cockpit.planfile import check_notify
from tests.planfile.plans import changed, good, places

SECRET = "T024BE7LH-s3cr3t"
WEB = f"https://hooks.slack.com/services/{SECRET}"


def notify(*lines: str) -> str:
    return "\n".join(('[[notify]]\non = ["unexplained"]', *lines, ""))


@pytest.mark.parametrize("url", ["env:HOOK", "file:~/hook", "cmd:pass show hook"])
def test_an_address_that_is_looked_up_later_raises_no_word(url: str) -> None:
    checked = changed(more=notify(f'url = "{url}"'))
    assert checked.plan is not None
    assert checked.plan.notify == (Notify(("unexplained",), url=url),)
    assert checked.warnings == ()


@pytest.mark.parametrize(
    "lines",
    [
        (f'url = "{WEB}"',),
        (f'url="{WEB}" # a comment',),
        (f'url = "slack://{SECRET}"',),
        (f'url = "https:///{SECRET}"',),
        (f'url = "{SECRET}"',),
        (f'url = "{WEB}"', 'run = "x"'),
        (f'url = """{WEB}"""',),
        (f'url = """\n{WEB}"""',),
    ],
)
@pytest.mark.parametrize("installed", [True, False])
def test_no_address_is_shown(
    lines: tuple[str, ...], installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_notify, "find_spec", lambda name: object() if installed else None)
    checked = changed(more=notify(*lines))
    found = [*checked.problems, *checked.warnings]
    assert len(found) == 1
    assert SECRET not in found[0].render() + repr(found)
    assert found[0].line == 31
    assert found[0].source_line.startswith("url")


@pytest.mark.parametrize("run", ["tell '{message}'", 'tell \\"{message}\\"', "sh -c 'tell {message}'"])
def test_a_message_within_quotes_could_run_as_code(run: str) -> None:
    (problem,) = changed(more=notify(f'run = "{run}"')).problems
    assert "people's words could run as code" in problem.message
    assert not changed(more=notify("run = \"tell --text={message} 'now'\"")).problems


def test_a_service_of_apprise_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    more = notify(f'url = "slack://{SECRET}"')
    assert "whoever has a hook's address" in changed(more=more).warnings[0].message
    monkeypatch.setattr(check_notify, "find_spec", lambda name: None)
    (warning,) = changed(more=more).warnings
    assert places((warning,)) == [
        "31:1: slack:// needs apprise, which isn't installed here: nobody is told by it"
    ]
    assert warning.hint == 'pip install "release-cockpit[apprise]"'


def test_what_was_agreed_about_going_back() -> None:
    more = '[rollback]\nexpected_time = "6m"\nexplain_within = "90s"\nrehearsed_within = "14d"\n'
    assert good(more=more).rollback == RollbackTerms(
        timedelta(minutes=6), (), timedelta(seconds=90), timedelta(days=14)
    )
    assert good(more='[rollback]\nexpected_time = "6m"\n').rollback.explain_within == timedelta(minutes=5)
    assert good().rollback == RollbackTerms()


def test_no_time_at_all_was_agreed_about_going_back() -> None:
    more = '[rollback]\nexplain_within = "0s"\nrehearsed_within = "0s"\n'
    assert places(changed(more=more).problems) == [
        "30:18: `explain_within` can't be zero",
        "31:20: `rehearsed_within` can't be zero",
    ]
