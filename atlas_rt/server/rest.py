"""The REST server's addresses, as a FastAPI application. The gate in front of it checks who asks (`gate.py`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Path, Query, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPBearer

from atlas_rt import __version__
from atlas_rt.aws.bedrock_errors import (
    BedrockError,
    DailyQuotaError,
    RefusedAnswerError,
    StoppedError,
    ThrottledError,
    UnreachableError,
)
from atlas_rt.core.arrays import Floats
from atlas_rt.core.language_names import LANGUAGE_NAMES
from atlas_rt.errors import AtlasError, DecodeError, MissingError, UsageError
from atlas_rt.library.formats import readable_suffixes
from atlas_rt.library.received import keep
from atlas_rt.narrator.spending import BudgetError
from atlas_rt.server.answers import (
    ClusterFacts,
    ClusterMembers,
    Embedding,
    Explanation,
    Health,
    ImageDetails,
    LibraryFacts,
    MapPlaces,
    Neighbours,
    Problem,
    Received,
    SearchResults,
)
from atlas_rt.server.api_page import page
from atlas_rt.server.decoding import Decoder
from atlas_rt.server.explaining import Explainer
from atlas_rt.server.library_reader import LibraryReader, UnknownError
from atlas_rt.server.upkeep import Upkeep

IMAGE_PATHS = ("/embed", "/images")
"""Addresses whose bodies may be as large as an image."""
SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/heif": ".heif",
}
"""Content type -> how its files are called."""
PICTURE_PX_MAX = 4096
TEXT_MAX = 1000
ID_MAX = 2**63 - 1
CONNECTED_SECS = 0.2
"""So often it is looked whether a client still waits for Claude."""
THROTTLED_SECS = 60
"""Quotas other than a day's are for a minute."""

T = TypeVar("T")

_SAYS = {
    400: "The request cannot be read, or calls the server by another name",
    401: "The token is missing or wrong",
    402: "A budget for Claude is used up",
    403: "The request comes from another web page",
    404: "There is no such image or cluster, or none any more",
    408: "The body came too slowly",
    413: "The body is too large",
    415: "The body is of a kind that is not read here",
    422: "A value is wrong, or the body is not a picture",
    429: "Claude takes no more requests now; Retry-After says for how many seconds",
    502: "Claude cannot be asked as this server is set up, or gave no answer that can be used",
    504: "Claude cannot be reached",
    503: "The library or the disk cannot be used just now",
}
Id = Annotated[int, Path(ge=0, le=ID_MAX)]
Top = Annotated[int, Query(ge=1, le=1000, description="how many images to list")]
LANGUAGES: list[Any] = list(LANGUAGE_NAMES)
_TEXT_BODY = {
    "schema": {
        "type": "object",
        "required": ["text"],
        "additionalProperties": False,
        "properties": {"text": {"type": "string", "maxLength": TEXT_MAX}},
    }
}
_IMAGE_BODIES = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SUFFIXES}


class UnreadableKindError(UsageError):
    """The body's content type is none that is read here."""


class BadValueError(UsageError):
    """A parameter, or a body of the right kind, is not what it should be."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the addresses are answered with. received: the folder for images that are sent."""

    reader: LibraryReader
    decoder: Decoder
    explainer: Explainer
    upkeep: Upkeep
    received: FilePath
    tell: Callable[[str], None]


def build(services: Services) -> FastAPI:
    """The application. services.tell: called with sentences for the person who runs the server."""
    app = FastAPI(
        title="atlas_rt",
        version=__version__,
        description="One library of images: search, neighbours, clusters, the map. Requests carry the token of the "
        "token file as `Authorization: Bearer TOKEN`.",
        docs_url=None,
        redoc_url=None,
    )
    for kind, status in _STATUS.items():
        app.add_exception_handler(kind, _answered_with(status, services if kind in _OF_THE_DISK else None))
    app.add_exception_handler(RequestValidationError, _wrong_value)
    addresses = Addresses(services)
    for path, answer, method, more in addresses.table():
        statuses = {400, 401, 403, 413, 422, 503, *more.pop("statuses", ())}
        more["responses"] = {
            status: {"description": _SAYS[status], "model": Problem} for status in sorted(statuses)
        } | more.get("responses", {})
        app.add_api_route(
            path,
            answer,
            methods=[method],
            dependencies=[Security(HTTPBearer(auto_error=False)), Depends(_known_parameters)],
            **({"response_model_exclude_none": True} | more),
        )
    app.add_api_route("/docs", lambda: HTMLResponse(page(app.openapi())), include_in_schema=False)
    return app


class Addresses:
    """One method for each address. Those that are not `async` run on threads."""

    def __init__(self, services: Services) -> None:
        self._reader, self._decoder = services.reader, services.decoder
        self._services = services

    def table(self) -> list[tuple[str, Callable[..., Any], str, dict[str, Any]]]:
        """Path, method of this class, HTTP method, and what the description says besides."""
        jpeg = {200: {"description": "A JPEG", "content": {"image/jpeg": {}}}}
        arrays = {200: {"model": MapPlaces, "content": {"application/octet-stream": {}}}}
        bodies = {"requestBody": {"required": True, "content": _IMAGE_BODIES}}
        any_body = {"requestBody": {"required": True, "content": {"application/json": _TEXT_BODY} | _IMAGE_BODIES}}
        explained = {
            "statuses": {402, 404, 429, 502, 504},
            "responses": {
                422: {"description": "A value is wrong, or Claude does not want to describe the pictures"}
                | {"model": Problem},
            },
        }
        sent = {
            "statuses": {408, 415},
            "openapi_extra": bodies,
            "status_code": 202,
            "response_model_exclude_none": False,
        }
        return [
            ("/health", self.health, "GET", {}),
            ("/library", self.library, "GET", {}),
            ("/search", self.search, "GET", {"statuses": {404}}),
            ("/neighbors/{id}", self.neighbors, "GET", {"statuses": {404}}),
            ("/clusters", self.clusters, "GET", {}),
            ("/clusters/{id}", self.cluster, "GET", {"statuses": {404}}),
            ("/clusters/{id}/explain", self.explain, "POST", explained),
            ("/map", self.map, "GET", {"responses": arrays, "response_model": None}),
            ("/images/{id}", self.image, "GET", {"statuses": {404}}),
            ("/images/{id}/thumbnail", self.thumbnail, "GET", _picture_answer(jpeg)),
            ("/images/{id}/picture", self.picture, "GET", _picture_answer(jpeg)),
            ("/embed", self.embed, "POST", {"statuses": {408, 415}, "openapi_extra": any_body}),
            ("/images", self.receive, "POST", sent),
        ]

    def health(self) -> Health:
        """Whether the server works, and who adds new images to the library."""
        facts = self._reader.library()
        return Health("ok", facts.images, facts.generation, self._services.upkeep.writer)

    def library(self) -> LibraryFacts:
        """The library as a whole."""
        return self._reader.library()

    def search(
        self,
        text: Annotated[
            str, Query(max_length=TEXT_MAX, description="words; +term -term word:2 camera:x date:2023")
        ] = "",
        image_id: Annotated[int | None, Query(ge=0, le=ID_MAX, description="an image to resemble")] = None,
        top: Top = 20,
        language: Annotated[
            str | None,
            Query(description="in which the text is read; else the server's", json_schema_extra={"enum": LANGUAGES}),
        ] = None,
        as_typed: Annotated[bool, Query(description="search for the text as it stands alone")] = False,
    ) -> SearchResults:
        """The best images for a phrase, for an image of the library, or for both together."""
        if language is not None and language not in LANGUAGE_NAMES:
            raise BadValueError(f"language must be one of {', '.join(LANGUAGE_NAMES)}")
        return self._reader.search(text, image_id, top=top, language=language or "", as_typed=as_typed)

    def neighbors(self, id: Id, top: Top = 20) -> Neighbours:  # noqa: A002  the name in the address
        """The images nearest to one."""
        return self._reader.neighbours(id, top=top)

    def clusters(self) -> list[ClusterFacts]:
        """Every cluster of the map, the largest first."""
        return self._reader.clusters()

    def cluster(self, id: Id) -> ClusterMembers:  # noqa: A002
        """One cluster, with the ids of all its images."""
        return self._reader.cluster(id)

    async def explain(self, id: Id, request: Request) -> Explanation:  # noqa: A002
        """Why the images of a cluster stand together: what Claude said of them, else what their everyday words say. A
        server that was started with `--narrator on` asks Claude about a cluster that it has not explained yet and that
        no person named; that takes seconds and costs money, within the server's budgets. A client that leaves stops
        it."""
        return await _while_connected(request, self._services.explainer.explain(self._reader, id))

    def map(self, request: Request) -> Response:
        """Where every image stands, and which are neighbours: JSON, or with `Accept: application/octet-stream` the
        same as the arrays of an .npz file (ids, positions, clusters, edges, weights)."""
        if "application/octet-stream" in request.headers.get("accept", ""):
            return Response(self._reader.map_arrays(), media_type="application/octet-stream")
        return Response(json.dumps(asdict(self._reader.map())), media_type="application/json")

    def image(self, id: Id) -> ImageDetails:  # noqa: A002
        """What is known of one image."""
        return self._reader.image(id)

    def thumbnail(self, id: Id) -> Response:  # noqa: A002
        """A small picture of an image, 128 pixels on its long side."""
        return _jpeg(self._decoder.thumbnail, self._reader.tile(id))

    def picture(
        self,
        id: Id,  # noqa: A002
        max_px: Annotated[int, Query(ge=16, le=PICTURE_PX_MAX, description="of the long side")] = 1092,
    ) -> Response:
        """An image as a JPEG without metadata, upright, reduced to `max_px`."""
        return _jpeg(self._decoder.picture, self._reader.path(id), max_px)

    async def embed(self, request: Request) -> Embedding:
        """The vector of a text (JSON with a field `text`) or of an image (the file as the body)."""
        body, kind = await request.body(), _kind(request)
        if kind == "application/json":
            return await run_in_threadpool(self._reader.embed_text, _text_in(body))
        pixels = await run_in_threadpool(self._pixels, body, _suffix(kind))
        return await run_in_threadpool(self._reader.embed_pixels, pixels)

    async def receive(
        self,
        request: Request,
        name: Annotated[str, Query(max_length=200, description="what the file is called where it comes from")] = "",
    ) -> Received:
        """Add an image to the library: the file is the body. It is on the map some seconds later; send it again to
        learn its id then."""
        body, suffix = await request.body(), _suffix(_kind(request))
        return await run_in_threadpool(self._received, body, name, suffix)

    def _received(self, body: bytes, name: str, suffix: str) -> Received:
        self._pixels(body, suffix)  # what the decoder refuses is not kept
        file, new = keep(self._services.received, body, name=name, suffix=suffix)
        self._services.upkeep.begin()
        return Received("new" if new else "known", file.name, self._reader.id_at(file))

    def _pixels(self, body: bytes, suffix: str) -> Floats:
        try:
            return self._decoder.pixels(body, suffix=suffix, spec=self._reader.model.image.preprocessing)
        except DecodeError as error:
            raise BadValueError(f"this is not a picture that can be read: {error}") from error


def _known_parameters(request: Request) -> None:
    """Raises BadValueError for a parameter that the address does not have: a misspelt one would do nothing."""
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    if unknown := sorted(request.query_params.keys() - known):
        there = f"it has {', '.join(sorted(known))}" if known else "it has none"
        raise BadValueError(f"this address has no parameter {unknown[0]!r}; {there}")


async def _while_connected(request: Request, answer: Coroutine[Any, Any, T]) -> T:
    """An answer that takes a while; cancelled when its client leaves, or the server does not wait any longer.

    Raises StoppedError when the client has left, who does not hear of it.
    """
    task = asyncio.ensure_future(answer)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=CONNECTED_SECS)
            if not task.done() and await request.is_disconnected():
                raise StoppedError("nobody waits for the answer")
        return task.result()
    finally:
        task.cancel()


def _picture_answer(jpeg: dict[int, Any]) -> dict[str, Any]:
    return {"statuses": {404}, "responses": jpeg, "response_class": Response, "response_model": None}


def _jpeg(make: Callable[..., bytes], *about: object) -> Response:
    """Raises UnknownError where the image's file is not there, or no picture any more."""
    try:
        return Response(make(*about), media_type="image/jpeg")
    except DecodeError as error:
        raise UnknownError(f"the picture of this image cannot be shown now: {error}") from error


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _suffix(kind: str) -> str:
    """The ending of files of a content type. Raises UnreadableKindError."""
    suffix = SUFFIXES.get(kind, "")
    if suffix not in readable_suffixes():
        extra = "; `pip install atlas_rt[formats]` reads HEIC" if suffix else ""
        known = ", ".join(name for name, ending in SUFFIXES.items() if ending in readable_suffixes())
        raise UnreadableKindError(f"the content type must be one of {known}, and the file the body{extra}")
    return suffix


def _text_in(body: bytes) -> str:
    """The text of a JSON body. Raises BadValueError."""
    try:
        given = json.loads(body)
        text = given["text"] if isinstance(given, dict) and given.keys() == {"text"} else None
    except (ValueError, RecursionError):
        text = None
    if not isinstance(text, str) or len(text) > TEXT_MAX:
        raise BadValueError(f'the body must be {{"text": "..."}} in JSON, with at most {TEXT_MAX:,} characters')
    return text


def _answered_with(status: int, told: Services | None) -> Callable[[Request, Exception], Response]:
    """A handler of one kind of error. told: sentences of the disk name paths, so they are told there and not to the
    client; None where the client is told."""

    def handle(_: Request, error: Exception) -> Response:
        sentence = str(error)
        if told is not None:
            told.tell(sentence)
            sentence = "the library or the disk cannot be used just now; the server's standard error says more"
        headers = {"Retry-After": str(_retry_secs(error))} if isinstance(error, ThrottledError) else None
        return JSONResponse({"detail": sentence}, status, headers)

    return handle


def _retry_secs(error: ThrottledError) -> int:
    """Seconds until Claude may take requests again: a day's quota comes back tomorrow."""
    if not isinstance(error, DailyQuotaError):
        return THROTTLED_SECS
    now = datetime.now()
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time())
    return int((tomorrow - now).total_seconds()) + 1


def _wrong_value(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    sentences = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()]
    return JSONResponse({"detail": "; ".join(sentences)}, 422)


_STATUS: dict[type[AtlasError], int] = {
    UnknownError: 404,
    UnreadableKindError: 415,
    BadValueError: 422,
    BudgetError: 402,
    BedrockError: 502,
    ThrottledError: 429,
    UnreachableError: 504,
    RefusedAnswerError: 422,
    StoppedError: 503,
    MissingError: 503,
    AtlasError: 503,
}
"""The nearest kind counts."""
_OF_THE_DISK = {MissingError, AtlasError}
