"""The pictures in docs/ are what the screen looks like now, and nothing in them depends on where they were drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tui import recording
from tests.tui.screenshot import drawn, paths

DOCS = Path(__file__).parents[2] / "docs"
STALE = "looks different now: look at it (rsvg-convert docs/{0} -o /tmp/x.png), then run `make {1}`"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # pyright: ignore[reportUnusedFunction]
    """No settings of the developer's."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def words(svg: str) -> list[str]:
    """What a picture says, for a failure that can be read."""
    return re.findall(r"<text[^>]*>([^<]*)", svg)


@pytest.mark.parametrize("path", paths())
async def test_the_pictures_are_up_to_date(path: str) -> None:
    kept, now = (DOCS / path).read_text(encoding="utf-8"), await drawn(path)
    assert words(now) == words(kept), f"docs/{path} {STALE.format(path, 'screenshot')}"
    assert now == kept, f"docs/{path} {STALE.format(path, 'screenshot')}"


async def test_the_recording_is_up_to_date() -> None:
    kept, now = (DOCS / "recording.svg").read_text(encoding="utf-8"), await recording.recorded()
    assert words(now) == words(kept), f"docs/recording.svg {STALE.format('recording.svg', 'recording')}"
    assert now == kept, f"docs/recording.svg {STALE.format('recording.svg', 'recording')}"
    assert len(now) < 1_500_000


@pytest.mark.parametrize("path", [*paths(), "recording.svg"])
def test_a_picture_fetches_nothing_and_runs_nothing(path: str) -> None:
    kept = (DOCS / path).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|<script|url\(|@import|<image|on\w+=", kept)
