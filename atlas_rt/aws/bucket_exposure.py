"""Whether anybody can read a bucket.

S3 tells it in three places: the block of public access, the state of the bucket's policy, the grants of its list of
access (ACL). Keys for uploading alone may often ask none of them, and other services know none. Then the only proof is
to try without keys (`anyone_lists`, `anyone_reads`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.core.s3_address import S3Address
from atlas_rt.core.s3_errors import S3AnswerError, S3DeniedError, S3Error, S3GoneError
from atlas_rt.core.s3_options import S3Options

_EVERYBODY = ("/global/AllUsers", "/global/AuthenticatedUsers")
_MISSING = {"NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy"}


@dataclass(frozen=True, slots=True)
class Exposure:
    """public: None where it could not be told. why: what makes it public, or what could not be asked, in words."""

    public: bool | None
    why: str = ""


def exposure_of(connection: S3Connection, bucket: S3Address) -> Exposure:
    """What the bucket's settings say; three requests. Raises S3Error where nothing can be asked of it at all."""
    unknown: list[str] = []

    def asked(operation: str, read: Callable[[dict[str, Any]], Any]) -> Any:
        """A part of the answer, None where there is no such setting or it may not be asked."""
        try:
            return read(connection.call(operation, bucket))
        except (S3DeniedError, S3AnswerError, S3GoneError) as error:
            if error.code not in _MISSING:
                unknown.append(operation.removeprefix("get_").replace("_", " "))
            return None

    block = asked("get_public_access_block", lambda answer: answer["PublicAccessBlockConfiguration"]) or {}
    if block.get("IgnorePublicAcls") and block.get("RestrictPublicBuckets"):
        return Exposure(False)
    by_policy = asked("get_bucket_policy_status", lambda answer: answer["PolicyStatus"]["IsPublic"])
    if by_policy and not block.get("RestrictPublicBuckets"):
        return Exposure(True, "its policy is public")
    grants = asked("get_bucket_acl", lambda answer: answer["Grants"]) or []
    if not block.get("IgnorePublicAcls") and any(_is_everybody(grant) for grant in grants):
        return Exposure(True, "its list of access (ACL) lets everybody in")
    return Exposure(None, ", ".join(unknown)) if unknown else Exposure(False)


def anyone_lists(options: S3Options, folder: S3Address) -> bool:
    """Whether the names of the objects can be listed without keys. Raises S3Error where there is no answer."""
    return _succeeds(options, "list_objects_v2", S3Address(folder.bucket), Prefix=folder.folder, MaxKeys=1)


def anyone_reads(options: S3Options, address: S3Address) -> bool:
    """Whether an object that exists can be read without keys. Raises S3Error where there is no answer."""
    return _succeeds(options, "head_object", address)


def _is_everybody(grant: dict[str, Any]) -> bool:
    return str(grant.get("Grantee", {}).get("URI", "")).endswith(_EVERYBODY)


def _succeeds(options: S3Options, operation: str, address: S3Address, **arguments: Any) -> bool:
    unsigned = S3Connection(replace(options, no_sign_request=True, request_payer=False), connections=1, attempts=2)
    try:
        unsigned.call(operation, address, **arguments)
    except S3Error as error:
        if error.passes:  # no answer is no proof
            raise
        return False
    finally:
        unsigned.close()
    return True
