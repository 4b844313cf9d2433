"""What a failed request to S3 means: an error of botocore or urllib3 -> its kind (`core/s3_errors.py`), a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from atlas_rt.core.s3_address import S3Address
from atlas_rt.core.s3_errors import (
    S3AnswerError,
    S3ArchivedError,
    S3ChangedError,
    S3ClockError,
    S3CredentialsError,
    S3DeniedError,
    S3Error,
    S3ExpiredError,
    S3GoneError,
    S3NetworkError,
    S3NoBucketError,
    S3RegionError,
    S3SlowDownError,
)

NO_CREDENTIALS = (
    "No AWS credentials were found. Set them up with `aws configure`, choose a profile with --profile, or read a "
    "public bucket with --no-sign-request."
)
EXPIRED = "The AWS credentials have expired. Sign in again, for example with `aws sso login`."

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN_KEYS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "AuthFailure",
}
_WRONG_REGION = {
    "PermanentRedirect",
    "IllegalLocationConstraintException",
    "AuthorizationHeaderMalformed",
    "301",
    "307",
}
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden", "UnauthorizedAccess"}
_SLOW = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ServiceUnavailable",
    "InternalError",
    "OperationAborted",
    "429",
    "500",
    "502",
    "503",
    "504",
}
_NETWORK = {"RequestTimeout", "IncompleteBody"}
"""The service waited for bytes that did not come."""
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412"}
_GONE = {"NoSuchKey", "NoSuchUpload", "NoSuchVersion", "404", "NotFound"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request was, for the sentence about its failure. action: the permission it needs, "s3:GetObject"."""

    action: str
    address: S3Address
    region: str = ""


@contextmanager
def meant_errors(asked: Asked) -> Iterator[None]:
    """Inside, whatever goes wrong with S3 is raised as an S3Error; also while a body is read."""
    try:
        yield
    except S3Error:
        raise
    except Exception as error:
        meant = meaning_of(error, asked)
        if meant is None:
            raise
        raise meant from error


def meaning_of(error: Exception, asked: Asked) -> S3Error | None:
    """The kind and the sentence of an error; None for one that comes neither from botocore nor from the network."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    if isinstance(error, ClientError):
        return _answered(error, asked)
    if isinstance(error, BotoCoreError):
        return _unanswered(error, asked)
    if isinstance(error, HTTPError | ConnectionError | TimeoutError):
        return _network(error, asked)
    if isinstance(error, RecursionError):  # botocore asks where the bucket is, and is sent on without end
        return S3RegionError(_in_another_region(asked, ""))
    return None


def _answered(error: Any, asked: Asked) -> S3Error:
    """What the service said. error: botocore's ClientError."""
    facts = error.response.get("Error", {})
    http = error.response.get("ResponseMetadata", {})
    code, said = str(facts.get("Code", "")), str(facts.get("Message", "") or "no reason given")
    headers = http.get("HTTPHeaders", {})
    region = str(facts.get("Region") or headers.get("x-amz-bucket-region", ""))
    elsewhere = code in _WRONG_REGION or (code == "400" and region not in ("", asked.region))
    if elsewhere and (region or code != "AuthorizationHeaderMalformed"):
        return S3RegionError(_in_another_region(asked, region), code=code, region=region)
    if code in _EXPIRED:
        return S3ExpiredError(EXPIRED, code=code)
    if code in {"RequestTimeTooSkewed", "RequestInTheFuture"}:
        return S3ClockError(_skewed(headers), code=code)
    kind, sentence = _by_code(code, said, asked)
    return kind(sentence, code=code)


def _by_code(code: str, said: str, asked: Asked) -> tuple[type[S3Error], str]:
    """Kind and sentence of what the code alone tells."""
    known: tuple[tuple[set[str], type[S3Error], str], ...] = (
        (
            _UNKNOWN_KEYS,
            S3CredentialsError,
            f"S3 does not accept these credentials ({code}). Check the profile and its keys with `aws sts "
            "get-caller-identity`",
        ),
        ({"NoSuchBucket"}, S3NoBucketError, f"There is no bucket of this name: {asked.address.bucket}"),
        (_DENIED, S3DeniedError, f"These credentials may not do this ({asked.action} is denied): {asked.address}"),
        (
            {"InvalidObjectState"},
            S3ArchivedError,
            f"It lies in an archive of S3; restore it first, for example with `aws s3api restore-object`: "
            f"{asked.address}",
        ),
        (_SLOW, S3SlowDownError, f"S3 takes no more requests at the moment ({code}); try again later: {asked.address}"),
        (_NETWORK, S3NetworkError, f"The connection to S3 stood still ({code}): {asked.address}"),
        (_CHANGED, S3ChangedError, f"It was changed meanwhile: {asked.address}"),
        (_GONE, S3GoneError, f"There is no such object: {asked.address}"),
    )
    for codes, kind, sentence in known:
        if code in codes:
            return kind, sentence
    return S3AnswerError, f"S3 answered with an error ({code or 'unknown'}: {said}): {asked.address}"


def _in_another_region(asked: Asked, region: str) -> str:
    if region:
        return f"The bucket {asked.address.bucket} is in the region {region}; name that with --region {region}"
    return f"The bucket {asked.address.bucket} is in another region than {asked.region}; name its own with --region"


def _skewed(headers: Any) -> str:
    there = str(headers.get("date", ""))
    told = f" There it is {there}." if there else ""
    return f"The clock of this computer is wrong, and S3 refuses its requests.{told} Set the clock, then go on."


def _unanswered(error: Any, asked: Asked) -> S3Error:
    """What kept botocore from asking, or from reading the answer. error: a BotoCoreError."""
    from botocore import exceptions as boto

    if isinstance(error, boto.NoCredentialsError):
        return S3CredentialsError(NO_CREDENTIALS)
    expired = (
        boto.TokenRetrievalError,
        boto.UnauthorizedSSOTokenError,
        boto.SSOTokenLoadError,
        boto.RefreshWithMFAUnsupportedError,
    )
    if isinstance(error, expired):
        return S3ExpiredError(EXPIRED)
    if isinstance(error, boto.PartialCredentialsError | boto.CredentialRetrievalError | boto.ProfileNotFound):
        return S3CredentialsError(f"The AWS credentials cannot be used: {error}")
    network = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, boto.ResponseStreamingError)
    if isinstance(error, network):
        return _network(error, asked)
    if isinstance(error, boto.ParamValidationError):
        return S3AnswerError(f"S3 takes no such name: {asked.address}")
    return S3AnswerError(f"S3 cannot be asked ({error}): {asked.address}")


def _network(error: Exception, asked: Asked) -> S3Error:
    from botocore.exceptions import EndpointConnectionError, SSLError

    if isinstance(error, SSLError):
        return S3NetworkError(f"The connection to S3 is not safe ({error}): {asked.address}")
    if isinstance(error, EndpointConnectionError):
        where = str(error.kwargs.get("endpoint_url", "")).partition("?")[0]
        return S3NetworkError(f"S3 cannot be reached at {_host_of(where)}; is there a connection? {asked.address}")
    return S3NetworkError(f"The connection to S3 broke: {asked.address}")


def _host_of(url: str) -> str:
    """The host and port of a URL."""
    return url.partition("://")[2].partition("/")[0]
