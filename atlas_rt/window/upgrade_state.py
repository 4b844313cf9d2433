"""How far the window is with a stronger encoder. Owned by the main thread."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.upgrade import ModelOffer
from atlas_rt.encoders.hub import Fetching
from atlas_rt.engine.model_fetch import ModelFetch


@dataclass(slots=True)
class Download:
    """A model on its way. told: how far it is, holder: who else is fetching one; neither before the first word."""

    name: str
    fetch: ModelFetch
    told: Fetching | None = None
    holder: str = ""
    shown_secs: float = 0.0


@dataclass(slots=True)
class UpgradeState:
    """Plain state, of the window and not of a library: a download goes on while another library is opened.

    trouble: why the last try came to nothing, failed: the model that it was about.
    """

    offers: tuple[ModelOffer, ...] = ()
    download: Download | None = None
    trouble: str = ""
    failed: str = ""

    def close(self) -> None:
        """End a download; what has come stays."""
        download, self.download = self.download, None
        if download is not None:
            download.fetch.stop()
