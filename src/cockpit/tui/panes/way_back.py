"""The rollout pane, going back: upwards, until each target is proven."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core import rollback, rollout
from cockpit.core.rollback import BackStatus, BackTarget
from cockpit.tui import doubt, going_back
from cockpit.tui.marks import BACK, Mark, glyph
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, join, line, pad, wrap

LISTED_MOST = 12
STILL_RUNNING: Mark = ("●", "still running", "now")
"""Going forward: it has to end before the way back begins there."""


def rows(scene: Scene, width: int) -> list[Row]:
    """Every touched wave in the order it went out, so that going back runs from the bottom up."""
    waves = rollback.way_back(scene.state, scene.at)
    if not waves:
        return [Row(line(("✔ nothing was touched: nothing to undo", "good")).cut)]
    return [row for wave in reversed(waves) for row in _wave_rows(scene, wave, width)]


def _wave_rows(scene: Scene, wave: tuple[BackTarget, ...], width: int) -> Iterator[Row]:
    stage, n = wave[0].stage, wave[0].wave
    proven = sum(1 for b in wave if b.status == "proven")
    unproven = any(b.status == "unproven" for b in wave)
    at_work = any(b.status in ("running", "waiting") for b in wave)
    mark: Mark = BACK["pending"]
    if unproven:
        mark = BACK["unproven"]
    elif proven == len(wave):
        mark = BACK["proven"]
    elif at_work or proven:
        mark = BACK["running"]
    key = f"back:{stage.name}/{n}"
    label = line(
        glyph(mark),
        " ",
        (f"{stage.name}, wave {n + 1}", "strong"),
        f"  proven {proven} of {len(wave)}  ",
        (mark[1], mark[2]),
    )
    yield Row(label.cut, key, folds=True)
    if not scene.opened(key, proven < len(wave) or len(wave) <= 4):
        return
    names = min(20, max(len(b.target) for b in wave))
    counted: tuple[BackStatus, ...] = ("pending", "proven") if len(wave) > LISTED_MOST else ()
    doubts = {(a.stage, a.target): a for a in rollout.in_doubt(scene.state)}
    for back in wave:
        if back.status not in counted:
            yield _target_row(scene, back, names)
            doubtful = (
                doubts.get((stage.name, back.target)) if back.status in ("waiting", "unproven") else None
            )
            known = doubt.known(scene, doubtful) if doubtful else ()
            for said in (back.why, *known) if back.why else ():
                for part in wrap(said, width - 4):
                    yield fixed(line("    ", (part, "dim")))
    for status in counted:
        if many := [b for b in wave if b.status == status]:
            yield Row(
                line("  ", glyph(BACK[status]), f" {len(many)} ", (BACK[status][1], BACK[status][2])).cut
            )


def _target_row(scene: Scene, back: BackTarget, width: int) -> Row:
    newest = [a for a in scene.state.attempts.get(back.target, ()) if a.stage == back.stage.name]
    slow = going_back.usually(scene, newest[-1] if newest else None)
    return Row(
        join([_target_line(back, width), slow], ", ").cut,
        f"target:{back.stage.name}/{back.wave}/{back.target}",
        target=back.target,
        attempt=newest[-1].id if newest else "",
    )


def _target_line(back: BackTarget, width: int) -> Line:
    mark = STILL_RUNNING if back.status == "running" and back.why else BACK[back.status]
    step = f"{back.step} " if back.step and back.status != "proven" else ""
    return line("  ", glyph(mark), " ", pad(back.target, width), f"  {step}", (mark[1], mark[2]))
