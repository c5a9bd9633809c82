"""What ansible-playbook loads to tell Cockpit, a line of JSON for each event, what becomes of each host.

It runs in Ansible's own Python (3.8 or later) and imports nothing of Cockpit's. A line begins with a mark that only
this run knows; what else the run prints is text. Nothing is told of arguments or variables, and of a result with
`no_log` only that it was hidden. Should a play begin on a host that isn't in the run's limit, the run ends there.
"""

from __future__ import annotations

import json
import os
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: cockpit_events
    type: stdout
    short_description: events of a playbook for Cockpit
    version_added: historical
    description:
        - One line of JSON for each event.
"""

FIELD_MOST = 4000
"""Characters of one text of a result; of more, both ends are told."""

HOST_MOST = 200 * 1000
"""Characters of all texts of one host; after those only what became of its tasks."""

DETAIL_MOST = 300
ITEMS_MOST = 20
LOCAL = ("localhost", "127.0.0.1", "::1")
FACTS = ("setup", "gather_facts", "ansible.builtin.setup", "ansible.builtin.gather_facts")
DEBUG = ("debug", "ansible.builtin.debug")


class CallbackModule(CallbackBase):
    """Tells one event a line."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "cockpit_events"

    def __init__(self):
        super().__init__()
        self._mark = os.environ.pop("COCKPIT_MARK", "")
        self._limit = _lines(os.environ.pop("COCKPIT_LIMIT", ""))
        self._told = {}
        self._handed = {}
        self._playbook = None
        self._play = None
        self._begun_plays = set()
        self._taken_out = []
        self._bad = set()

    def _tell(self, **event):
        line = f"{self._mark} {json.dumps(event, default=str, separators=(',', ':'))}\n"
        sys.stdout.flush()
        data = line.encode()
        while data:
            data = data[os.write(1, data) :]

    def v2_playbook_on_start(self, playbook):
        self._playbook = playbook

    def v2_playbook_on_play_start(self, play):
        self._end_play()
        self._play = play
        self._begun_plays.add(play._uuid)
        meant = frozenset(
            self._variables(play, "ansible_play_hosts_all")
        )  # of a play for none, the batch is all
        hosts = [host for host in self._variables(play, "ansible_play_batch") if host in meant]
        beyond = [host for host in hosts if self._limit and host not in self._limit]
        self._tell(e="play", name=play.get_name().strip(), hosts=hosts, beyond=beyond)
        if beyond:
            os._exit(3)

    def _end_play(self):
        """Note who had failed in the play that ends, and who was taken out of it: for that, or because of others."""
        if self._play is not None:
            left = set(self._variables(self._play, "ansible_play_hosts"))
            removed = set(self._variables(self._play, "ansible_play_hosts_all")) - left
            self._taken_out.append((self._bad, removed))
        self._bad = set()

    def _variables(self, play, name):
        known = play.get_variable_manager().get_vars(play=play).get(name, ())
        return [str(host) for host in known]

    def v2_runner_on_start(self, host, task):
        self._tell(e="begin", host=host.get_name(), task=_named(task), facts=_action(task) in FACTS)

    def v2_runner_on_ok(self, result):
        self._result(result, "changed" if _data(result).get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self._result(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        ignored = getattr(_task(result), "ignore_unreachable", False)
        self._result(result, "ignored" if ignored is True else "unreachable")

    def v2_runner_retry(self, result):
        data = _data(result)
        left = (data.get("retries") or 0) - (data.get("attempts") or 0)
        self._tell(e="retry", host=_host(result), task=_named(_task(result)), left=left)

    def v2_on_file_diff(self, result):
        data = _data(result)
        found = [data] if data.get("diff") else [r for r in data.get("results") or () if r.get("diff")]
        texts = [self._get_diff(one["diff"]) for one in found if one.get("changed") and not _hidden(one)]
        if any(texts):
            host = _host(result)
            self._tell(e="diff", host=host, text=self._bounded(host, "\n".join(filter(None, texts))))

    def v2_playbook_on_stats(self, stats):
        self._end_play()
        unbegun = {}
        for play in self._playbook.get_plays() if self._playbook else ():
            if play._uuid not in self._begun_plays:
                for host in self._variables(play, "ansible_play_hosts_all"):
                    unbegun.setdefault(host, play.get_name().strip())
        failed = set()
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            if counts["failures"] or counts["unreachable"]:
                failed.add(host)
            self._tell(e="end", host=host, failed=counts["failures"], unreachable=counts["unreachable"])
        # `meta: end_host` takes a host out too, and isn't told apart: where nobody fails for good, it is no failure.
        removed = set()
        for bad, out in self._taken_out:
            if bad & failed:
                removed |= out
        self._tell(e="over", removed=sorted(removed), unbegun=unbegun)

    def _result(self, result, status):
        host, data, task = _host(result), _data(result), _task(result)
        told = {"e": "result", "host": host, "task": _named(task), "is": status}
        texts = _texts(data, _action(task), status)
        if status in ("failed", "unreachable"):
            self._bad.add(host)
        if status in ("failed", "unreachable", "ignored"):
            told["why"] = _first(data)
        items = data.get("results")
        if isinstance(items, list) and not _hidden(data):
            told["items"] = self._items(host, items)
        if texts:
            told["texts"] = [[name, self._bounded(host, text)] for name, text in texts]
        if status != "skipped":
            told["to"] = self._handed_to(result)
        self._tell(**told)

    def _item(self, result):
        """Note the host that an item of a loop was handed to: the loop's own result says it of none."""
        fields = getattr(result, "task_fields", None) or getattr(result, "_task_fields", None) or {}
        if fields.get("delegate_to"):
            self._handed.setdefault((_host(result), _task(result)._uuid), []).append(fields["delegate_to"])

    v2_runner_item_on_ok = _item
    v2_runner_item_on_failed = _item

    def _handed_to(self, result):
        hosts = self._handed.pop((_host(result), _task(result)._uuid), None)
        if hosts is None:
            hosts = [getattr(_task(result), "delegate_to", None)]
        return [host for host in dict.fromkeys(str(host) for host in hosts if host) if host not in LOCAL]

    def _items(self, host, items):
        """What became of a loop's items: of the first of them, and of those that failed first of all."""
        known = [item for item in items if isinstance(item, dict)]
        shown = sorted(known, key=lambda item: not _bad(item))[:ITEMS_MOST]
        told = []
        for item in shown:
            label = "hidden" if _hidden(item) else item.get("_ansible_item_label", item.get("item", ""))
            state = "failed" if _bad(item) else "skipped" if item.get("skipped") else ""
            state = state or ("changed" if item.get("changed") else "ok")
            text = _first(item) if _bad(item) else " ".join(_said(item, "stdout"))
            told.append([_short(_text(label), 80), state, self._bounded(host, _short(text, DETAIL_MOST))])
        return {"all": len(known), "shown": told}

    def _bounded(self, host, text):
        room = HOST_MOST - self._told.get(host, 0)
        if room <= 0:
            return ""
        text = _short(text, min(FIELD_MOST, room))
        self._told[host] = self._told.get(host, 0) + len(text)
        return text


def _lines(path):
    if not path:
        return frozenset()
    with open(path, encoding="utf-8") as file:
        return frozenset(file.read().splitlines())


def _task(result):
    return result.task if hasattr(result, "task") else result._task


def _host(result):
    return (result.host if hasattr(result, "host") else result._host).get_name()


def _data(result):
    return result.result if hasattr(result, "result") else result._result


def _named(task):
    return task.get_name().strip()


def _action(task):
    return str(getattr(task, "resolved_action", None) or task.action)


def _hidden(data):
    return bool(data.get("censored") or data.get("_ansible_no_log"))


def _bad(item):
    return bool(item.get("failed_when_result", item.get("failed")) or item.get("unreachable"))


def _text(value):
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _said(data, name):
    """The lines of what a task printed, without what ssh says of its own."""
    lines = _text(data.get(name)).splitlines()
    return [line for line in lines if line.strip() and not line.startswith("Shared connection to ")]


def _short(text, most):
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _texts(data, action, status):
    """(name, text) of what a person may read of a result, in order."""
    if _hidden(data):
        return [("", "hidden: the task says no_log")]
    names = ("stdout", "stderr", "module_stdout", "module_stderr")
    found = [(name, "\n".join(_said(data, name))) for name in names]
    if action in DEBUG:
        kept = {k: v for k, v in data.items() if k not in ("changed", "msg") and not k.startswith("_")}
        found.append(("", _text(data["msg"]) if "msg" in data else _text(kept) if kept else ""))
    elif status in ("ok", "changed") and data.get("msg") and not data.get("stdout") and "results" not in data:
        found.append(("", _text(data["msg"])))
    if status == "skipped":
        found = [("", _text(data.get("skip_reason")))]
    return [(name, text.rstrip("\n")) for name, text in found if text.strip()]


def _first(data):
    """Why it failed, in a line."""
    if _hidden(data):
        return "hidden: the task says no_log"
    items = data.get("results")
    bad = [item for item in items if isinstance(item, dict) and _bad(item)] if isinstance(items, list) else []
    if bad and "rc" not in data:
        return _first(bad[0])
    said = _text(data.get("msg") or data.get("reason") or data.get("module_stderr"))
    if data.get("rc") and said in ("", "non-zero return code", "non-zero return code."):
        # On a terminal, as tasks have one, standard error comes with the output.
        last = [*_said(data, "stdout"), *_said(data, "stderr")][-1:]
        said = ": ".join([f"exit {data['rc']}", *last])
    return _short(" ".join(said.split()), DETAIL_MOST).replace("\n", " ")
