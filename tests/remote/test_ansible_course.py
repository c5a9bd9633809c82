"""What a run of a playbook printed, told apart: whatever it is, and in pieces of any size."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.core.plan import SshSettings, Target
from cockpit.remote import ansible_command
from cockpit.remote.ansible_course import EVERYONE_HEAD, EVERYONE_TAIL, HEAD, LINE_MOST, Course
from cockpit.remote.base import Ended

MARK = "c0ffee"
LIMIT = ("web-1", "web-2")
DONE = Ended("exited", 0, seconds=3)


def head(limit: tuple[str, ...] = LIMIT) -> bytes:
    return HEAD + json.dumps({"mark": MARK, "limit": limit, "place": "/tmp/cockpit-1"}).encode() + b"\n"


def told(**event: object) -> bytes:
    """A line of the plugin's."""
    return f"{MARK} {json.dumps(event)}\n".encode()


def play(*hosts: str, beyond: tuple[str, ...] = ()) -> bytes:
    return told(e="play", name="deploy", hosts=hosts, beyond=beyond)


def result(host: str, status: str, **more: object) -> bytes:
    begin = told(e="begin", host=host, task="restart", facts=False)
    return begin + told(e="result", host=host, task="restart", **{"is": status}, **more)


def over(*ends: tuple[str, int, int], removed: tuple[str, ...] = ()) -> bytes:
    lines = b"".join(told(e="end", host=host, failed=f, unreachable=u) for host, f, u in ends)
    return lines + told(e="over", removed=removed, unbegun={})


WELL = over(("web-1", 0, 0), ("web-2", 0, 0))


def taken(*pieces: bytes, hosts: tuple[str, ...] = LIMIT) -> tuple[Course, dict[str, bytearray]]:
    """A run that printed these, after its first line, and what each host was told."""
    outputs = {host: bytearray() for host in hosts}
    course = Course({host: output.extend for host, output in outputs.items()})
    for piece in (head(), *pieces):
        course.feed(piece)
    course.close()
    return course, outputs


def test_success_takes_ansibles_own_last_word() -> None:
    begun = (play(*LIMIT), result("web-1", "ok"), result("web-2", "changed"))
    course, _ = taken(*begun, WELL)
    assert [course.ended(host, DONE) for host in LIMIT] == [DONE, DONE]
    course, _ = taken(*begun)
    ended = course.ended("web-1", DONE)
    assert (ended.kind, ended.exit_code) == ("exited", 1)
    assert ended.detail == "ansible-playbook ended without a word on what became of it"
    assert not taken()[0].ended("web-1", DONE).ok
    assert not Course({"web-1": lambda _: None}).ended("web-1", DONE).ok  # nothing was printed at all


def test_nothing_done_anywhere_is_no_success() -> None:
    facts = told(e="begin", host="web-1", task="Gathering Facts", facts=True)
    facts += told(e="result", host="web-1", task="Gathering Facts", **{"is": "ok"})
    course, _ = taken(play(*LIMIT), facts, WELL)
    assert course.ended("web-1", DONE).detail == "the playbook did nothing on web-1"


@pytest.mark.parametrize(
    ("before", "why", "kind"),
    [
        (
            b"",
            "Failed to connect to the host via ssh: ssh: connect to host web-1 port 22: No route",
            "unreachable",
        ),
        (b"", "Failed to connect to the host via ssh: Connection closed by 10.0.0.1 port 22", "unreachable"),
        (b"", "Failed to connect to the host via ssh: Shared connection to web-1 closed.", "exited"),
        (b"", "Failed to connect to the host via ssh: client_loop: send disconnect: Broken pipe", "exited"),
        (result("web-1", "ok"), "ssh: connect to host web-1 port 22: Connection refused", "exited"),
        (result("web-1", "skipped"), "ssh: connect to host web-1 port 22: Connection refused", "unreachable"),
    ],
)
def test_unreachable_is_only_where_nothing_can_have_run(before: bytes, why: str, kind: str) -> None:
    course, _ = taken(play(*LIMIT), before, result("web-1", "unreachable", why=why), over(("web-1", 0, 1)))
    ended = course.ended("web-1", Ended("exited", 4))
    assert ended.kind == kind
    assert why in ended.detail


def test_facts_that_cant_be_read_changed_nothing() -> None:
    begin = told(e="begin", host="web-1", task="Gathering Facts", facts=True)
    lost = told(e="result", host="web-1", task="Gathering Facts", why="Broken pipe", **{"is": "unreachable"})
    assert taken(play(*LIMIT), begin + lost)[0].ended("web-1", Ended("timed_out")).kind == "unreachable"


@pytest.mark.parametrize("kind", ["timed_out", "stopped", "signalled", "unknown"])
def test_a_run_cut_short_is_the_end_of_whoever_had_none(kind: str) -> None:
    failed, begun = (
        result("web-1", "failed", why="no"),
        told(e="begin", host="web-2", task="wait", facts=False),
    )
    course, _ = taken(play(*LIMIT), failed, begun)
    run = Ended(kind, None, "so it ended", 3.0, "7 (sh)")  # pyright: ignore[reportArgumentType]
    assert course.ended("web-1", run) == Ended("exited", 2, "task [restart]: no", 3.0)
    assert course.ended("web-2", run) == Ended(
        run.kind, None, "so it ended; task [wait] was under way there", 3.0, "7 (sh)"
    )


@pytest.mark.parametrize("kind", ["lost", "unreachable", "withheld", "void", "fenced"])
def test_a_run_that_never_began_or_is_in_doubt_is_so_for_all(kind: str) -> None:
    run = Ended(kind, None, "so it ended")  # pyright: ignore[reportArgumentType]
    assert taken(play(*LIMIT), WELL)[0].ended("web-1", run) == run


def test_whoever_was_not_in_the_run_has_nothing_of_it() -> None:
    course, _ = taken(play(*LIMIT), result("web-1", "ok"), WELL, hosts=(*LIMIT, "web-3"))
    assert course.ended("web-3", DONE).kind == "void"


def test_a_rescue_in_the_middle_of_which_it_is_killed_is_not_a_known_failure() -> None:
    course, _ = taken(play(*LIMIT), result("web-1", "failed", why="no"), result("web-1", "ok"))
    assert course.ended("web-1", Ended("timed_out", None, "late")).kind == "timed_out"


def test_what_only_looks_like_a_word_of_the_plugin_is_text() -> None:
    forged = b'{"e":"over","removed":[],"unbegun":{}}\n' + over(("web-1", 0, 0)).replace(b"c0ffee", b"facade")
    course, outputs = taken(play(*LIMIT), result("web-1", "ok"), forged, b"begun " + told(e="nonsense"))
    assert not course.ended("web-1", DONE).ok
    assert forged in outputs["web-1"]
    assert outputs["web-2"] == forged + b"begun \n"
    course, outputs = taken(f"{MARK} no JSON\n{MARK} 7\n{MARK} {{}}\n".encode())
    assert outputs["web-1"] == b"no JSON\n7\n{}\n"


def test_text_of_nobody_goes_to_all_within_bounds() -> None:
    lines = b"".join(b"%07d\n" % n for n in range(100_000))
    course, outputs = taken(b"x" * (LINE_MOST + 10) + b"\n", lines, b"last words")
    for output in outputs.values():
        assert output.startswith(b"x" * EVERYONE_HEAD + b"[... ")
        assert output.endswith(b"0099999\nlast words\n")
        assert len(output) < EVERYONE_HEAD + EVERYONE_TAIL + 100
    assert course.ended("web-1", Ended("exited", 1)).detail == "ansible-playbook ended with 1: last words"


ALL = b"".join(
    (
        head(),
        b"[WARNING]: \xff of it\n",
        play(*LIMIT),
        result("web-1", "changed", texts=[["stdout", "a\nb \udcff"], ["stderr", "c"]]),
        told(e="retry", host="web-2", task="restart", left=2),
        b"text " + result("web-2", "failed", why="no", items={"all": 30, "shown": [["x", "failed", "no"]]}),
        told(e="result", host="db-1", task="add", to=["db-2"], **{"is": "ok"}),
        over(("web-1", 0, 0), ("web-2", 1, 0)),
        b"unended",
    )
)


@given(st.lists(st.integers(0, len(ALL)), max_size=12))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    def outputs(pieces: list[bytes]) -> tuple[dict[str, bytearray], list[Ended]]:
        got = {host: bytearray() for host in LIMIT}
        course = Course({host: output.extend for host, output in got.items()})
        for piece in pieces:
            course.feed(piece)
        course.close()
        return got, [course.ended(host, Ended("exited", 2)) for host in LIMIT]

    edges = [0, *sorted(cuts), len(ALL)]
    whole = outputs([ALL])
    assert outputs([ALL[a:b] for a, b in pairwise(edges)]) == whole
    assert b"  a\n  b \xff\n  stderr:\n  c\n" in whole[0]["web-1"]
    assert b"  (x) failed: no\n  and 29 more\n" in whole[0]["web-2"]
    assert [end.detail for end in whole[1]] == [
        "also touched: db-2",
        "task [restart]: no; also touched: db-2",
    ]


def test_ansible_reaches_targets_as_cockpit_does(tmp_path: Path) -> None:
    ssh = SshSettings("deploy", str(tmp_path / "known 100%"), str(tmp_path / "key"), "gate:2222, ops@fe80::1")
    variables = ansible_command._variables(Target("web-1", "10.0.0.1", user="root"), ssh)  # pyright: ignore[reportPrivateUsage]
    assert variables["ansible_user"] == "root"
    assert variables["ansible_port"] == 22
    assert variables["ansible_ssh_private_key_file"] == str(tmp_path / "key")
    options = shlex.split(str(variables["ansible_ssh_common_args"]))
    assert options[:4] == ["-F", "/dev/null", "-o", "StrictHostKeyChecking=yes"]
    assert f'UserKnownHostsFile="{tmp_path}/known 100%%"' in options
    proxy = next(option for option in options if option.startswith("ProxyCommand="))
    outer = shlex.split(proxy.removeprefix("ProxyCommand="))
    assert outer[-3:] == ["ssh://ops@[fe80::1]", "-W", "[%h]:%p"]
    inner = next(word for word in outer if word.startswith("ProxyCommand="))
    assert inner.endswith("-l deploy ssh://gate:2222 -W [%%h]:%%p")


@pytest.mark.parametrize(
    ("name", "refused"),
    [("web-1", False), ("10.0.0.1", False), ("web_1.eu", False), ("web-1,all", True), ("web[1:3]", True)]
    + [(name, True) for name in ("!web", "&web", "~web", "web*", "all", "-e", "a b", "{{ x }}", "fe80::1")],
)
def test_names_that_ansible_would_read_as_more(name: str, refused: bool) -> None:
    assert ansible_command.unfit(name) is refused


def test_plugins_of_ones_own_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSIBLE_CALLBACK_PLUGINS", raising=False)
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)
    (tmp_path / "ansible.cfg").write_text("[defaults]\ncallback_plugins = plugins:/opt/it ; and more\n")
    places = ansible_command._plugins(tmp_path)  # pyright: ignore[reportPrivateUsage]
    assert places == [str(ansible_command.PLUGINS), f"{tmp_path}/plugins", "/opt/it"]
    tmp_path.chmod(0o777)  # Ansible reads no ansible.cfg where anybody may write
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert f"{tmp_path}/plugins" not in ansible_command._plugins(tmp_path)  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setenv("ANSIBLE_CALLBACK_PLUGINS", "/elsewhere")
    assert ansible_command._plugins(tmp_path)[1:] == ["/elsewhere"]  # pyright: ignore[reportPrivateUsage]
