"""An OpenCLIP model in torch: what an export is made from and measured against."""

from __future__ import annotations

import json
import logging
import os
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.model_toml import RESIZES
from atlas_rt.encoders.preprocess import Preprocessing
from atlas_rt.errors import AtlasError, MissingError, UsageError

NEEDED = {"torch": "torch", "open_clip": "open-clip-torch", "onnx": "onnx", "onnxscript": "onnxscript"}
"""Module -> the package that brings it."""
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True, slots=True)
class Source:
    """A model with its weights. model: open_clip's, for `graphs`. architecture: open_clip's name, for its tokenizer.

    pad_id: what phrases are padded with to `context_length`; None where the tower reads nothing behind the end (causal
    attention), so that they may run at their own length. byte_pairs: whether its tokenizer is CLIP's. clean: as in
    `registry.TextTower`.
    """

    model: Any
    architecture: str
    preprocessing: Preprocessing
    dim: int
    context_length: int
    vocabulary: int
    pad_id: int | None
    byte_pairs: bool
    clean: str = ""

    def images(self, pixels: Floats) -> Floats:
        """(n, 3, size, size) float32 -> (n, dim) float32, unit length, by torch."""
        import torch

        with torch.inference_mode():
            vectors: Floats = self.model.encode_image(torch.from_numpy(pixels), normalize=True).numpy()
        return vectors

    def phrases(self, ids: NDArray[np.int64]) -> Floats:
        """(n, context_length) int64, padded -> (n, dim) float32, unit length, by torch."""
        import torch

        with torch.inference_mode():
            vectors: Floats = self.model.encode_text(torch.from_numpy(ids), normalize=True).numpy()
        return vectors

    def tokens(self, phrases: list[str]) -> NDArray[np.int64]:
        """(n, context_length) int64, by open_clip's own tokenizer; only where that is CLIP's."""
        import open_clip

        tokenizer = open_clip.tokenizer.SimpleTokenizer(context_length=self.context_length)
        ids: NDArray[np.int64] = tokenizer(phrases).numpy()
        return ids


def check_installed() -> None:
    """Raise MissingError, with the command that helps, unless the extra is installed."""
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise MissingError(
            f"Exporting needs {', '.join(missing)}, not installed here (5 GB on Linux, less elsewhere): "
            'pip install "atlas_rt[export]", or in a checkout scripts/setup export.'
        )


def byte_pairs_file() -> Path:
    """CLIP's merges inside open_clip's package."""
    import open_clip

    return Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz"


def build(
    entry: Entry, *, checkpoint: Path | None, random_weights: bool, seed: int, config: Path | None, offline: bool
) -> Source:
    """The model of that entry, on the CPU, in float32. Raises UsageError, MissingError, AtlasError.

    Weights come from the checkpoint, from the seed, or else from where open_clip fetches them.
    """
    import open_clip
    import torch

    if checkpoint and random_weights:
        raise UsageError("--checkpoint and --random-weights exclude each other.")
    architecture = _architecture(entry, config)
    tag = open_clip.pretrained.get_pretrained_cfg(architecture, entry.pretrained) if entry.pretrained else {}
    settings = _settings(architecture)
    if tag and not random_weights:
        _check_activation(entry, tag, settings)
    weights = None if random_weights else checkpoint or _fetched(entry, tag, offline)
    torch.manual_seed(seed)
    with _Quiet():
        # One text tower class for all: its positions are cut to the phrase's length.
        model = open_clip.create_model(
            architecture, pretrained=None, load_weights=False, force_custom_text=True, pretrained_text=False
        )
        if weights:
            _load(model, weights)
    model.eval()
    return _source(entry, model, architecture, settings, tag)


def _architecture(entry: Entry, config: Path | None) -> str:
    """open_clip's name, once it knows the configuration."""
    import open_clip

    if config:
        try:
            json.loads(config.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"This is no model configuration ({error}): {config}") from None
        open_clip.add_model_config(config)
        if config.stem not in open_clip.list_models():
            raise UsageError(
                f"A model configuration holds embed_dim, vision_cfg and text_cfg; this one does not: {config}"
            )
        return config.stem
    if not entry.architecture:
        raise UsageError(f"{entry.name} has no configuration in open_clip; give one with --config FILE.")
    if entry.architecture not in open_clip.list_models():
        raise MissingError(
            f"The installed open_clip does not know {entry.architecture}; update it (pip install -U open-clip-torch) "
            "or give the configuration with --config FILE."
        )
    return entry.architecture


def _settings(architecture: str) -> dict[str, Any]:
    import open_clip

    settings: dict[str, Any] = open_clip.get_model_config(architecture)
    if "multimodal_cfg" in settings or "hf_model_name" in settings["text_cfg"]:
        raise UsageError(f"Only models with open_clip's own text tower can be exported; {architecture} has another.")
    return settings


def _check_activation(entry: Entry, tag: dict[str, Any], settings: dict[str, Any]) -> None:
    """The wrong activation loads without an error, and gives vectors of no use."""
    wanted, found = tag.get("quick_gelu", False), settings.get("quick_gelu", False)
    if wanted != found:
        plain = entry.architecture.removesuffix("-quickgelu")
        raise UsageError(
            f"The weights {entry.pretrained} were trained with {'QuickGELU' if wanted else 'GELU'}; "
            f"use the configuration {plain}{'-quickgelu' if wanted else ''}, not {entry.architecture}."
        )


def _fetched(entry: Entry, tag: dict[str, Any], offline: bool) -> Path:
    import open_clip

    help_text = "Give them with --checkpoint FILE."
    if offline:
        raise UsageError(f"--offline forbids fetching the weights of {entry.name}. {help_text}")
    if not tag:
        raise MissingError(f"Where the weights of {entry.name} lie is not known to open_clip. {help_text}")
    try:
        with _Quiet():
            return Path(open_clip.pretrained.download_pretrained(tag))
    except Exception as error:  # open_clip raises whatever its four ways of fetching raise
        raise MissingError(
            f"The weights of {entry.name} could not be fetched ({_first_line(error)}). {help_text}"
        ) from error


def _load(model: Any, file: Path) -> None:
    """Weights from a file. Nothing in it is run: a torch file is read as weights only."""
    import open_clip

    if file.suffix not in WEIGHTS:
        raise UsageError(f"Weights are read from {', '.join(WEIGHTS)}; this is another kind of file: {file}")
    try:
        open_clip.load_checkpoint(model, str(file), strict=True, weights_only=True)
    except Exception as error:  # pickle's, zip's, safetensors' and torch's own, which share no base
        unsafe = "Weights only load failed" in str(error)
        reason = "the file holds more than weights, or is damaged" if unsafe else _first_line(error)
        raise MissingError(f"These weights cannot be used for this model ({reason}): {file}") from error


def _source(entry: Entry, model: Any, architecture: str, settings: dict[str, Any], tag: dict[str, Any]) -> Source:
    size = model.visual.image_size
    text = model.text
    causal = text.attn_mask is not None and text.pool_type in {"argmax", "eos"}
    kwargs = settings["text_cfg"].get("tokenizer_kwargs", {})
    wordpieces = "hf_tokenizer_name" not in settings["text_cfg"] and "siglip" in architecture.lower()
    source = Source(
        model=model,
        architecture=architecture,
        preprocessing=_preprocessing(entry, size if isinstance(size, int) else size[0], tag),
        dim=int(settings["embed_dim"]),
        context_length=int(text.context_length),
        vocabulary=int(text.vocab_size),
        pad_id=None if causal else int(text.pad_id),
        byte_pairs="hf_tokenizer_name" not in settings["text_cfg"] and not wordpieces,
        clean="canonicalize" if kwargs.get("clean") == "canonicalize" or wordpieces else "",
    )
    _agree(entry, source)
    return source


def _preprocessing(entry: Entry, size_px: int, tag: dict[str, Any]) -> Preprocessing:
    """What the entry says, and where it is silent open_clip's record of the weights; the two may not differ."""
    resize = entry.resize or RESIZES[tag.get("resize_mode", "squash" if entry.family == "siglip" else "shortest")]
    mean, std = entry.mean or tag.get("mean"), entry.std or tag.get("std")
    if mean is None or std is None:
        import open_clip

        siglip = entry.family == "siglip"
        mean = open_clip.constants.INCEPTION_MEAN if siglip else open_clip.OPENAI_DATASET_MEAN
        std = open_clip.constants.INCEPTION_STD if siglip else open_clip.OPENAI_DATASET_STD
    spec = Preprocessing(
        size_px=size_px,
        resize=resize,
        interpolation=entry.interpolation or tag.get("interpolation", "bicubic"),
        fill=(0, 0, 0),
        pixel_max=1.0,
        mean=tuple(mean),
        std=tuple(std),
    )
    if tag:
        said = (tuple(tag["mean"]), tuple(tag["std"]), RESIZES[tag["resize_mode"]], tag["interpolation"])
        if said != (spec.mean, spec.std, spec.resize, spec.interpolation):
            raise AtlasError(
                f"models/registry.toml and open_clip describe the preprocessing of {entry.name} differently."
            )
    return spec


def _agree(entry: Entry, source: Source) -> None:
    """What the registry says of a model must be what the model is."""
    facts = {
        "dimensions": (entry.dim, source.dim),
        "pixels": (entry.size_px, source.preprocessing.size_px),
        "tokens": (entry.context_length, source.context_length),
    }
    wrong = [f"{said} {what}, not {found}" for what, (said, found) in facts.items() if said and said != found]
    if wrong:
        raise UsageError(f"{entry.name} has {' and '.join(wrong)}: this configuration is another model's.")


class _Quiet:
    """open_clip's and timm's remarks on missing weights and old formats tell a person nothing here."""

    def __enter__(self) -> None:
        self._level = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        logging.disable(self._level)
        self._warnings.__exit__(None, None, None)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
