"""What may stand on the command line: every command with its flags."""

from __future__ import annotations

import argparse
from pathlib import Path

from cockpit import __version__


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="cockpit",
        description="A terminal cockpit for production releases.",
        epilog="`cockpit PLAN.toml` is the same as `cockpit run PLAN.toml`. Try `cockpit demo`.",
    )
    whole.add_argument("--version", action="version", version=f"cockpit {__version__}")
    sub = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    run = sub.add_parser("run", help="open a session and the screen")
    run.add_argument("plan", type=Path, metavar="PLAN")
    run.add_argument("--as", dest="me", metavar="PERSON", help="who you are: an id under [people]")
    run.add_argument("--log", type=Path, metavar="FILE", help="where the session's log goes")
    _driving(run)
    resume = sub.add_parser("resume", help="take up a session after a crash, a cut or a detach")
    _session_argument(resume)
    resume.add_argument("--as", dest="me", metavar="PERSON", help="who you are: an id under [people]")
    resume.add_argument(
        "--go-on",
        default="",
        metavar="REASON",
        help="headless: go on, for this reason, once it is known where the release stands",
    )
    _driving(resume)
    check = sub.add_parser("check", help="every problem in the plan, then readiness and the exact commands")
    check.add_argument("plan", type=Path, metavar="PLAN")
    check.add_argument("--offline", action="store_true", help="contact nothing")
    export = sub.add_parser("export", help="write a session's review")
    _session_argument(export)
    export.add_argument("--format", default="markdown", metavar="FORMAT", help="markdown or json")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of standard output")
    sub.add_parser("sessions", help="what has been run")
    verify = sub.add_parser("verify", help="check a session's log, and the outcome it claims")
    _session_argument(verify)
    verify.add_argument(
        "--head", default="", metavar="SEQ:HASH", help="as printed when the session ended: shows a cut tail"
    )
    demo = sub.add_parser("demo", help="a release on an embedded fleet; nothing else needed")
    demo.add_argument("--bad", action="store_true", help="a version that starts failing after the switch")
    demo.add_argument("--hosts", type=int, default=6, metavar="N", help="size of the fleet (default 6)")
    _driving(demo)
    sub.add_parser("schema", help="print the JSON Schema of the plan")
    return whole


def _session_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "session", nargs="?", metavar="SESSION", help="a file or a name; the latest if left out"
    )


def _driving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen: one line per event")
    parser.add_argument("--json", action="store_true", help="headless, one JSON object per event")
    parser.add_argument(
        "--promote-when-clean",
        action="store_true",
        help="stages without a gate or open item go on by themselves",
    )
    parser.add_argument(
        "--foreground", action="store_true", help="engine and screen in one process (as now always)"
    )
    parser.add_argument(
        "--override", default="", metavar="REASON", help="start although not ready; the reason is kept"
    )
    parser.add_argument(
        "--take-over",
        default="",
        metavar="REASON",
        help="take the release from the session that holds it; the reason is kept",
    )
