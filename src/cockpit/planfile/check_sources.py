"""Checks of what a signal asks for: addresses, JSON paths, patterns, queries."""

from __future__ import annotations

from urllib.parse import urlsplit

from cockpit.core.secret import is_reference
from cockpit.planfile.check_secrets import HINT, IN_PLAN
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.rollout_tables import SignalTable
from cockpit.signals import answers, http, pattern, sql
from cockpit.signals.host import METRICS


def check(path: Path, signal: SignalTable, findings: Findings) -> None:
    """Everything that only one kind of source minds."""
    if signal.source in ("http", "prometheus"):
        _url(path, signal, findings)
        _token(path, signal, findings)
    match signal.source:
        case "host":
            _host(path, signal, findings)
        case "http":
            _http(path, signal, findings)
        case "prometheus":
            _prometheus(path, signal, findings)
        case "log":
            _log(path, signal, findings)
        case "sql":
            _sql(path, signal, findings)
        case _:
            pass


def _host(path: Path, signal: SignalTable, findings: Findings) -> None:
    metric = signal.metric or signal.name
    if metric and metric not in METRICS:
        message = f"`{shorten(metric)}` is no metric of a host"
        place: Path = (*path, "metric") if signal.metric else (*path, "name")
        findings.problem(place, message, f"write metric = one of: {', '.join(METRICS)}")


def _url(path: Path, signal: SignalTable, findings: Findings) -> None:
    if signal.url is None:
        return
    place = (*path, "url")
    try:
        parts = urlsplit(signal.url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        named = parts.username is not None
    except ValueError:
        whole = named = False
    if not whole or not signal.url.isprintable() or " " in signal.url:
        findings.problem(place, "this is no web address", 'write "http://host:port/path", or https')
    elif named:
        message = "an address with a password in it: everybody who reads the plan or its log sees it"
        findings.problem(place, message, 'leave it out, and write token = "env:NAME"', secret=True)


def _token(path: Path, signal: SignalTable, findings: Findings) -> None:
    if signal.token is not None and not is_reference(signal.token):
        findings.problem((*path, "token"), IN_PLAN, HINT, secret=True)


def _http(path: Path, signal: SignalTable, findings: Findings) -> None:
    metric = signal.metric or ("json" if signal.json_path is not None else "")
    if metric not in http.METRICS:
        if signal.metric:
            message = f"`{shorten(metric)}` is nothing that can be read of an answer"
            findings.problem((*path, "metric"), message, f"write metric = one of: {', '.join(http.METRICS)}")
        elif (*path, "metric") not in findings.broken and (*path, "json_path") not in findings.broken:
            message = "a http signal needs `metric`: what of the answer is the number"
            findings.problem((*path, "source"), message, f"write metric = one of: {', '.join(http.METRICS)}")
        return
    if metric == "json" and signal.json_path is None and (*path, "json_path") not in findings.broken:
        message = "`json_path` is missing: where in the answer the number is"
        findings.problem((*path, "metric"), message, 'write json_path = "$.name"')
    if signal.json_path is None:
        return
    if metric != "json":
        message = f"`json_path` means nothing to the {metric} of an answer"
        findings.problem((*path, "json_path"), message, "remove one of the two", key=True)
        return
    try:
        answers.steps(signal.json_path)
    except ValueError as fault:
        message = f"{fault}: the number would never be found"
        findings.problem((*path, "json_path"), message, "write it like $.queue.shards[0].depth")


def _prometheus(path: Path, signal: SignalTable, findings: Findings) -> None:
    if signal.targets and signal.label is None and (*path, "label") not in findings.broken:
        message = "targets of a prometheus signal need `label`: which of them a series belongs to"
        findings.problem((*path, "targets"), message, 'write label = "instance", or remove them', key=True)


def _log(path: Path, signal: SignalTable, findings: Findings) -> None:
    if signal.path is not None and signal.journal is not None:
        message = "`path` and `journal` can't both stand here"
        findings.problem((*path, "journal"), message, "keep one of the two", key=True)
    unread: set[Path] = {(*path, "path"), (*path, "journal")} & findings.broken
    if signal.path is None and signal.journal is None and not unread:
        message = "neither `path` nor `journal`: there is nothing to follow"
        findings.problem((*path, "source"), message, "write path = ... or journal = ...")
    if signal.path is not None and not signal.path.startswith("/"):
        message = "a path that isn't absolute: what it leads to depends on who logs in"
        findings.problem((*path, "path"), message, "write it from / on")
    if signal.pattern is not None:
        wrong, instead = pattern.objection(signal.pattern)
        if wrong:
            findings.problem((*path, "pattern"), wrong, instead)


def _sql(path: Path, signal: SignalTable, findings: Findings) -> None:
    if signal.client is not None:
        try:
            sql.called(sql.words_of(signal.client))
        except ValueError as fault:
            hint = f"write the command line of one of: {', '.join(sql.CLIENTS)}"
            findings.problem((*path, "client"), str(fault), hint)
    if signal.password is not None:
        _password((*path, "password"), signal.password, signal.client or "", findings)
    if signal.query is not None and (wrong := sql.objection(signal.query)):
        findings.problem((*path, "query"), wrong, "write one SELECT that gives one number")


def _password(place: Path, password: str, client: str, findings: Findings) -> None:
    if not is_reference(password):
        findings.problem(place, IN_PLAN, HINT, secret=True)
    try:
        takes = sql.called(sql.words_of(client)) in sql.PASSWORDS
    except ValueError:
        return  # the client itself is told of
    if not takes:
        findings.problem(place, "sqlite3 asks for no password", "remove it", key=True)
