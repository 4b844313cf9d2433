"""The `model.toml` of an exported model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.ml.catalogue import Entry
from atlas_rt.ml.preprocess import Preprocessing

NAME = "model.toml"
IMAGE, TEXT, TOKENIZER = "image.onnx", "text.onnx", "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Measured:
    """A variant as it is described. cosine_image, cosine_text: to the model's own vectors, in the mean."""

    name: str
    cosine_image: float
    cosine_text: float
    images_per_second: float
    alone: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What a description is written from. inputs: of the image and the text graph. origin: of the weights."""

    entry: Entry
    preprocessing: Preprocessing
    dim: int
    context_length: int
    pad_id: int | None
    clean: str
    inputs: tuple[str, str]
    output: str
    origin: str
    variants: tuple[Measured, ...]


def file_name(tower: str, variant: str) -> str:
    """`image.onnx` -> `image.int8.onnx`."""
    return tower if not variant else tower.replace(".", f".{variant}.", 1)


def describe(made: Made, folder: Path) -> str:
    """The text of `folder`'s model.toml; hashes are taken of the files in it."""
    entry, spec = made.entry, made.preprocessing
    lines = [f"# {made.origin}; exported by atlas_rt and checked against it.", *_pairs(name=entry.name, dim=made.dim)]
    lines += _pairs(licence=entry.licence or "unknown", commercial_use=entry.commercial_use)
    lines += _pairs(imagenet_accuracy=entry.imagenet_accuracy)
    lines += ["", "[source]", *_pairs(repository=entry.source, revision=entry.revision)]
    lines += ["", "[image]", *_file(folder, IMAGE), *_pairs(input=made.inputs[0], output=made.output)]
    lines += _pairs(size_px=spec.size_px, resize=spec.resize, interpolation=spec.interpolation, fill=spec.fill)
    lines += _pairs(pixel_max=spec.pixel_max, mean=spec.mean, std=spec.std)
    lines += ["", "[text]", *_file(folder, TEXT), *_pairs(inputs=(made.inputs[1],), output=made.output)]
    lines += _file(folder, TOKENIZER, name="tokenizer", digest="tokenizer_sha256")
    lines += _pairs(context_length=made.context_length, pad_id=made.pad_id, clean=made.clean or None)
    if None not in (entry.strong, entry.weak, entry.label_temperature):
        lines += ["", "[calibration]", *_pairs(strong=entry.strong, weak=entry.weak)]
        lines += _pairs(label_temperature=entry.label_temperature)
    for each in made.variants:
        lines += ["", f"[variants.{each.name}]", *_file(folder, file_name(IMAGE, each.name))]
        lines += _file(folder, file_name(TEXT, each.name), name="text_file", digest="text_sha256")
        lines += _pairs(batch=1 if each.alone else None, cosine=round(each.cosine_image, 6))
        lines += _pairs(cosine_image=round(each.cosine_image, 6), cosine_text=round(each.cosine_text, 6))
        lines += _pairs(images_per_second=round(each.images_per_second, 2))
    return "\n".join(lines) + "\n"


def _file(folder: Path, file: str, *, name: str = "file", digest: str = "sha256") -> list[str]:
    with (folder / file).open("rb") as content:
        return _pairs(**{name: file, digest: hashlib.file_digest(content, "sha256").hexdigest()})


def _pairs(**values: object) -> list[str]:
    """`key = value` for everything that is known. JSON's strings, numbers, booleans and lists are TOML's too."""
    return [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
