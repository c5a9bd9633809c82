"""`cockpit doctor`: real agents, real servers, real directories; what stands in the way, and what to do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from cockpit.cli.doctor_machine import file_system
from tests.cli.shell import cockpit, command, write
from tests.faults.pty import Terminal
from tests.sshd import Sshd


def looked(home: dict[str, str], *words: object, **more: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """The exit code, and the checks by topic."""
    done = cockpit(home, "doctor", "--json", *words, **more)
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["schema"] == "cockpit.doctor/1"
    assert told["fit"] == (done.returncode == 0)
    by_topic: dict[str, list[dict[str, str]]] = {}
    for check in told["checks"]:
        assert check["state"] in ("ok", "look", "bad")
        by_topic.setdefault(check["topic"], []).append(check)
    return done.returncode, by_topic


def states(checks: list[dict[str, str]]) -> list[str]:
    return [check["state"] for check in checks]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    """A real agent's socket; it holds no key yet."""
    at = tmp_path / "agent.sock"
    words = ["ssh-agent", "-D", "-a", str(at)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it says where it listens once it does
        yield str(at)
        process.terminate()


@pytest.fixture
def bare_home(home: dict[str, str]) -> dict[str, str]:
    """A home that says nothing of terminals, agents or logins."""
    said = ("SSH_AUTH_SOCK", "SSH_CONNECTION", "TMUX", "STY", "NO_COLOR", "COLORTERM", "LC_ALL", "LANG")
    kept = {name: value for name, value in home.items() if name not in said}
    return {
        **kept,
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "XDG_CONFIG_HOME": f"{home['HOME']}/config",
    }


def test_a_machine_that_is_fit_is_told_in_a_line_each(bare_home: dict[str, str]) -> None:
    done = cockpit(bare_home, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert all(re.match(r"(✔ ok|▲ look|✖ NOT) ", line) for line in lines)
    assert any("textual 8." in line and "asyncssh" in line for line in lines)
    assert last.startswith("Nothing here stands in the way of a release")
    assert not list(Path(bare_home["HOME"]).iterdir())  # nothing was made


def test_playbooks_that_ansible_cant_run_stand_in_the_way(
    bare_home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    plan = write(tmp_path, sshd, "deploy.yml")
    plan.write_text(
        plan.read_text()
        .replace('id = "switch"', 'id = "switch"\non = "ansible"')
        .replace('"true"', '"deploy.yml"', 1)
    )
    play = tmp_path / "deploy.yml"
    play.write_text("- {hosts: all, gather_facts: false, tasks: [{ping: {}}]}\n")
    status, found = looked(bare_home, plan)
    assert (status, states(found["playbooks"])) == (0, ["ok"])
    play.write_text("- {hosts: all, gather_facts: false, tasks: [{no_such_module: {}}]}\n")
    status, found = looked(bare_home, plan)
    assert (status, states(found["playbooks"])) == (5, ["bad"])
    assert "no_such_module" in found["playbooks"][0]["what"]


def test_files_with_secrets_that_others_get_at_are_worth_a_look(
    bare_home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    names = "theirs", "hook", "own"
    for name, mode in zip(names, (0o644, 0o644, 0o600), strict=True):
        (tmp_path / name).write_text("s3cret")
        (tmp_path / name).chmod(mode)
    home = {**bare_home, **{f"COCKPIT_{n}_TOKEN": f"file:{tmp_path}/theirs" for n in ("OTEL", "ANNOTATIONS")}}
    status, found = looked(home)
    assert (status, states(found["secrets"])) == (0, ["look"])
    assert found["secrets"][0]["what"].startswith(f"{tmp_path}/theirs is open to other users")
    plan = write(tmp_path, sshd, more=f'[[notify]]\non = ["abort"]\nurl = "file:{tmp_path}/hook"\n')
    status, found = looked(home, plan)
    assert [check["what"].split()[0] for check in found["secrets"]] == [
        f"{tmp_path}/theirs",
        f"{tmp_path}/hook",
    ]
    home["COCKPIT_OTEL_TOKEN"] = home["COCKPIT_ANNOTATIONS_TOKEN"] = f"file:{tmp_path}/own"
    assert "secrets" not in looked(home)[1]


def test_where_there_are_no_glyphs_there_are_words(bare_home: dict[str, str]) -> None:
    env = {**bare_home, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command("doctor"), env=env, capture_output=True, text=True, check=True)
    assert done.stdout.isascii()
    assert done.stdout.startswith("ok ")


def test_the_targets_of_a_plan_are_reached_and_their_clocks_compared(
    bare_home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    status, found = looked(bare_home, write(tmp_path, sshd))
    assert status == 0, found
    (targets,) = found["targets"]
    assert targets["what"] == "1 reached: host keys known, clocks as here"
    assert found["SSH agent"][0]["state"] == "ok"  # the plan names a key of its own
    assert list((tmp_path / "state").rglob("*.db")) == []


def test_a_clock_that_is_off_stands_in_the_way(bare_home: dict[str, str], tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "date").write_text("#!/bin/sh\nexec /usr/bin/env -i /bin/date -d '+5 minutes' \"$@\"\n")
    (tools / "date").chmod(0o755)
    server = Sshd(tmp_path / "server", env={"PATH": f"{tools}:{os.environ['PATH']}"})
    server.start()
    try:
        status, found = looked(bare_home, write(tmp_path, server))
    finally:
        server.stop()
    assert status == 5
    (clock,) = found["targets"]
    assert re.fullmatch(r"web-1: its clock is (299|300|301) s ahead of this machine's", clock["what"])
    assert "synchronise it" in clock["do"]


def test_an_unknown_host_key_and_a_dead_target_stand_in_the_way(
    bare_home: dict[str, str], tmp_path: Path
) -> None:
    server = Sshd(tmp_path / "server")
    server.trust(asyncssh.generate_private_key("ssh-ed25519"))
    server.start()
    plan = write(tmp_path, server)
    try:
        status, found = looked(bare_home, plan)
        assert (status, "HOST KEY CHANGED" in found["targets"][0]["what"]) == (5, True)
    finally:
        server.stop()
    status, found = looked(bare_home, plan)
    assert (status, "nothing listens there" in found["targets"][0]["what"]) == (5, True)
    done = cockpit(bare_home, "doctor", plan)
    assert "✖ NOT   targets" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 thing stands in the way of a release")


def test_the_agent_is_asked(bare_home: dict[str, str], tmp_path: Path, sshd: Sshd, agent: str) -> None:
    plan = write(tmp_path, sshd)
    plan.write_text(plan.read_text().replace(f'identity = "{sshd.identity}"\n', ""))
    status, found = looked(bare_home, plan)
    assert (status, found["SSH agent"][0]["what"]) == (5, "none is known here (SSH_AUTH_SOCK isn't set)")
    status, found = looked(bare_home, plan, SSH_AUTH_SOCK=agent)
    assert (status, found["SSH agent"][0]["what"]) == (5, "it holds no key")
    subprocess.run(
        ["ssh-add", "-q", str(sshd.identity)], check=True, env={**os.environ, "SSH_AUTH_SOCK": agent}
    )
    status, found = looked(bare_home, plan, SSH_AUTH_SOCK=agent)
    assert (status, found["SSH agent"][0]["what"]) == (0, "it holds 1 key")
    status, found = looked(bare_home, plan, SSH_AUTH_SOCK=str(tmp_path / "none"))
    assert (status, "nothing answers" in found["SSH agent"][0]["what"]) == (5, True)


def test_a_forwarded_agent_is_gone_with_its_login(
    bare_home: dict[str, str], tmp_path: Path, agent: str
) -> None:
    forwarded = tmp_path / "ssh-XXXX"
    forwarded.mkdir()
    (forwarded / "agent.123").symlink_to(agent)
    _, found = looked(
        bare_home, SSH_AUTH_SOCK=str(forwarded / "agent.123"), SSH_CONNECTION="10.0.0.1 5 10.0.0.2 22"
    )
    assert any(
        "it is forwarded, and gone once this login is" in check["what"] for check in found["SSH agent"]
    )


def test_where_logs_lie(bare_home: dict[str, str], tmp_path: Path) -> None:
    sessions = tmp_path / "state/cockpit/sessions"
    sessions.mkdir(parents=True)
    sessions.chmod(0o755)
    _, found = looked(bare_home)
    assert (found["logs"][0]["state"], found["logs"][0]["do"]) == ("look", f"`chmod 700 {sessions}`")
    (tmp_path / "file").touch()
    status, found = looked(bare_home, XDG_STATE_HOME=str(tmp_path / "file"))
    assert (status, "can't be written to" in found["logs"][0]["what"]) == (5, True)


def test_a_directory_of_sockets_that_anybody_may_write_stands_in_the_way(
    bare_home: dict[str, str], tmp_path: Path
) -> None:
    links = tmp_path / "links"
    links.mkdir()
    links.chmod(0o777)
    status, found = looked(bare_home, COCKPIT_LINKS=str(links))
    assert (status, "open to everybody" in found["attaching"][0]["what"]) == (5, True)


@pytest.mark.parametrize(
    ("at_home", "mode"), [(False, 0o1777), (False, 0o755), (True, 0o1755), (True, 0o777)]
)
def test_a_directory_of_others_is_never_closed(
    bare_home: dict[str, str], tmp_path_factory: pytest.TempPathFactory, at_home: bool, mode: int
) -> None:
    links = Path(bare_home["HOME"]) / "shared" if at_home else tmp_path_factory.mktemp("shared")
    links.mkdir(exist_ok=True)
    links.chmod(mode)
    status, found = looked(bare_home, COCKPIT_LINKS=str(links))
    (attaching,) = found["attaching"]
    assert (status, attaching["do"]) == (5, "name another directory with COCKPIT_LINKS")
    assert "Nothing was started" not in attaching["what"]


def test_a_directory_of_ones_own_may_be_closed(bare_home: dict[str, str], tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    links.chmod(0o755)
    _, found = looked(bare_home, COCKPIT_LINKS=str(links))
    assert found["attaching"][0]["do"] == f"`chmod o-rwx {links}`"


@pytest.mark.parametrize(
    ("env", "topic", "state", "told"),
    [
        ({"COCKPIT_LINKS": "links"}, "attaching", "bad", "a relative path"),
        ({"COCKPIT_LINKS": "/dev/null"}, "attaching", "bad", "/dev/null"),
        ({"XDG_STATE_HOME": "/dev/null"}, "attaching", "bad", "/dev/null is no directory"),
        ({"TZ": "Nowhere/Here"}, "time", "look", "TZ is Nowhere/Here, which is no time zone"),
        ({"COCKPIT_THEME": "neon"}, "settings", "look", "there is no theme neon"),
    ],
)
def test_what_the_environment_says_is_looked_at(
    bare_home: dict[str, str], env: dict[str, str], topic: str, state: str, told: str
) -> None:
    _, found = looked(bare_home, **env)
    assert any(check["state"] == state and told in check["what"] for check in found[topic]), found[topic]


@pytest.mark.parametrize("zone", ["Europe/Berlin", ":Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3"])
def test_a_zone_that_is_one_is_none_to_look_at(bare_home: dict[str, str], zone: str) -> None:
    _, found = looked(bare_home, TZ=zone)
    assert "look" not in states(found["time"])


def test_a_theme_that_nobody_can_read_is_told(bare_home: dict[str, str], tmp_path: Path) -> None:
    themes = tmp_path / "config/cockpit/themes"
    themes.mkdir(parents=True)
    (themes / "dusk.toml").write_text('based_on = "calm-dark"\n[tones]\ndim = "#202020"\n')
    assert states(looked(bare_home)[1]["settings"]) == ["ok"]  # nobody wears it
    _, found = looked(bare_home, COCKPIT_THEME="dusk")
    assert any("it is hard to read: dim on " in check["what"] for check in found["settings"])


def test_a_disk_of_another_machine_is_told_apart(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda1 / ext4 rw 0 0\nfiler:/home {tmp_path}/a\\040home nfs4 rw 0 0\nx {tmp_path}/a ext4 0 0\n"
    )
    assert file_system(tmp_path / "a home" / "lee", mounts) == "nfs4"
    assert file_system(tmp_path / "elsewhere", mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "none") == ""


def test_settings_that_cannot_be_gone_by_are_named(bare_home: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "config/cockpit"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("theme = [")
    status, found = looked(bare_home)
    assert status == 0  # a release starts all the same
    (check,) = found["settings"]
    assert (check["state"], str(config / "config.toml") in check["what"]) == ("look", True)


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"TERM": "dumb"}, "TERM is dumb"),
        ({"TERM": "xterm-nobody"}, "TERM is xterm-nobody, which this machine doesn't know"),
        ({"LC_ALL": "C"}, "its locale is C, not UTF-8"),
        ({"LC_ALL": "", "LANG": "POSIX"}, "its locale is C, not UTF-8"),
        ({"LC_ALL": "xx_YY.UTF-8"}, "LC_ALL is xx_YY.UTF-8, a locale that isn't installed here"),
        ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "not UTF-8"),
        ({"TERM": "xterm"}, "16 colours at most"),
        ({"STY": "1.x"}, "inside screen"),
        ({"NO_COLOR": "1"}, "without colours, as NO_COLOR asks"),
        ({"COLORTERM": "truecolor"}, "24-bit colours"),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "",
)
def test_the_terminal_s_environment(bare_home: dict[str, str], env: dict[str, str], told: str) -> None:
    if "LC_ALL" in env:  # a locale is the process's, from its start
        words = command("doctor", "--json")
        done = subprocess.run(words, env={**bare_home, **env}, capture_output=True, text=True, check=True)
    else:
        done = cockpit(bare_home, "doctor", "--json", **env)
    checks = json.loads(done.stdout)["checks"]
    assert any(told in check["what"] for check in checks if check["topic"] == "terminal"), checks


async def test_a_terminal_that_is_too_small(bare_home: dict[str, str]) -> None:
    async with Terminal(command("doctor"), env=bare_home, cols=70, rows=50) as terminal:
        assert await terminal.ends() == 0
        assert "70x50 is small" in terminal.screen.text()


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux isn't installed")
def test_inside_tmux_its_clipboard_is_asked_for(bare_home: dict[str, str], tmp_path: Path) -> None:
    under = {**bare_home, "TMUX_TMPDIR": str(tmp_path)}
    tmux = ["tmux", "-f", "/dev/null", "-L", "doctor"]
    told = tmp_path / "told"
    shell = f"{' '.join(command('doctor', '--json'))} > {told}; tmux -L doctor wait-for -S done"
    subprocess.run([*tmux, "new-session", "-d", "-x", "100", "-y", "30", "sh"], check=True, env=under)
    try:
        subprocess.run([*tmux, "set", "-g", "set-clipboard", "off"], check=True, env=under)
        subprocess.run([*tmux, "send-keys", shell, "Enter"], check=True, env=under)
        subprocess.run([*tmux, "wait-for", "done"], check=True, env=under, timeout=60)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, env=under)
    checks = json.loads(told.read_text())["checks"]
    assert any("keeps what is copied to itself" in check["what"] for check in checks)
    assert any(check["what"] == "100 columns, 30 lines" for check in checks)
