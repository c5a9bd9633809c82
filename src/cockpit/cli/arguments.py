"""What may stand on the command line: every command with its flags."""

from __future__ import annotations

import argparse
from pathlib import Path

from cockpit import __version__
from cockpit.cli.acting import ACTS
from cockpit.cli.help import INSTALL, Below, Whole, described


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    whole = Whole(prog="cockpit")
    whole.add_argument("--version", action="version", version=f"cockpit {__version__}")
    sub = whole.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Below)
    run = sub.add_parser("run", help="open a session and the screen")
    run.add_argument("plan", type=Path, metavar="PLAN", help="its file")
    _who(run)
    run.add_argument("--log", type=Path, metavar="FILE", help="where the session's log goes")
    _driving(run)
    resume = sub.add_parser("resume", help="take up a session after a crash or a cut")
    _session_argument(resume)
    _who(resume)
    resume.add_argument(
        "--go-on",
        default="",
        metavar="REASON",
        help="headless, or where it still runs: let it go on at once, for this reason; without, it waits for a person",
    )
    _driving(resume)
    _attending(sub)
    _checking(sub)
    _rehearsing(sub)
    _replaying(sub)
    _exporting(sub)
    _sessions(sub)
    verify = sub.add_parser("verify", help="check a session's log, and the outcome it claims")
    _session_argument(verify)
    verify.add_argument(
        "--head", default="", metavar="SEQ:HASH", help="as printed when the session ended: shows a cut tail"
    )
    demo = sub.add_parser("demo", help="a release on an embedded fleet; nothing else needed")
    demo.add_argument("--bad", action="store_true", help="a version that starts failing after the switch")
    demo.add_argument("--hosts", type=int, default=6, metavar="N", help="size of the fleet (default 6)")
    _driving(demo)
    _starting(sub)
    _review(sub)
    _actions(sub)
    _machine(sub)
    schema = sub.add_parser("schema", help="print the JSON Schema of the plan")
    schema.add_argument(
        "--of", choices=("plan", "review"), default="plan", help="of the plan, or of a report as JSON"
    )
    described(sub)
    return whole


def _machine(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands about this machine and its shells."""
    doctor = sub.add_parser("doctor", help="is this machine fit for a release? terminal, SSH, disk")
    doctor.add_argument("plan", nargs="?", type=Path, metavar="PLAN", help="reach its targets too")
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    completion = sub.add_parser(
        "completion",
        help="the script by which your shell completes cockpit's words",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=INSTALL,
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))


def _sessions(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sessions = sub.add_parser("sessions", help="what has been run, and each service summed up")
    sessions.add_argument("--service", default="", metavar="S", help="only this service's")
    sessions.add_argument("--json", action="store_true", help="one JSON object")
    sessions.add_argument(
        "--push",
        nargs="*",
        metavar="SESSION",
        help="put closed sessions into the archives that are set: those named, or all that aren't there yet",
    )


def _exporting(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = sub.add_parser("export", help="a session's report: markdown, html, json or csv")
    _session_argument(export)
    export.add_argument(
        "--format",
        type=lambda said: "markdown" if said == "md" else said,
        default="markdown",
        metavar="FORMAT",
        help="markdown (or md), html, json or csv (default markdown)",
    )
    export.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="instead of standard output, in the place of what is there; csv: a directory for its tables",
    )
    export.add_argument(
        "--names",
        choices=("people", "roles"),
        default="people",
        help="who is who, or only the roles they held",
    )
    export.add_argument(
        "--table", default="", metavar="TABLE", help="csv: only this one: events, samples, steps or about"
    )


def _starting(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = sub.add_parser("init", help="write a first plan by asking a few questions")
    init.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="else SERVICE-VERSION.toml; never one that is there"
    )
    init.add_argument(
        "--from", dest="earlier", type=Path, metavar="PLAN", help="the next release's plan, from this one"
    )


def _review(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    review = sub.add_parser("review", help="what cost time, the review's questions, and its actions")
    _session_argument(review)
    review.add_argument(
        "--answer",
        nargs=2,
        metavar=("KEY", "TEXT"),
        help="answer the question of that key in a line; of friction its kind, with --about",
    )
    review.add_argument(
        "--about", type=int, default=0, metavar="RECORD", help="the log's record that the friction comes from"
    )
    _who(review)
    _own_id(review)


def _actions(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = sub.add_parser("actions", help="what reviews asked for: open, age, releases survived")
    actions.add_argument("--service", default="", metavar="S", help="only this service's")
    actions.add_argument("--all", action="store_true", help="those that are closed or waived too")
    what = actions.add_subparsers(dest="what", metavar="WHAT")
    add = what.add_parser("add", help="ask somebody for something before the next release")
    add.add_argument("text", metavar="TEXT", help="what will be there once it is done")
    add.add_argument("--session", metavar="SESSION", help="where it comes from; the latest if left out")
    add.add_argument("--owner", default="", metavar="PERSON", help="who does it: an id under [people]")
    add.add_argument("--due", default="", metavar="DAY", help="until when: 2026-12-01")
    add.add_argument(
        "--about", type=int, default=0, metavar="RECORD", help="the log's record that it comes from"
    )
    _who(add)
    for word, says in (("close", "it is done"), ("waive", "it is given up")):
        settle = what.add_parser(word, help=says)
        settle.add_argument("action", metavar="ACTION", help="as `cockpit actions` lists it: SESSION/NUMBER")
        settle.add_argument(
            "reason", metavar="REASON", help="what was done, or why it isn't needed; it is kept"
        )
        _who(settle)


def _checking(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = sub.add_parser("check", help="problems in the plan, then readiness and exact commands")
    check.add_argument("plan", type=Path, metavar="PLAN", help="its file")
    check.add_argument("--offline", action="store_true", help="contact nothing")
    check.add_argument(
        "--on",
        action="append",
        default=[],
        metavar="TARGET",
        help="the exact commands on this target, or on each of a group or range, one by one; may be repeated",
    )
    check.add_argument(
        "--against",
        nargs="+",
        default=[],
        metavar="SESSION",
        help="which limits would have fired on these recorded sessions; contact nothing",
    )


def _rehearsing(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rehearse = sub.add_parser("rehearse", help="play the plan on simulated targets: does every limit fire?")
    rehearse.add_argument("plan", type=Path, metavar="PLAN", help="its file")
    rehearse.add_argument(
        "--fail", action="append", default=[], metavar="STEP@TARGET", help="one run in which this step fails"
    )
    rehearse.add_argument(
        "--breach",
        action="append",
        default=[],
        metavar="SIGNAL@STAGE",
        help="one run in which this signal leaves its limits from that stage on",
    )
    rehearse.add_argument("--json", action="store_true", help="the result, or one JSON object per event")


def _replaying(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    replay = sub.add_parser("replay", help="play a recorded session back, with a scrubber")
    _session_argument(replay)
    speeds = (1, 2, 5, 10, 20, 50, 100)
    replay.add_argument(
        "--speed", type=int, choices=speeds, default=1, metavar="N", help="1, 2, 5, 10, 20, 50 or 100 times"
    )
    replay.add_argument(
        "--at", default="", metavar="PLACE", help="stand there at first: a time of day, or a record's number"
    )
    _theme(replay)


def _attending(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands for a session that runs already."""
    attach = sub.add_parser("attach", help="a screen on a running session")
    _running_argument(attach)
    attach.add_argument("--read-only", action="store_true", help="only watch: the screen on the wall")
    attach.add_argument(
        "--serve",
        nargs="?",
        type=_port,
        const=SERVED_AT,
        metavar="PORT",
        help=f"only watch, in browsers on this machine; behind SESSION (default {SERVED_AT}, 0: any that is free)",
    )
    _theme(attach)
    watch = sub.add_parser("watch", help="a running session's events as lines, to its end")
    _running_argument(watch)
    watch.add_argument("--json", action="store_true", help="one JSON object per event")
    for word, act in ACTS.items():
        asked = sub.add_parser(word, help=act.says)
        _running_argument(asked)
        fields = [asked.add_argument(name, **options).dest for name, options in act.arguments.items()]
        asked.set_defaults(fields=fields)
        _own_id(asked)
    _signing(sub)


def _signing(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sign = sub.add_parser(
        "sign",
        help="sign a checklist item, a gate or a role: typed, or by SSH key",
        description="With a key elsewhere it takes three steps: docs/sign-offs.md.",
    )
    _running_argument(sign)
    sign.add_argument(
        "item", nargs="?", metavar="ITEM", help="an item's id, gate:STAGE, role:ROLE or rollback:SERVICE"
    )
    sign.add_argument(
        "--note", dest="reason", default="", metavar="TEXT", help="kept with it; it isn't signed"
    )
    apart = sign.add_mutually_exclusive_group()
    apart.add_argument("--ask", action="store_true", help="print what PERSON, who isn't here, would sign")
    apart.add_argument(
        "--challenge", metavar="LINE", help="sign what --ask printed, where the key is; - to paste it"
    )
    apart.add_argument(
        "--block", type=Path, metavar="FILE", help="hand in what --challenge printed; - to paste it"
    )
    sign.add_argument("--key", type=Path, metavar="FILE", help="sign with this key; else the SSH agent does")
    _own_id(sign)


def _own_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", type=_id, help="an id of your own: asked again with it, it happens once")


SERVED_AT = 8642
"""The port at which browsers find a session, unless another is said."""


def _port(said: str) -> int:
    if not said.isascii() or not said.isdigit() or int(said) > 65535:
        raise argparse.ArgumentTypeError(f"{said} is no port (0 to 65535); SESSION stands before --serve")
    return int(said)


def _id(said: str) -> str:
    if not 0 < len(said) <= 64:
        raise argparse.ArgumentTypeError("an id has 1 to 64 characters")
    return said


def _running_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="SESSION", help="the one that runs, if left out")
    _who(parser)


def _who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="me", metavar="PERSON", help="who you are: an id under [people]")


THEMES = "calm-dark, calm-light, high-contrast, colour-blind, mono, ansi"
"""The themes that come along, as the help names them."""


def _theme(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", metavar="NAME", help=f"{THEMES}, or one of your own")


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
        "--foreground", action="store_true", help="engine and screen in one process: both end together"
    )
    _theme(parser)
    parser.add_argument(
        "--override", default="", metavar="REASON", help="start although not ready; the reason is kept"
    )
    parser.add_argument(
        "--take-over",
        default="",
        metavar="REASON",
        help="take the release from the session that holds it; the reason is kept",
    )
