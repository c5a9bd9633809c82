"""What to do about messages that don't say it themselves, by their words as docs/errors.md has them."""

# ruff: noqa: E501 - a row a line

from __future__ import annotations

_ANOTHER_LOG = "name another session: `cockpit sessions` lists them"
_DAMAGED = (
    "`cockpit verify` says how far the log is sound, `cockpit export` reads what there is; go on from a copy"
)
_READABLE = "let `cockpit export` read what there is of it"
_GIVE_REASON = "say why in a line: the review keeps it"
_REACH = (
    "cockpit tries again by itself; see whether the machine is up (`cockpit doctor PLAN`), else exclude it"
)
_SEEN_ALREADY = "nothing: it is as you want it"
_WHO = "say who you are with --as, an id under [people]"
_ATTACH = "`cockpit attach` from the account that the plan names, or let that person decide"
_NAMES = "use a name that the message lists"
_AGAIN = "nothing more can be decided in it: `cockpit review` and `cockpit replay` show it"

TO_DO: dict[str, str] = {
    # What ends a command
    "The demo's hosts didn't start: WHY No release was begun. The whole message is in SAID.": (
        "read the file that is named; free memory or processes, then start the demo again, with fewer --hosts"
    ),
    "REASON Nothing ran.": "the message names whose move it is: attach to that session or let it end, or let that person start it",
    "record 1: its plan can't be read by this version: RENDER": "read it with the version that wrote it",
    "record 1: its plan isn't the one that the session was opened with (its hash differs)": (
        "somebody changed it: take the log for what it isn't, and look for a copy made before"
    ),
    "it changed while it was being checked": "check it again once nobody writes it",
    "it holds no session": _ANOTHER_LOG,
    "record 1: it opens no session": _ANOTHER_LOG,
    "a record is not JSON: ERROR. The log can't be trusted from there on.": _DAMAGED,
    "the log has no way to hold a field of type HINT.": "report it: this is a fault of cockpit",
    "PATH PROBLEM. The log was not opened: REMEDY.": "as its last part says: copy it, name the file itself, chmod it",
    "PATH: the log is closed. Nothing further can happen in it.": "`cockpit resume` takes the session up again",
    "the file was removed or replaced": "find out who did; what ran goes on on its targets: look there first",
    "PATH is no log as cockpit makes them: FAULT. Nothing was read.": _READABLE,
    "the file is damaged outside its records: ERROR": _DAMAGED,
    "the file is damaged outside its records: LAST": _DAMAGED,
    "its plan has no [release]": _READABLE,
    "its plan is not TOML (ERROR)": _READABLE,
    "no session was opened in it": _ANOTHER_LOG,
    "PROBLEMS REFUSAL": "mend each problem that is listed: each says what to write",
    "TOOL didn't end within WITHIN S s. Nothing was signed or checked.": "touch the key or unlock it, then sign again",
    "there is no theme THEME; nothing was opened… There are: A LIST": _NAMES,
    "there is no theme VISIBLE; there are: A LIST": _NAMES,
    "theme PATH: WHY": "mend the theme's file, or choose another with --theme",
    "FAULT The plan was not held against NAME: nothing is known of it there.": "leave that session out",
    "REASON. Nothing was contacted.": _WHO,
    "who are you? WHOEVER Nothing was contacted.": _WHO,
    "who are you? WHOEVER Nothing was kept.": _WHO,
    "--names roles: nothing in this log tells who its people are, so their names can't be taken out. Nothing was written.": (
        "export it with --names people, and take names out by hand before you pass it on"
    ),
    "TO can't be written (STRERROR). What was there is as it was.": "name another file with -o",
    "--table goes with --format csv": "add --format csv, or leave --table out",
    "PATH: the tables need a directory (STRERROR). Nothing was written.": "name a directory with -o",
    "PLAN: there is no such file. Nothing was contacted: MEANT": "write the plan's path; `cockpit init` writes a first",
    "SAID: there is no such command, and no such plan. Nothing was done: MEANT": "`cockpit --help` lists the commands",
    "--head is SEQ:HASH, as printed when the session ended": "copy what stands in the line `head ...` of that session",
    "PATH: a replay begins with the opening of its session, which isn't there. WHY INSTEAD": _READABLE,
    "PATH: this version can't read the plan in it. INSTEAD": "replay it with the version that wrote it",
    "--at: THERE. Nothing was shown.": "name a time within the session, or one of its records",
    '--about goes with --answer KEY "TEXT": it says which friction is answered.': "add --answer, or leave --about out",
    "FILE can't be read (STRERROR). Nothing was handed in.": "name the file that holds what --challenge printed",
    "what is signed? ITEM is a checklist item's id, gate:STAGE, role:ROLE or rollback:SERVICE.": "name one: `cockpit attach` lists them",
    "--key says with what is signed, which is done elsewhere here. Nothing was asked for.": (
        "leave --key out here, and give it where --challenge is signed"
    ),
    "FAULT. Nothing was handed in.": "paste all of what --challenge printed",
    "FAULT. Nothing was signed.": "paste the whole line that --ask printed",
    "FILE is no text, so no sign-off. Nothing was handed in.": "name the file that holds what --challenge printed",
    "PATH can't be written: STRERROR. The plan stands above instead.": "copy the plan from the terminal into a file",
    "nobody can answer: standard input is closed. Nothing was written.": "run it in a terminal, or pipe answers in",
    "HOSTS hosts: the demo fleet has 1 to MOST HOSTS of them; nothing was started": "choose a number in between",
    "session NAME doesn't answer: its process stands still. What it started goes on; its limits may not act.": (
        "look at that machine: if the process is stopped, let it go on (kill -CONT); if it hangs, end it, then `cockpit resume`"
    ),
    "DIRECTORY: sessions can't be attached to there: WHY": "as its last part says: close it, or name another directory with COCKPIT_LINKS",
    # Why nothing ran on a target
    "PLACE hung up before the login was through (too many logins at once?)": _REACH,
    "the jump host hung up": _REACH,
    "no step could be watched there: PARTITION": "see whether the target's home can be written to, and has room",
    "the connection was lost before anything was sent": _REACH,
    "the target lets no shell run that could watch over a step: SAID": "log in there by hand: a POSIX sh must run",
    "the target starts no shell: EXC": "log in there by hand: sshd's MaxSessions, or its processes, may be used up",
    "this machine starts no process: EXC": "free memory or processes on this machine",
    "the target refuses to run commands over SSH": "allow it for this user: no ForceCommand, no shell that refuses",
    "no way through the jump host: EXC": "log in to the jump host by hand, and see whether it forwards",
    "the connection was given up: every connection is being closed": _AGAIN,
    # What a session refuses
    "PEOPLE is called, not PERSON": "let whoever is called answer; anyone may pause",
    "an explanation takes words: what was it, and how is that known?": "write it in a line",
    "WITHOUT needs a reason": _GIVE_REASON,
    "SERVICE isn't what is released here: that is SERVICE": "name the session that releases it, or the service that it names",
    "WHO asks to roll back already, and ROLE has yet to agree: whoever may stop the release rolls back without that by an override, with its reason": (
        "wait for them; or `cockpit rollback --override WHY`, R once more on a screen"
    ),
    "SENTENCE; nothing goes on until then": "agree with `cockpit rollback`, or decline it with a reason: `cockpit decline`",
    "no rollback is proposed": "to go back anyway, roll back: that needs no proposal",
    "nobody is called at the moment": _SEEN_ALREADY,
    "nothing is unexplained": _SEEN_ALREADY,
    "you are OS USER, whom the plan doesn't know: you may watch, and nothing else": (
        "have your account put into the plan (os_user), or act from one that is"
    ),
    "SIGNAL is no signal of this plan that a person enters: THERE": _NAMES,
    "VALUE is no number that a limit could be held against": "enter a finite number",
    "the plan names no SAID: there are A LIST": _NAMES,
    "the session is over: only a screen that may act still comes, for its review": "`cockpit review` shows it",
    "there is a screen SCREEN already": "attach once more: each screen gets a name of its own",
    "this screen only watches: nothing is decided here": "attach without --read-only",
    "you are OS USER, whom the plan knows as WHOM: nobody else attaches from there": "leave --as out, or use its owner's account",
    "the release hasn't started": "start it first, or take the act up once it runs",
    "DETAIL: nothing more starts from here": "attach to the session that drives the release now",
    "WHAT takes PEOPLE, not PERSON": "ask one of those named; a role can be handed over, or taken when its holder is gone",
    "the release is rolling back": "wait for the way back: abort is all that comes before it",
    "the release was aborted": _AGAIN,
    "the release was aborted already": _AGAIN,
    "the session was left: nothing new starts": "`cockpit resume` takes it up again",
    "ID can't be signed: WHY": "settle what it names, then sign",
    "WHO has signed ID already": _SEEN_ALREADY,
    "the plan has no checklist item ITEM": "sign one of the checklist: `cockpit attach` lists them",
    "BY isn't in the plan's [people]": _WHO,
    "the rollout isn't paused": _SEEN_ALREADY,
    "A LIST is breached: accepting it is a decision of its own": "roll back, wait, or have the decision owner accept it by name",
    "going on over A LIST needs a reason": _GIVE_REASON,
    "it was handed in already: each signature counts once": "ask for a new challenge, and sign that",
    "no session is open": "start or resume one",
    "not ready: …": "settle what it lists (see Not ready below), or start with --override REASON",
    "only a rollback that stays partial is closed by hand": "wait for the way back to end",
    "the release has started already": _SEEN_ALREADY,
    "the rollout is paused already": _SEEN_ALREADY,
    "the session is closed": _AGAIN,
    "the session is open already": _SEEN_ALREADY,
    "STAGE doesn't wait at its gate": "wait until the stages before it are done",
    "STAGE doesn't wait to be promoted": "wait until the stage before it is done and clean",
    "OBJECTION: promoting it now needs a reason": _GIVE_REASON,
    "a no needs its reason: what has to change?": _GIVE_REASON,
    "every stage is done": _SEEN_ALREADY,
    "no gate waits for a decision": "wait until a stage with a gate comes up",
    "nothing waits to be promoted: a wave is running": "wait for the wave to settle",
    "the bake needs TOTAL SECONDS s more of clean signals": "wait; nobody shortens a bake, but a plan may",
    "a limit's span isn't negative": "write a span such as 2m",
    "a limit is a finite number": "write a number",
    "a limit that must be exceeded for more than a day protects no release": "write a span of at most a day",
    "a range has a low and a high end, in this order": "write the lower number first: outside 1..5",
    "changing a limit needs a reason": _GIVE_REASON,
    "it is TEXT already": _SEEN_ALREADY,
    "the plan has no limit THRESHOLD: there are THERE": _NAMES,
    "ATTEMPT isn't in doubt": _SEEN_ALREADY,
    "TARGET is excluded already": _SEEN_ALREADY,
    "excluding TARGET needs a reason": _GIVE_REASON,
    "nothing to retry on TARGET": _SEEN_ALREADY,
    "nothing to retry on TARGET: no step failed or is in doubt there": _SEEN_ALREADY,
    "running a step on TARGET again needs a reason": _GIVE_REASON,
    "the plan has no target TARGET": "name one of the plan's [targets]",
    "what was done about it, or why it isn't needed any more? That takes a reason": _GIVE_REASON,
    "action ACTION was HOW already": _SEEN_ALREADY,
    "action THERE asks for that already": "add to that one instead",
    "an empty answer says nothing": "write it in a line",
    "an empty note says nothing": "write it in a line",
    "this session has no open action ACTION: there are THERE": _NAMES,
    "“TEXT” would come back unchanged: A LIST": "give it what it lacks: an owner, a day, or words that say what will be there",
    "PERSON is ROLE, and hasn't offered it to PERSON": "ask them to offer it, or take the role if they are gone",
    "ROLE isn't offered to or by NAME": _SEEN_ALREADY,
    "handing over ROLE takes NAME's own account: they have a key": "hand it over from that account, or sign with the key",
    "… isn't in the plan's [people]: nobody was asked": "name an id under [people]",
    "PERSON has accepted ROLE already": _SEEN_ALREADY,
    "ROLE is offered to PERSON already": "wait for their answer, or take the offer back first",
    "no role waits for PERSON to accept it": _SEEN_ALREADY,
    "no role was left open": _SEEN_ALREADY,
    "nobody holds ROLE in this plan: there are HELD": _NAMES,
    "nothing is offered to or by NAME": _SEEN_ALREADY,
    "taking a role over needs a reason": _GIVE_REASON,
    "the plan has no role ROLE: there are HELD": _NAMES,
    "you are ROLE already": _SEEN_ALREADY,
    "the session is over": _AGAIN,
    "this is a replay: nothing can be decided or done in it": "attach to the session itself, if it still runs",
    "nothing was signed: what the session asked for isn't this. WHY": "ask anew with --ask, and compare what it shows",
    "this view stands still": "press f: it goes on with the release",
    "this view stands still: decisions are made on what is true now": "press f: it goes on, then decide",
    "Nothing was signed, and nothing was decided.": "sign again when you are sure; nothing was lost",
    "Nothing was signed: the rollback still waits for that.": "sign with R once the key is at hand, or go without the agreement, with a reason",
}  # fmt: skip
"""By the message's words: what to do."""

READINESS: dict[str, tuple[str, str]] = {
    "role": ("a role isn't accepted", "its holder attaches and accepts it, or `cockpit accept` from their account"),
    "nobody": ("a role is held by nobody", "name somebody under [roles] in the plan"),
    "left": ("whoever holds a role has left", "they come back (`cockpit attach`), or somebody takes the role"),
    "window": ("the window isn't open", "wait for it; outside of it only an override starts, which is kept"),
    "calendar": ("a freeze calendar can't be read", "mend its address or file: an unread calendar forbids nothing, and permits nothing"),
    "freeze": ("there is a freeze now", "wait for its end, or start with --override REASON"),
    "staff": ("too few people are there", "get them to attach, or agree on fewer in the plan"),
    "shift": ("somebody's shift ends within the window", "offer their role to somebody who stays"),
    "target": ("a target isn't reached, is held, or still runs something", "as its line says; `cockpit doctor PLAN` looks at each"),
    "unseen": ("a target hasn't been looked at yet", "wait a moment"),
    "clock": ("a target's clock is off or can't be read", "synchronise it: signals and logs are compared by it"),
    "previous": ("the version to go back to isn't found on a target", "put it there, or correct previous_version: without it there is no way back"),
    "machine": ("two targets are one machine", "remove one, or correct its host"),
    "signal": ("a signal can't be read", "run its query by hand; a release that can't be seen isn't started"),
    "limit": ("a limit is breached or can't be judged before the start", "let it recover, or correct the limit: it would stop the release at once"),
    "breach": ("a limit is breached before the start", "let it recover first: customers are already hurt"),
    "playbook": ("Ansible can't run a playbook of the plan on its targets", "as its line says; it is asked again by itself"),
    "playbooks": ("Ansible hasn't been asked about the playbooks yet", "wait a moment"),
    "secret": ("a secret that a command needs can't be looked up where the session runs", "as its line says; it is looked up again by itself (docs/secrets.md)"),
    "secrets": ("the secrets haven't been looked up yet", "wait a moment; a `cmd:` has ten seconds"),
    "rehearsal": ("the plan wasn't rehearsed lately", "`cockpit rehearse PLAN`"),
    "checklist": ("an item isn't signed", "its owner signs: `cockpit sign ITEM`, or s on the screen"),
    "check": ("the check of an item fails", "do what the item asks; the check runs again by itself"),
    "unchecked": ("the check of an item hasn't run yet", "wait a moment; where it can't run, its line says why"),
    "action": ("an action of an earlier review is open", '`cockpit actions close NAME "what was done"`, or waive it with a reason'),
    "actions": ("earlier reviews left something to do", "`cockpit actions` lists it"),
    "impact": ("what customers see if it half fails", "nothing: it is said so that everybody has read it"),
}  # fmt: skip
"""By the beginning of a finding's key: what it is, and what to do."""
