"""`cockpit sessions --push` into a bucket, on a server that speaks S3."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from moto.server import ThreadedMotoServer

from cockpit.cli import main
from cockpit.cli.archiving import _copy  # pyright: ignore[reportPrivateUsage]
from cockpit.core.archived import Held, Overtaken
from cockpit.core.errors import NotArchived, UsageError
from cockpit.remote import archive_s3
from cockpit.remote.archive_s3 import Bucket
from cockpit.store.archive import look, sha256
from cockpit.store.files import make_private_directory
from cockpit.store.sessions import session_dir
from tests.cli.releases import grow, release
from tests.servers import Answers, answering, closes, hangs, says
from tests.sshd import free_port

SECRET = "s3cr3t-key"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


class Site(NamedTuple):
    """A client of the server, the bucket that is set as the archive, and a session."""

    client: Any
    bucket: str
    endpoint: str
    session: Path

    @property
    def key(self) -> str:
        return f"cockpit/logs/checkout/{self.session.name}"

    def about(self) -> dict[str, Any]:
        return self.client.head_object(Bucket=self.bucket, Key=self.key)

    def archive(self, **patience: float) -> Bucket:
        return Bucket(f"s3://{self.bucket}/cockpit/logs/", self.endpoint, **patience)


@pytest.fixture
def site(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    bucket = tmp_path.name.replace("_", "-")[-40:].strip("-")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "COCKPIT_ARCHIVE_S3": f"s3://{bucket}/cockpit/logs",
        "COCKPIT_ARCHIVE_S3_ENDPOINT": server,
    }.items():
        monkeypatch.setenv(name, value)
    make_private_directory(session_dir())
    session = asyncio.run(release(session_dir(), "checkout", 0))
    client = boto3.client("s3", endpoint_url=server)
    client.create_bucket(Bucket=bucket)
    yield Site(client, bucket, server, session)
    client.close()


def test_a_session_is_put_once_and_again_once_it_has_grown(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out == f"{site.session.stem}  s3  pushed 37 kB\n"
    first = site.about()
    there = tmp_path / "there.db"
    site.client.download_file(site.bucket, site.key, str(there))
    assert sha256(there) == first["Metadata"]["sha256"]
    assert main(["verify", str(there)]) == 0
    assert "sound, " in capsys.readouterr().out
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out == f"{site.session.stem}  s3  already there\n"
    assert site.about()["LastModified"] == first["LastModified"]
    asyncio.run(grow(site.session))
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out == f"{site.session.stem}  s3  pushed 37 kB, 1 record more\n"
    assert int(site.about()["Metadata"]["records"]) == int(first["Metadata"]["records"]) + 1


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"records": "30", "head": "0" * 64}, "another session of that name is there"),
        (
            {"records": "7000", "head": "0" * 64, "origin": "its own"},
            "there it has 7000 records, and here only 30",
        ),
        ({}, "wasn't put there by cockpit, so it isn't touched"),
    ],
)
def test_what_it_does_not_go_on_from_is_never_written_over(
    site: Site, metadata: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "origin" in metadata:
        metadata = {**metadata, "origin": look(site.session).held.origin}
    site.client.put_object(Bucket=site.bucket, Key=site.key, Body=b"other", Metadata=metadata)
    assert main(["sessions", "--push"]) == 1
    assert says in capsys.readouterr().err
    assert site.client.get_object(Bucket=site.bucket, Key=site.key)["Body"].read() == b"other"


def test_of_two_pushes_at_a_time_the_slower_one_looks_again(site: Site, tmp_path: Path) -> None:
    archive, copy = site.archive(), _copy(site.session, tmp_path)
    archive.put(copy, None)
    with pytest.raises(Overtaken):
        archive.put(copy, None)
    assert archive.held("checkout", site.session.stem) == copy.held
    archive.close()


def test_what_arrives_otherwise_is_told(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has another file by the time that it is asked what it has."""
    archive, copy = site.archive(), _copy(site.session, tmp_path)
    sent = archive._sent  # pyright: ignore[reportPrivateUsage]

    def spoiled(*what: Any) -> None:
        sent(*what)
        site.client.put_object(Bucket=site.bucket, Key=site.key, Body=b"torn")

    monkeypatch.setattr(archive, "_sent", spoiled)
    with pytest.raises(NotArchived, match="isn't what was sent"):
        archive.put(copy, None)
    archive.close()


def test_a_server_that_knows_no_conditions_gets_none(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, copy = site.archive(), _copy(site.session, tmp_path)
    sent = archive._sent  # pyright: ignore[reportPrivateUsage]

    def unconditional(copy: Any, key: str, condition: dict[str, str]) -> None:
        if condition:
            fault = Exception("no")
            fault.response = {"Error": {"Code": "NotImplemented"}}  # type: ignore[attr-defined]
            raise fault
        sent(copy, key, condition)

    monkeypatch.setattr(archive, "_sent", unconditional)
    archive.put(copy, None)
    assert archive.held("checkout", site.session.stem) == copy.held
    with pytest.raises(NotArchived, match="more than 5 GB"):
        archive.put(replace(copy, bytes=6 * 1024**3), Held(1, "", ""))
    archive.close()


def _refuses(code: str, status: str = "403 Forbidden") -> Answers:
    return says(f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode(), status)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (hangs, "didn't answer within 60 s"),
        (closes, "can't be reached"),
        (_refuses("SlowDown", "503 Slow Down"), "refused it (503)"),
        (_refuses("AccessDenied"), "access denied. Allow s3:PutObject"),
        (says(b"", "401 Unauthorized"), "doesn't take the credentials (401)"),
        (says(b"", "507 Insufficient Storage"), "is full (507)"),
        (says(b"no xml at all"), "wasn't put there by cockpit"),
    ],
)
async def test_a_server_that_answers_otherwise(
    answers: Answers, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt has its end, and what is said holds nothing of the server's words."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setattr(archive_s3, "ATTEMPTS", 1)
    async with answering(answers) as endpoint:
        archive = Bucket("s3://releases/logs", endpoint, read_s=0.2)
        with pytest.raises(NotArchived) as caught:
            await asyncio.to_thread(archive.held, "checkout", "a")
        archive.close()
    assert told in str(caught.value)
    assert SECRET not in str(caught.value) and caught.value.__cause__ is None


def test_a_server_that_is_down_is_said_once_and_nothing_else_is_tried(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(release(session_dir(), "checkout", 1))
    monkeypatch.setattr(archive_s3, "ATTEMPTS", 1)
    monkeypatch.setenv("COCKPIT_ARCHIVE_S3_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    assert main(["sessions", "--push"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].startswith(f"{site.session.stem}  s3  not pushed: the bucket's server can't be reached")
    assert said[1] == "s3  1 more session not tried there"
    monkeypatch.setenv("COCKPIT_ARCHIVE_S3_ENDPOINT", site.endpoint)
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out.count("pushed 37 kB") == 2


def test_no_bucket_and_no_credentials(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COCKPIT_ARCHIVE_S3", "s3://nobody-made-it")
    assert main(["sessions", "--push"]) == 1
    assert "there is no bucket nobody-made-it" in capsys.readouterr().err
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert main(["sessions", "--push"]) == 1
    assert "there are no credentials for S3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("releases", ""),
        ("s3://", ""),
        ("s3://UPPER", ""),
        ("s3://b.c/", "minio:9000"),
        ("s3://bcd", "https://"),
    ],
)
def test_addresses_that_are_none(url: str, endpoint: str) -> None:
    with pytest.raises(UsageError, match="write it as"):
        Bucket(url, endpoint)


def test_without_boto3_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_s3, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install "release-cockpit\[s3\]"'):
        Bucket("s3://releases")
