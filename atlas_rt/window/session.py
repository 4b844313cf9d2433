"""One opened library: its engine and the threads that read it, started and stopped together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from atlas_rt.aws.model_memory import ModelMemory
from atlas_rt.core.answers import LiveFix, SearchAnswer
from atlas_rt.core.arrays import Bytes, Floats
from atlas_rt.core.channels import Inbox
from atlas_rt.core.hud import ClusterPage, ImageFacts
from atlas_rt.core.images import LibraryPlace, Tile
from atlas_rt.core.look import LookTile, Opened
from atlas_rt.core.narration import Topic
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.rows import Mask, row_of
from atlas_rt.core.runtime import Runtime
from atlas_rt.core.s3_address import is_s3
from atlas_rt.core.scene import Scene
from atlas_rt.core.troubles import Trouble
from atlas_rt.core.undo import Undoable
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import FromEngine, Said
from atlas_rt.engine.process import EngineProcess
from atlas_rt.jobs import job_of
from atlas_rt.library.bookmarks import Bookmarks
from atlas_rt.library.cache_layout import remember_opened
from atlas_rt.library.cluster_names import ClusterNames, NameChange
from atlas_rt.library.explanations import Explanations, KeptExplanation
from atlas_rt.library.lock import Lock
from atlas_rt.library.personal_data import data_folder
from atlas_rt.library.query_texts import QueryTexts
from atlas_rt.library.relocation import settled_place
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.narrator.sheets import Sheets
from atlas_rt.permission import permission_of
from atlas_rt.search.labels import Vocabulary, load_vocabulary, read_own_words
from atlas_rt.search.word_names import words_or_english
from atlas_rt.settings import Settings
from atlas_rt.spoken import spoken_code
from atlas_rt.window.original_files import OriginalFiles
from atlas_rt.window.outside_pictures import OutsidePictures
from atlas_rt.window.succession import Readers, Succession
from atlas_rt.window.writer import Writer
from atlas_rt.workers.bookmarks import BookmarkWorker, LookAgain
from atlas_rt.workers.claude import ClaudeEvent, ClaudeRequest, ClaudeWorker
from atlas_rt.workers.cluster_pages import ClusterPageWorker, PageRequest
from atlas_rt.workers.errands import ErrandWorker
from atlas_rt.workers.facts import FactsRequest, FactsWorker
from atlas_rt.workers.filtering import FilterWorker
from atlas_rt.workers.live_place import Encode, LivePlaceWorker
from atlas_rt.workers.lookout import LockLookout
from atlas_rt.workers.model_readiness import models_to_show
from atlas_rt.workers.pictures import DecodedPicture, PictureWorker
from atlas_rt.workers.places import PlaceWorker
from atlas_rt.workers.pulses import PulseWorker
from atlas_rt.workers.query_pictures import PictureRequest, QueryPictureWorker
from atlas_rt.workers.query_texts import QueryTextWorker
from atlas_rt.workers.questions import QuestionWorker, Shown
from atlas_rt.workers.renaming import ChangeNames, GiveName, NamesWritten, RenamingWorker
from atlas_rt.workers.scenes import Arrival, SceneReader, SceneWorker, made_ready
from atlas_rt.workers.search import SearchWorker
from atlas_rt.workers.searcher import Query
from atlas_rt.workers.tiles import TileWorker, Want
from atlas_rt.workers.whole_pictures import WholePictureWorker, Wish
from atlas_rt.workers.worker import Change, State, Worker

NICENESS = 19
USUAL_ASPECT = 16.0 / 9.0
"""Of a window that has drawn nothing yet."""
READ_ONLY_POLL_SECS = 1.0
MEANWHILE_POLL_SECS = 30.0
"""While another model encodes: so late it shows on the map of the one in use that images have gone."""
CHANGES_MAX = 256
"""Of threads' states that wait to be heard."""
CHANGES_BUDGET_SECS = 0.001


class Session:
    """A library open in a window. Owned by the main thread; nothing in it makes the frame wait.

    model: what its map and its search are of. Where the library has no map of the model that is wanted yet, this is
    another one, until the wanted one's map is there (`coming`). first: what the library held when it was opened, read
    before the first frame, or None. why_not_asked: why Claude is not asked about it ("--offline"), empty where it may.
    spoken: the person's language, a code of `dictionary.languages`; `preferences` changes it.
    """

    _claude: ClaudeWorker | None = None
    _places: PlaceWorker | None = None
    _live_place: LivePlaceWorker | None = None
    _live_source: str | None = None

    def __init__(self, settings: Settings, sources: tuple[str, ...], *, cache: Path, model: Model) -> None:
        permission = permission_of(settings)
        self.why_not_asked = "kiosk" if settings.kiosk else permission.closed
        self.sources, self.spoken = sources, spoken_code(settings)
        remarks = [trouble] if (trouble := words_or_english(self.spoken)[1]) else []
        self.place = settled_place(sources, cache, exclude=settings.exclude, tell=remarks.append)
        self._remarks = deque(map(Said, remarks))
        model, self.model = models_to_show(self.place, model, cache)
        data = data_folder(settings.data_path)
        names = ClusterNames(data)
        self._reader_of = partial(_reader, self.place, names, Explanations(data))
        first = (reader := self._reader_of(self.model, self.spoken)).read()
        self.first = None if first is None else made_ready(first, aspect=USUAL_ASPECT)
        if self.first is not None and self.first.remark:
            self._remarks.append(Said(self.first.remark))
        remember_opened(cache, self.place)
        self._changes: Inbox[Change] = Inbox(CHANGES_MAX)
        told = self._changes.put
        self._lookout = LockLookout(self.place, announce=told)
        job = job_of(settings, self.place, cache, niceness=NICENESS, stay=True)
        self._writer = Writer(replace(job, model=model.name), self._lookout, holder=Lock(self.place).holder())
        self._succession = None if model is self.model else self._succession_by(model)
        self.scenes = SceneWorker(reader, first=self.first, poll_secs=self._poll_secs, announce=told)
        self.runtime = settings.runtime(cache)
        self.search = SearchWorker(self.model, self.place, runtime=self.runtime, announce=told)
        self.query_pictures = self._picture_worker()
        named = bool(settings.data)
        self.query_texts = QueryTextWorker(self.place, QueryTexts(data), data_named=named, announce=told)
        self.filters = FilterWorker(self.place, announce=told)
        self.facts = FactsWorker(self.place, announce=told)
        self.originals = OriginalFiles(self.place, settings, cache)
        self.pictures = PictureWorker(file_of=self.originals.for_panel, announce=told)
        self.errands = ErrandWorker(file_of=self.originals.for_errands, announce=told)
        self._whole = WholePictureWorker(self.place.folder, file_of=self.originals.for_looking, announce=told)
        self.pulses = PulseWorker(announce=told)
        self._pages = ClusterPageWorker(self.place, announce=told)
        self._names = RenamingWorker(self.place, names, data_named=named, announce=told)
        self.bookmarks = BookmarkWorker(self.place, Bookmarks(data), data_named=named, announce=told)
        self.tiles = TileWorker(self.place, announce=told)
        sheets = Sheets(TileFiles(self.place.folder))

        def words() -> Vocabulary:
            return load_vocabulary(
                self.model, cache, own=read_own_words(settings.labels_path).words, runtime=self.runtime
            )

        self.questions = QuestionWorker(self.place, permission, sheets, data=data, vocabulary=words, announce=told)
        self._make_claude = partial(
            ClaudeWorker,
            self.place,
            permission,
            sheets,
            data=data,
            data_named=named,
            memory=ModelMemory.of_cache(cache),
            runtime=self.runtime,
            announce=told,
        )
        self._claude_of = self.model
        self._arrival, self._aspect = self.first, USUAL_ASPECT

    @property
    def coming(self) -> Model | None:
        """The model that the images are being encoded with, while the map of `model` is shown; None for none."""
        return self._succession.model if self._succession else None

    def is_successor(self, arrival: Arrival) -> bool:
        """Whether it is the coming model's map that arrives."""
        return self._succession is not None and arrival.scene.model == self._succession.model.id

    def succeed(self, model: Model) -> None:
        """Encode the images with another model; its map takes the place of the one that is shown when it is whole."""
        self._give_up_succession()
        if model.id != self.model.id:
            self._succession = self._succession_by(model)
        self._writer.use_model(model.name)
        self.scenes.poll(self._poll_secs)

    @property
    def live(self) -> bool:
        """The camera is on."""
        return self._live_place is not None

    @property
    def engine(self) -> EngineProcess | None:
        """This window's own, None where it has none."""
        return self._writer.engine

    @property
    def read_only(self) -> str:
        """Which other process updates the library, empty where none is known to."""
        return self._writer.holder

    @property
    def why_not_added(self) -> str:
        """Why nothing can be added now, empty where it can."""
        return self._writer.why_not

    def messages(self) -> Iterator[FromEngine]:
        """What the engine and the threads told since the last frame, and first what there is to say of the opening."""
        while self._remarks:
            yield self._remarks.popleft()
        wrote = self._writer.writes
        yield from self._writer.messages()
        if self._writer.writes != wrote:
            self.scenes.poll(self._poll_secs)
        for change in self._changes.drain(budget_secs=CHANGES_BUDGET_SECS):
            if change.state is State.WAITING and change.trouble:
                yield Said(f"{change.trouble}; trying again")

    def troubles(self) -> tuple[Trouble, ...]:
        """What does not work until something changes, one of each part."""
        threads = {worker.part: Trouble(worker.part, worker.trouble) for worker in self._workers() if worker.trouble}
        return (*self._writer.troubles, *threads.values())

    def try_again(self, part: str) -> None:
        """Begin again what has a trouble."""
        self._writer.retry(part)
        for worker in self._workers():
            if worker.part == part:
                worker.retry()

    def arrival(self) -> Arrival | None:
        """The newest scene, if one came since the last call; the coming model's as soon as there is one. Once it is
        shown, `follow` it."""
        coming = self._succession.arrival() if self._succession else None
        return self.scenes.take() if coming is None else coming

    def follow(self, arrival: Arrival, *, aspect: float) -> None:
        """Whatever is asked from now on is asked about this one. aspect: of the window that shows it."""
        succeeded = self.is_successor(arrival)
        if succeeded:
            self._be_succeeded()
        self._arrival, self._aspect = arrival.once_shown(), aspect
        self.scenes.follow(self._arrival.prepared, aspect=aspect)
        self.bookmarks.ask(LookAgain())
        if succeeded and self.live:
            self.switch_live(self._live_source)  # it encodes by the model, too
        elif self._places is not None:
            self._places.show(replace(self._arrival, scene=self._on_map(self._arrival)))

    def speak(self, code: str) -> None:
        """What is typed is read in this language from now on, and labels and the vocabulary's names come in it; the
        newest scene comes again, and nothing is read or encoded for it."""
        self.spoken = code
        self.scenes.speak(code)
        if self._succession is not None:
            self._succession.speak(code)

    def add(self, paths: tuple[str, ...]) -> bool:
        """Take files and folders into the library; False where nothing can be added (`why_not_added`)."""
        return self._writer.add(paths)

    def remove(self, paths: tuple[str, ...]) -> bool:
        """Take what was added out of the library again; False where nothing can be changed (`why_not_added`)."""
        return self._writer.remove(paths)

    def ask(
        self, text: str, picture: QueryPicture | None = None, *, within: Mask | None = None, as_typed: bool = False
    ) -> None:
        """Search for a phrase, a picture or both; the answer comes by `answer`. Not while the picture is being read.
        within: (n,) which images the results may be, None for all. as_typed: the words are not read as `spoken`."""
        if self._arrival is not None and (picture is None or picture.vector is not None):
            scene, index = self._arrival.scene, self._arrival.vector_index
            self.search.ask(Query(text, scene.ids, index, scene, picture, within, self.spoken, as_typed))

    def read_picture(self, picture: QueryPicture, path: str) -> None:
        """Read a picture to search by, the clipboard's where there is no path; it comes by `query_pictures`."""
        if self._arrival is not None:
            self.query_pictures.ask(PictureRequest(picture, path, self._arrival.scene, self._arrival.vector_index))

    def vector_of(self, id_: int) -> Floats | None:
        """The vector of an image, None where it is not shown any more."""
        row = None if self._arrival is None else row_of(self._arrival.scene.ids, id_)
        if row is None or self._arrival is None:
            return None
        vector: Floats = self._arrival.vector_index.at(np.array([row], np.int32))[0]
        return vector

    def answer(self) -> SearchAnswer | None:
        return self.search.take()

    def tell_of(self, id_: int, *, neighbours: bool) -> None:
        """Ask for an image's facts; they come by `told`."""
        if self._arrival is not None:
            self.facts.ask(FactsRequest(id_, self._on_map(self._arrival), self._arrival.vector_index, neighbours))

    def _on_map(self, arrival: Arrival) -> Scene:
        """The scene of an arrival as it stands on the map, also while the window shows it as the flat wall."""
        newest = self.scenes.newest
        return newest.scene if newest is not None and newest.scene.ids is arrival.scene.ids else arrival.scene

    def told(self) -> tuple[ImageFacts, ...]:
        return self.facts.take()

    def ask_picture(self, id_: int) -> None:
        """Decode an image's full picture; it comes by `picture`."""
        if self._arrival is not None:
            scene = self._arrival.scene
            row = row_of(scene.ids, id_)
            if row is not None:
                self.pictures.ask(id_, scene.paths[row])

    def picture(self) -> DecodedPicture | None:
        return self.pictures.take()

    def look_at(self, wish: Wish) -> None:
        """Decode pictures to look at whole, and cut tiles of them; they come by `looked_at`."""
        self._whole.want(wish)

    def looked_at(self, *, budget_secs: float) -> Iterator[Opened | LookTile]:
        return self._whole.drain(budget_secs=budget_secs)

    def ask_page(self, cluster: int) -> None:
        """Read what is known of a cluster; it comes by `page`."""
        if self._arrival is not None:
            self._pages.ask(
                PageRequest(cluster, self._arrival.scene, self._arrival.vector_index, self.explained.get(cluster))
            )

    def page(self) -> ClusterPage | None:
        return self._pages.take()

    def rename(self, cluster: int, name: str, *, called: str) -> None:
        """Give a cluster a name instead of what it is called; what came of it is told by `names_written`."""
        if self._arrival is not None:
            scene = self._arrival.scene
            ids = scene.ids[scene.clusters == cluster]
            self._names.ask(GiveName(cluster, name, called, ids, self._arrival.given.get(cluster)))

    def change_names(self, change: NameChange, undoable: Undoable) -> None:
        """Make a change of names again, or take it back, as `undoable` asks for."""
        self._names.ask(ChangeNames(change, undoable))

    def names_written(self) -> Sequence[NamesWritten]:
        return self._names.take()

    @property
    def shown(self) -> Shown | None:
        """The newest scene, for questions about it."""
        return None if self._arrival is None else Shown(self._arrival.scene, self._arrival.vector_index)

    @property
    def explained(self) -> Mapping[int, KeptExplanation]:
        """Cluster -> what Claude said of it."""
        return {} if self._arrival is None else self._arrival.explained

    def ask_claude(self, request: ClaudeRequest) -> None:
        """Send it; what comes of it is told by `claude_events` and `claude_text`."""
        if self._claude is not None and self._claude_of is not self.model:  # names are checked by the model
            self._claude.close(limit_secs=0.0)
            self._claude = None
        if self._claude is None:
            self._claude, self._claude_of = self._make_claude(model=self.model), self.model
        self._claude.ask(request)

    def claude_events(self) -> Sequence[ClaudeEvent]:
        return self._claude.take() if self._claude else ()

    def claude_text(self) -> tuple[Topic, str] | None:
        """What can be read so far of the answer that is coming, where that is more than before."""
        return self._claude.text() if self._claude else None

    def want_tiles(self, wanted: list[tuple[int, int]]) -> None:
        """(image id, level) of tiles to fetch, the first first; images that are gone are passed over."""
        if self._arrival is not None:
            scene = self._arrival.scene
            rows = [(row_of(scene.ids, id_), level) for id_, level in wanted]
            self.tiles.want([_want(scene, row, level) for row, level in rows if row is not None])

    def drain_tiles(self, *, budget_secs: float) -> Iterator[Tile]:
        return self.tiles.drain(budget_secs=budget_secs)

    def switch_live(self, source: str | None) -> None:
        """Turn the camera on, or off with None."""
        for worker in (self._live_place, self._places):
            if worker is not None:
                worker.close()
        self._live_place = self._places = None
        self._live_source = source
        if source is None:
            return
        places = self._places = PlaceWorker(announce=self._changes.put)
        if self._arrival is not None:
            places.show(replace(self._arrival, scene=self._on_map(self._arrival)))

        def encode() -> Encode:
            return frame_encoder(self.model, self.runtime)

        self._live_place = LivePlaceWorker(source, encode=encode, place=places.place, announce=self._changes.put)

    def fix(self) -> LiveFix | None:
        return self._live_place.take() if self._live_place else None

    def close(self) -> None:
        """Stop everything, the engine last since it may commit."""
        self.switch_live(None)
        self._changes.close()
        self.originals.close()
        if self._claude is not None:
            self._claude.close()
        self._give_up_succession(limit_secs=2.0)
        for service in (
            self.questions,
            self._names,
            self.bookmarks,
            self.tiles,
            self.pictures,
            self._whole,
            self.errands,
            self._pages,
            self.pulses,
            self.filters,
            self.facts,
            self.query_pictures,
            self.query_texts,
            self.search,
            self.scenes,
            self._lookout,
        ):
            service.close()
        self._writer.close()

    @property
    def _poll_secs(self) -> float | None:
        """How often the library is looked at: only what our own engine writes is told, and of that only what the model
        in use made."""
        if not self._writer.writes:
            return READ_ONLY_POLL_SECS
        return MEANWHILE_POLL_SECS if self._succession else None

    def _readers(self, model: Model) -> Readers:
        """What reads the library as a model sees it, started."""
        scenes = SceneWorker(
            self._reader_of(model, self.spoken),
            poll_secs=self._poll_secs,
            announce=self._changes.put,
        )
        scenes.flat = self.scenes.flat
        if self._arrival is not None:
            scenes.follow(self._arrival.prepared, aspect=self._aspect)
        return scenes, SearchWorker(model, self.place, runtime=self.runtime, announce=self._changes.put)

    def _picture_worker(self) -> QueryPictureWorker:
        """Reads pictures to search by as the model in use sees them."""
        model, runtime = self.model, self.runtime
        outside = OutsidePictures(model.image.preprocessing)
        return QueryPictureWorker(
            self.place, outside, lambda: ImageEncoder(model, runtime=runtime).encode, announce=self._changes.put
        )

    def _succession_by(self, model: Model) -> Succession:
        return Succession(self.place, model, readers=self._readers, announce=self._changes.put)

    def _give_up_succession(self, *, limit_secs: float = 0.0) -> None:
        succession, self._succession = self._succession, None
        if succession is not None:
            succession.close(limit_secs=limit_secs)

    def _be_succeeded(self) -> None:
        """The coming model's map is shown: whatever is asked from now on is asked of it."""
        succession, self._succession = self._succession, None
        assert succession is not None
        for worker in (self.scenes, self.search, self.query_pictures):
            worker.close(limit_secs=0.0)  # daemons: one that is busy ends when it is done
        flat = self.scenes.flat
        self.scenes, self.search = succession.take_over()
        self.model = succession.model
        self.query_pictures = self._picture_worker()
        if self.scenes.flat != flat:  # the person pressed G since its scene was read
            self.scenes.lay_out(flat=flat)
        self.scenes.poll(self._poll_secs)
        self.questions.forget_words()

    def _workers(self) -> Iterator[Worker]:
        yield from (self.scenes, self.search, self.facts, self.pictures, self._whole, *self.tiles.workers)
        yield from (self.errands, self._lookout, self._pages, self._names, self.bookmarks, self.questions, self.pulses)
        yield from (self.query_pictures, self.query_texts)
        yield self.filters
        yield from (worker for worker in (self._claude, self._live_place, self._places) if worker is not None)
        yield from self._succession.workers() if self._succession else ()


def _reader(
    place: LibraryPlace, names: ClusterNames, explanations: Explanations, model: Model, code: str
) -> SceneReader:
    words, _ = words_or_english(code)
    return SceneReader(place, model=model.id, dim=model.dim, names=names, explanations=explanations, words=words)


def source_name(paths: tuple[str, ...]) -> str:
    """What a person calls a library: its folder's name or its address, and how many more there are."""
    name = paths[0] if is_s3(paths[0]) else Path(paths[0]).name or paths[0]
    return name if len(paths) == 1 else f"{name} and {len(paths) - 1} more"


def frame_encoder(model: Model, runtime: Runtime) -> Encode:
    """An encoder of camera frames, made on the thread that will use it."""
    from PIL import Image

    encoder = ImageEncoder(model, threads=1, runtime=runtime)

    def encode(frame: Bytes) -> Floats:
        pixels = to_input(Image.fromarray(frame), model.image.preprocessing)
        vector: Floats = encoder.encode(pixels[None])[0]
        return vector

    return encode


def _want(scene: Scene, row: int, level: int) -> Want:
    return int(scene.ids[row]), level, int(scene.tiles[row]), scene.paths[row]
