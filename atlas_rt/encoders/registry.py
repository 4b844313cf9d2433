"""The encoders that are here, each described by its `model.toml`, and the proof that its files are the recorded ones.

Shipped models lie in `models/<name>/`, those of the person in `<cache>/models/<name>/`. What is published about models
that are not here yet: `catalogue`.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from atlas_rt.core.assets import assets_folder
from atlas_rt.encoders import model_list
from atlas_rt.encoders.model_choice import chosen_name
from atlas_rt.encoders.preprocess import RESAMPLING, RESIZES, Preprocessing
from atlas_rt.errors import MissingError, UsageError

AUTO = "auto"
VECTORS = "vectors-"
"""How the names of models begin of which there are only vectors."""
DEFAULT_BATCH = 16
PLAIN = "fp32"
"""The variant that a model is without asking: what [image] and [text] of its description name."""
CLEANINGS = ("", "canonicalize")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model and the hash that was recorded when it was shipped, fetched or exported."""

    path: Path
    sha256: str

    def verified(self) -> Path:
        """The path, once its content has been found to be the recorded one.

        Hashing 32 MB takes 20 ms, so it is done in every process that opens the file, once as long as size and time
        stay the same. Raises MissingError when the file is not here or is another.
        """
        try:
            stat = self.path.stat()
            key = (self.path, stat.st_size, stat.st_mtime_ns)
            if key not in _hashes:
                with self.path.open("rb") as file:
                    _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise MissingError(
                f"A model file cannot be read ({error.strerror}); install or fetch it again. {self.path}"
            ) from None
        if _hashes[key] != self.sha256:
            raise MissingError(
                f"A model file is not the recorded one and is not used: its SHA-256 is {_hashes[key]}, "
                f"the recorded one is {self.sha256}. Fetch it again. {self.path}"
            )
        return self.path


class NoFile(ModelFile):
    """In place of a file of a model that nobody here has, of whose vectors a library was made elsewhere."""

    __slots__ = ()

    def verified(self) -> Path:
        """Raises MissingError: whoever wants to encode something learns why it cannot be."""
        raise MissingError(
            "The vectors of this library come from elsewhere, and the model that made them is not here; so there is no "
            "search by words or by other images. Images of the library are compared as ever."
        )


_hashes: dict[tuple[Path, int, int], str] = {}
"""(path, size, modification time in ns) -> SHA-256, for this process. Setting one entry is atomic: no lock needed."""


@dataclass(frozen=True, slots=True)
class ImageTower:
    """The graph that turns pictures into vectors: (n, 3, size, size) float32 -> (n, dim) float32.

    batch: pictures of every run, never more or fewer. (Where the graph fixes another number, that one.)
    """

    file: ModelFile
    input: str
    output: str
    preprocessing: Preprocessing
    batch: int


@dataclass(frozen=True, slots=True)
class TextTower:
    """The graph that turns phrases into vectors.

    inputs: token ids and, where the graph has one, the attention mask, (n, length) each. Whether they are int32 or
    int64, and whether the length is fixed, is read from the graph. context_length: tokens it reads at most.
    pad_id: the token that every phrase is filled up with, to the graph's length or else the context's. Without one
    phrases run unpadded, and where the graph fixes the length they are filled with zeros, which CLIP does not read.
    clean: "canonicalize" for towers trained on text in lower case and without punctuation.
    templates: single words are put in place of their `{}`, and the vectors averaged (`query.phrase_vector`).
    batch: phrases of a run at most. 1 where a vector depends on what shares its run: a dynamically quantised graph
    takes one scale for a whole batch, and among others a phrase's vector fell to cosine 0.88 of itself.
    """

    file: ModelFile
    inputs: tuple[str, ...]
    output: str
    tokenizer: ModelFile
    context_length: int
    pad_id: int | None = None
    clean: str = ""
    templates: tuple[str, ...] = ()
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the model's scores mean, found once per model.

    strong, weak: bars of `bands.Judge.evidence`. label_temperature: of the softmax over the vocabulary, in cosine.
    excess, known, abstract, pieces: weights of what `bands` measures. Each counts deviations among everyday
    words, so the starter's serve other models too. background: vectors of pictures in general, (p, dim) as .npy.
    near_duplicate: cosine from which two pictures may be one twice, if their tiles agree (`duplicates`).
    """

    strong: float
    weak: float
    label_temperature: float
    excess: float = 1.0
    known: float = 0.77
    abstract: float = -0.47
    pieces: float = -0.25
    background: ModelFile | None = None
    near_duplicate: float = 0.95


UNCALIBRATED = Calibration(strong=1.08, weak=0.03, label_temperature=0.01)
"""For models nobody has calibrated here. Bars and weights are the starter's, as they count deviations among everyday
words; the temperature is the one CLIP is trained to (Radford et al. 2021, section 2.5: logits are scaled by 100)."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Another precision of a model's towers. Its vectors go into an index of their own.

    text: None where the model's own text tower serves it too. cosine: to the fp32 vectors, in the mean;
    images_per_second: on the machine that made it. Both None where nobody measured.
    """

    image: ModelFile
    text: ModelFile | None = None
    batch: int | None = None
    cosine: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One encoder: two towers that share a space of `dim` dimensions.

    name: what chooses it, "NAME" or "NAME:VARIANT". commercial_use: None where the licence does not say.
    imagenet_accuracy: published zero-shot top-1 in percent, None where none was published. source, revision: where it
    was fetched or exported from, and the commit there.
    """

    name: str
    dim: int
    licence: str
    commercial_use: bool | None
    folder: Path
    image: ImageTower
    text: TextTower
    calibration: Calibration
    imagenet_accuracy: float | None = None
    variants: Mapping[str, Variant] = field(default_factory=dict)
    source: str = ""
    revision: str = ""
    vectors_only: bool = False
    """It has no towers here: its vectors came from elsewhere (`register_vectors`)."""

    @property
    def id(self) -> str:
        """Names the space its vectors live in: other weights, another id. Fit for a folder's name."""
        if self.vectors_only:
            return self.name
        return f"{self.name.replace(':', '-')}-{self.image.file.sha256[:8]}"

    @property
    def calibrated(self) -> bool:
        return self.calibration is not UNCALIBRATED

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """The files it needs to run."""
        return self.image.file, self.text.file, self.text.tokenizer


@dataclass(frozen=True, slots=True)
class BrokenModel:
    """A folder of models that cannot be used: the name to ask for it, and why."""

    name: str
    reason: str


def load(name: str, cache: Path) -> Model:
    """The model of that name, "auto" for the one that was chosen, else the best one that is here; "NAME:int8" for a
    variant of it.

    cache: the program's cache folder. Its files are verified when they are opened. Raises UsageError for an unknown
    name, MissingError for one that is known but not here, and for a broken description.
    """
    base, _, variant = name.partition(":")
    if base.startswith(VECTORS):
        return read_model(cache / "models" / base / "model.toml")
    models, broken = survey(cache)
    model = _chosen(models, broken, cache) if base == AUTO else _named(base, models, broken)
    return _variant(model, variant) if variant not in {"", PLAIN} else model


def known(cache: Path) -> tuple[Model, ...]:
    """Every model that is here and readable: the shipped ones, then the person's, each by name."""
    return survey(cache)[0]


def survey(cache: Path) -> tuple[tuple[Model, ...], tuple[BrokenModel, ...]]:
    """The models that are here and encode, and the folders of models that cannot be used. A shipped name cannot be
    taken."""
    models: dict[str, Model] = {}
    broken = []
    for folder in (assets_folder("models"), cache / "models"):
        for file in sorted(folder.glob("[!.]*/model.toml")):  # a dot: one that is just being fetched or exported
            try:
                model = read_model(file)
            except MissingError as error:
                broken.append(BrokenModel(file.parent.name, str(error)))
            else:
                if not model.vectors_only:
                    models.setdefault(model.name, model)
    return tuple(models.values()), tuple(broken)


def _chosen(models: tuple[Model, ...], broken: tuple[BrokenModel, ...], cache: Path) -> Model:
    """The chosen one if it is still here, else the best."""
    name = chosen_name(cache)
    return next((model for model in models if model.name == name), None) or _best(models, broken)


def _best(models: tuple[Model, ...], broken: tuple[BrokenModel, ...]) -> Model:
    """By published accuracy; the first of equals, which is the shipped one."""
    if not models:
        raise MissingError(broken[0].reason if broken else "No model is installed; install the program again.")
    return max(models, key=lambda model: model.imagenet_accuracy or 0.0)


def _named(name: str, models: tuple[Model, ...], broken: tuple[BrokenModel, ...]) -> Model:
    for model in models:
        if model.name == name:
            return model
    for each in broken:
        if each.name == name:
            raise MissingError(each.reason)
    entries = {entry.name: entry for entry in model_list.entries()}
    if name in entries:
        raise MissingError(f'"{name}" is known but not installed. {model_list.how_to_get(entries[name])}')
    here = [model.name for model in models] + [each.name for each in broken]
    raise UsageError(model_list.no_such_model(name, [AUTO, *here, *entries]))


def _variant(model: Model, name: str) -> Model:
    """The model with its towers in another precision. Raises UsageError with the variants there are."""
    if name not in model.variants:
        has = ", ".join([PLAIN, *model.variants])
        raise UsageError(f'{model.name} has no variant "{name}". It has: {has}.')
    variant = model.variants[name]
    image = replace(model.image, file=variant.image, batch=variant.batch or model.image.batch)
    text = replace(model.text, file=variant.text) if variant.text else model.text
    return replace(model, name=f"{model.name}:{name}", image=image, text=text)


def vectors_title(name: str, dim: int) -> str:
    """What a model is called of which there are only vectors; one that is called so already keeps its name."""
    if re.fullmatch(f"{VECTORS}[a-z0-9-]{{1,60}}", name):
        return name
    digest = hashlib.sha256(f"{name}\0{dim}".encode()).hexdigest()[:8]
    words = re.sub("[^a-z0-9]+", "-", name.lower())[:40].strip("-")
    return f"{VECTORS}{words or 'unknown'}-{digest}"


def register_vectors(name: str, dim: int, cache: Path) -> Model:
    """A model of which there are only vectors, made elsewhere by what is called `name`; the same each time.

    Its images stand on a map and have neighbours, but nothing can be encoded. Raises MissingError where the cache
    cannot be written.
    """
    title = vectors_title(name, dim)
    folder = cache / "models" / title
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{os.getpid()}.toml"
        beside.write_text(f'name = "{title}"\ndim = {dim}\nlicence = ""\nvectors_only = true\n', encoding="utf-8")
        beside.replace(folder / "model.toml")
    except OSError as error:
        raise MissingError(f"The cache folder cannot be written to ({error.strerror}): {folder}") from error
    return read_model(folder / "model.toml")


def usable(place: Path) -> Model | None:
    """The model in this folder, if its files are the recorded ones."""
    try:
        model = read_model(place / "model.toml")
        for file in model.files:
            file.verified()
    except MissingError:
        return None
    return model


def read_model(file: Path) -> Model:
    """The model that a `model.toml` describes. Raises MissingError that names what is wrong in it."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        return _model(table, file.parent)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise MissingError(f"This model's description cannot be used: {reason}. {file}") from None


def _model(table: dict[str, Any], folder: Path) -> Model:
    name, source, calibration = str(table["name"]), table.get("source", {}), table.get("calibration")
    if set(name) & set(":/\\"):
        raise ValueError(f'its name, "{name}", may hold no slash, and no colon, which stands before a variant')
    if table.get("vectors_only"):
        return _without_towers(name, int(table["dim"]), folder)
    return Model(
        name=name,
        dim=int(table["dim"]),
        licence=str(table["licence"]),
        commercial_use=table.get("commercial_use"),
        folder=folder,
        image=_image_tower(table["image"], folder),
        text=_text_tower(table["text"], folder),
        calibration=_calibration(calibration, folder) if calibration else UNCALIBRATED,
        imagenet_accuracy=table.get("imagenet_accuracy"),
        variants={each: _variant_files(values, folder) for each, values in table.get("variants", {}).items()},
        source=source.get("repository", ""),
        revision=source.get("revision", ""),
    )


def _without_towers(name: str, dim: int, folder: Path) -> Model:
    nothing = NoFile(folder / "nothing", "")
    image = ImageTower(nothing, "", "", Preprocessing(size_px=224), 1)
    text = TextTower(nothing, ("",), "", nothing, 1)
    return Model(name, dim, "", None, folder, image, text, UNCALIBRATED, vectors_only=True)


def _calibration(table: dict[str, Any], folder: Path) -> Calibration:
    background = _file(table, "background", "background_sha256", folder) if "background" in table else None
    numbers = {key: float(value) for key, value in table.items() if not key.startswith("background")}
    return replace(UNCALIBRATED, **numbers, background=background)


def _variant_files(table: dict[str, Any], folder: Path) -> Variant:
    return Variant(
        image=_file(table, "file", "sha256", folder),
        text=_file(table, "text_file", "text_sha256", folder) if "text_file" in table else None,
        batch=table.get("batch"),
        cosine=table.get("cosine"),
        images_per_second=table.get("images_per_second"),
    )


def _image_tower(table: dict[str, Any], folder: Path) -> ImageTower:
    spec = Preprocessing(
        size_px=int(table["size_px"]),
        resize=_one_of(RESIZES, table.get("resize", "letterbox"), "resize"),
        interpolation=_one_of(RESAMPLING, table.get("interpolation", "bicubic"), "interpolation"),
        fill=_triple(table.get("fill", (255, 255, 255)), int),
        pixel_max=float(table.get("pixel_max", 255.0)),
        mean=_triple(table["mean"], float) if "mean" in table else None,
        std=_triple(table["std"], float) if "std" in table else None,
    )
    file = _file(table, "file", "sha256", folder)
    return ImageTower(file, table["input"], table["output"], spec, int(table.get("batch", DEFAULT_BATCH)))


def _text_tower(table: dict[str, Any], folder: Path) -> TextTower:
    return TextTower(
        file=_file(table, "file", "sha256", folder),
        inputs=tuple(table["inputs"]),
        output=table["output"],
        tokenizer=_file(table, "tokenizer", "tokenizer_sha256", folder),
        context_length=int(table["context_length"]),
        pad_id=table.get("pad_id"),
        clean=_one_of(CLEANINGS, table.get("clean", ""), "clean"),
        templates=_templates(table.get("templates", ())),
        batch=max(1, int(table.get("batch", 1))),
    )


def _templates(values: Any) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(each, str) and "{}" in each for each in values):
        raise ValueError("templates must be a list of texts with {} where the word goes")
    return tuple(values)


def _file(table: dict[str, Any], name: str, digest: str, folder: Path) -> ModelFile:
    return ModelFile(folder / table[name], str(table[digest]))


def _one_of(choices: Any, value: str, field: str) -> str:
    if value not in choices:
        raise ValueError(f'{field} is "{value}", known are {", ".join(choices)}')
    return value


def _triple(values: Any, of: Callable[[Any], Value]) -> tuple[Value, Value, Value]:
    first, second, third = values
    return of(first), of(second), of(third)
