"""How S3 is reached: which endpoint, whose keys, which region."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3Options:
    """What a person says of S3 besides an address. Everything empty: as `~/.aws` and the environment have it.

    It holds no secret: keys stay where boto3 finds them.
    """

    endpoint_url: str = ""
    """Address of a service that speaks S3, such as http://nas.local:9000."""
    profile: str = ""
    """Section of ~/.aws/config and ~/.aws/credentials."""
    region: str = ""
    no_sign_request: bool = False
    """Ask without keys, as public buckets allow."""
    request_payer: bool = False
    """The one who asks pays, as some buckets demand."""
