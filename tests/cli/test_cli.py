"""The command line as scripts see it: words, streams and exit codes, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from cockpit.cli import COMMANDS
from tests.cli.shell import assert_told, cockpit, command, write
from tests.sshd import Sshd


def test_help_names_every_command_and_loads_nothing_heavy(home: dict[str, str]) -> None:
    done = cockpit(home, "--help")
    assert done.returncode == 0
    named = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ") and line.strip()}
    assert named >= set(COMMANDS)
    look = "import sys, cockpit.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    for heavy in ("asyncssh", "textual", "pydantic", "aiosqlite", "psutil", "tomlkit"):
        assert f"'{heavy}'" not in loaded


def test_a_usage_mistake_is_2(home: dict[str, str], tmp_path: Path) -> None:
    assert cockpit(home, "export", "--format", "pdf").returncode == 2
    assert cockpit(home, "run").returncode == 2
    missing = cockpit(home, tmp_path / "nothing.toml")
    assert missing.returncode == 2
    assert "nothing.toml" in missing.stderr


def test_a_plan_whose_path_no_log_could_hold_is_refused(home: dict[str, str], tmp_path: Path) -> None:
    directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xff"))
    directory.mkdir()
    plan = directory / "plan.toml"
    plan.write_text(write(tmp_path, None).read_text())
    for words, cwd in (((plan,), tmp_path), (("plan.toml", "--as", "dana", "--headless"), directory)):
        done = cockpit(home, "run", *words, cwd=cwd)
        assert done.returncode == 2
        assert "its path isn't UTF-8. Nothing was contacted: rename what isn't." in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_plan_with_mistakes_names_each_with_its_line(home: dict[str, str], tmp_path: Path) -> None:
    plan = write(tmp_path, None)
    text = plan.read_text().replace('service = "small"', 'servce = "small"').replace('"dana"\n', '"dona"\n')
    plan.write_text(text)
    done = cockpit(home, plan)
    assert done.returncode == 2
    assert "plan.toml:4:1" in done.stderr
    assert "did you mean" in done.stderr
    assert "dona" in done.stderr
    assert "Nothing was contacted" in done.stderr


def test_who_you_are_is_asked_and_checked(home: dict[str, str], tmp_path: Path) -> None:
    plan = write(tmp_path, None)
    who = cockpit(home, plan, "--headless")
    assert (who.returncode, "--as dana | sam" in who.stderr) == (2, True)
    for somebody, told in (
        ("mallory", "there are dana, lee, sam"),
        ("lee", "an account of their own, nobody-here"),
    ):
        for done in (
            cockpit(home, plan, "--headless", "--as", somebody),
            cockpit(home, plan, "--headless", COCKPIT_AS=somebody),
        ):
            assert (done.returncode, told in done.stderr) == (2, True), done.stderr
            assert "Nothing was contacted" in done.stderr
    plan.write_text(
        plan.read_text().replace('Ruiz"', 'Ruiz", os_user = "x"').replace('Okoro"', 'Okoro", os_user = "y"')
    )
    assert "Everybody in it has an account of their own" in cockpit(home, plan, "--headless").stderr


def test_a_release_runs_is_listed_and_exported(home: dict[str, str], tmp_path: Path, sshd: Sshd) -> None:
    plan = write(tmp_path, sshd)
    done = cockpit(home, plan, "--headless", "--as", "dana")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "opened the session" in lines[0]
    assert lines[-2].endswith("session closed: completed")
    assert lines[-1].endswith("removed what this session had left on web-1")
    assert "head " in done.stderr
    listed = cockpit(home, "sessions")
    assert f"small 2 {tmp_path.name}  completed" in listed.stdout
    name = listed.stdout.split()[0]
    markdown = cockpit(home, "export", name, "--format", "markdown")
    assert "# Release review: Small" in markdown.stdout
    out = tmp_path / "review.json"
    assert cockpit(home, "export", "--format", "json", "-o", out).returncode == 0
    assert json.loads(out.read_text())["schema"] == "cockpit.review/1"


def test_json_lines_are_one_object_an_event(home: dict[str, str], tmp_path: Path, sshd: Sshd) -> None:
    done = cockpit(
        home, "run", write(tmp_path, sshd), "--json", "--as", "dana", "--log", tmp_path / "logs" / "x.db"
    )
    assert done.returncode == 0, done.stderr
    kinds = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert (kinds[0], kinds[-2:]) == ("SessionOpened", ["SessionClosed", "TargetsReleased"])
    assert (tmp_path / "logs" / "x.db").stat().st_mode & 0o777 == 0o600


def test_not_ready_is_5_and_runs_nothing(home: dict[str, str], tmp_path: Path) -> None:
    server = Sshd(tmp_path / "server")
    done = cockpit(home, write(tmp_path, server, f"touch {tmp_path}/ran"), "--headless", "--as", "dana")
    assert done.returncode == 5
    assert "not ready: web-1" in done.stderr
    assert "--override" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_an_interrupt_leaves_with_130_and_says_so_in_the_log(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    plan = write(tmp_path, sshd, "sleep 0.3")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
        over = ["--take-over", f"the one before was left by {number}"]
        words = command(plan, "--json", "--as", "dana", *over)
        with subprocess.Popen(words, env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if b"StepIntended" in line:
                    process.send_signal(number)
                    break
            rest = process.stdout.read()
            assert process.wait(timeout=60) == 130, process.stderr and process.stderr.read()
        assert b"SessionLeft" in rest


def test_check_shows_the_exact_commands_and_readiness(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    plan = write(tmp_path, sshd)
    done = cockpit(home, "check", plan)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "run              echo [red]hi; true" in done.stdout
    assert "web-1: reachable" in done.stdout
    offline = cockpit(home, "check", "--offline", plan)
    assert offline.returncode == 0
    assert "wasn't looked at" in offline.stdout
    sshd.kill()
    assert cockpit(home, "check", plan).returncode == 5


def test_check_names_a_window_that_is_over(home: dict[str, str], tmp_path: Path) -> None:
    window = '[window]\nopens = 2020-11-24T10:00:00\ncloses = 2020-11-24T11:00:00\ntimezone = "UTC"\n'
    plan = write(tmp_path, None, more=window)
    done = cockpit(home, "check", "--offline", plan)
    assert done.returncode == 0
    assert done.stdout.index("Worth a look") < done.stdout.index("this window is over")


def test_schema_is_json(home: dict[str, str]) -> None:
    assert "properties" in json.loads(cockpit(home, "schema").stdout)


def test_no_sessions_is_said(home: dict[str, str]) -> None:
    assert "no sessions yet" in cockpit(home, "sessions").stdout
    assert cockpit(home, "export").returncode != 0


def test_the_demo_ends_as_it_should(home: dict[str, str]) -> None:
    done = cockpit(home, "demo", "--headless", "--promote-when-clean", "--hosts", "2")
    assert done.returncode == 0, done.stderr
    assert_told(done.stderr, "version", "none")


def test_the_log_alone_is_enough_to_read_the_plan(home: dict[str, str], tmp_path: Path, sshd: Sshd) -> None:
    plan = write(tmp_path, sshd)
    assert cockpit(home, plan, "--headless", "--as", "dana").returncode == 0
    plan.unlink()
    assert cockpit(home, "export").returncode == 0
