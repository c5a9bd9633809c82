"""`cockpit init` as a person or a script has it: questions on one stream, answers on another."""

from __future__ import annotations

import difflib
import os
import signal
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import IO

import pytest

from cockpit.cli.questions import window_times
from cockpit.planfile.drafting import EXAMPLE
from cockpit.planfile.scalars import Mistake
from tests.cli.shell import cockpit, command

FULL = Path(__file__).parents[2] / "sample-plans" / "full.toml"

WHAT = ["checkout", "", "2026.11.3"]
PEOPLE = ["Dana Ruiz", "Lee Chen", "Kim Park"]
STEP = ["/srv/bin/switch {version}", "/srv/bin/health --expect {version}", "", "", ""]
WATCHED = ["Can customers still check out?", "", "/srv/bin/error-percent", "errors", "> 2"]
ANSWERS = [
    *WHAT,
    "2026.11.2",
    "EU receipts show the old tax line.",
    *["web-1 = 10.0.0.11", "web-[2-4] = 10.0.0.[12-14]", ""],
    *PEOPLE,
    "",
    *STEP,
    *WATCHED,
    "",
]


@pytest.fixture
def place(home: dict[str, str], tmp_path: Path) -> tuple[dict[str, str], Path]:
    """An environment, and an empty directory to write to."""
    (tmp_path / "plans").mkdir()
    return {**home, "TZ": "Europe/Berlin", "COLUMNS": "200"}, tmp_path / "plans"


def init(
    place: tuple[Mapping[str, str], Path], answers: Sequence[str | bytes], *words: object, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """`cockpit init` with these words, all its answers in a pipe; `before` is what a shell does first."""
    said = b"".join((a.encode() if isinstance(a, str) else a) + b"\n" for a in answers)
    if not before:
        return cockpit(place[0], "init", *words, said=said.decode("utf-8", "surrogateescape"), cwd=place[1])
    done = subprocess.run(
        ["sh", "-c", f'{before}\nexec "$@"', "sh", *command("init", *words)],
        input=said,
        env=place[0],
        cwd=place[1],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def files(place: tuple[Mapping[str, str], Path]) -> list[str]:
    return sorted(path.name for path in place[1].iterdir())


def checks(place: tuple[dict[str, str], Path], path: Path) -> str:
    """What `cockpit check --offline` prints about a plan that it finds nothing in."""
    done = cockpit(place[0], "check", "--offline", path)
    assert done.returncode == 0, done.stdout + done.stderr
    for title in ("Problems", "Worth a look"):
        assert title not in done.stdout
    return done.stdout


def test_answers_become_a_plan_that_passes_its_check(place: tuple[dict[str, str], Path]) -> None:
    done = init(place, ANSWERS)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(place) == ["checkout-2026.11.3.toml"]
    *_, wrote, check, run = done.stdout.splitlines()
    assert wrote == "Wrote checkout-2026.11.3.toml. Next:"
    assert check.split("   ")[0] == "  cockpit check checkout-2026.11.3.toml"
    assert run.split("   ")[0] == "  cockpit checkout-2026.11.3.toml"
    path = place[1] / "checkout-2026.11.3.toml"
    shown = checks(place, path)
    assert "stage canary, bakes 10 min after each wave\n  wave 1 of 1: web-1\n" in shown
    assert "gate: decision_owner, bakes 10 min after each wave\n  wave 1 of 2: web-2\n" in shown
    assert "rollback         /srv/bin/switch 2026.11.2" in shown
    plan = tomllib.loads(path.read_text())
    assert plan["release"]["environment"] == "production"
    dana, lee, kim = ({"name": name} for name in PEOPLE)
    assert plan["people"] == {"dana": {**dana, "os_user": "dana"}, "lee": lee, "kim": kim}
    assert plan["step"][0]["verify_rollback"] == "/srv/bin/health --expect {previous_version}"
    assert "window" not in plan


def test_what_cannot_stand_is_asked_again_with_the_reason(place: tuple[dict[str, str], Path]) -> None:
    answers: list[str | bytes] = [
        *["?", "", "a\x1bb", b"caf\xe9", 'check"out\\é {x}', "staging", "v7", "v7", "v6"],
        *["none", "", "Some see the old tax line."],
        *[
            "web-1 =",
            "web-1 = dana@10.0.0.11",
            '"web-1" = "10.0.0.11"',
            "web-1 = 10.0.0.12",
            "web-2.example",
            "",
        ],
        *["Dana Ruiz", "dana", "", "druiz"],
        *["switch '{version}'", "switch", "health", "perhaps", "No", "", "Runbook R-12, 40 min."],
        *[
            "Do they pay?",
            "web",
            "http",
            "checkout",
            "https://checkout.example/health",
            "$orders",
            "$.orders",
        ],
        *["orders", "60", "< 60 for 90s"],
        *["yes", "Europe/Berln", "America/New_York", "tomorrow", "2026-02-30 10:00", "2020-01-01 10:00"],
        *["2093-03-05 10:00", "09:00", "2093-03-05 14:30"],
    ]
    done = init(place, answers, "-o", "plan.toml")
    assert (done.returncode, done.stderr, files(place)) == (0, "", ["plan.toml"])
    for why in (
        "Which service changes? ?\n  Its short name, as dashboards have it. For example: checkout\n",
        "Which service changes? \n  Its short name",
        "a␛b\n  An invisible or control character (U+001B). Remove it",
        "caf⟨U+DCE9⟩\n  This isn't UTF-8. Type it once more.\n",
        "v7\n  The new and the previous version are the same",
        "none\n  Every release can half fail: without its customer impact nobody can weigh going back. Write what",
        "web-1 =\n  This is no target. Write its name and its host: web-1 = 10.0.0.11.\n",
        "dana@10.0.0.11\n  `dana@10.0.0.11` is no host.",
        "web-1 = 10.0.0.12\n  Two targets have the same name.",
        "switch '{version}'\n  `{version}` stands inside quotes",
        "perhaps\n  This is neither yes nor no. Write one of them.\n",
        "[command] web\n  `web` is none of them. Write command, here, http, manual.\n",
        'checkout\n  This is no web address. Write "http://host:port/path", or https.\n',
        "$orders\n  `orders` can't be followed",
        "60\n  This is no limit. Write the comparison and the number",
        '[Europe/Berlin] Europe/Berln\n  There is no time zone `Europe/Berln`. Did you mean "Europe/Berlin"?\n',
        "tomorrow\n  This is no date and time. Write it like ",
        "2026-02-30 10:00\n  This is no date and time.",
        "2020-01-01 10:00\n  That day is over.",
        "09:00\n  The window closes before it opens.",
    ):
        assert why in done.stdout
    assert "undoes it?" not in done.stdout
    checks(place, place[1] / "plan.toml")
    plan = tomllib.loads((place[1] / "plan.toml").read_text())
    assert plan["release"]["service"] == 'check"out\\é {x}'
    assert {name: target["host"] for name, target in plan["targets"].items()} == {
        "web-1": "10.0.0.11",
        "web-2.example": "web-2.example",
    }
    assert plan["people"] == {"dana": {"name": "Dana Ruiz", "os_user": "druiz"}}
    assert plan["roles"] == {"decision_owner": "dana", "rollback_owner": "dana"}
    assert (plan["step"][0]["reversible"], plan["step"][0]["roll_forward"]) == (
        False,
        "Runbook R-12, 40 min.",
    )
    assert (plan["signal"][0]["metric"], plan["signal"][0]["json_path"]) == ("json", "$.orders")
    assert (plan["threshold"][0]["when"], plan["threshold"][0]["for"]) == ("< 60", "90s")
    window = plan["window"]
    assert (f"{window['opens']}", f"{window['closes']}") == ("2093-03-05 10:00:00", "2093-03-05 14:30:00")
    assert window["timezone"] == "America/New_York"


@pytest.mark.parametrize(("source", "more"), [("manual", []), ("here", ["wc -l < /srv/orders"])])
def test_other_sources_and_a_window_by_default(
    place: tuple[dict[str, str], Path], source: str, more: list[str]
) -> None:
    today = date.today()
    answers = [*ANSWERS[:-6], "Do they call?", source, *more, "calls", "> 5", "y", "", "", ""]
    done = init(place, answers, "-o", "plan.toml")
    assert (done.returncode, done.stderr) == (0, "")
    checks(place, place[1] / "plan.toml")
    plan = tomllib.loads((place[1] / "plan.toml").read_text())
    assert plan["signal"][0].get("run") == (more[0] if more else None)
    assert plan["signal"][0]["owner"] == "support_liaison"
    window = plan["window"]
    assert window["timezone"] == "Europe/Berlin"
    assert 0 < (window["opens"].date() - today).days <= 4
    assert window["opens"].weekday() < 5
    assert (window["opens"].time(), window["closes"].time()) == (time(10), time(12))


@pytest.mark.parametrize("answered", [0, 2, len(ANSWERS) - 1])
def test_the_end_of_the_answers_writes_nothing(place: tuple[dict[str, str], Path], answered: int) -> None:
    done = init(place, ANSWERS[:answered])
    assert (done.returncode, files(place)) == (2, [])
    assert done.stderr.startswith("the answers ended before the last question. Nothing was written")
    closed = init(place, [], before="exec <&-")
    assert (closed.returncode, files(place)) == (2, [])
    assert "Nothing was written" in closed.stderr


def read_until(stream: IO[bytes], end: bytes) -> None:
    seen = b""
    while end not in seen:
        more = os.read(stream.fileno(), 4096)
        assert more, seen
        seen += more


def test_an_interrupt_writes_nothing(place: tuple[dict[str, str], Path]) -> None:
    with subprocess.Popen(
        command("init"),
        env=place[0],
        cwd=place[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("\n".join(ANSWERS[:4]).encode() + b"\n")
        process.stdin.flush()
        read_until(process.stdout, b"half fails? ")
        for _ in range(60):  # one that comes before the answer is waited for is kept until then
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
                break
        assert (process.returncode, process.stderr.read()) == (130, b"\nNothing was written.\n")
    assert files(place) == []


def test_a_file_that_is_there_stays(place: tuple[dict[str, str], Path]) -> None:
    (place[1] / "checkout-2026.11.3.toml").write_text("mine")
    (place[1] / "lost.toml").symlink_to("nowhere")
    named = init(place, ANSWERS)
    assert named.returncode == 2
    assert named.stdout.endswith("Which version goes out? 2026.11.3\n")
    assert named.stderr.startswith("checkout-2026.11.3.toml is there already, and stays. Nothing was written")
    for other in ("checkout-2026.11.3.toml", "lost.toml", "no/such/place.toml"):
        given = init(place, ANSWERS, "-o", other)
        assert (given.returncode, given.stdout, "Nothing was written" in given.stderr) == (2, "", True)
    assert files(place) == ["checkout-2026.11.3.toml", "lost.toml"]
    assert (place[1] / "checkout-2026.11.3.toml").read_text() == "mine"


def test_a_file_that_comes_meanwhile_stays_too(place: tuple[dict[str, str], Path]) -> None:
    with subprocess.Popen(
        command("init"),
        env=place[0],
        cwd=place[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("\n".join(ANSWERS[:4]).encode() + b"\n")
        process.stdin.flush()
        read_until(process.stdout, b"half fails? ")
        (place[1] / "checkout-2026.11.3.toml").write_text("theirs")
        _, stderr = process.communicate("\n".join([*ANSWERS[4:], ""]).encode(), timeout=60)
    assert (process.returncode, b"is there already, and stays" in stderr) == (2, True)
    assert (place[1] / "checkout-2026.11.3.toml").read_text() == "theirs"


def test_a_window_that_is_over_is_none() -> None:
    opens, closes = window_times(datetime(2020, 1, 1, 10), "Asia/Tokyo")
    draft = replace(EXAMPLE, opens=datetime(2020, 1, 1, 10))
    with pytest.raises(Mistake, match="that day is over"):
        opens.put(draft, "11:00")
    with pytest.raises(Mistake, match="that time is over, and the release could never start"):
        closes.put(draft, "12:00")
    put = closes.put(draft, "2093-01-01T09:30:15")
    assert (put.closes, closes.default(put)) == (datetime(2093, 1, 1, 9, 30, 15), "2093-01-01 09:30:15")


def test_a_plan_that_cannot_be_written_is_shown(place: tuple[dict[str, str], Path]) -> None:
    done = init(place, ANSWERS, before="ulimit -f 0")
    assert (done.returncode, files(place)) == (2, [])
    assert "can't be written: File too large. The plan stands above instead." in done.stderr
    assert '\n[release]\nname             = "checkout 2026.11.3"\n' in done.stdout


def test_a_file_is_named_for_the_shell_and_the_disk(place: tuple[dict[str, str], Path]) -> None:
    done = init(place, ["-../é x/", "", "7 " + "ü" * 200, *ANSWERS[3:]])
    assert (done.returncode, done.stderr) == (0, "")
    (name,) = files(place)
    assert name.startswith("é-x-7-ü")
    assert len(name.encode()) < 200
    done = init(place, ["/", "", "/", *ANSWERS[3:]], "--output", place[1] / "a b.toml")
    assert f"\n  cockpit check '{place[1]}/a b.toml'   " in done.stdout


def test_the_next_plan_keeps_all_but_what_is_new(place: tuple[dict[str, str], Path]) -> None:
    answers = ["2026.11.3", "", "", "CHG-1043", "2093-03-05 11:00", ""]
    done = init(place, answers, "--from", FULL)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(place) == ["checkout-2026.11.4.toml"]
    assert "[2026.11.4] 2026.11.3\n  The new and the previous version are the same" in done.stdout
    assert "(CHG-1042 was the last) \n  The reference of its ticket." in done.stdout
    assert "When does it close? [2093-03-05 14:00] \n" in done.stdout
    written = (place[1] / "checkout-2026.11.4.toml").read_text()
    diff = list(difflib.ndiff(FULL.read_text().splitlines(), written.splitlines()))
    assert [line[2:].split("#")[0].rstrip() for line in diff if line.startswith("+ ")] == [
        'version          = "2026.11.4"',
        'previous_version = "2026.11.3"',
        'change_ref       = "CHG-1043"',
        "opens     = 2093-03-05T11:00:00",
        "closes    = 2093-03-05T14:00:00",
        'dana = { name = "Dana Ruiz", contact = "',
    ]
    assert "on_shift_until = 2093-03-05T15:00:00 }\n" in written
    reminder = (
        "\nStill as in the earlier plan; see whether it fits this release:\n  line 4: name             = "
    )
    assert reminder + '"Checkout tax rules v7"\n\nWrote checkout-2026.11.4.toml. Next:\n' in done.stdout
    assert cockpit(place[0], "check", "--offline", place[1] / files(place)[0]).returncode == 0


def test_the_next_window_is_the_next_weekday(place: tuple[dict[str, str], Path]) -> None:
    today = date.today()
    done = init(place, ["2026.12", "CHG-1043", "", ""], "--from", FULL, "-o", "next.toml")
    assert (done.returncode, done.stderr) == (0, "")
    window = tomllib.loads((place[1] / "next.toml").read_text())["window"]
    (freeze,) = window["freeze"]
    assert window["opens"].date() > min(today, date(2026, 11, 23))
    assert window["opens"].weekday() < 5
    assert not freeze["from"] <= window["opens"].date() <= freeze["to"]
    assert (window["opens"].time(), window["closes"].time()) == (time(10), time(13))


def test_an_earlier_plan_with_problems_is_refused_with_them(place: tuple[dict[str, str], Path]) -> None:
    (place[1] / "bad.toml").write_text(FULL.read_text().replace('"dana"  ', '"dona"  '))
    done = init(place, [], "--from", "bad.toml")
    assert (done.returncode, done.stdout, files(place)) == (2, "", ["bad.toml"])
    assert 'did you mean "dana"?' in done.stderr
    assert done.stderr.endswith("bad.toml: 1 problem. Nothing was written: mend it first.\n")
    missing = init(place, [], "--from", "none.toml")
    assert (missing.returncode, "none.toml: there is no such file" in missing.stderr) == (2, True)
