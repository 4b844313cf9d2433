"""Which objects a function may read and where it may write, so that what it writes can never start it again.

Somebody's function that wrote into the prefix it listened to cost 4,000 dollars in a night. Here the two prefixes are
compared when the function starts, and each object is looked at before it is read. The template has its own locks.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.s3_address import S3Address
from atlas_rt.errors import UsageError


@dataclass(frozen=True, slots=True)
class LoopGuard:
    """The prefix that is listened to and the one that is written below, in one bucket.

    Both end in a slash and neither begins with the other. output_prefix is empty where nothing is ever written.
    Raises UsageError.
    """

    bucket: str
    input_prefix: str
    output_prefix: str = ""

    def __post_init__(self) -> None:
        given = [self.input_prefix, *([self.output_prefix] if self.output_prefix else [])]
        if not self.bucket or not all(len(each) > 1 and each.endswith("/") for each in given):
            raise UsageError(
                "The function needs a bucket and prefixes that end in a slash (ATLAS_RT_BUCKET, ATLAS_RT_INPUT_PREFIX, "
                f"ATLAS_RT_OUTPUT_PREFIX); it has {self.bucket!r}, {self.input_prefix!r} and {self.output_prefix!r}"
            )
        if self.output_prefix and self._overlap():
            raise UsageError(
                "Shards may not be written where they would be taken for new images, and the other way round: "
                f"{self.input_prefix} and {self.output_prefix} overlap"
            )

    def refusal(self, address: S3Address) -> str:
        """Why this object may not be read, as a sentence; empty if it may be."""
        if address.bucket != self.bucket:
            return f"It is in another bucket than {self.bucket}: {address}"
        if self.output_prefix and address.key.startswith(self.output_prefix):
            return f"It lies where shards are written, and embedding it could start a loop: {address}"
        if not address.key.startswith(self.input_prefix):
            return f"It does not lie below {self.input_prefix}: {address}"
        return ""

    def output(self, name: str) -> S3Address:
        """The address of an output of this name. Raises UsageError where it would be heard as a new image."""
        address = S3Address(self.bucket, self.output_prefix + name)
        if not self.output_prefix or address.key.startswith(self.input_prefix):
            raise UsageError(f"This may not be written, as it would start the function again: {address}")
        return address

    def _overlap(self) -> bool:
        return self.input_prefix.startswith(self.output_prefix) or self.output_prefix.startswith(self.input_prefix)
