"""Text that targets, plans and people may send to steer, fool or break a terminal; and sessions made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import readiness
from cockpit.core.plan import HERE, ChecklistItem, Freeze, Plan, Signal, Target, Threshold
from tests.tui.fake_link import FakeLink, a_plan

CORPUS: Mapping[str, str] = {
    "clear the screen": "\x1b[2J\x1b[H",
    "colour": "\x1b[31;5mred\x1b[0m",
    "cursor report": "\x1b[6n\x1b[c",
    "another screen": "\x1b[?1049l\x1bc",
    "scroll region": "\x1b[1;1r\x1b[9999;9999H",
    "title": "\x1b]2;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "progress": "\x1b]9;4;1;99\x07",
    "notification": "\x1b]777;notify;a;b\x1b\\\x1b]9;hello\x07",
    "palette": "\x1b]4;1;#000000\x07\x1b]11;?\x07",
    "device control": "\x1bP+q544e\x1b\\\x1bPq#0~\x1b\\",
    "application command": "\x1b_Gf=24;AAAA\x1b\\",
    "privacy message": "\x1b^x\x1b\\\x1bXy\x1b\\",
    "charset": "\x1b(0lqk\x0e\x0f",
    "eight bit controls": "\x9b31m\x9d2;x\x9c\x90q\x9c\x9f\x85\x8d",
    "carriage return": "done\rfailed\b\b\x0b\x0c",
    "newlines": "a\nb\r\nc\u2028d\u2029e",
    "tabs": "a\tb\t\tc",
    "bell and null": "\x07\x07\x00x\x7f",
    "bidi override": "\u202etxt.exe\u202c \u202dabc\u202c",
    "bidi isolates": "\u2066a\u2067b\u2068c\u2069\u200e\u200f\u061c",
    "zero width": "ad\u200bmin\u200c\u200d\u2060\ufeff",
    "tags": "x\U000e0041\U000e0042\U000e007f",
    "combining storm": "Z" + "\u0300\u0489\u0353\u20dd" * 20,
    "emoji family": "👩\u200d👩\u200d👧\u200d👦 👍🏽 🇩🇪🇩 ❤\ufe0f 1\ufe0f\u20e3",
    "wide": "漢字かな한글ＡＢＣ",
    "ambiguous": "①§±×÷αЖ─│█…",
    "jamo": "ᄒ\u1161\u11ab",
    "fillers": "\u115f\u1160\u3164\uffa0x",
    "invisible marks": "a\u034f\u17b4\u17b5\u180b\u180f\U000e0100b",
    "soft hyphen": "pro\u00adduction",
    "variation": "⚠\ufe0e⚠\ufe0f\ufe00",
    "surrogates": "\ud800\udfff\udcff",
    "private and unassigned": "\ue000\uf8ff\U0010ffff\u0378\ufffe",
    "interlinear": "\ufff9a\ufffab\ufffb",
    "markup": "[bold]x[/] [/ [red] [@click=app.quit]y[/] [link=http://e]z[/link]",
    "percent and braces": "%s %n {0} ${x} $(reboot) `id`",
    "long": "x" * 600 + " " + "漢" * 300,
    "spaces": "\u00a0\u2003\u3000  \u1680",
}
"""By what it tries to do."""

EVERYTHING = "".join(CORPUS.values())
RAW = (
    EVERYTHING.encode("utf-8", "surrogatepass")
    + bytes(range(256))
    + b"\xc3\x28\xed\xa0\x80\xf8\x88\xc0\xaf\xff\xfe\xe2\x82"
)
"""What a step prints: all of it as bytes, every byte there is, and UTF-8 that is none."""


def batches(cells: int = 70) -> list[str]:
    """The corpus in strings short enough that most of each is on the screen at once."""
    made = [""]
    for text in CORPUS.values():
        if made[-1] and len(made[-1]) + len(text) > cells:
            made.append("")
        made[-1] += text
    return made


def plan_of(evil: str) -> Plan:
    """The usual plan with `evil` in every text it has."""
    plan = a_plan(4)
    name = evil.replace("/", "|")  # a target's name has no slash
    ids = {t.id: f"{t.id}{name}" for t in plan.targets}
    stage = {s.name: f"{s.name}{evil}" for s in plan.stages}
    signals = tuple(
        replace(
            s, question=f"q{evil}?", unit=f"u{evil}", targets=tuple(ids[t] for t in s.targets if t in ids)
        )
        for s in plan.signals
    )
    strange = (
        Signal(f"s{evil}", "command", timedelta(seconds=5), targets=(ids["web-1"],)),
        Signal(
            f"m{evil}", "manual", timedelta(minutes=5), f"m{evil}", f"u{evil}", "support_liaison", (HERE,)
        ),
    )
    limits = tuple(replace(t, message=f"l{evil}", agreed_by=("dana",)) for t in plan.thresholds)
    calls = Threshold(f"i{evil}", "orders", "escalate", "<", 100, escalate_to=("dana", f"on call {evil}"))
    unread = Threshold(f"k{evil}", f"s{evil}", "pause", ">", 3, message=f"l{evil}")
    item = ChecklistItem(
        f"x{evil}", f"t{evil}", "lee", f"stage:{stage['web']}", check=f"c{evil}", expect=f"e{evil}"
    )
    release = replace(
        plan.release,
        **{
            f: f"{getattr(plan.release, f)}{evil}" for f in ("name", "service", "version", "previous_version")
        },
        customer_impact=f"i{evil}",
        change_ref=f"c{evil}",
        links={f"r{evil}": f"http://x/{evil}"},
    )
    assert plan.window is not None
    return replace(
        plan,
        release=release,
        people=tuple(replace(p, name=f"{p.name}{evil[:60]}", contact=f"#{evil}") for p in plan.people),
        roles=replace(plan.roles, others={f"o{evil}": "dana"}),
        targets=tuple(Target(ids[t.id], f"h{evil}", groups=("web",)) for t in plan.targets),
        steps=tuple(
            replace(s, run=f"{s.run} {evil}", healthy=f"h{evil}", rollback=f"{s.rollback} {evil}")
            for s in plan.steps
        ),
        stages=tuple(
            replace(
                s,
                name=stage[s.name],
                targets=tuple(ids.get(t, t) for t in s.targets),
                gate=replace(s.gate, instructions=f"g{evil}") if s.gate else None,
            )
            for s in plan.stages
        ),
        signals=(*signals, *strange),
        thresholds=(*limits, calls, unread),
        checklist=(
            *(
                replace(
                    i,
                    text=f"t{evil}",
                    healthy=f"h{evil}",
                    data_condition=f"d{evil}",
                    link=f"http://{evil}",
                    before=f"stage:{stage['web']}" if i.before != "start" else i.before,
                )
                for i in plan.checklist
            ),
            item,
        ),
        window=replace(plan.window, freeze=(Freeze(date(2026, 11, 27), date(2026, 11, 30), f"f{evil}"),)),
    )


class HostileLink(FakeLink):
    """A session whose every word is `evil`; what is read, printed and told as well."""

    def __init__(self, evil: str, me: str = "dana") -> None:
        self.evil = evil
        super().__init__(plan_of(evil), me)
        self.on = self.state.plan.targets[0].id

    def pass_time(self, seconds: float, errors: float | None = None, reading: bool = True) -> None:
        """What people read is entered all the while, so that only what is asked for is amiss."""
        self.do(cmd.EnterReading(self.at, "kim", signal=f"m{self.evil}", value=1))
        super().pass_time(seconds, errors, reading)

    def tells(self) -> None:
        """Everything that is told from outside says it."""
        evil, first = self.evil, self.state.plan.targets[0].id
        self.do(cmd.ReportCheck(self.at, f"x{evil}", False, f"f{evil}", f"d{evil}"))
        self.do(cmd.ReportSignal(self.at, f"s{evil}", False, f"d{evil}"))
        self.do(cmd.ReportNotice(self.at, "escalate", f"POST {evil}", False, f"d{evil}"))
        self.do(
            cmd.ReportFreezes(
                self.at, (ev.Frozen(self.at, self.at + timedelta(hours=1), f"f{evil}"),), f"d{evil}"
            )
        )
        self.do(cmd.AddNote(self.at, "sam", reason=f"n{evil}"))
        if self.state.started is None:
            self.do(cmd.ReportProbe(self.at, first, False, f"d{evil}", f"h{evil}"))

    def finish(self, *targets: str, finish: ev.Finish = "succeeded", code: int = 0, detail: str = "") -> None:
        """With an output of everything."""
        for a in self.state.running():
            self.outputs[a.id] = RAW
        super().finish(*targets, finish=finish, code=code, detail=detail)


def _before(evil: str) -> HostileLink:
    link = HostileLink(evil)
    link.tells()
    return link


def _running(evil: str, me: str = "dana") -> HostileLink:
    link = HostileLink(evil, me)
    missing = readiness.findings(link.ready().state, link.at)
    seen = tuple(f.key for f in missing if not f.ok)
    link.do(cmd.StartRelease(link.at, "dana", reason=f"r{evil}", overriding=seen))
    link.tick()
    return link


def _failed(evil: str) -> HostileLink:
    link = _running(evil)
    link.tells()
    link.finish(finish="failed", code=3, detail=f"d{evil}")
    return link


def _doubt(evil: str) -> HostileLink:
    link = _running(evil)
    link.lose(detail=f"d{evil}")
    link.pass_time(35)
    link.settle("in_doubt", f"d{evil}")
    return link


def _paused(evil: str) -> HostileLink:
    link = _running(evil)
    link.finish()
    link.pass_time(20)
    link.do(cmd.PauseRollout(link.at, "kim", reason=f"r{evil}"))
    return link


def _unexplained(evil: str) -> HostileLink:
    link = _running(evil)
    link.finish()
    link.do(cmd.ReportUnexplained(link.at, "kim", reason=f"r{evil}"))
    link.pass_time(310)
    return link


def _offered(evil: str) -> HostileLink:
    link = _running(evil)
    link.finish()
    link.attach("lee", f"lee{evil}")
    link.attach(f"eve{evil}")
    link.do(cmd.OfferRole(link.at, "lee", reason=f"r{evil}", role="rollback_owner", to="dana"))
    return link


def _partial(evil: str) -> HostileLink:
    link = _running(evil, "lee")
    link.finish()
    link.do(cmd.RollBack(link.at, "lee", reason=f"r{evil}"))
    link.tick()
    link.finish(finish="failed", code=1, detail=f"d{evil}")
    return link


def _log_failed(evil: str) -> HostileLink:
    link = _running(evil)
    link.failure = f"/home/{evil}: the log can't be written: {evil}"
    return link


def _closed(evil: str) -> HostileLink:
    link = _running(evil)
    link.finish()
    link.do(
        cmd.AddAction(
            link.at, "dana", reason=f"Runbook R-12 tells of {evil[:200]}", owner="lee", due="2026-12-01"
        )
    )
    link.do(cmd.Abort(link.at, "dana", reason=f"r{evil}"))
    link.tick()
    return link


MOMENTS: Mapping[str, Callable[[str], HostileLink]] = {
    "before": _before,
    "running": _running,
    "failed": _failed,
    "doubt": _doubt,
    "paused": _paused,
    "unexplained": _unexplained,
    "offered": _offered,
    "partial": _partial,
    "log_failed": _log_failed,
    "closed": _closed,
}
"""Where a release can stand, by what then has the word."""
