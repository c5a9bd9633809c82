"""The plan of the night: many waves that bake, so that a release lasts about as long as asked."""

from __future__ import annotations

import math

BAKES = 0.35
"""The part of its hours for which a release bakes where nothing goes wrong; the rest is for what does."""


def plan_text(targets: int, hours: float, web: str) -> str:
    """A plan as TOML for so many targets (at least 10) and hours; `web` is the address of its web server."""
    bake_min = 10 if hours > 2 else 1
    waves = max(4, int(hours * 60 * BAKES / bake_min))
    front = targets * 3 // 5
    back = targets - front
    return "\n".join(
        (
            HEAD,
            "[targets]",
            f'"web-[001-{front:03}]" = {{ host = "web[001-{front:03}].test", groups = ["web"] }}',
            f'"api-[001-{back:03}]" = {{ host = "api[001-{back:03}].test", groups = ["api"] }}',
            STEPS,
            _stage("canary", ["web-001", "web-002"], ["switch"], 1, bake_min, 2),
            _stage("web", ["web"], ["switch"], math.ceil(waves * 0.6), bake_min, front - 2),
            'gate = { approvers = ["decision_owner", "rollback_owner"], needs = 2, timeout = "30m" }',
            _stage("api", ["api"], ["announce", "switch"], math.ceil(waves * 0.4), bake_min, back),
            'gate = { approvers = ["decision_owner"], timeout = "30m" }',
            SIGNALS.replace("WEB", web),
            REST.replace("WEB", web),
        )
    )


def _stage(name: str, targets: list[str], steps: list[str], waves: int, bake_min: int, count: int) -> str:
    sizes = [count // waves] * (waves - 1) if count >= waves else [1] * (count - 1)
    listed = ", ".join([*map(str, sizes), '"rest"'])
    return (
        f'[[stage]]\nname = "{name}"\ntargets = {targets}\nsteps = {steps}\nwaves = [{listed}]\n'
        f'bake_time = "{bake_min}m"\nmax_parallel = 8\nmax_failed = 3\n'
    )


HEAD = """
[release]
name = "Night"
service = "night"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."

[people]
dana = { name = "Dana Ruiz" }
lee = { name = "Lee Chen" }
sam = { name = "Sam Okoro" }
kim = { name = "Kim Park" }

[roles]
decision_owner = "dana"
rollback_owner = "lee"
metrics_watcher = "sam"
typed_names = true
stop_authority = ["dana", "lee"]
go_authority = ["kim"]
"""

STEPS = """
[[step]]
id = "switch"
run = "switch {version}"
verify = "health {version}"
rollback = "switch {previous_version}"
verify_rollback = "health {previous_version}"
timeout = "5m"

[[step]]
id = "announce"
on = "here"
run = "announce {version}"
rollback = "announce {previous_version}"
verify_rollback = "health {previous_version}"
"""

SIGNALS = """
[[signal]]
name = "errors"
source = "command"
run = "errors"
interval = "60s"

[[signal]]
name = "orders"
source = "http"
metric = "json"
json_path = "$.orders"
url = "WEB/orders"
interval = "30s"

[[signal]]
name = "tickets"
source = "manual"
owner = "metrics_watcher"
interval = "30m"

[[threshold]]
signal = "cpu"
when = "> 95"
for = "20s"
no_data = "pass"
action = "pause"

[[threshold]]
signal = "errors"
when = "> 5"
for = "2m"
action = "pause"

[[threshold]]
signal = "errors"
when = "> 3"
aggregate = "median"
action = "notify"

[[threshold]]
signal = "orders"
when = "< 60"
for = "1m"
action = "escalate"
escalate_to = ["metrics_watcher"]

[[threshold]]
signal = "load"
when = "> 3"
compare = "before"
observe_only = true
action = "notify"

[[threshold]]
signal = "tickets"
when = "> 20"
action = "notify"
"""

REST = """
[[checklist]]
id = "backup"
text = "The backup is fresh."
owner = "sam"
check = "backup-age"
expect = "< 24"

[[checklist]]
id = "brief"
text = "Support knows of it."
owner = "kim"
before = "stage:api"

[[checklist]]
id = "report"
text = "The report is written."
owner = "sam"
before = "close"
check = "report-age"
expect = "< 24"

[[notify]]
on = ["pause", "escalate", "rollback", "unattended", "unexplained", "completed", "aborted"]
url = "WEB/hook"

[[notify]]
on = ["notify", "pause"]
run = "tell {message}"
"""
