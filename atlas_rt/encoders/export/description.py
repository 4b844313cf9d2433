"""The `model.toml` of an exported model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.model_toml import (
    IMAGE,
    TEXT,
    TOKENIZER,
    calibration_pairs,
    file_pairs,
    pairs,
    published_pairs,
)
from atlas_rt.encoders.preprocess import Preprocessing


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
    lines = [f"# {made.origin}; exported by atlas_rt and checked against it.", *pairs(name=entry.name, dim=made.dim)]
    lines += published_pairs(entry, repository=entry.source, revision=entry.revision)
    lines += ["", "[image]", *file_pairs(folder, IMAGE), *pairs(input=made.inputs[0], output=made.output)]
    lines += pairs(size_px=spec.size_px, resize=spec.resize, interpolation=spec.interpolation, fill=spec.fill)
    lines += pairs(pixel_max=spec.pixel_max, mean=spec.mean, std=spec.std)
    lines += ["", "[text]", *file_pairs(folder, TEXT), *pairs(inputs=(made.inputs[1],), output=made.output)]
    lines += file_pairs(folder, TOKENIZER, name="tokenizer", digest="tokenizer_sha256")
    lines += pairs(context_length=made.context_length, pad_id=made.pad_id, clean=made.clean or None)
    lines += calibration_pairs(entry)
    for each in made.variants:
        lines += ["", f"[variants.{each.name}]", *file_pairs(folder, file_name(IMAGE, each.name))]
        lines += file_pairs(folder, file_name(TEXT, each.name), name="text_file", digest="text_sha256")
        lines += pairs(batch=1 if each.alone else None, cosine=round(each.cosine_image, 6))
        lines += pairs(cosine_image=round(each.cosine_image, 6), cosine_text=round(each.cosine_text, 6))
        lines += pairs(images_per_second=round(each.images_per_second, 2))
    return "\n".join(lines) + "\n"
