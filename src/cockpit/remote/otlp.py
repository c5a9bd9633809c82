"""Spans and metrics as plain values, and their way to an OpenTelemetry collector: OTLP over HTTP, in protobuf.

The only module that knows opentelemetry, an extra, which it imports when it is asked to `prepare`, or else with the
first try, in whichever thread that is.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import ssl
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from cockpit import __version__
from cockpit.core.text import visible
from cockpit.remote.secrets import SecretError, look_up
from cockpit.remote.shipping import Sent

INSTALL = 'pip install "release-cockpit[otel]"'

TIMEOUT_S = 5.0
"""How long connecting may take, and how long each wait for an answer."""

ANSWER_BYTES = 4096
"""How much of an answer is read: a collector's says in a few bytes what it didn't take."""

SCOPE = "cockpit"

Value = str | bool | int | float | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened within a span, `at` nanoseconds since 1970."""

    name: str
    at: int
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work that is over; times in nanoseconds since 1970, ids as numbers of 16 and 8 bytes.

    `parent` is 0 for the root. `error` says what went wrong, or is empty.
    """

    trace: int
    id: int
    parent: int
    name: str
    start: int
    end: int
    attributes: Mapping[str, Value]
    occurrences: tuple[Occurrence, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric, `at` nanoseconds since 1970."""

    value: int | float
    at: int
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, in UCUM's `unit`. With `since` (nanoseconds) it counts from then on and never falls."""

    name: str
    unit: str
    says: str
    points: tuple[Point, ...]
    since: int | None = None


def wanted() -> tuple[str, ...]:
    """Which of "traces" and "metrics" this process's environment leaves on, as OpenTelemetry's specification says."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    on = {what: os.environ.get(f"OTEL_{what.upper()}_EXPORTER", "").strip() for what in ("traces", "metrics")}
    return tuple(what for what, exporter in on.items() if exporter.lower() != "none")


def shown(what: str, address: str) -> str:
    """What is sent to where, without what an address may keep secret."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return what
    return visible(f"{what} {parts.scheme}://{parts.hostname}{port}") if parts.hostname else what


def prepare() -> None:
    """Import all that sending takes, where the extra is there: beside a session at work, a thread that imports holds
    its turns up.
    """
    if _installed():
        with _quiet(), suppress(Exception):  # whatever is wrong with it, the first try says so
            for name in _TAKES:
                import_module(name)


class Otlp:
    """Sends to the collector at `endpoint`, a base address: /v1/traces and /v1/metrics are put behind it.

    `token` is where to look up the secret sent as `Authorization: Bearer`, or empty. OTEL_EXPORTER_OTLP_HEADERS,
    _CERTIFICATE, _CLIENT_CERTIFICATE, _CLIENT_KEY, _COMPRESSION and OTEL_RESOURCE_ATTRIBUTES count as in any
    program with the SDK; `resource` beats the last. Nothing here is for more than one thread.
    """

    def __init__(self, endpoint: str, token: str, resource: Mapping[str, Value]) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._token = token
        self._attributes = resource
        self._made: tuple[Any, Any, Any, Any] | None = None

    def spans(self, spans: Sequence[Span]) -> Sent:
        """Try once to send these spans; never raises for what goes wrong outside."""
        return self._send("traces", lambda traces, _, resource: traces.export(_spans_out(spans, resource)))

    def metrics(self, metrics: Sequence[Metric]) -> Sent:
        """Try once to send what these metrics are now."""
        return self._send(
            "metrics", lambda _, measured, resource: measured.export(_metrics_out(metrics, resource))
        )

    def close(self) -> None:
        """Close the connections."""
        made, self._made = self._made, None
        if made is not None:
            made[0].shutdown()
            made[1].shutdown()

    def _send(self, what: str, export: Callable[[Any, Any, Any], object]) -> Sent:
        if not _installed():
            return Sent(False, f"OpenTelemetry isn't installed here: {INSTALL}", again=False)
        if against := _no_address(self._endpoint):
            return Sent(False, against, again=False)
        try:
            traces, measured, resource, line = self._made = self._made or self._exporters()
        except SecretError as fault:
            return Sent(False, str(fault))
        line.forget()
        export(traces, measured, resource)
        sent = line.said(what)
        if line.status in _NOT_KNOWN:
            self.close()  # the secret is looked up anew for the next try: it may have been changed
        return sent

    def _exporters(self) -> tuple[Any, Any, Any, Any]:
        """The SDK's exporters for spans and metrics over one adapter of ours, and what they speak for."""
        token = asyncio.run(look_up(self._token)) if self._token else ""
        with _quiet():
            import requests  # noqa: PLC0415 - comes with the extra
            from opentelemetry.exporter.otlp.proto.http import metric_exporter, trace_exporter  # noqa: PLC0415
            from opentelemetry.sdk import resources  # noqa: PLC0415

        line, session = _line(), requests.Session()
        session.auth = lambda request: request  # else a ~/.netrc would beat the header
        session.mount("http://", line)
        session.mount("https://", line)
        how: dict[str, Any] = {
            "headers": {"Authorization": f"Bearer {token}"} if token else None,
            "timeout": TIMEOUT_S,
            "session": session,
            "certificate_file": None if any(map(os.environ.get, _CERTIFICATES)) else _STORE,
        }
        ours = resources.Resource(dict(self._attributes))
        return (
            trace_exporter.OTLPSpanExporter(f"{self._endpoint}/v1/traces", **how),
            metric_exporter.OTLPMetricExporter(f"{self._endpoint}/v1/metrics", **how),
            resources.OTELResourceDetector().detect().merge(ours),
            line,
        )


def _no_address(endpoint: str) -> str:
    """Why nothing can be sent there, or empty."""
    try:
        known = bool(urlsplit(endpoint).hostname) and urlsplit(endpoint).port != 0
    except ValueError:
        known = False
    if not endpoint.lower().startswith(("http://", "https://")):
        return "the address must begin with http:// or https://"
    return "" if known else "the address can't be understood"


def _installed() -> bool:
    """Whether the extra is there."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


_TAKES = (
    "encodings.idna",
    "requests.adapters",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
    "opentelemetry.sdk.metrics.export",
)
"""What is imported with a first try, by whomever."""

_STORE = ssl.get_default_verify_paths().cafile
"""This machine's own certificates; requests would go by those that come with it."""

_CERTIFICATES = (
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
)

_NOT_KNOWN = (401, 403)
_PASSING = (408, 429, 502, 503, 504)
"""Answers upon which another try is in order, as OTLP's specification has them; any other means: let it go."""


@contextmanager
def _quiet() -> Generator[None]:
    """Imports that warn of nothing; what the libraries log from then on reaches no terminal."""
    for name in ("opentelemetry", "urllib3", "requests"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
        logger.propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _line() -> Any:
    """How requests sends: one try, whose answer is kept as far as it counts, and never unpacked."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - comes with the extra

    class Line(HTTPAdapter):
        status, body, why = 0, b"", ""

        def forget(self) -> None:
            self.status, self.body, self.why = 0, b"", ""

        def send(self, request: Any, *args: Any, **options: Any) -> Any:
            options["stream"] = True
            try:
                answer = super().send(request, *args, **options)
                self.body = _beginning(answer.raw)
            except Exception as fault:  # noqa: BLE001 - whatever it was, there is no answer
                self.why = _said(fault)
                raise ValueError(self.why) from None  # one of requests' own would be tried again at once
            self.status = answer.status_code
            answer.status_code = 200 if answer.ok else 400  # nor is another status followed or tried again
            answer.raw = io.BytesIO()  # requests would read, and unpack, all of it
            return answer

        def said(self, what: str) -> Sent:
            if 200 <= self.status < 300:
                return Sent(True, refused=_refused(self.body))
            if self.status:
                return Sent(
                    False, f"answered {self.status} to {what}", again=self.status in (*_PASSING, *_NOT_KNOWN)
                )
            return Sent(False, self.why or "it can't be put into OTLP", again=bool(self.why))

    return Line()


def _beginning(raw: Any) -> bytes:
    """The first bytes of an answer's body as they came, within our time; what is longer ends the connection."""
    until, body = time.monotonic() + TIMEOUT_S, b""
    while len(body) < ANSWER_BYTES and time.monotonic() < until:
        part = raw.read1(ANSWER_BYTES, decode_content=False)
        if not part:
            return body
        body += part
    raw.close()
    return b""


def _refused(body: bytes) -> int:
    """How many spans a collector that took the rest says it didn't take."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - comes with the extra
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415
        ExportTraceServiceResponse,
    )

    try:
        return ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans
    except DecodeError:
        return 0


def _said(fault: BaseException) -> str:
    """What went wrong in a few words of ours: the library's own hold the address."""
    text = str(fault)
    for found, said in _WORDS.items():
        if found in text or found in type(fault).__name__:
            return said
    return f"no answer ({type(fault).__name__})"


_WORDS = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate isn't trusted",
    "SSLError": "no TLS connection can be made: is it https at all?",
    "NameResolutionError": "its name can't be looked up",
    "Connection refused": "refused the connection",
    "invalid path": "a certificate that is named can't be read",
    "ProxyError": "the proxy of the environment doesn't let it through",
    "Timeout": f"no answer within {TIMEOUT_S:g} s",
    "timed out": f"no answer within {TIMEOUT_S:g} s",
    "NewConnectionError": "can't be connected to",
    "Connection aborted": "closed the connection, or what came is no HTTP",
    "ProtocolError": "closed the connection, or what came is no HTTP",
}
"""What requests' faults mean, by what stands in them."""


def _spans_out(spans: Sequence[Span], resource: Any) -> list[Any]:
    """The same spans as the SDK has them."""
    from opentelemetry.sdk import trace as sdk  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415
    from opentelemetry.trace.status import Status, StatusCode  # noqa: PLC0415

    scope, sampled = InstrumentationScope(SCOPE, __version__), TraceFlags(TraceFlags.SAMPLED)

    def context(trace: int, id_: int) -> SpanContext:
        return SpanContext(trace, id_, is_remote=False, trace_flags=sampled)

    return [
        sdk.ReadableSpan(
            span.name,
            context(span.trace, span.id),
            context(span.trace, span.parent) if span.parent else None,
            resource,
            span.attributes,
            tuple(sdk.Event(o.name, o.attributes, o.at) for o in span.occurrences),
            instrumentation_scope=scope,
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
            start_time=span.start,
            end_time=span.end,
        )
        for span in spans
    ]


def _metrics_out(metrics: Sequence[Metric], resource: Any) -> Any:
    """The same metrics as the SDK has them."""
    from opentelemetry.sdk.metrics import export as sdk  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415

    def data(metric: Metric) -> Any:
        points = [sdk.NumberDataPoint(p.attributes, metric.since or 0, p.at, p.value) for p in metric.points]
        if metric.since is None:
            return sdk.Gauge(points)
        return sdk.Sum(points, sdk.AggregationTemporality.CUMULATIVE, True)

    measured = [sdk.Metric(m.name, m.says, m.unit, data(m)) for m in metrics]
    scoped = sdk.ScopeMetrics(InstrumentationScope(SCOPE, __version__), measured, "")
    return sdk.MetricsData([sdk.ResourceMetrics(resource, [scoped], "")])
