"""The table of keys: documented, without doubles, offered when it helps."""

from __future__ import annotations

from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.tui import keys_page
from cockpit.tui.app import CockpitApp
from cockpit.tui.keys import KEYS, footer
from tests.tui.fake_link import FakeLink
from tests.tui.seen import scene

DOCS = Path(__file__).parents[2] / "docs" / "keys.md"


def test_the_page_of_keys_is_the_table() -> None:
    assert DOCS.read_text("utf-8") == keys_page.markdown(), (
        "run: python -m cockpit.tui.keys_page > docs/keys.md"
    )


def test_each_key_is_bound_once_and_does_something() -> None:
    bound = [key for entry in KEYS.values() for key in entry.key.split(",")]
    assert len(bound) == len(set(bound))
    for action in KEYS:
        assert hasattr(CockpitApp, f"action_{action}"), action


def offered(link: FakeLink) -> str:
    return footer(scene(link), 200).plain


def test_the_footer_offers_what_makes_sense_now() -> None:
    assert "⏎ start" in offered(FakeLink()) and "pause" not in offered(FakeLink())
    baking = offered(FakeLink().baking())
    assert "p pause" in baking and "promote" not in baking and "retry" not in baking
    assert "⏎ promote" in offered(FakeLink().at_gate())
    assert offered(FakeLink().paused_by_limit()).startswith(" R roll back   p accept and go on")
    closed = FakeLink().baking()
    closed.do(cmd.Abort(closed.at, "dana"))
    closed.tick()
    assert "pause" not in offered(closed) and "abort" not in offered(closed) and "q leave" in offered(closed)


def test_the_help_key_is_offered_at_any_width() -> None:
    link = FakeLink().baking()
    for width in range(12, 140):
        line = footer(scene(link), width)
        assert line.plain.endswith("? help")
        assert line.cells <= width
