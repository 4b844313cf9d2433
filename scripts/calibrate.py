"""Finds what a model's scores mean: the weights and bars of `atlas_rt/search/match_strength.py`, its `[calibration]` in
model.toml.

Four folders of captioned pictures that the starter was not trained on are asked for what is there, for everyday nouns
of what is not, and for nonsense. Weights and bars are fitted on three of them and reported on the fourth, each in turn;
those that are written are fitted on all. The same is asked in other languages, each phrase read as it stands and by the
dictionary, and the better of both counts; the bars are the highest that any language needs. The pictures in general
(`background.npy`) are drawings of openclipart. The same words give the same numbers. Called by `scripts/calibrate`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from debian_packages import Package, PackageError, default_folder, fetch
from demo_pictures import SUFFIXES, openclipart
from make_vocabulary import TAGGED, WordNet, read_wordnet
from qt_resources import ResourceError, read_resources

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import AtlasError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.search.dictionary import ENGLISH, UNSPACED, Dictionary, load_dictionary
from atlas_rt.search.labels import (
    COUNT,
    SURE,
    Vocabulary,
    confidences,
    fit_label_temperature,
    load_vocabulary,
    log_familiarity,
    read_words,
)
from atlas_rt.search.match_strength import FEATURES, Background, Judge, QueryVector, load_background
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.searcher import Searcher

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "models" / "demo"
PHRASES = Path(__file__).with_name("calibrate.toml")
GCOMPRIS, SCRATCH, OPENCLIPART, WORDNET = "gcompris-qt-data", "scratch", "openclipart-png", "wordnet-base"

PHOTOGRAPHS = {
    "categorization": "resource/images/",
    "explore_world_animals": "resource/animals/",
    "explore_farm_animals": "resource/animals/",
    "explore_monuments": "resource/",
    "erase": "resource/",
}
DRAWINGS = {"lang": "words_sample/", "instruments": "resource/"}
"""Resource files of gcompris, and where in them the pictures lie."""

GENERAL_PICTURES = 256
"""A thousand separate no better, none at all two points worse."""
QUERIES, NONSENSE = 200, 100
LANGUAGES = ("de", "fr", "es", "ja")
"""Other languages that phrases are asked in; their words are those that the dictionary has."""
SMALL = 40
"""Folders of so few images are judged too, as bands are to hold for them."""
STRONG_ABSENT, STRONG_NONSENSE = 0.10, 0.05
"""What may be called strong of the visible things that are absent, and of nonsense, over all folders."""
WEAK_ABSENT, WEAK_NONSENSE = 0.30, 0.15
NOUNS = {"things": 1000, "nouns": 1500}
"""So many of the most familiar visible things, and of the most familiar nouns of any kind, are `everyday`."""
VISIBLE = {5, 6, 8, 13, 17, 20}
"""WordNet's animals, artefacts, parts of the body, food, natural objects and plants."""
KINDS = ("present", "things", "nouns", "nonsense")
SHARES = {"present": 1.0, "things": 0.4, "nouns": 0.25, "nonsense": 0.35}
"""What each kind of phrase weighs in the fit; those that find nothing as much as those that find something."""
PENALTY = 1.0


@dataclass(frozen=True)
class Folder:
    """Captioned pictures. vectors: (n, dim) in the order of captions."""

    name: str
    captions: tuple[str, ...]
    vectors: Floats


@dataclass(frozen=True)
class Captioned:
    """A picture of a development set. file: its path in the package."""

    caption: str
    file: str
    content: bytes


@dataclass(frozen=True)
class Asked:
    """(q, r, 4) features of each kind of phrase in one folder, of the best image by each of r readings."""

    name: str
    language: str
    features: dict[str, Floats]

    def evidence(self, kind: str, weights: Floats) -> Floats:
        """(q,), that of the better reading."""
        found: Floats = (self.features[kind] @ weights).max(axis=1)
        return found


# -- pictures ----------------------------------------------------------------------------------------------------------


def captioned(packages: dict[str, Package]) -> Iterator[tuple[str, list[Captioned]]]:
    """The development sets by name."""
    rcc = packages[GCOMPRIS].share / "gcompris-qt/rcc"
    yield "photographs", _captioned(_resources(rcc, PHOTOGRAPHS))
    yield "drawings", _captioned(_resources(rcc, DRAWINGS))
    yield "scratch", _captioned(_scratch(packages[SCRATCH].share / "scratch/Media"))


def folders(packages: dict[str, Package], encode: Encoder) -> Iterator[Folder]:
    for name, pictures in captioned(packages):
        yield _folder(name, pictures, encode)
    demo = sorted(DEMO.glob("*.webp"))
    yield _folder("demo", _captioned((caption_of(path.stem), path.name, path.read_bytes()) for path in demo), encode)


def caption_of(name: str) -> str:
    """`redApple_2` -> `red apple`."""
    name = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.sub(r"\s+", " ", re.sub(r"[_\-.\d]+", " ", name)).strip().lower()


def _resources(rcc: Path, wanted: dict[str, str]) -> Iterator[tuple[str, str, bytes]]:
    for file, inside in wanted.items():
        for name, content in read_resources(rcc / f"{file}.rcc"):
            plain = "background" not in name and "icon" not in name
            if inside in name and plain and Path(name).suffix.lower() in SUFFIXES:
                yield caption_of(Path(name).stem), name, content


def _scratch(root: Path) -> Iterator[tuple[str, str, bytes]]:
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in SUFFIXES and "Letters" not in path.parts:
            yield re.sub(r" [a-z]$", "", caption_of(path.stem)), path.relative_to(root).as_posix(), path.read_bytes()


def _captioned(pictures: Iterable[tuple[str, str, bytes]]) -> list[Captioned]:
    return [Captioned(*picture) for picture in pictures if picture[0]]


def _folder(name: str, pictures: list[Captioned], encode: Encoder) -> Folder:
    vectors = np.concatenate([encode(picture.content, picture.file) for picture in pictures])
    return Folder(name, tuple(picture.caption for picture in pictures), vectors)


class Encoder:
    """A picture's bytes -> (1, dim), by the way the program itself takes."""

    def __init__(self, model: Model) -> None:
        self._images, self._spec = ImageEncoder(model), model.image.preprocessing

    def __call__(self, content: bytes, name: str) -> Floats:
        spec = self._spec
        decoded = read_image(content, target_px=spec.size_px, fit=spec.resize, suffix=Path(name).suffix)
        return self._images.encode(to_input(decoded.image, spec)[None])


def general_pictures(package: Package, encode: Encoder, seed: int) -> Floats:
    """(GENERAL_PICTURES, dim) float16 of drawings that are not in the demo."""
    demo = {
        path
        for group in tomllib.loads((ROOT / "scripts/demo_set.toml").read_text()).values()
        for path in group.values()
    }
    found = [
        each for each in openclipart(package) if each.name.removeprefix("openclipart/") not in demo and not each.rank
    ]
    vectors: list[Floats] = []
    for row in np.random.default_rng(seed).permutation(len(found)).tolist():
        if len(vectors) == GENERAL_PICTURES:
            break
        if len(found[row].content) < 1 << 20:  # the few larger ones are drawn at up to 169 megapixels
            vectors.append(encode(found[row].content, found[row].name))
    return np.concatenate(vectors).astype(np.float16)


# -- phrases -----------------------------------------------------------------------------------------------------------


class Nouns:
    """Everyday nouns, and which of them are surely not among captions."""

    def __init__(self, net: WordNet) -> None:
        self._net = net
        self._below: dict[str, set[str]] = {}
        for offset, synset in net.synsets.items():
            for above in synset.above:
                self._below.setdefault(above, set()).add(offset)
        familiar = [noun for noun in net.senses if self._is_noun(noun)]
        familiar.sort(key=lambda noun: (-self._uses(noun), noun))
        things = [noun for noun in familiar if net.synsets[net.senses[noun][0]].file in VISIBLE]
        self._pools = {"things": things[: NOUNS["things"]], "nouns": familiar[: NOUNS["nouns"]]}

    def absent(self, captions: Iterable[str], kind: str, chance: np.random.Generator) -> list[str]:
        """Nouns that no caption names, shuffled: not by a synonym, a kind of it, or what it is a kind of."""
        terms = {term for caption in captions for term in self.terms(caption)}
        shown = {offset for term in terms for offset in self._net.senses.get(term.replace(" ", "_"), ())}
        free = [noun for noun in self._pools[kind] if noun not in terms and not self._near(noun) & shown]
        return [free[row] for row in chance.permutation(len(free)).tolist()]

    def _near(self, noun: str) -> set[str]:
        """Its three commonest senses, three levels of kinds below them, and two above."""
        near = set(self._net.senses[noun][:3])
        below, above = set(near), set(near)
        for _ in range(3):
            below = {kind for offset in below for kind in self._below.get(offset, ())}
            near |= below
        for _ in range(2):
            above = {kind for offset in above for kind in self._net.synsets[offset].above}
            near |= above
        return near

    def terms(self, caption: str) -> Iterator[str]:
        """Its words, singular, and its pairs and threes of words."""
        words = [self._net.singular(word) for word in caption.split()]
        for length in (1, 2, 3):
            yield from (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))

    def _is_noun(self, noun: str) -> bool:
        uses = self._net.uses_by_class.get(noun)
        return noun.isalpha() and len(noun) > 2 and uses is not None and 2 * uses["1"] > uses.total()

    def _uses(self, noun: str) -> int:
        return self._net.told[noun] + TAGGED * self._net.uses_by_class[noun]["1"]


def nonsense(chance: np.random.Generator) -> list[str]:
    """NONSENSE phrases that no picture answers, no two the same."""
    parts: dict[str, list[str]] = tomllib.loads(PHRASES.read_text("utf-8"))

    def some(words: Sequence[str], least: int, most: int, between: str = " ") -> str:
        return between.join(str(word) for word in chance.choice(words, chance.integers(least, most + 1)))

    makers = (
        lambda: " ".join(some(parts["syllables"], 2, 3, "") for _ in range(chance.integers(1, 4))),
        lambda: some(parts["function_words"], 2, 5),
        lambda: some(parts["abstract_words"], 2, 4),
        lambda: str(
            chance.choice([f"{chance.integers(10, 99999)}", f"{chance.integers(999)} + {chance.integers(99)}"])
        ),
        lambda: str(chance.choice(parts["code"])),
        lambda: str(chance.choice(parts["languages"])),
        lambda: some(list("abcdefghijklmnopqrstuvwxyz"), 4, 11, ""),
    )
    found: dict[str, None] = {}
    while len(found) < NONSENSE:
        found[makers[chance.integers(len(makers))]()] = None
    return list(found)


def abroad(words: Iterable[str], dictionary: Dictionary) -> list[str]:
    """Up to QUERIES of these words, as the language has them; those that it has none for are left out."""
    found = dict.fromkeys(word for each in words if (word := dictionary.word_for(each)))
    return list(found)[:QUERIES]


def nonsense_of(dictionary: Dictionary, chance: np.random.Generator) -> list[str]:
    """NONSENSE phrases in the spelling of a language: invented words, and its little and abstract words."""
    parts = tomllib.loads(PHRASES.read_text("utf-8"))
    abstract = [*parts["abstract_words"], *read_words(ROOT / "models" / "abstract.txt")]
    thoughts = list(dict.fromkeys(word for each in abstract if (word := dictionary.word_for(each))))
    thoughts += parts["thoughts"][dictionary.language]
    vocabulary = read_words(ROOT / "models" / "vocabulary.txt")
    known = [word.lower() for each in vocabulary if (word := dictionary.word_for(each))]
    spelling = Spelling(known)
    little = parts["little"][dictionary.language]
    between = "" if dictionary.language in UNSPACED else " "

    def some(words: Sequence[str], least: int, most: int) -> str:
        return between.join(str(word) for word in chance.choice(words, chance.integers(least, most + 1)))

    makers = (
        lambda: between.join(spelling.word(chance) for _ in range(chance.integers(1, 4))),
        lambda: spelling.word(chance),
        lambda: some(little, 2, 5),
        lambda: some(thoughts, 2, 4),
    )
    found: dict[str, None] = {}
    while len(found) < NONSENSE:
        found[makers[chance.integers(len(makers))]()] = None
    return list(found)


class Spelling:
    """Invents words whose letters follow each other as those of a language's words do."""

    def __init__(self, words: Sequence[str]) -> None:
        self._known = set(words)
        self._lengths = [len(word) for word in words if " " not in word]
        self._after: dict[str, list[str]] = {}
        for word in words:
            for part in word.split():
                for at, letter in enumerate(part):
                    self._after.setdefault(part[max(0, at - 2) : at], []).append(letter)

    def word(self, chance: np.random.Generator) -> str:
        """None of the language's words that were given, as long as one of them."""
        while True:
            length, made = int(chance.choice(self._lengths)), ""
            while len(made) < max(2, length) and (follow := self._after.get(made[-2:])):
                made += str(chance.choice(follow))
            if made not in self._known and len(made) > 1:
                return made


def label_temperature(sets: Sequence[Folder], nouns: Nouns, vocabulary: Vocabulary) -> float:
    """Under which the words in captions are likeliest, and how good the labels then are, printed."""
    columns = {word: column for column, word in enumerate(vocabulary.words)}
    scores = np.concatenate([folder.vectors for folder in sets]) @ vocabulary.vectors.T
    right = [
        {columns[term] for term in nouns.terms(caption) if term in columns}
        for folder in sets
        for caption in folder.captions
    ]
    temperature = fit_label_temperature(scores, right)
    shares = confidences(scores, log_familiarity(len(columns)), temperature)
    best = np.argsort(-shares, axis=1)[:, :COUNT]
    lines = [
        "| set | pictures whose caption holds a word | first word right | one of five | shown: right / confidence |",
        "| --- | --- | --- | --- | --- |",
    ]
    start = 0
    for folder in sets:
        rows = [row for row in range(start, start + len(folder.captions)) if right[row]]
        start += len(folder.captions)
        hits = np.array([[column in right[row] for column in best[row]] for row in rows])
        shown = np.take_along_axis(shares[rows], best[rows], axis=1)
        sure = shown >= SURE
        lines.append(
            f"| {folder.name} | {len(rows)} | {100 * hits[:, 0].mean():.0f} % | {100 * hits.any(axis=1).mean():.0f} % "
            f"| {100 * hits[sure].mean():.0f} % / {100 * shown[sure].mean():.0f} % |"
        )
    print("Labels.\n\n" + "\n".join(lines) + "\n")
    return temperature


# -- asking ------------------------------------------------------------------------------------------------------------


class Asker:
    """Asks folders. Phrases are encoded once."""

    def __init__(self, model: Model, text: TextEncoder, background: Background, nouns: Nouns) -> None:
        self._model, self._background, self._nouns = model, background, nouns
        self._searcher = Searcher(model, text)
        self._known: dict[tuple[str, str], tuple[QueryVector, QueryVector]] = {}

    def ask(self, folder: Folder, seed: int, images: int | None = None, language: str = ENGLISH) -> Asked:
        """images: so many of the folder's, taken at random; all by default. language: of `languages`."""
        chance = np.random.default_rng(seed)
        rows = np.sort(chance.permutation(len(folder.captions))[:images])
        captions = sorted({folder.captions[row] for row in rows})
        there = [captions[row] for row in chance.permutation(len(captions)).tolist()]
        absent = {kind: self._nouns.absent(captions, kind, chance) for kind in NOUNS}
        dictionary = load_dictionary(language)
        if dictionary is None or language == ENGLISH:
            phrases = {"present": there[:QUERIES], "nonsense": nonsense(chance)}
            phrases |= {kind: found[:QUERIES] for kind, found in absent.items()}
        else:
            phrases = {"present": abroad(there, dictionary), "nonsense": nonsense_of(dictionary, chance)}
            phrases |= {kind: abroad(found, dictionary) for kind, found in absent.items()}
        vectors = folder.vectors[rows]
        judge = Judge(VectorIndex(vectors), self._background, self._model.calibration)
        features = {kind: self._features(judge, vectors, phrases[kind], language) for kind in KINDS}
        return Asked(folder.name, language, features)

    def _features(self, judge: Judge, vectors: Floats, phrases: list[str], language: str) -> Floats:
        return np.stack([
            np.stack([self._of_best(judge, vectors, reading) for reading in self._readings(phrase, language)])
            for phrase in phrases
        ])  # fmt: skip

    def _of_best(self, judge: Judge, vectors: Floats, query: QueryVector) -> Floats:
        """(4,)"""
        found: Floats = judge.features(query, (vectors @ query.vector).max(keepdims=True))[0]
        return found

    def _readings(self, phrase: str, language: str) -> tuple[QueryVector, QueryVector]:
        """As the program reads it, twice the same where there is one reading."""
        if (phrase, language) not in self._known:
            every = self._searcher.readings_of(phrase, language)
            self._known[phrase, language] = every[0], every[-1]
        return self._known[phrase, language]


# -- fitting -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """weights: (4,) in the order of FEATURES, that of `excess` 1. strong, weak: bars of the weighted sum."""

    weights: Floats
    strong: float
    weak: float


def fitted(asked: Sequence[Asked]) -> Fit:
    """Weights by logistic regression on what is asked in English; bars by what they let pass of what is absent over all
    these folders: the highest that one of the languages needs."""
    rows, right, shares = [], [], []
    for folder in asked:
        if folder.language != ENGLISH:
            continue
        for kind in KINDS:
            features = folder.features[kind][:, 0]
            rows.append(features)
            right.append(np.full(len(features), kind == "present"))
            shares.append(np.full(len(features), SHARES[kind] / len(features)))
    weights = _logistic(np.concatenate(rows).astype(np.float64), np.concatenate(right), np.concatenate(shares))
    weights = np.array([weights[0], max(weights[1], 0.0), min(weights[2], 0.0), min(weights[3], 0.0)]) / weights[0]

    def bar(absent: float, noise: float) -> float:
        return max(
            float(np.quantile(_evidence(asked, language, kind, weights), 1 - share))
            for language in {each.language for each in asked}
            for kind, share in (("things", absent), ("nonsense", noise))
        )

    return Fit(weights, bar(STRONG_ABSENT, STRONG_NONSENSE), bar(WEAK_ABSENT, WEAK_NONSENSE))


def _evidence(asked: Sequence[Asked], language: str, kind: str, weights: Floats) -> Floats:
    found: Floats = np.concatenate([each.evidence(kind, weights) for each in asked if each.language == language])
    return found


def _logistic(rows: Floats, right: Floats, shares: Floats) -> Floats:
    """Weights without the constant, by Newton's method. shares: what each row weighs."""
    spread = rows.std(axis=0)
    x = np.column_stack([rows / spread, np.ones(len(rows))])
    shares = shares / shares.mean()
    penalty = np.diag([PENALTY] * rows.shape[1] + [0.0])
    weights = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (shares * (p - right)) + penalty @ weights
        weights -= np.linalg.solve((x * (shares * p * (1 - p))[:, None]).T @ x + penalty, gradient)
    found: Floats = weights[:-1] / spread
    return found


def shares_above(asked: Asked, fit: Fit, bar: float) -> dict[str, float]:
    """Of each kind the percent of phrases whose best image lies above the bar."""
    return {kind: 100.0 * float((asked.evidence(kind, fit.weights) >= bar).mean()) for kind in KINDS}


# -- telling -----------------------------------------------------------------------------------------------------------


HEADER = "| {} | there | things not there | nouns not there | nonsense |"


def table(asked: Sequence[Asked]) -> str:
    """Each folder, whole and in part, judged by what was fitted on the others."""
    lines = [HEADER.format("folder, judged by what was fitted on the others"), "| --- | --- | --- | --- | --- |"]
    fits = held_out(asked)
    whole: list[Asked] = []
    for name, fit in fits.items():
        all_of_it, some = (each for each in asked if (each.language, each.name) == (ENGLISH, name))
        lines += [_row(name, all_of_it, fit), _row(f"{SMALL} images of it", some, fit)]
        whole.append(all_of_it)
    return "\n".join([*lines, _mean_row("mean of the four", whole, fits)])


def languages_table(asked: Sequence[Asked]) -> str:
    """The mean over folders by language, judged in the same way."""
    fits = held_out(asked)
    lines = [HEADER.format("language"), "| --- | --- | --- | --- | --- |"]
    rows = (
        _mean_row(language, [each for each in asked if each.language == language], fits)
        for language in dict.fromkeys(each.language for each in asked)
    )
    return "\n".join([*lines, *rows])


def held_out(asked: Sequence[Asked]) -> dict[str, Fit]:
    """By folder what is fitted on the others."""
    names = dict.fromkeys(each.name for each in asked)
    return {name: fitted([each for each in asked if each.name != name]) for name in names}


def _mean_row(title: str, asked: Sequence[Asked], fits: dict[str, Fit]) -> str:
    strong, weak = (
        [shares_above(each, fits[each.name], getattr(fits[each.name], bar)) for each in asked]
        for bar in ("strong", "weak")
    )
    means = (
        f"{np.mean([each[kind] for each in strong]):.0f} / {np.mean([each[kind] for each in weak]):.0f} %"
        for kind in KINDS
    )
    return f"| {title} | " + " | ".join(means) + " |"


def _row(name: str, folder: Asked, fit: Fit) -> str:
    strong, weak = (shares_above(folder, fit, bar) for bar in (fit.strong, fit.weak))
    return f"| {name} | " + " | ".join(f"{strong[kind]:.0f} / {weak[kind]:.0f} %" for kind in KINDS) + " |"


def curve(asked: Sequence[Asked]) -> str:
    """What is called strong of each kind as the bar moves, in English, the mean over folders."""
    fits = held_out(asked)
    whole = {each.name: each for each in reversed(asked) if each.language == ENGLISH}.values()
    lines = [HEADER.format("bar, from `strong`"), "| --- | --- | --- | --- | --- |"]
    for by in (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5):
        found = [shares_above(each, fits[each.name], fits[each.name].strong + by) for each in whole]
        lines.append(
            f"| {by:+.1f} | " + " | ".join(f"{np.mean([each[kind] for each in found]):.0f} %" for kind in KINDS) + " |"
        )
    return "\n".join(lines)


def written(text: str, calibration: dict[str, float | str]) -> str:
    """A model.toml with these values in its [calibration]; what else stands there is kept."""
    head, found, section = text.partition("[calibration]")
    first, _, rest = section.partition("\n")
    lines = rest.splitlines() if found else []
    for key, value in calibration.items():
        said = f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value:.3f}"
        at = [row for row, line in enumerate(lines) if re.match(rf"{key}\s*=", line)]
        if at:
            lines[at[0]] = said
        else:
            lines.append(said)
    return f"{head.rstrip()}\n\n[calibration]{first}\n" + "\n".join(line for line in lines if line.strip()) + "\n"


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="calibrate", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--model", default="starter", metavar="NAME", help="the encoder (default starter)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="an encoder that is not among the program's")
    parser.add_argument("--write", action="store_true", help="put the numbers and background.npy into its folder")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="the program's cache folder")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(words)
    try:
        calibrate(args)
    except (PackageError, ResourceError, OSError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        raise SystemExit(3) from None
    except AtlasError as error:
        print(f"calibrate: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def calibrate(args: argparse.Namespace) -> None:
    """Raises PackageError, ResourceError, OSError, AtlasError."""
    cache = cache_folder(args.cache)
    model = registry.read_model(args.folder / "model.toml") if args.folder else registry.load(args.model, cache)
    packages = fetch([GCOMPRIS, SCRATCH, OPENCLIPART, WORDNET], args.packages)
    encode, text = Encoder(model), TextEncoder(model)
    pictures = general_pictures(packages[OPENCLIPART], encode, args.seed)
    plain = load_background(_without_pictures(model), text, cache)
    background = Background(plain.words, plain.abstract, pictures.astype(np.float32))
    nouns = Nouns(read_wordnet(packages[WORDNET].share / "wordnet"))
    asker = Asker(model, text, background, nouns)
    sets = list(folders(packages, encode))
    languages = (ENGLISH, *LANGUAGES)
    asked = [asker.ask(folder, args.seed, language=language) for language in languages for folder in sets]
    asked += [asker.ask(folder, args.seed + 1, SMALL, language) for language in languages for folder in sets]
    fit = fitted(asked)
    numbers: dict[str, float | str] = {"strong": fit.strong, "weak": fit.weak}
    numbers |= {name: float(weight) for name, weight in zip(FEATURES, fit.weights, strict=True)}
    numbers["label_temperature"] = label_temperature(sets, nouns, load_vocabulary(model, cache, encoder=text))
    tables = (table(asked), languages_table(asked), curve(asked))
    print("Called strong / at least weak, in percent of phrases.\n\n" + "\n\n".join(tables) + "\n")
    if args.write:
        file = model.folder / "background.npy"
        np.save(file, pictures, allow_pickle=False)
        numbers |= {"background": file.name, "background_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        description = model.folder / "model.toml"
        description.write_text(written(description.read_text("utf-8"), numbers), "utf-8")
    print("[calibration]\n" + "\n".join(f"{key} = {value}" for key, value in numbers.items()))


def _without_pictures(model: Model) -> Model:
    return replace(model, calibration=replace(model.calibration, background=None))


if __name__ == "__main__":
    main()
