"""What a person sets in the window, written on a thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.core.preferences import Value
from atlas_rt.core.troubles import reason_of
from atlas_rt.errors import AtlasError
from atlas_rt.library import personal_data
from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.workers.worker import Worker

WAITING_MAX = 64


@dataclass(frozen=True, slots=True)
class KeepSetting:
    """Keep a value for the next start. sources: of the library that is open, in which nothing may be written."""

    name: str
    value: Value
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LearnHint:
    """Never show this hint again."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForgetHints:
    """Show all of them again, from the next start on too."""

    sources: tuple[str, ...]


Wish = KeepSetting | LearnHint | ForgetHints


class PreferenceWorker(Worker):
    """A thread that writes what was set, in order. What was asked for before it is closed is written."""

    part = "settings"
    lost = "Your settings hold for this window only"

    def __init__(self, file: WindowSettings, *, data_named: bool) -> None:
        """data_named: the person named the data folder, so that it may lie anywhere."""
        super().__init__()
        self._file, self._data_named = file, data_named
        self._asked: Inbox[Wish | None] = Inbox(WAITING_MAX)
        self._errors: Inbox[str] = Inbox(WAITING_MAX)
        self.start()

    def ask(self, wish: Wish) -> None:
        """Write it; `take` tells what could not be written."""
        if self.trouble or self._asked.full:  # nobody reads: whoever asks must not wait
            self._tell(self.trouble or self.lost)
        else:
            self._asked.put(wish)

    def take(self) -> Sequence[str]:
        """Why something was not kept, as sentences."""
        return tuple(self._errors.drain(budget_secs=0.001))

    def wake(self) -> None:
        self._errors.close()
        self._asked.put(None)

    def work(self) -> None:
        while (wish := self._asked.wait()) is not None:
            try:
                self._write(wish)
                self.went_well()
            except AtlasError as error:
                self._tell(f"{self.lost}: {error}")
            except Exception as error:
                self._tell(f"{self.lost}: {reason_of(error)}")
                raise

    def _write(self, wish: Wish) -> None:
        personal_data.refuse_inside(self._file.folder, wish.sources, named=self._data_named)
        match wish:
            case KeepSetting(name, value):
                self._file.keep(name, value)
            case LearnHint(name):
                self._file.learn(name)
            case ForgetHints():
                self._file.forget_hints()

    def _tell(self, error: str) -> None:
        with contextlib.suppress(Closed):  # nobody looks any more
            if not self._errors.full:
                self._errors.put(error)
