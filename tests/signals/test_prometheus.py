"""An instant query's answer, as Prometheus 2.42 gives it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core.plan import HERE, Signal, Target
from cockpit.signals import SIGNALS
from cockpit.signals.prometheus import spread
from cockpit.signals.query import Get, Reply

SIGNAL = Signal(
    "orders",
    "prometheus",
    timedelta(seconds=15),
    targets=(HERE,),
    options={"url": "http://prom:9090/", "query": "sum(orders)", "label": "instance"},
)
ONE = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795655729.870,"25"]}]}}'
TWO = (
    b'{"status":"success","data":{"resultType":"vector","result":['
    b'{"metric":{"__name__":"orders","instance":"web-1:9100","job":"test"},"value":[1795655729.869,"12"]},'
    b'{"metric":{"__name__":"orders","instance":"web-2:9100","job":"test"},"value":[1795655729.869,"13"]}]}}'
)
SCALAR = b'{"status":"success","data":{"resultType":"scalar","result":[1795655729.881,"0"]}}'
NONE = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
NAN = (
    b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"127.0.0.1:41729",'
    b'"job":"test"},"value":[1795655729.877,"NaN"]}]}}'
)
RANGE = (
    b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"instance":"web-1:9100"},'
    b'"values":[[1795655729.797,"12"]]}]}}'
)
TEXT = b'{"status":"success","data":{"resultType":"string","result":[1795655696.078,"x"]}}'
BAD = (
    b'{"status":"error","errorType":"bad_data","error":"invalid parameter \\"query\\": 1:5: parse error: '
    b'unclosed left parenthesis"}'
)


def read(body: bytes, status: int = 200) -> float | None:
    return SIGNALS["prometheus"].read(SIGNAL, Reply(body, status), None)[1]


def test_it_is_asked_once_from_here_and_told_how_long_it_may_take() -> None:
    query = SIGNALS["prometheus"].query
    assert query is not None
    asked = query(SIGNAL)
    params = (("query", "sum(orders)"), ("timeout", "15s"))
    assert asked == Get("http://prom:9090/api/v1/query", timedelta(seconds=15), params)


def test_one_series_and_a_scalar_are_the_number() -> None:
    assert read(ONE) == 25.0
    assert read(SCALAR) == 0.0


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (NONE, 200, "no series: nothing has these names and labels now"),
        (TWO, 200, "2 series: write sum(...) or the like, or label = ..."),
        (NAN, 200, "the query gives NaN, no number: is it divided by nothing?"),
        (NAN.replace(b"NaN", b"-Inf"), 200, "the query gives -Inf, no number: is it divided by nothing?"),
        (NAN.replace(b"NaN", b"x"), 200, "the query gives 'x', no number"),
        (
            NAN.replace(b'"value":[1795655729.877,"NaN"]', b'"value":[]'),
            200,
            "the query gives 'nothing', no number",
        ),
        (NAN.replace(b"value", b"other"), 200, "the query gives 'nothing', no number"),
        (RANGE, 200, "a range of values; an instant query must give numbers"),
        (TEXT, 200, "a text; an instant query must give numbers"),
        (BAD, 400, 'bad_data: invalid parameter "query": 1:5: parse error: unclosed left parenthesis'),
        (b"404 page not found\n", 404, "answered 404"),
        (b"<html>Bad Gateway</html>", 502, "answered 502"),
        (b"{}", 503, "answered 503"),
        (b"<html>hello</html>", 200, "answered no JSON: '<html>hello</html>'"),
        (b"", 200, "answered nothing"),
        (b"[]", 200, "no answer of Prometheus: is this its address?"),
        (
            b'{"status":"success","data":{"resultType":"vector"}}',
            200,
            "no answer of Prometheus: is this its address?",
        ),
    ],
)
def test_anything_else_is_a_reason(body: bytes, status: int, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(body, status)
    assert str(caught.value) == said


def _two(first: str, second: str) -> Reply:
    return Reply(TWO.replace(b"web-1:9100", first.encode()).replace(b"web-2:9100", second.encode()), 200)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("web-1:9100", "web-2:9100"),
        ("web-1", "web-2"),
        ("10.0.0.1:80", "[fd00::2]:9100"),
        ("10.0.0.1", "fd00::2"),
    ],
)
def test_a_label_tells_the_targets_apart_by_name_or_host(first: str, second: str) -> None:
    targets = [Target("web-1", "10.0.0.1"), Target("web-2", "fd00::2")]
    assert spread(SIGNAL, _two(first, second), targets) == {"web-1": 12.0, "web-2": 13.0}


def test_a_target_without_one_series_of_its_own_has_a_reason() -> None:
    targets = [Target("web-1", "web-1"), Target("web-3", "10.0.0.3")]
    assert spread(SIGNAL, _two("web-1:9100", "web-1:9200"), targets) == {
        "web-1": "2 series for it: write sum by (instance) (...) or the like",
        "web-3": "no series whose instance is web-3 or 10.0.0.3",
    }
    nan = spread(SIGNAL, Reply(NAN, 200), [Target("one", "127.0.0.1")])
    assert nan == {"one": "the query gives NaN, no number: is it divided by nothing?"}
    with pytest.raises(ValueError, match="parse error"):
        spread(SIGNAL, Reply(BAD, 400), targets)
