"""The map's part of a round: what is due, then what was asked for; and a refit that goes on between rounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from atlas_rt.core.reports import Progress
from atlas_rt.engine.announcements import Announcements
from atlas_rt.engine.map_scheduler import MapScheduler
from atlas_rt.engine.messages import MapRequest, PlaceAsGiven, Refit, Said, Undo
from atlas_rt.engine.pending_requests import PendingRequests
from atlas_rt.errors import FitError, UsageError
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.maps import FIT
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.mapping.fit import SMALLEST_FIT


class MapUpdates:
    """Has the scheduler make the maps of one library, and tells what came of it."""

    def __init__(
        self,
        scheduler: MapScheduler,
        *,
        store: StoreWriter,
        requests: PendingRequests,
        announcements: Announcements,
        model_id: str,
        stays: bool,
        request: MapRequest | None,
        positions: Callable[[], Mapping[str, tuple[float, float, float]]] = dict,
    ) -> None:
        """stays: a window waits for the engine, so that a refit may go on beside other work, and no error ends it.
        request: what to do with the map in the next round. positions: path -> the place that is given for an image."""
        self.request = request
        self._scheduler, self._store, self._requests = scheduler, store, requests
        self._announcements, self._model_id, self._stays = announcements, model_id, stays
        self._positions = positions

    @property
    def generation(self) -> int:
        """Of the map that is published, 0 where there is none."""
        return self._scheduler.map.generation if self._scheduler.map else 0

    def bring_up_to_date(self) -> None:
        """Fit or place what is new, then do what was asked for. Raises FitError and UsageError where nobody stays."""
        before = self._scheduler.map
        request, self.request = self.request, None
        fitted = before is not None and before.kind == FIT
        if isinstance(request, PlaceAsGiven):
            self._place_as_given()
            return
        try:
            # what one goes back from is not to be fitted anew first
            self._scheduler.finish(
                fit=not (fitted and isinstance(request, Undo)), waiting=self._waiting, refits_beside=self._stays
            )
        except FitError as error:
            if not self._stays:
                raise
            self._scheduler.go_without_fit()
            self._announcements.fit(error)
            return
        self._announcements.fit(None)
        if isinstance(request, Undo):
            self._answer("back to the map before", self._scheduler.undo(), "there is no map to go back to")
        elif isinstance(request, Refit) and not self._scheduler.fit_secs:
            could = self._scheduler.refit(None if self._stays else self._waiting)
            self._answer("", could, f"a map is fitted to {SMALLEST_FIT} images or more")
        self._announcements.drift(before, self._scheduler.map)

    def _place_as_given(self) -> None:
        """A map by positions that came with the images. Raises UsageError where none came."""
        given = self._positions()
        catalogue = self._store.catalogue(self._model_id)
        places = {
            id_: given[path] for id_, path in zip(catalogue.ids.tolist(), catalogue.paths, strict=True) if path in given
        }
        could = self._scheduler.place_as_given(places, self._waiting)
        self._answer("", could, "what was imported gives no image of this library a position")

    def show_others(self, *, published: bool) -> None:
        """Publish the map again where none of it moved, but other images of it are shown than before."""
        setting = f"shown of {self._model_id}"
        shown = content_hash(self._store.shown(self._model_id).tobytes()).hex()
        if self._store.setting(setting) != shown:
            if not published:
                self._scheduler.publish_again()
            self._store.set_setting(setting, shown)

    def attend_fit(self) -> None:
        """Between rounds: take a refit that is done, or tell how far it is."""
        share, before = self._scheduler.fitting, self._scheduler.map
        if share is None:
            return
        try:
            if self._scheduler.take():
                self._announcements.fit(None)
                self._announcements.drift(before, self._scheduler.map)
        except FitError as error:
            self._announcements.fit(error)
        if self._scheduler.fitting is None:
            self._announcements.progress(Progress("idle", 0, 0, 0.0, None), now=True)
        else:
            self._announcements.progress(Progress("fit", int(share * 100), 100, 0.0, None))

    def _waiting(self, share: float, elapsed_secs: float) -> bool:
        left = elapsed_secs * (1.0 - share) / share if share > 0.05 else None
        self._announcements.progress(Progress("fit", int(share * 100), 100, 0.0, left))
        return not self._requests.stop_asked

    def _answer(self, done: str, could: bool, why_not: str) -> None:
        """Report the result of a request; a one-shot command gets a failure as its error."""
        if not could and not self._stays:
            raise UsageError(why_not)
        if text := done if could else why_not:
            self._announcements.tell(Said(text))
