"""What no log may ever say: the safety rules, checked on events alone, apart from the core's own code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cockpit.core import events as ev
from cockpit.core.plan import Plan


class _Limits:
    """What the limits say, what was accepted of them, and which have acted on the breach that they say."""

    def __init__(self, plan: Plan) -> None:
        self.said: dict[str, ev.VerdictChanged] = {}
        self.accepted: dict[tuple[str, str | None], float | None] = {}
        self.acted: set[str] = set()
        self.lasting: set[str] = set()
        self.due = ""
        self.judged = {t.id for t in plan.thresholds if not t.observe_only}
        self.started = False

    def take(self, event: ev.Event) -> None:
        """A breach acts at once and once, and nothing expands beside one, or before everything was judged."""
        tripped = event.threshold if isinstance(event, ev.ThresholdTripped) else ""
        assert tripped == self.due, f"{self.due or tripped} acts when it should not, or not when it should"
        self.due = ""
        match event:
            case ev.ReleaseStarted():
                self.started = True
            case ev.VerdictChanged():
                self._judged(event)
            case ev.ThresholdTripped():
                assert event.threshold not in self.acted, "one breach, two actions"
                self.acted.add(event.threshold)
            case ev.RolloutResumed():
                for threshold in event.accepted:
                    said = self.said[threshold]
                    self.accepted[threshold, said.target] = said.value
                    self.acted.discard(threshold)
            case ev.LimitChanged():
                self.said.pop(event.threshold, None)
                self._forgive(event.threshold)
                self.acted.discard(event.threshold)
                self.lasting.discard(event.threshold)
            case ev.SessionResumed() | ev.MachineSlept():
                self.lasting |= self.acted
                self.said, self.acted = {}, set()
            case ev.StagePromoted() | ev.WaveStarted() | ev.BakeFinished():
                assert all(self._clean(t) for t in self.judged), f"{event} beside a limit that isn't clean"
            case _:
                pass

    def _judged(self, event: ev.VerdictChanged) -> None:
        self.said[event.threshold] = event
        if event.verdict == "pass" and event.breaching_since is None:
            self._forgive(event.threshold)
            self.lasting.discard(event.threshold)
        if event.verdict == "breach" and event.threshold in self.lasting:  # it acted before
            self.lasting.discard(event.threshold)
            self.acted.add(event.threshold)
        if event.verdict != "breach" or self._clean(event.threshold):
            self.acted.discard(event.threshold)
        elif self.started and not self._clean(event.threshold) and event.threshold not in self.acted:
            self.due = event.threshold

    def _forgive(self, threshold: str) -> None:
        self.accepted = {key: value for key, value in self.accepted.items() if key[0] != threshold}

    def _clean(self, threshold: str) -> bool:
        said = self.said.get(threshold)
        if said is None or said.verdict != "breach":
            return said is not None and said.verdict == "pass" and said.breaching_since is None
        most = self.accepted.get((threshold, said.target))
        return most is not None and said.value is not None and said.value <= most


class _Runs:
    """A playbook's run is of one step, one way, for targets that all begin in one decision, beside nothing else."""

    def __init__(self, plan: Plan) -> None:
        self.playbooks = {s.id for s in plan.steps if s.on == "ansible"}
        self.busy: dict[str, ev.StepIntended] = {}
        self.all: dict[str, ev.StepIntended] = {}
        self.newest: ev.StepIntended | None = None

    def take(self, event: ev.Event) -> None:
        match event:
            case ev.StepIntended():
                self._begins(event)
                self.newest = event
            case ev.StepFinished() | ev.DoubtResolved():
                self.busy.pop(event.attempt, None)
                self.newest = None
            case ev.StepFound():
                self.busy[event.attempt], self.newest = self.all[event.attempt], None
            case ev.SessionResumed():  # what ran is in doubt
                self.busy, self.newest = {}, None
            case _:
                self.newest = None

    def _begins(self, event: ev.StepIntended) -> None:
        run = event.together
        assert bool(run) is (event.step in self.playbooks), (
            f"{event.attempt} is in a run, or in none, by mistake"
        )
        if run and run != event.attempt:
            assert self.newest is not None and self.newest.together == run, "joined a run that was under way"
            same = (
                self.newest.stage,
                self.newest.step,
                self.newest.direction,
                self.newest.at,
                self.newest.line,
            )
            assert same == (event.stage, event.step, event.direction, event.at, event.line), (
                "one run, two things"
            )
        elif run:
            assert not self.busy, f"{event.attempt}, a playbook's run, began beside {list(self.busy)}"
        self.busy[event.attempt] = self.all[event.attempt] = event


class _Team:
    """Who holds which role, who of them has left, and who said yes at the gate since it was last held up."""

    def __init__(self, plan: Plan) -> None:
        self.gates = {s.name: s.gate for s in plan.stages if s.gate is not None}
        self.held = dict(plan.roles.held())
        self.seats: dict[str, str] = {}
        self.left: set[str] = set()
        self.yes: dict[str, set[str]] = {}

    def take(self, event: ev.Event) -> None:
        match event:
            case ev.RoleAccepted(role=role, was=was, by=by) | ev.RoleTaken(role=role, was=was, by=by):
                assert self.held[role] == was, "a role that somebody else holds changed hands"
                self.held[role] = by
            case ev.ScreenAttached(may_act=True):
                self.left.discard(event.person)
                self.seats |= {event.screen: event.person} if event.kind == "screen" else {}
            case ev.ScreenDetached() if event.screen in self.seats:
                person = self.seats.pop(event.screen)
                self.left |= {person} - set(self.seats.values())
            case ev.SessionResumed():
                self.left |= set(self.seats.values())
                self.seats, self.yes = {}, {}
            case (
                ev.RolloutPaused()
                | ev.GateTimedOut()
                | ev.StageRejected()
                | ev.WindowClosed()
                | ev.LeftAlone()
            ):
                self.yes = {}
            case ev.StageApproved():
                assert event.by not in self.yes, "one person said yes twice"
                approvers = self.gates[event.stage].approvers
                self.yes[event.by] = {name for name in approvers if self.held.get(name, name) == event.by}
            case ev.StagePromoted():
                self._promoted(event)
            case _:
                pass
        if isinstance(event, ev.StagePromoted | ev.StageStarted | ev.WaveStarted):
            assert not self.left & set(self.held.values()), f"{event} while the holder of a role had left"

    def _promoted(self, event: ev.StagePromoted) -> None:
        gate, said = self.gates.get(event.stage), self.yes
        self.yes = {}
        if gate is not None:
            roles = {name for names in said.values() for name in names}
            assert len(said if gate.distinct else roles) >= gate.needs, "a gate opened on too few"


class _Consent:
    """Who has agreed to the rollback that a person asks for; while it is asked for, nothing goes on."""

    def __init__(self, plan: Plan) -> None:
        self.wanted = plan.rollback.approval
        self.stoppers = plan.roles.stop_authority
        self.held = dict(plan.roles.held())
        self.asked = False
        self.yes: set[str] = set()

    def take(self, event: ev.Event) -> None:
        match event:
            case ev.RoleAccepted() | ev.RoleTaken():
                self.held[event.role] = event.by
            case ev.RollbackAsked():
                assert not self.asked and self.wanted, "asked for twice, or in vain"
                self.asked, self.yes = True, set()
            case ev.RollbackAgreed():
                assert self.asked, "agreed to what nobody asked for"
                self.yes |= {name for name in self.wanted if self.held.get(name, name) == event.by}
            case ev.ProposalDeclined(asked=True):
                assert self.asked and event.reason, "declined what nobody asked for, or without a reason"
                self.asked = False
            case ev.RolloutResumed() | ev.WaveStarted() | ev.StagePromoted():
                assert not self.asked, f"{event} while a rollback was asked for"
            case ev.StepIntended(direction="run"):
                assert not self.asked, "a step went forward while a rollback was asked for"
            case ev.RollbackStarted():
                by_hand = event.by != ev.COCKPIT
                if by_hand and not self.yes.issuperset(self.wanted):
                    stopper = event.by in {self.held.get(name, name) for name in self.stoppers}
                    assert event.override and stopper, "rolled back by hand on too few agreements"
                self.asked, self.yes = False, set()
            case ev.ReleaseAborted():
                self.asked = False
            case _:
                pass


def check(events: Sequence[ev.Event], plan: Plan) -> None:
    """Raise AssertionError for the first rule that the log breaks."""
    held: bool = False  # paused, or taken up again
    started = aborted = going_back = closed = False
    intents: Counter[tuple[str, str, str, str]] = Counter()
    allowed: Counter[tuple[str, str, str]] = Counter()
    promoted: set[str] = set()
    open_attempts: dict[str, ev.StepIntended] = {}
    intended: dict[str, ev.StepIntended] = {}
    finished: dict[str, ev.StepFinished] = {}
    ids: set[str] = set()
    doubtful: set[str] = set()
    baked: set[tuple[str, int]] = set()
    excluded: set[str] = set()
    last_wave: tuple[str, int] | None = None
    acting: set[str] = set()
    unexplained = False
    attended = False  # since somebody who may act was first here
    limits, team, runs, consent = _Limits(plan), _Team(plan), _Runs(plan), _Consent(plan)
    for event in events:
        runs.take(event)
        limits.take(event)
        team.take(event)
        consent.take(event)
        trailing = (
            ev.ActionAdded,
            ev.ActionSettled,
            ev.NoteAdded,
            ev.NoticeSent,
            ev.TargetsReleased,
            ev.ScreenAttached,
            ev.ScreenDetached,
        )
        assert not closed or isinstance(event, trailing), f"{event} after the end"
        if isinstance(event, ev.StagePromoted | ev.StageStarted | ev.WaveStarted):
            assert acting or not attended, f"{event} while nobody was here"
        if isinstance(event, ev.StagePromoted | ev.WaveStarted):
            assert not unexplained, f"{event} while something was unexplained"
        match event:
            case ev.UnexplainedReported():
                assert not unexplained, "unexplained twice"
                unexplained = True
            case ev.RollbackProposed():
                assert unexplained, "a rollback proposed for nothing"
            case ev.ExplanationRecorded() | ev.ProposalDeclined(asked=False):
                assert unexplained and event.reason, "an explanation of nothing, or without words"
                unexplained = False
            case ev.ScreenAttached():
                assert event.screen not in acting, "one screen came twice"
                acting |= {event.screen} if event.may_act else set()
                attended = attended or event.may_act
            case ev.ScreenDetached():
                acting.discard(event.screen)
            case ev.ReleaseStarted():
                started = True
            case (
                ev.RolloutPaused()
                | ev.GateTimedOut()
                | ev.StageRejected()
                | ev.WindowClosed()
                | ev.LeftAlone()
            ):
                held = True
            case ev.RolloutResumed():
                held = False
            case ev.SessionResumed():
                held = held or started
                acting = set()
                doubtful |= set(open_attempts)
                open_attempts = {}
            case ev.StepFound():
                assert event.attempt in doubtful, "found what nobody missed"
                doubtful.discard(event.attempt)
                open_attempts[event.attempt] = intended[event.attempt]
            case ev.DoubtResolved():
                assert event.attempt in doubtful and event.reason, "a doubt resolved without one, or a reason"
                doubtful.discard(event.attempt)
            case ev.RollbackStarted():
                unexplained = False
                assert not aborted, "rolled back after an abort"
                going_back, held = True, False
            case ev.ReleaseAborted():
                aborted = True
            case ev.StagePromoted():
                assert not held and not aborted and not going_back, "promoted while held"
                stage = next(s for s in plan.stages if s.name == event.stage)
                if stage.gate is not None and stage is not plan.stages[0]:
                    assert event.by != ev.COCKPIT, "a gate opened by itself"
                promoted.add(event.stage)
            case ev.RetryAuthorised():
                assert event.reason, "a retry without a reason"
                allowed[event.stage, event.step, event.target] += 1
            case ev.TargetExcluded():
                excluded.add(event.target)
            case ev.WaveStarted():
                assert not held, "a wave began while held"
                assert event.stage in promoted, f"{event.stage} began without a promotion"
                if last_wave is not None:
                    assert last_wave in baked, (
                        f"{event.stage}/{event.wave} began before {last_wave} was baked"
                    )
                last_wave = (event.stage, event.wave)
            case ev.BakeFinished():
                assert not open_attempts, "a bake ended while a step ran"
                baked.add((event.stage, event.wave))
            case ev.StepIntended():
                assert started and not aborted, "a step began before the start or after an abort"
                assert event.attempt not in ids, f"{event.attempt} twice"
                ids.add(event.attempt)
                key = (event.stage, event.step, event.target, event.direction)
                retry = (event.stage, event.step, event.target)
                if intents[key]:
                    assert allowed[retry] > 0, f"{key} ran again without a named person"
                    allowed[retry] -= 1
                intents[key] += 1
                if event.direction == "run":
                    assert not held and not going_back, "a step went forward while held or going back"
                    assert last_wave is not None and event.stage == last_wave[0], (
                        "a step of another stage began"
                    )
                    assert event.wave <= last_wave[1], "a step of a later wave began"
                    assert event.target not in excluded, "a step began on an excluded target"
                else:
                    assert going_back and not held, "a step went back outside a rollback, or while held"
                open_attempts[event.attempt] = intended[event.attempt] = event
            case ev.StepFinished():
                assert event.attempt in open_attempts or event.attempt in doubtful, (
                    "a finish without an intent"
                )
                if event.finish == "succeeded":
                    assert event.exit_code == 0 or event.settled == "verify", "succeeded without a record"
                open_attempts.pop(event.attempt, None)
                intent = intended[event.attempt]
                if event.finish == "skipped":  # it never began: it doesn't count
                    intents[intent.stage, intent.step, intent.target, intent.direction] -= 1
                (doubtful.add if event.finish == "in_doubt" else doubtful.discard)(event.attempt)
                finished[event.attempt] = event
            case ev.SessionClosed():
                closed = True
                _check_end(event, events, plan, finished, doubtful)
            case _:
                pass


def _check_end(
    end: ev.SessionClosed,
    events: Sequence[ev.Event],
    plan: Plan,
    finished: dict[str, ev.StepFinished],
    doubtful: set[str],
) -> None:
    intents = [e for e in events if isinstance(e, ev.StepIntended)]
    superseded = {
        older.attempt
        for i, older in enumerate(intents)
        for newer in intents[i + 1 :]
        if (older.stage, older.step, older.target, older.direction)
        == (newer.stage, newer.step, newer.target, newer.direction)
    }
    if end.outcome == "completed":
        left = {i.attempt for i in intents if i.attempt in doubtful}
        assert not left - superseded, "completed with a step in doubt"
        ran = {e.stage for e in events if isinstance(e, ev.StageFinished)}
        assert ran == {s.name for s in plan.stages}, "completed before every stage was done"
    if end.outcome == "rolled_back" and not end.partial:
        for i in intents:
            done = finished.get(i.attempt)
            if i.direction != "run" or (done is not None and done.finish in ("unreachable", "skipped")):
                continue
            backs = [
                finished[b.attempt]
                for b in intents
                if (b.stage, b.step, b.target, b.direction) == (i.stage, i.step, i.target, "back")
                and b.attempt in finished
            ]
            proven = bool(backs) and backs[-1].finish == "succeeded" and backs[-1].proven
            assert proven, f"{i.attempt} was never proven back"
