"""The screen of a browser's tab: a process of its own between two pipes, which may only watch."""

from __future__ import annotations

import argparse
import asyncio

from cockpit.cli.attending import on_screen, refuse_what_is_over


def screen(name: str, theme: str = "", me: str = "") -> int:
    """Show the running session `name` until the tab is closed; returns the exit code.

    The seat is one that watches, so the session itself refuses whatever act comes from here; nor does a key get at
    other sessions' logs.
    """
    from cockpit.tui.browser_tab import BrowserTab
    from cockpit.tui.review import nowhere

    refuse_what_is_over(name, name)
    args = argparse.Namespace(theme=theme or None, me=me or None, read_only=True)
    return asyncio.run(on_screen(name, args, apart=True, settle=nowhere, driver=BrowserTab))
