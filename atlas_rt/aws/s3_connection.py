"""One connection to S3: a boto3 client that is made anew when its keys are good no more, and what it has asked so far.

Requests are repeated by botocore in its mode "standard", `ATTEMPTS` tries with growing pauses of up to 20 seconds.
Checksums are sent and checked only where an operation demands it, as many services that speak S3 know none of the newer
ones. Keys are never copied into the client: boto3 renews those that can be renewed. Keys from a file or the environment
cannot be, so when there are none, or they are not accepted any more, the file is read again (`call`).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from atlas_rt.aws.bedrock_errors import AccessError
from atlas_rt.aws.s3_failures import Asked, meant_errors
from atlas_rt.aws.session import open_session
from atlas_rt.core.s3_address import S3Address
from atlas_rt.core.s3_errors import S3AnswerError, S3CredentialsError
from atlas_rt.core.s3_options import S3Options

ATTEMPTS = 5
CONNECT_SECS = 10.0
READ_SECS = 60.0
"""How long the service may be silent."""
CONNECTIONS = 16
RENEWAL_SECS = 1.0
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class S3Connection:
    """Requests to S3 as a person's options have them. May be used by several threads."""

    def __init__(
        self,
        options: S3Options,
        *,
        connections: int = CONNECTIONS,
        attempts: int = ATTEMPTS,
        read_secs: float = READ_SECS,
    ) -> None:
        """connections: how many requests may run at once. Contacts nothing.

        Raises MissingError without boto3, S3CredentialsError for a profile that is not there.
        """
        self.options = options
        self._connections, self._attempts, self._read_secs = connections, attempts, read_secs
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._opened_at = 0.0
        self._client = self._opened()

    @property
    def client(self) -> Any:
        """The boto3 client of this moment, for what `call` does not do. Errors: within `meant_errors`."""
        return self._client

    @property
    def region(self) -> str:
        """The region that requests are signed for; empty where none is set."""
        return str(self._client.meta.region_name or "")

    @property
    def service(self) -> str:
        """The address of a service that is not Amazon's, wherever it was named; empty for Amazon's own."""
        url = str(self._client.meta.endpoint_url)
        return "" if _is_amazon(url) else url

    @property
    def requests(self) -> dict[str, int]:
        """Operation, such as "GetObject" -> how many requests were sent for it, repetitions included."""
        with self._lock:
            return dict(self._requests)

    def asked(self, operation: str, address: S3Address) -> Asked:
        """What an operation of the client (`get_object`) is about, for `meant_errors`."""
        return Asked(_permission(operation), address, self.region)

    def call(self, operation: str, address: S3Address, **arguments: Any) -> dict[str, Any]:
        """The answer of one operation of boto3's client, named as there (`get_object`). Raises S3Error.

        The bucket, and the key where the operation takes one, come from the address. Keys that lack, have expired or
        are not accepted are looked up again once, and the request is sent with what is found.
        """
        client = self._client
        with meant_errors(self.asked(operation, address)):
            words = self._words(client, operation, address) | arguments
            try:
                with meant_errors(self.asked(operation, address)):
                    return dict(getattr(client, operation)(**words))
            except S3CredentialsError:
                if not self.renewed(client):
                    raise
                return dict(getattr(self._client, operation)(**words))

    def renewed(self, expired: Any) -> bool:
        """Read the person's keys again in place of those of an expired client; whether to try once more.

        Of several threads whose keys expired together, one makes the new client and the others get it. Keys that were
        read within the last second are not read again.
        """
        with self._lock:
            if self._client is not expired:
                return True
            if time.monotonic() - self._opened_at < RENEWAL_SECS:
                return False
            self._client = self._opened()
            return True

    def close(self) -> None:
        """Close the connections to the service."""
        self._client.close()

    def _words(self, client: Any, operation: str, address: S3Address) -> dict[str, Any]:
        members = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[operation]
        ).input_shape.members
        words: dict[str, Any] = {"Bucket": address.bucket}
        if "Key" in members:
            words["Key"] = address.key
        if "RequestPayer" in members and self.options.request_payer:
            words["RequestPayer"] = "requester"
        return words

    def _opened(self) -> Any:
        """A new client from a new session, which reads the person's files again."""
        from botocore.exceptions import BotoCoreError

        try:
            session = open_session(profile=self.options.profile, region=self.options.region)
        except AccessError as error:
            raise S3CredentialsError(str(error)) from error
        try:
            own = self.options.endpoint_url or _endpoint_of(session)
            in_path = own and not _is_amazon(own) and "addressing_style" not in _person_s3(session)
            client = self._made(session, {"addressing_style": "path"} if in_path else {})
        except (BotoCoreError, ValueError) as error:
            raise S3AnswerError(f"The settings for S3 cannot be used: {error}") from error
        client.meta.events.register("before-send.s3", self._count)
        self._opened_at = time.monotonic()
        return client

    def _made(self, session: Any, s3: dict[str, str]) -> Any:
        from botocore import UNSIGNED
        from botocore.config import Config

        config = Config(
            signature_version=UNSIGNED if self.options.no_sign_request else None,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=self._connections,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            connect_timeout=min(CONNECT_SECS, self._read_secs),
            read_timeout=self._read_secs,
            s3=s3 or None,
        )
        return session.client("s3", endpoint_url=self.options.endpoint_url or None, config=config)

    def _count(self, event_name: str, **_: Any) -> None:
        """botocore calls this before each try. event_name: "before-send.s3.GetObject"."""
        with self._lock:
            self._requests[event_name.rpartition(".")[2]] += 1


def _person_s3(session: Any) -> dict[str, Any]:
    """What the person's ~/.aws/config says of S3, such as addressing_style."""
    found = session._session.get_scoped_config().get("s3")
    return found if isinstance(found, dict) else {}


def _endpoint_of(session: Any) -> str:
    """The endpoint that the environment or ~/.aws/config names, empty for Amazon's own."""
    from botocore.configprovider import ConfiguredEndpointProvider

    core = session._session
    if core.get_config_variable("ignore_configured_endpoint_urls"):
        return ""
    found = ConfiguredEndpointProvider(core.full_config, core.get_scoped_config(), "s3")
    return str(found.provide() or "")


def _is_amazon(url: str) -> bool:
    """Whether an endpoint is Amazon's own. Others often know a bucket only in the path, not in the host's name."""
    return str(urlsplit(url).hostname).endswith(_AMAZON)


def _permission(operation: str) -> str:
    """The permission that an operation of the client needs: head_object -> s3:GetObject."""
    known = {"head_object": "GetObject", "list_objects_v2": "ListBucket", "head_bucket": "ListBucket"}
    other = "PutObject" if "multipart" in operation or operation == "upload_part" else ""
    return f"s3:{known.get(operation) or other or ''.join(word.title() for word in operation.split('_'))}"
