"""A connection that does not wait for ever: uvicorn's own gives a client all the time it wants to send its headers."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEADER_SECS = 10.0
"""From the connection, or a request's first byte, to the end of its headers."""


class PatientConnection(H11Protocol):
    """Closes when no whole request comes in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on where a request has begun and its headers are not whole."""
        super().data_received(data)
        if self._answering:
            self._rest()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is waited for."""
        self._rest()
        super().connection_lost(exc)

    @property
    def _answering(self) -> bool:
        """Whether a request's headers were whole, and its answer is not."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # as it is before the first one
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECS, self._give_up)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not (self._answering or self.transport.is_closing()):
            self.transport.close()
