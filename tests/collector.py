"""Real receivers on loopback: OTLP over HTTP, built on the official protobufs, and Grafana's annotations."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

Way = Literal["200", "400", "401", "404", "503", "partial", "garbage", "bomb", "redirect", "hang", "die"]

DEADLINE_S = 30.0
BOMB_MB = 150


@cache
def bomb() -> bytes:
    """A few kB that come to a lot."""
    packing, piece = zlib.compressobj(1, wbits=31), bytes(1 << 20)
    return b"".join(packing.compress(piece) for _ in range(BOMB_MB)) + packing.flush()


@dataclass(frozen=True)
class Got:
    """A span as it arrived; times in nanoseconds."""

    trace: str
    id: str
    parent: str
    name: str
    start: int
    end: int
    attributes: dict[str, Any]
    events: tuple[tuple[str, int, dict[str, Any]], ...]
    error: str
    resource: dict[str, Any]


@dataclass
class Receiver:
    """Answers each request the next way, and the last way from then on; keeps what it took, and every header."""

    ways: list[Way]
    port: int = 0
    spans: list[Got] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    freed: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, met: Callable[[], bool]) -> None:
        """Until `met`, looked at after each request."""
        with self.came:
            assert self.came.wait_for(met, DEADLINE_S), (self.paths, [s.name for s in self.spans])

    def next_way(self) -> Way:
        return self.ways.pop(0) if len(self.ways) > 1 else self.ways[0]

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self.metrics.append(_metrics(ExportMetricsServiceRequest.FromString(body)))
        elif path == "/api/annotations":
            self.annotations.append(json.loads(body))

    def named(self, name: str) -> Got:
        """The one span of that name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(inner) for inner in value.array_value.values]
    return getattr(value, kind)


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _spans(request: ExportTraceServiceRequest) -> Iterator[Got]:
    for of in request.resource_spans:
        for scoped in of.scope_spans:
            for s in scoped.spans:
                events = tuple((e.name, e.time_unix_nano, _attributes(e.attributes)) for e in s.events)
                yield Got(
                    s.trace_id.hex(),
                    s.span_id.hex(),
                    s.parent_span_id.hex(),
                    s.name,
                    s.start_time_unix_nano,
                    s.end_time_unix_nano,
                    _attributes(s.attributes),
                    events,
                    s.status.message if s.status.code == 2 else "",
                    _attributes(of.resource.attributes),
                )


def _metrics(request: ExportMetricsServiceRequest) -> dict[str, Any]:
    """By name: (unit, kind, [(attributes, value)])."""
    found: dict[str, Any] = {}
    for of in request.resource_metrics:
        for scoped in of.scope_metrics:
            for metric in scoped.metrics:
                kind = metric.WhichOneof("data") or ""
                points = [
                    (_attributes(p.attributes), getattr(p, p.WhichOneof("value")))
                    for p in getattr(metric, kind).data_points
                ]
                found[metric.name] = (metric.unit, kind, points)
    return found


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with receiver.came:
                receiver.headers.append(dict(self.headers))
                receiver.paths.append(self.path)
                way = receiver.next_way()
                if way in ("200", "partial"):
                    receiver.take(self.path, body)
                receiver.came.notify_all()
            self.answer(way)

        def answer(self, way: Way) -> None:
            self.close_connection = way in ("die", "garbage", "hang", "bomb")
            if way == "hang":
                receiver.freed.wait(DEADLINE_S)
            elif way == "garbage":
                self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n")
            elif way == "bomb":
                self.said(200, bomb(), {"Content-Encoding": "gzip"})
            elif way == "redirect":
                self.said(302, b"", {"Location": f"{receiver.url}/elsewhere"})
            elif way == "partial":
                answer = ExportTraceServiceResponse()
                answer.partial_success.rejected_spans = 1
                self.said(200, answer.SerializeToString())
            elif way != "die":
                told = b'{"message":"Annotation added","id":1}' if "annotations" in self.path else b""
                self.said(int(way), told)

        def said(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has had enough."""


@contextmanager
def receiving(ways: Sequence[Way] = ("200",), port: int = 0) -> Iterator[Receiver]:
    """A receiver for the time of the block."""
    receiver = Receiver(list(ways))
    server = _Server(("127.0.0.1", port), _handler(receiver))
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.freed.set()
        server.shutdown()
        server.server_close()
        thread.join()
