"""What an export's graphs and configurations say -> its `model.toml`, and the proof that it encodes.

Exports of different years differ in the names of inputs and outputs, in int32 or int64 tokens, with or without a mask,
and in whether the batch is free or fixed at 1: all of that is read from the graphs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from atlas_rt.encoders.encoder import TOKENS, ImageEncoder, TextEncoder
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.registry import DEFAULT_BATCH, Model
from atlas_rt.encoders.sessions import Session, open_session
from atlas_rt.errors import MissingError

MODEL = "model.toml"
IMAGE, TEXT, TOKENIZER = "image.onnx", "text.onnx", "tokenizer.json"
PICTURES, NETWORK, TOKENS_SAID = "preprocess_cfg.json", "config.json", "tokenizer_config.json"
CONFIGURATIONS = (PICTURES, NETWORK, TOKENS_SAID)
"""Read once; what they say is in model.toml then."""
CONTEXT_LENGTH = 77
"""Where a text graph leaves the length open and no configuration names it: CLIP's."""
OUTPUTS = ("embedding", "image_embeds", "text_embeds", "sentence_embedding")
"""Names that say which of several outputs is the vector."""
RESIZES = {"shortest": "crop", "squash": "squash", "longest": "letterbox"}
"""open_clip's resize modes in our words."""


@dataclass(frozen=True, slots=True)
class _Tower:
    """How to call a graph: the names that matter, and the batch and length it fixes."""

    inputs: tuple[str, ...]
    output: str
    batch: int | None
    length: int | None


def sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def pairs(**values: object) -> list[str]:
    """`key = value` for everything that is known. JSON's strings, numbers, booleans and lists are TOML's too."""
    return [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]


def file_pairs(folder: Path, file: str, *, name: str = "file", digest: str = "sha256") -> list[str]:
    """A file of the model and the hash it has now."""
    return pairs(**{name: file, digest: sha256(folder / file)})


def published_pairs(entry: Entry, *, repository: str, revision: str) -> list[str]:
    """What is published about a model, then where it came from."""
    lines = pairs(licence=entry.licence or "unknown", commercial_use=entry.commercial_use)
    lines += pairs(imagenet_accuracy=entry.imagenet_accuracy)
    return [*lines, "", "[source]", *pairs(repository=repository, revision=revision)]


def calibration_pairs(entry: Entry) -> list[str]:
    """Nothing where nobody has calibrated it."""
    if entry.strong is None or entry.weak is None or entry.label_temperature is None:
        return []
    numbers = pairs(strong=entry.strong, weak=entry.weak, label_temperature=entry.label_temperature)
    return ["", "[calibration]", *numbers]


def describe(folder: Path, entry: Entry, *, repository: str, revision: str) -> None:
    """Write model.toml for the files that lie in the folder under our names, their hashes in it.

    What the export says itself goes before what `entry` says. Raises MissingError where a graph is no encoder, or a
    configuration cannot be read.
    """
    images, text = open_session(folder / IMAGE, threads=1), open_session(folder / TEXT, threads=1, arena=False)
    image_tower, text_tower = _image_tower(images), _text_tower(text)
    pictures = _json(folder / PICTURES)
    network = _json(folder / NETWORK).get("text_cfg", {}) if (folder / NETWORK).exists() else {}
    said = network.get("context_length")
    size_px = _size(pictures, images.shapes[image_tower.inputs[0]])
    lines = [
        f"# {entry.name}, a ready export fetched by `atlas-rt models get`.",
        *pairs(name=entry.name, dim=_dim(images, image_tower, size_px)),
        *published_pairs(entry, repository=repository, revision=revision),
        "",
        "[image]",
        *file_pairs(folder, IMAGE),
        *pairs(input=image_tower.inputs[0], output=image_tower.output, size_px=size_px),
        *_preprocessing(pictures, entry),
        *pairs(batch=image_tower.batch or DEFAULT_BATCH),
        "",
        "[text]",
        *file_pairs(folder, TEXT),
        *pairs(inputs=text_tower.inputs, output=text_tower.output),
        *file_pairs(folder, TOKENIZER, name="tokenizer", digest="tokenizer_sha256"),
        *pairs(context_length=text_tower.length or said or entry.context_length or CONTEXT_LENGTH),
        *pairs(pad_id=_pad_id(folder), clean=_clean(network, entry) or None),
        *calibration_pairs(entry),
    ]
    (folder / MODEL).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _image_tower(session: Session) -> _Tower:
    """Raises MissingError where the graph takes no pictures or gives no vector."""
    pictures = [
        name
        for name in session.inputs
        if len(session.shapes[name]) == 4 and session.shapes[name][1] in {3, None} and _is_float(session, name)
    ]
    if len(pictures) != 1 or len(session.inputs) != 1:
        raise _no_encoder(session, IMAGE, "an input of pictures alone, (n, 3, size, size) of float32")
    return _Tower((pictures[0],), _vector(session, IMAGE), session.shapes[pictures[0]][0], None)


def _text_tower(session: Session) -> _Tower:
    """Raises MissingError where the graph takes no tokens, takes more than a mask besides, or gives no vector."""
    tokens = [name for name in session.inputs if len(session.shapes[name]) == 2 and session.types[name] in TOKENS]
    ids = [name for name in tokens if "mask" not in name.lower()]
    masks = [name for name in tokens if "mask" in name.lower()]
    if len(ids) != 1 or len(masks) > 1 or len(session.inputs) != len(ids) + len(masks):
        raise _no_encoder(
            session, TEXT, "an input of tokens, (n, length) of int32 or int64, with at most a mask besides"
        )
    batch, length = session.shapes[ids[0]]
    return _Tower((*ids, *masks), _vector(session, TEXT), batch, length)


def _vector(session: Session, file: str) -> str:
    """The output that is one vector for each row."""
    flat = [name for name in session.outputs if len(session.shapes[name]) == 2 and _is_float(session, name)]
    named = [name for name in OUTPUTS if name in flat]
    if named or len(flat) == 1:
        return (named or flat)[0]
    raise _no_encoder(session, file, "one output of vectors, (n, dim) of float32")


def _is_float(session: Session, name: str) -> bool:
    return session.types[name] == "tensor(float)"


def _no_encoder(session: Session, file: str, lacks: str) -> MissingError:
    def said(names: tuple[str, ...]) -> str:
        each = (
            f"{name} {tuple('n' if side is None else side for side in session.shapes[name])} {session.types[name]}"
            for name in names
        )
        return ", ".join(each) or "none"

    return MissingError(
        f"This graph is no encoder: it lacks {lacks}. Its inputs: {said(session.inputs)}; its outputs: "
        f"{said(session.outputs)}. Nothing was registered. {file}"
    )


def _dim(session: Session, tower: _Tower, size_px: int) -> int:
    """Found by running it: many graphs do not say."""
    pixels = np.zeros((tower.batch or 1, 3, size_px, size_px), np.float32)
    try:
        return int(session.run(tower.output, {tower.inputs[0]: pixels}).shape[-1])
    except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no other base
        raise MissingError(
            f"This graph does not run on a picture of {size_px} px ({_first_line(error)}). {IMAGE}"
        ) from None


def prove(model: Model) -> None:
    """Encode a picture and a phrase. Raises MissingError where the towers do not run, or not into one space."""
    size_px = model.image.preprocessing.size_px
    try:
        picture = ImageEncoder(model).encode(np.full((1, 3, size_px, size_px), 0.5, np.float32))[0]
        phrase = TextEncoder(model).encode("a red apple")
    except MissingError:
        raise
    except Exception as error:  # noqa: BLE001 - onnxruntime's and tokenizers' exceptions share no other base
        raise MissingError(f"This export does not run ({_first_line(error)}). Nothing was registered.") from None
    if picture.shape != phrase.shape:
        raise MissingError(
            f"The towers are not of one model: a picture's vector has {len(picture)} dimensions, a phrase's "
            f"{len(phrase)}. Nothing was registered."
        )
    if not (np.isfinite(picture).all() and np.isfinite(phrase).all()):
        raise MissingError("The towers give no numbers (NaN or infinite). Nothing was registered.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


# -- what the configurations say ---------------------------------------------------------------------------------------


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MissingError(f"{path.name} of this export cannot be read ({error}). Nothing was registered.") from None
    if not isinstance(document, dict):
        raise MissingError(f"{path.name} of this export holds no settings. Nothing was registered.")
    return document


def _size(pictures: dict[str, Any], shape: tuple[int | None, ...]) -> int:
    """The side of the square input: what the graph fixes, else what the preprocessing says."""
    said = pictures.get("size")
    first = said[0] if isinstance(said, list) and said else said
    size = shape[-1] or first
    if not isinstance(size, int) or size <= 0 or shape[-2] not in {None, size}:
        raise MissingError(f"{PICTURES} of this export names no size of a square picture. Nothing was registered.")
    return size


def _preprocessing(pictures: dict[str, Any], entry: Entry) -> list[str]:
    """Lines of [image]. Pixels go in as 0..1, less the mean, over the deviation."""
    resize = RESIZES.get(pictures.get("resize_mode", ""), "") or entry.resize or "crop"
    mean, std = pictures.get("mean") or entry.mean, pictures.get("std") or entry.std
    if mean is None or std is None:
        raise MissingError(f"{PICTURES} of this export names no mean and std. Nothing was registered.")
    interpolation = pictures.get("interpolation") or entry.interpolation or "bicubic"
    return pairs(
        resize=resize,
        interpolation=interpolation,
        fill=(0, 0, 0),  # what shows through transparent pixels, as open_clip has it
        pixel_max=1.0,
        mean=[float(value) for value in mean],
        std=[float(value) for value in std],
    )


def _pad_id(folder: Path) -> int | None:
    """The token to fill phrases up with, as the tokenizer's file or its configuration has it; None: neither does."""
    said = _json(folder / TOKENIZER).get("padding")
    if isinstance(said, dict) and isinstance(said.get("pad_id"), int):
        return int(said["pad_id"])
    token = _json(folder / TOKENS_SAID).get("pad_token") if (folder / TOKENS_SAID).exists() else None
    if isinstance(token, dict):
        token = token.get("content")
    if not isinstance(token, str):
        return None
    try:
        found: int | None = Tokenizer.from_file(str(folder / TOKENIZER)).token_to_id(token)
    except Exception as error:  # noqa: BLE001 - tokenizers raises plain Exception
        raise MissingError(f"{TOKENIZER} of this export cannot be read ({_first_line(error)}).") from None
    return found


def _clean(network: dict[str, Any], entry: Entry) -> str:
    said = network.get("tokenizer_kwargs", {}).get("clean", "")
    return "canonicalize" if "canonicalize" in {said, entry.clean} else ""
