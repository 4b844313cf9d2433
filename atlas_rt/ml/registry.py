"""The encoders that are here, each described by its `model.toml`, and the proof that its files are the recorded ones.

Shipped models lie in `models/<name>/`, those of the person in `<cache>/models/<name>/`.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from atlas_rt.core.assets import assets_folder
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.ml.preprocess import RESAMPLING, RESIZES, Preprocessing

AUTO = "auto"
DEFAULT_BATCH = 16
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
                f"recorded is {self.sha256}. Fetch it again. {self.path}"
            )
        return self.path


_hashes: dict[tuple[Path, int, int], str] = {}
"""(path, size, modification time in ns) -> SHA-256, for this process. Setting one entry is atomic: no lock needed."""


@dataclass(frozen=True, slots=True)
class ImageTower:
    """The graph that turns pictures into vectors: (n, 3, size, size) float32 -> (n, dim) float32.

    batch: pictures of every run, never more or fewer.
    """

    file: ModelFile
    input: str
    output: str
    preprocessing: Preprocessing
    batch: int


@dataclass(frozen=True, slots=True)
class TextTower:
    """The graph that turns phrases into vectors. inputs: token ids and, where the graph has one, the attention mask,
    (n, length) int64 each. context_length: tokens it reads at most."""

    file: ModelFile
    inputs: tuple[str, ...]
    output: str
    tokenizer: ModelFile
    context_length: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the model's scores mean, found once per model.

    strong, weak: bars of `scoring.Judge.evidence`. label_temperature: of the softmax over the vocabulary, in cosine.
    """

    strong: float
    weak: float
    label_temperature: float


@dataclass(frozen=True, slots=True)
class Model:
    """One encoder: two towers that share a space of `dim` dimensions.

    commercial_use: None where the licence does not say. imagenet_accuracy: published zero-shot top-1 in percent, None
    where none was published.
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

    @property
    def id(self) -> str:
        """Names the space its vectors live in: other weights, another id. Fit for a folder's name."""
        return f"{self.name}-{self.image.file.sha256[:8]}"


def load(name: str, cache: Path) -> Model:
    """The model of that name, "auto" for the best one that is here. Its files are verified when they are opened.

    cache: the program's cache folder. Raises UsageError for an unknown name, MissingError for a broken description.
    """
    models = known(cache)
    if name == AUTO:
        return max(models, key=lambda model: model.imagenet_accuracy or 0.0)  # the first of equals: the shipped one
    for model in models:
        if model.name == name:
            return model
    names = [AUTO, *(model.name for model in models)]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f'No model is called "{name}".{meant} Known: {", ".join(names)}.')


def known(cache: Path) -> tuple[Model, ...]:
    """Every model that is here: the shipped ones, then the person's, each by name. A shipped name cannot be taken."""
    models: dict[str, Model] = {}
    for folder in (assets_folder("models"), cache / "models"):
        for file in sorted(folder.glob("*/model.toml")):
            model = read_model(file)
            models.setdefault(model.name, model)
    return tuple(models.values())


def read_model(file: Path) -> Model:
    """The model that a `model.toml` describes. Raises MissingError that names what is wrong in it."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        return _model(table, file.parent)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise MissingError(f"This model's description cannot be used: {reason}. {file}") from None


def _model(table: dict[str, Any], folder: Path) -> Model:
    return Model(
        name=str(table["name"]),
        dim=int(table["dim"]),
        licence=str(table["licence"]),
        commercial_use=table.get("commercial_use"),
        folder=folder,
        image=_image_tower(table["image"], folder),
        text=_text_tower(table["text"], folder),
        calibration=Calibration(**{key: float(value) for key, value in table["calibration"].items()}),
        imagenet_accuracy=table.get("imagenet_accuracy"),
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
    )


def _file(table: dict[str, Any], name: str, digest: str, folder: Path) -> ModelFile:
    return ModelFile(folder / table[name], str(table[digest]))


def _one_of(choices: Any, value: str, field: str) -> str:
    if value not in choices:
        raise ValueError(f'{field} is "{value}", known are {", ".join(choices)}')
    return value


def _triple(values: Any, of: Callable[[Any], Value]) -> tuple[Value, Value, Value]:
    first, second, third = values
    return of(first), of(second), of(third)
