"""What can go wrong with S3, as kinds that code can act on. Each carries the sentence for a person.

MissingError
└── S3Error
    ├── S3CredentialsError    no keys, or none that are accepted
    │   └── S3ExpiredError    keys that were good and have run out
    ├── S3ClockError          the clock of this computer is wrong
    ├── S3RegionError         the bucket is in another region, which it names
    ├── S3NoBucketError       no such bucket
    ├── S3DeniedError         the keys are good and may not do this
    ├── S3ArchivedError       the object lies in an archive and must be restored first
    ├── S3SlowDownError       too many requests at the moment
    ├── S3NetworkError        no connection, or it broke
    ├── S3ChangedError        412: the object is not the one that was listed
    ├── S3GoneError           404: there is no such object
    └── S3AnswerError         anything else that the service said
"""

from __future__ import annotations

from atlas_rt.errors import MissingError


class S3Error(MissingError):
    """code: what the service called it, such as "AccessDenied"; empty where it said nothing."""

    ends_all = True
    """Whether the next request would fail in the same way, until somebody acts or waits."""
    passes = False
    """Whether the same request may succeed later although nobody changes a setting."""

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return _remade, (type(self), str(self), dict(vars(self)))


def _remade(kind: type[S3Error], sentence: str, facts: dict[str, object]) -> S3Error:
    """An error as it comes out of another process."""
    error = kind(sentence)
    vars(error).update(facts)
    return error


class S3CredentialsError(S3Error):
    """No keys were found, or the service does not accept them."""


class S3ExpiredError(S3CredentialsError):
    """The keys were good and have run out. Work goes on once there are new ones."""

    passes = True


class S3ClockError(S3Error):
    """The clock of this computer differs too much from that of the service."""

    passes = True


class S3RegionError(S3Error):
    """The bucket is in another region. region: which, empty where it was not told."""

    exit_code = 2

    def __init__(self, sentence: str, *, code: str = "", region: str = "") -> None:
        super().__init__(sentence, code=code)
        self.region = region


class S3NoBucketError(S3Error):
    """There is no bucket of this name."""

    exit_code = 2


class S3DeniedError(S3Error):
    """The keys are good and may not do this. One object may be denied and the next allowed."""

    ends_all = False


class S3ArchivedError(S3Error):
    """The object lies in Glacier or Deep Archive and must be restored before it can be read."""

    ends_all = False


class S3SlowDownError(S3Error):
    """Too many requests at the moment, also after the last try; or an error inside the service."""

    passes = True


class S3NetworkError(S3Error):
    """No connection, or it broke, also after the last try."""

    passes = True


class S3ChangedError(S3Error):
    """The object is not the one that was listed (412). List again."""

    ends_all = False


class S3GoneError(S3Error):
    """There is no such object (404). List again."""

    ends_all = False


class S3AnswerError(S3Error):
    """Anything else that the service said."""

    ends_all = False
