"""`cockpit attach --serve`: a running session for the browsers of this machine, to look at."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from functools import partial
from importlib.util import find_spec

from cockpit.core.errors import UsageError

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(name: str, args: argparse.Namespace) -> int:
    """Serve screens of the session `name` that only watch, at `args.serve`, until a signal ends it; returns 0.

    UsageError where nothing can be served: the extra is missing, the session doesn't answer, the port is taken.
    """
    from cockpit.runtime import sockets

    if find_spec("textual_serve") is None:
        raise UsageError(
            'browsers need an extra that isn\'t installed here: pip install "release-cockpit[serve]". Nothing is '
            "served: `cockpit attach --read-only` shows the session in this terminal."
        )
    connection, _ = sockets.connect(name)
    connection.close()
    return asyncio.run(_served(name, args))


async def _served(name: str, args: argparse.Namespace) -> int:
    from cockpit.cli import TAB
    from cockpit.cli.serving_tabs import opened
    from cockpit.cli.serving_web import Site

    stop = asyncio.Event()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # -P: what lies in the directory that this was started in isn't to stand in for a module.
    words = [sys.executable, "-P", "-m", "cockpit", TAB, name, args.theme or "", args.me or ""]
    async with Site(name, partial(opened, words)).at(args.serve) as address:
        print(_told(name, address), flush=True)
        await stop.wait()
    return 0


def _told(name: str, address: str) -> str:
    port = address.partition("/?")[0].rpartition(":")[2]
    return (
        f"{name}, to look at in a browser on this machine:\n\n    {address}\n\n"
        "Whoever has this address sees the whole session and can do nothing in it. From another machine, first:\n"
        f"    ssh -L {port}:127.0.0.1:{port} HOST\nCtrl+C ends it, and every tab with it."
    )
