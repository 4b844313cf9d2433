"""Fonts of the system, looked for on a thread: to open hundreds of files on a slow disk takes longer than a frame."""

from __future__ import annotations

from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.typesetting.system_fonts import SystemFonts
from atlas_rt.workers.worker import Announce, Worker, unheard

WAITING_MAX = 1 << 16
"""Characters that may wait: more than any library shows, so nobody waits for room."""
BATCH_SECS = 0.05
"""What is found within so long is told together: after that all text is measured again."""


class FontWorker(Worker):
    """A thread that finds fonts for characters. fonts: where `ShapedText` looks them up."""

    part = "fonts"
    lost = "Fonts for other scripts cannot be looked for"

    def __init__(self, fonts: SystemFonts | None = None, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._asked: Inbox[str | None] = Inbox(WAITING_MAX)
        self.fonts = fonts or SystemFonts()
        self.fonts.ask = self._asked.put
        self.start()

    def wake(self) -> None:
        self._asked.put(None)

    def work(self) -> None:
        while (first := self._asked.wait()) is not None:
            batch = [first, *self._asked.drain(budget_secs=BATCH_SECS)]
            self.fonts.look([each for each in batch if each is not None])
            self.went_well()
            if None in batch:
                raise Closed

    def failed(self, _error: BaseException) -> None:
        """What was asked for is shown as numbers instead of waiting for ever."""
        self.fonts.give_up()
