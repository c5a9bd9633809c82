"""Where each kind of signal is read, unless the plan says otherwise, and the place to look at when it can't be."""

from __future__ import annotations

import pytest

from cockpit.core.plan import HERE
from tests.planfile.plans import changed, good

URL = 'url = "http://h/x"\n'
PROMETHEUS = 'source = "prometheus"\n' + URL + 'query = "q"\n'
HTTP = 'source = "http"\n' + URL + 'metric = "latency"\n'
SQL = 'source = "sql"\nclient = "psql"\nquery = "select 1"\n'
LOG = 'source = "log"\npattern = "x"\n'
WEB = ("web-1", "web-2")


def signal(lines: str) -> str:
    return f'[[signal]]\nname = "o"\n{lines}'


@pytest.mark.parametrize(
    ("lines", "targets"),
    [
        (PROMETHEUS, (HERE,)),
        (PROMETHEUS + 'label = "instance"\n', WEB),
        (PROMETHEUS + 'label = "instance"\ntargets = ["web-2"]\n', ("web-2",)),
        (HTTP, (HERE,)),
        (HTTP + 'on = "targets"\n', WEB),
        (HTTP + 'targets = ["web-1"]\n', ("web-1",)),
        (SQL, (HERE,)),
        (SQL + 'targets = ["web-1"]\n', ("web-1",)),
        (LOG + 'path = "/a"\n', WEB),
        (LOG + 'journal = "shop.service"\non = "here"\n', (HERE,)),
        ('source = "command"\nrun = "x"\n', WEB),
    ],
)
def test_it_is_read_where_the_plan_says(lines: str, targets: tuple[str, ...]) -> None:
    assert good(more=signal(lines)).signal("o").targets == targets


def test_what_is_asked_for_reaches_the_plan() -> None:
    http = good(more=signal(HTTP + 'token = "env:SHOP"\n')).signal("o")
    assert dict(http.options) == {"url": "http://h/x", "metric": "latency", "token": "env:SHOP"}
    assert http.unit == "s"
    json = good(more=signal('source = "http"\n' + URL + 'json_path = "$.n"\n')).signal("o")
    assert dict(json.options) == {"url": "http://h/x", "metric": "json", "json_path": "$.n"}
    assert json.unit == ""


def test_a_token_is_looked_up_and_so_not_reported_as_words_to_be_used() -> None:
    assert changed(more=signal(HTTP + 'token = "env:SHOP"\n')).warnings == ()


def test_a_secret_is_not_shown_where_it_is_refused() -> None:
    checked = changed(more=signal(HTTP + 'token = "s3cret"\n'))
    assert [("s3cret" in p.render(), p.column) for p in checked.problems] == [(False, 9)]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (PROMETHEUS, 'query = "q"'),
        (HTTP, 'url = "http://h/x"'),
        (SQL, 'query = "select 1"'),
        (LOG + 'journal = "shop.service"\n', 'journal = "shop.service"'),
        ('source = "host"\nmetric = "cpu"\n', 'source = "host"'),
    ],
)
def test_a_signal_that_cannot_be_read_is_shown_in_the_plan(lines: str, shown: str) -> None:
    checked = changed(more=signal(lines))
    said = checked.about_signal("o", "`o` can't be read: why")
    assert shown in said
    assert ": `o` can't be read: why" in said
    assert checked.about_signal("cpu", "why") == "why"
