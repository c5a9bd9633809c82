"""The tables of an archive in PostgreSQL, as the scripts that made them, one for each version."""

from __future__ import annotations

SCHEMA = "cockpit"

_FIRST = """
CREATE TABLE cockpit.schema_version (
    version integer PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE cockpit.sessions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    origin text NOT NULL UNIQUE,
    service text NOT NULL,
    environment text NOT NULL,
    version text NOT NULL,
    previous_version text NOT NULL,
    release text NOT NULL,
    change_ref text NOT NULL,
    outcome text NOT NULL,
    partial boolean NOT NULL,
    unresolved text[] NOT NULL,
    opened_at timestamptz NOT NULL,
    started_at timestamptz,
    closed_at timestamptz NOT NULL,
    length_s double precision,
    breach_to_rollback_s double precision,
    recovery_s double precision,
    targets integer NOT NULL,
    opened_by text NOT NULL,
    machine text NOT NULL,
    cockpit_version text NOT NULL,
    plan_sha256 text NOT NULL
);
CREATE INDEX sessions_by_service ON cockpit.sessions (service, environment, closed_at);
CREATE TABLE cockpit.pushes (
    session bigint NOT NULL REFERENCES cockpit.sessions,
    records bigint NOT NULL,
    head text NOT NULL,
    log_sha256 text NOT NULL,
    log_bytes bigint NOT NULL,
    pushed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session, records)
);
CREATE TABLE cockpit.events (
    session bigint NOT NULL REFERENCES cockpit.sessions,
    record bigint NOT NULL,
    at timestamptz NOT NULL,
    type text NOT NULL,
    body jsonb NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (session, record)
);
CREATE INDEX events_by_type ON cockpit.events (type, at);
CREATE TABLE cockpit.samples (
    session bigint NOT NULL,
    signal text NOT NULL,
    target text,
    at timestamptz NOT NULL,
    value double precision
);
CREATE INDEX samples_by_session ON cockpit.samples USING brin (session, at);
CREATE TABLE cockpit.steps (
    session bigint NOT NULL REFERENCES cockpit.sessions,
    attempt text NOT NULL,
    stage text NOT NULL,
    wave integer NOT NULL,
    step text NOT NULL,
    target text NOT NULL,
    direction text NOT NULL,
    n integer NOT NULL,
    status text NOT NULL,
    exit_code integer,
    verify_exit_code integer,
    seconds double precision,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    proven boolean NOT NULL,
    was_in_doubt boolean NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (session, attempt)
);
CREATE INDEX steps_by_step ON cockpit.steps (step, direction, status) INCLUDE (session, seconds);
CREATE TABLE cockpit.decisions (
    session bigint NOT NULL REFERENCES cockpit.sessions,
    record bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    by text NOT NULL,
    via text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (session, record)
);
CREATE TABLE cockpit.gates (
    session bigint NOT NULL REFERENCES cockpit.sessions,
    stage text NOT NULL,
    n integer NOT NULL,
    approvers text NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    seconds double precision,
    PRIMARY KEY (session, stage, n)
);
CREATE TABLE cockpit.actions (
    session bigint NOT NULL REFERENCES cockpit.sessions,
    action text NOT NULL,
    record bigint NOT NULL,
    text text NOT NULL,
    owner text NOT NULL,
    due date,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    PRIMARY KEY (session, action)
);
CREATE INDEX actions_by_age ON cockpit.actions (asked_at);
CREATE TABLE cockpit.settlements (
    session bigint NOT NULL REFERENCES cockpit.sessions,
    action text NOT NULL,
    record bigint NOT NULL,
    how text NOT NULL,
    settled_at timestamptz NOT NULL,
    settled_by text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (session, action)
);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""What makes version n of the tables from version n - 1, at place n - 1. One that was released never changes."""

VERSION = len(MIGRATIONS)
