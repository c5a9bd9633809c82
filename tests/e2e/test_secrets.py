"""A release whose steps need a secret, on real OpenSSH targets: it is nowhere but in the steps' own environment."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.store.log import read
from tests.faults.release import Shape, Site
from tests.remote.waiting import until

VALUE = "s3cr3t-Tök'en $x-0123456789"
FORMS = (VALUE.encode(), base64.b64encode(VALUE.encode()), b"0123456789", json.dumps(VALUE)[1:-1].encode())

# It says the secret whole, coded, cut in two, and on both streams; and keeps it to compare.
WORK = (
    "printf %s {token} >given-run && echo out {token} && printf '%s' {token} | base64 && echo err {token} >&2"
    " && printf %s {token} | head -c 9 && printf %s {token} | tail -c +10"
)
UNDO = "printf %s {token} >given-back && echo back {token}"


def declare(site: Site, reference: str, shape: Shape) -> None:
    """The plan of this shape, whose steps have a secret that is looked up there."""
    plan = site.write_plan(shape)
    plan.write_text(f"{plan.read_text()}\n[secrets]\ntoken = '''{reference}'''\n")


def visible(site: Site) -> Iterator[tuple[Path, bytes]]:
    """Every file that cockpit or a target keeps, but for what holds the secret for its own reasons."""
    for path in site.path.rglob("*"):
        own = path.name.startswith("given-") or path.name == "token" or path.suffix == ".sock"
        if path.is_file() and not own:
            yield path, path.read_bytes()


def shown(site: Site) -> list[str]:
    """Where the secret is found: in files, and in the command lines of all processes."""
    found = [str(path) for path, data in visible(site) if any(form in data for form in FORMS)]
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if any(form in cmdline.read_bytes() for form in FORMS):
                found.append(str(cmdline))
        except OSError:
            continue
    return found


def outputs(site: Site) -> str:
    """What the log keeps of all that was printed."""
    recording = read(site.log)
    kept = (recording.output(event["attempt"]) for event in site.events("StepIntended"))
    return "\n".join(output.text().decode() for output in kept if output is not None)


def spooled(site: Site) -> list[str]:
    """What steps printed, as it lies on the targets while the session lasts: theirs, and for nobody else."""
    files = [path for path in site.path.rglob("*.out") if "spool" in path.parts]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    return [str(path) for path in files]


async def test_a_secret_reaches_each_step_there_and_back_and_nothing_else(tmp_path: Path) -> None:
    async with Site(tmp_path, 2) as site:
        (tmp_path / "token").write_text(f"{VALUE}\n")
        declare(site, f"file:{tmp_path}/token", Shape(bake="3s", breaks="web-2", work=WORK, undo=UNDO))
        site.hold("web-1")
        run = site.run()
        given = tmp_path / "web-1" / "given-run"
        await until(lambda: bool(site.events("StepIntended")) and given.exists(), "the first step")
        await until(lambda: bool(spooled(site)), "its output")
        assert given.read_text() == VALUE
        assert set(shown(site)) <= set(spooled(site))
        site.let_go("web-1")
        assert await run.ended() == 3, run.said()
        for target in site.targets:
            for way in ("run", "back"):
                assert (tmp_path / target / f"given-{way}").read_text() == VALUE
        for kind in ("markdown", "html", "json", "csv"):
            export = site.cockpit("export", site.log, "--format", kind, "-o", tmp_path / f"review-{kind}")
            assert await export.ended() == 0, export.said()
        assert site.broken() == []
        assert (shown(site), spooled(site)) == ([], [])
        intended = site.events("StepIntended")[0]["line"]
        assert '"$COCKPIT_SECRET_token"' in intended
        said = outputs(site)
        whole = "out [secret token]\n[secret token]\nerr [secret token]\n[secret token]"
        assert said.count(whole) == 2 and said.count("back [secret token]\n") == 2
        verified = site.cockpit("verify", site.log)
        assert await verified.ended() == 0, verified.said()


@pytest.mark.parametrize("how", ["file", "cmd"])
async def test_a_session_taken_up_after_a_crash_hides_it_too(tmp_path: Path, how: str) -> None:
    async with Site(tmp_path, 2) as site:
        (tmp_path / "token").write_text(VALUE)
        reference = f"file:{tmp_path}/token" if how == "file" else f"cmd:cat {tmp_path}/token"
        declare(site, reference, Shape(work=WORK))
        site.hold("web-1")
        assert await site.run("launch.began:1:kill").ended() == -9
        site.let_go("web-1")
        run = site.resume()
        assert await run.ended() == 0, run.said()
        assert site.broken() == []
        assert [(tmp_path / t / "given-run").read_text() for t in site.targets] == [VALUE, VALUE]
        assert shown(site) == []
        said = outputs(site)
        assert said.count("out [secret token]") == (2 if how == "file" else 1)
        assert said.count("[output withheld: it was begun with a value of `cmd:`") == (how == "cmd")


async def test_a_release_whose_secret_is_missing_is_not_ready_and_check_shows_its_line(
    tmp_path: Path,
) -> None:
    async with Site(tmp_path, 2) as site:
        declare(site, f"file:{tmp_path}/token", Shape(work=WORK))
        check = site.cockpit("check", site.plan)
        assert await check.ended() == 5, check.said()
        said = check.out.read_text()
        why = f"{tmp_path}/token can't be read: No such file or directory"
        assert f"`token` can't be looked up: {why}" in said
        assert f"token = '''file:{tmp_path}/token'''" in said
        assert f"NOT   secret token: {why}" in said
        offline = site.cockpit("check", "--offline", site.plan)
        assert await offline.ended() == 0, offline.said()
        assert f"`token` can't be looked up: {why}" in offline.out.read_text()
        run = site.run()
        assert await run.ended() == 5, run.said()
        assert site.ran("web-1") == []
        (tmp_path / "token").write_text(VALUE)
        check = site.cockpit("check", site.plan)
        await check.ended()
        assert "ok    secrets: 1 can be looked up" in check.out.read_text()
        assert shown(site) == []
