"""A bucket that keeps sessions: S3 or a server that speaks as it does, where that extra is installed."""

from __future__ import annotations

import base64
import re
from importlib.util import find_spec
from typing import Any

from cockpit.core.archived import Copy, Held, Overtaken
from cockpit.core.errors import ArchiveLost, NotArchived, UsageError

WITH_S3 = 'pip install "release-cockpit[s3]"'

CONNECT_S, READ_S, ATTEMPTS = 10, 60, 3
MOST_BYTES = 5 * 1024**3
"""The largest object that is put in one piece."""

_PLACE = re.compile(r"s3://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_GONE = ("404", "NoSuchKey", "NotFound")
_FASTER = ("PreconditionFailed", "ConditionalRequestConflict", "412")
_UNKNOWN_HERE = ("NotImplemented", "501")


class Bucket:
    """Sessions as PREFIX/SERVICE/SESSION.db, each put whole; what it is stands in the object's metadata."""

    kind = "s3"

    def __init__(
        self, url: str, endpoint: str = "", *, connect_s: float = CONNECT_S, read_s: float = READ_S
    ) -> None:
        """`url` is s3://BUCKET/PREFIX; UsageError where it isn't, or boto3 isn't there. Nothing is contacted yet."""
        found = _PLACE.fullmatch(url)
        if found is None:
            raise UsageError("archive.s3 is no bucket: write it as s3://BUCKET, or s3://BUCKET/PREFIX.")
        if endpoint and not re.match(r"https?://[^/\s@]+", endpoint):
            raise UsageError("archive.s3_endpoint is no address: write it as https://HOST, or with its port.")
        if find_spec("boto3") is None:
            raise UsageError(f"archive.s3 needs boto3, which isn't installed here: run {WITH_S3}")
        self.bucket, self._prefix = found[1], (found[2] or "").strip("/")
        self._client = _client(endpoint, connect_s, read_s)
        self._etags: dict[str, str] = {}

    def key(self, service: str, name: str) -> str:
        """Where a session lies in the bucket, or would."""
        return "/".join(part for part in (self._prefix, service, f"{name}.db") if part)

    def held(self, service: str, name: str) -> Held | None:
        """How far it has the session."""
        key = self.key(service, name)
        try:
            found = self._client.head_object(Bucket=self.bucket, Key=key)
        except Exception as fault:  # noqa: BLE001 - whatever boto3 raises is told in our words
            if _code(fault) in _GONE:
                return None
            raise self._fault(fault) from None
        about = found.get("Metadata", {})
        self._etags[key] = found.get("ETag", "")
        records, head = about.get("records", ""), about.get("head", "")
        if not records.isdecimal() or not head:
            raise NotArchived(
                f"s3://{self.bucket}/{key} is there and wasn't put there by cockpit, so it isn't touched: remove or "
                "rename it."
            )
        return Held(int(records), head, about.get("origin", ""))

    def put(self, copy: Copy, before: Held | None) -> None:
        """Put the file in one piece, with its checksum, on the condition that nobody did so since."""
        if copy.bytes > MOST_BYTES:
            raise NotArchived(
                f"it has more than {MOST_BYTES // 1024**3} GB: copy it into the bucket by hand."
            )
        key = self.key(copy.service, copy.name)
        condition = {"IfNoneMatch": "*"} if before is None else {"IfMatch": self._etags.get(key, "")}
        try:
            self._sent(copy, key, condition)
        except Exception as fault:  # noqa: BLE001 - as above
            if _code(fault) in _FASTER:
                raise Overtaken from None
            if _code(fault) not in _UNKNOWN_HERE:
                raise self._fault(fault) from None
            self._sent_anyway(copy, key)
        self._compare(copy, key)

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def _sent(self, copy: Copy, key: str, condition: dict[str, str]) -> None:
        with open(copy.file, "rb") as body:
            self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentLength=copy.bytes,
                ContentType="application/vnd.sqlite3",
                ChecksumSHA256=base64.b64encode(bytes.fromhex(copy.sha256)).decode(),
                Metadata={
                    "sha256": copy.sha256,
                    "records": str(copy.held.records),
                    "head": copy.held.hash,
                    "origin": copy.held.origin,
                },
                **condition,
            )

    def _sent_anyway(self, copy: Copy, key: str) -> None:
        """To a server that knows no conditions: it was asked what it has a moment ago."""
        try:
            self._sent(copy, key, {})
        except Exception as fault:  # noqa: BLE001 - as above
            raise self._fault(fault) from None

    def _compare(self, copy: Copy, key: str) -> None:
        """What the bucket says that it has now must be what was sent."""
        try:
            there = self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        except Exception as fault:  # noqa: BLE001 - as above
            raise self._fault(fault) from None
        checksum = there.get("ChecksumSHA256")
        summed = base64.b64decode(checksum).hex() if checksum else copy.sha256
        told = there.get("Metadata", {}).get("sha256"), there.get("ContentLength"), summed
        if told != (copy.sha256, copy.bytes, copy.sha256):
            raise NotArchived(f"s3://{self.bucket}/{key} isn't what was sent. Remove it, then push again.")

    def _fault(self, fault: Exception) -> Exception:
        """What went wrong, in our words; of the server's only the code."""
        code = _code(fault)
        if code:
            return self._answered(code)
        match type(fault).__name__:
            case "NoCredentialsError" | "PartialCredentialsError" | "CredentialRetrievalError":
                return ArchiveLost(
                    "there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
                )
            case "TokenRetrievalError" | "SSOTokenLoadError" | "UnauthorizedSSOTokenError":
                return ArchiveLost("the login of the AWS profile is over: log in again with `aws sso login`.")
            case (
                "EndpointConnectionError"
                | "ConnectTimeoutError"
                | "ConnectionClosedError"
                | "ProxyConnectionError"
            ):
                return ArchiveLost(
                    "the bucket's server can't be reached: see archive.s3_endpoint, the network, AWS_REGION."
                )
            case "ReadTimeoutError":
                return ArchiveLost(f"the bucket's server didn't answer within {READ_S} s: push again later.")
            case "SSLError":
                return ArchiveLost(
                    "the bucket's server shows a certificate that isn't trusted: set AWS_CA_BUNDLE to its authority's."
                )
            case name if isinstance(fault, OSError) and fault.strerror:
                return NotArchived(f"the copy can't be read ({fault.strerror}, {name}): push again.")
            case name:
                return ArchiveLost(f"boto3 failed ({name}): see its credentials, profile and region.")

    def _answered(self, code: str) -> Exception:
        """What the server's answer means."""
        match code:
            case "NoSuchBucket":
                return ArchiveLost(
                    f"there is no bucket {self.bucket}: make it, or set archive.s3 to another."
                )
            case "403" | "AccessDenied" | "Forbidden" | "AllAccessDisabled":
                return ArchiveLost(
                    f"{self.bucket}: access denied. Allow s3:PutObject and s3:GetObject below the prefix, and "
                    "s3:ListBucket, without which what is missing can't be told from what is forbidden."
                )
            case "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken" | "401":
                return ArchiveLost(f"S3 doesn't take the credentials ({code}): set others, or log in again.")
            case "RequestTimeTooSkewed":
                return ArchiveLost("this machine's clock is off, so S3 answers nothing: set it right.")
            case (
                "301"
                | "PermanentRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
            ):
                return ArchiveLost(f"{self.bucket} is in another region: set AWS_REGION to it.")
            case "507" | "XMinioStorageFull" | "InsufficientStorage" | "QuotaExceeded":
                return ArchiveLost(f"{self.bucket} is full ({code}): free it, then push again.")
            case "BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch":
                return NotArchived(f"what was sent didn't arrive as it was ({code}): push again.")
            case _:
                return ArchiveLost(f"the bucket's server refused it ({code}): push again later.")


def _client(endpoint: str, connect_s: float, read_s: float) -> Any:
    """A client by boto3's own chain of credentials; path-style where a server is named."""
    import boto3  # noqa: PLC0415 - an extra, and slow to import
    from botocore.config import Config  # noqa: PLC0415 - as above

    config = Config(
        connect_timeout=connect_s,
        read_timeout=read_s,
        retries={"max_attempts": ATTEMPTS, "mode": "standard"},
        s3={"addressing_style": "path" if endpoint else "auto"},
        request_checksum_calculation="when_required",  # others than Amazon don't know boto3's own kind
        response_checksum_validation="when_required",
    )
    try:
        return boto3.Session().client("s3", endpoint_url=endpoint or None, config=config)
    except Exception as fault:  # noqa: BLE001 - a profile or region of the person's own that is wrong
        raise ArchiveLost(
            f"boto3 can't begin ({type(fault).__name__}): see AWS_PROFILE, AWS_REGION and ~/.aws/config."
        ) from None


def _code(fault: Exception) -> str:
    """The code that the server answered with; empty where it didn't."""
    answer = getattr(fault, "response", None)
    error = answer.get("Error", {}) if isinstance(answer, dict) else {}
    return str(error.get("Code", ""))
