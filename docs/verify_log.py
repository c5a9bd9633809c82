"""Checks a cockpit log without cockpit: python3 verify_log.py SESSION.db [SEQ:HASH]. Python 3.11, OpenSSH; proof.md."""
import hashlib, json, os, shlex, sqlite3, subprocess, sys, tempfile, tomllib, urllib.parse
def chained(before=hashlib.sha256(b"cockpit.log/1").digest()):  # each is sha256(hash before || body || number from 1)
    for n, (seq, body, tie) in enumerate(db.execute("SELECT seq, CAST(body AS BLOB), hash FROM event ORDER BY seq"), 1):
        before = hashlib.sha256(before + body + n.to_bytes(8)).digest()
        assert (seq, tie) == (n, before.hex()), f"record {n} is missing, or not what was written"
        yield json.loads(body) | {"n": n, "head": f"{n}:{before.hex()}"}
def kept(end):  # the output is the one that its record speaks of; of one over 1.25 MiB the middle is left out
    rows = [*db.execute("SELECT head, tail, total, sha256 FROM output WHERE attempt = ?", (end["attempt"],))]
    own = [head + tail for head, tail, *said in rows if said == [end["output_bytes"], end["output_sha256"]]]
    whole = {hashlib.sha256(out).hexdigest() for out in own if end["output_bytes"] <= 1_310_720}
    return (own or not rows) and whole <= {end["output_sha256"]}
def signed(e):  # with its person's key in the plan, for this record of this log, and once
    key, level, earlier = plan.get("people", {}).get(e["by"], {}).get("key", ""), e["level"], events[: e["n"] - 1]
    if not e.get("signature"):  # whoever has a key signs items and gates with it; the first version had no levels
        return level is None or level != "key" and not (key and e["type"] != "RoleAccepted")
    line, _, armoured = e["signature"].partition("\n")
    said = dict(word.split("=", 1) for word in shlex.split(line)[2:])
    does = [(d, e[of]) for d, of in zip(("sign", "approve", "accept"), ("item", "stage", "role")) if of in e]
    own = e["by"], *(*does, ("roll back", plan["release"]["service"]))[0], opened["plan_sha256"], opened["session"]
    fits = own == tuple(said[word] for word in ("person", "decision", "about", "plan", "session")) and level == "key"
    once = not any(other.get("signature", "").startswith(line) for other in earlier)
    for file, text in ("signature", armoured), ("signers", f"{e['by']} {' '.join(key.split()[:2])}\n"):
        open(f"{scratch.name}/{file}", "w").write(text)
    ssh = [*"ssh-keygen -Y verify -f signers -n cockpit-signoff -s signature -I".split(), e["by"]]
    made = subprocess.run(ssh, input=f"{line}\n".encode(), cwd=scratch.name, capture_output=True, timeout=10)
    return fits and once and made.returncode == 0 and said["head"] in [other["head"] for other in earlier]
def untrue():  # what the log claims, and its records don't bear out
    of, end = lambda kind: [e for e in events if e["type"] == kind], {e["attempt"]: e for e in events if "finish" in e}
    go = [(a["direction"], (a["target"], a["stage"], a["step"]), end.get(a["attempt"], {})) for a in of("StepIntended")]
    back, closed = {what for way, what, e in go if way == "back" and e.get("proven")}, of("SessionClosed")
    touched = {what for way, what, e in go if way == "run" and e.get("finish") not in ("unreachable", "skipped")}
    left, here = {what[0] for what in touched - back}, {s["id"] for s in plan["step"] if s.get("on") == "here"}
    tried, steps = {what for _, what, _ in go}, {s["name"]: s["steps"] for s in plan["stage"]}
    off = {what[0] for _, what, e in go if e.get("finish") != "succeeded"} | {e["target"] for e in of("TargetExcluded")}
    begun = [(t, e["stage"], step) for e in of("WaveStarted") for t in e["targets"] for step in steps[e["stage"]]]
    lacks = {t for t, at, step in begun if (t == "here") == (step in here) and (t, at, step) not in tried} - off
    done = begun and not lacks and {*steps} <= {e["stage"] for e in of("StageFinished")} and "completed"
    was = of("ReleaseAborted") and "aborted" or of("RollbackStarted") and "rolled_back" or done
    return closed[1:] + [e for e in events if e["type"] == "StepFinished" and e["proven"] and e["verify_exit_code"] != 0
        or e.get("finish", "in_doubt") != "in_doubt" and e is not end[e["attempt"]]  # its attempt ended once more
        or e["type"] == "RollbackFinished" and left.intersection(e["proven"])
        or e["type"] == "SessionClosed" and (e["outcome"] != was or was == "rolled_back" and left and not e["partial"])]

if not __debug__: sys.exit("NOT checked: run it without -O")
if not sys.argv[1:] or {"-h", "--help"} & {*sys.argv}: sys.exit(print("usage:", __doc__, file=sys.stderr) or 2)
path, noted, scratch = sys.argv[1], {*sys.argv[2:]}, tempfile.TemporaryDirectory()
sys.excepthook = lambda kind, why, _: print("NOT sound:", ascii(str(why) or kind.__name__)[1:-1])  # and exits with 1
assert os.path.isfile(path) and not os.path.exists(path + "-wal"), "it is no file, or its session isn't closed"
db = sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=ro&immutable=1", uri=True)
assert not [*db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'view' OR sql LIKE 'CREATE VIRTUAL%'")], "odd tables"
events = [*chained()]
opened, plan = events[0], tomllib.loads(events[0]["plan_text"])
assert hashlib.sha256(opened["plan_text"].encode()).hexdigest() == opened["plan_sha256"], "its plan was exchanged"
assert noted <= {e["head"] for e in events}, "it was cut or made anew: it lacks the head that was noted"
for e in events:
    assert e["type"] != "StepFinished" or kept(e), f"record {e['n']}: the output kept isn't the one it speaks of"
    assert "level" not in e or signed(e), f"record {e['n']}: its signature doesn't hold, or is missing"
wrong = [f"record {e['n']}, {e['type']}: it doesn't follow from the others" for e in untrue()]
sys.exit(print(f"NOT true: {wrong[0]}" if wrong else "sound") or len(wrong) > 0)
