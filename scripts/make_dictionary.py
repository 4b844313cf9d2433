"""Makes `models/dictionary.zip`: what everyday words of other languages mean in English, and what English ones are
called there.

Unicode's CLDR gives each emoji and symbol a name and keywords in some hundred languages. Over all characters the words
of a language are paired with the English ones that come with the same characters, by Dice's coefficient; a name always
means the English name of its character. What an English word is called is shown to people, so it must be surer: where
two words fit alike, none is taken. Lists of ours go before it: `words/` has the vocabulary and what else people ask for
in some languages, `dictionary.toml` what no such list holds. The same packages give the same file, to the byte:
`--check` makes it a second time and compares.
Called by `scripts/make-dictionary`.
"""

from __future__ import annotations

import argparse
import difflib
import lzma
import re
import sys
import tempfile
import tomllib
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from debian_packages import Package, PackageError, default_folder, fetch
from make_vocabulary import WORDNET, WordNet, read_wordnet

from atlas_rt.search.dictionary import key_of
from atlas_rt.search.english_words import is_english

ROOT = Path(__file__).resolve().parents[1]
OURS = Path(__file__).with_name("dictionary.toml")
LISTS = Path(__file__).with_name("words")
VOCABULARY = ROOT / "models" / "vocabulary.txt"
CLDR = "unicode-cldr-core"
ENGLISH = "en"
INHERITED = "↑↑↑"
REGIONS = {
    "ar": ("ar_SA",), "de": ("de_CH",), "en": ("en_001", "en_GB", "en_AU", "en_CA", "en_IN"),
    "es": ("es_419", "es_MX", "es_US"), "fr": ("fr_CA",), "ha": ("ha_NE",), "pt": ("pt_PT",), "sr": ("sr_Cyrl",),
    "sw": ("sw_KE",), "yo": ("yo_BJ",), "zh_Hant": ("zh_Hant_HK",),
}  # fmt: skip
"""Language -> files whose words it takes where it has none for a character. What a script tells apart stays apart."""
SCRIPTS = {"Arab": "Arabic", "Cyrl": "Cyrillic", "Hans": "Simplified", "Hant": "Traditional", "Latn": "Latin"}
"""What tells two languages apart that English calls alike."""
LEFT_OUT = {"root", "sr_Cyrl_BA", "sr_Latn_BA"}
NAME_WEIGHT = 1.5
"""Of a pair of names, where one of two keywords counts one."""
LEAST = 0.5
"""Score from which on a word is taken to mean another."""
PART_LEAST, PART_SHARE, PART_SCORE = 2, 0.75, 0.1
"""A word within names means one within the English names that stands with it so often, and so large a part of the
time; adjectives have many forms, so their score is low."""
OFTEN, OFTEN_MAX = 0.02, 5
"""What each character that two words share adds to their score, up to so many: few prove little."""
LONGER = 0.15
"""Taken from a score where the English has over one word more: `cat` is not `cat with wry smile`."""
UNSPACED = ("ja", "zh", "zh_Hant", "yue", "yue_Hans", "th", "lo", "km", "my")
"""Languages that set no spaces between words."""
LEAST_CALLED, CALLED_LEAST = 0.4, 2
"""An English keyword is called by the one that scores best from this on and means it best, if they stand together at so
many characters; with one, it may be any word there."""
RIVAL = 0.9
"""Another word that scores so much of the best makes it uncertain which of them is meant: `Stadt`, `Hochhäuser`."""
ALIKE = 0.7
"""Words so alike in their letters are the same word: `chimiste`, `chemist`."""
COMMON_WORD = 8
"""In so many names stands what may be left out of one: `морда`, `の顔`."""
COMMON, COMMON_SHARE = 20, 0.3
"""An English word of so many names is meant by none that stands in less of them: `button` is in all sorts of names."""
STEM = 4
"""Letters that forms of one word share: `лягушки`, `лягушка`."""
UNSEEN = {ord("\t"): " ", 0x200E: None, 0x200F: None} | dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Signs of direction, with which some Arabic names begin."""
SKIN = {chr(code) for code in range(0x1F3FB, 0x1F400)}
WORDS_LEAST = 100
"""A language of fewer is left out."""
TEXT_MAX = 40
"""Longer texts are descriptions."""


@dataclass
class Annotations:
    """names: character -> name; keywords: character -> keywords. As written, NFC."""

    names: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, list[str]] = field(default_factory=dict)

    def texts(self, character: str) -> list[str]:
        """Name and keywords, each once."""
        name = [self.names[character]] if character in self.names else []
        return list(dict.fromkeys([*name, *self.keywords.get(character, [])]))


def read_annotations(folder: Path, language: str) -> Annotations:
    """A language's own, completed by its regions'. Raises OSError, ParseError."""
    found = Annotations()
    for file in (language, *REGIONS.get(language, ())):
        if not (path := folder / f"{file}.xml").exists():
            continue
        names, keywords = _read(path)
        for character, name in names.items():
            if found.names.setdefault(character, name) != name:
                keywords.setdefault(character, []).append(name)
        for character, words in keywords.items():
            known = found.keywords.setdefault(character, [])
            known += [word for word in words if word not in known]
    return found


def _read(path: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    names, keywords = dict[str, str](), dict[str, list[str]]()
    for each in ET.parse(path).iter("annotation"):
        text = unicodedata.normalize("NFC", each.text or "").translate(UNSEEN).strip()
        if not text or INHERITED in text:
            continue
        character = each.attrib["cp"]
        if each.get("type") == "tts":
            names[character] = text
        else:
            keywords[character] = [word.strip() for word in text.split("|") if word.strip()]
    return names, keywords


@dataclass(frozen=True)
class Pairs:
    """english: word as written -> the English one. words: English one -> the word it is called by."""

    english: dict[str, str]
    words: dict[str, str]

    def completed(self, synonyms: dict[str, str]) -> Pairs:
        """With words for English ones that have none, but a synonym that has."""
        more = {word: self.words[name] for word, name in synonyms.items() if name in self.words}
        return Pairs(self.english, more | self.words)

    def corrected(self, entries: Sequence[Entry], forms: dict[str, str], pictured: Collection[str]) -> Pairs:
        """With ours, whatever CLDR says. forms: `endings`, and English -> stems they are set to, both by blanks.

        What CLDR alone takes for a word is left out where it is English too, and of our further words those that name
        something else in English. pictured: the vocabulary.
        """
        endings = ["", *forms.get("endings", "").split()]
        stems = [(stem, meaning) for meaning, text in forms.items() if meaning != "endings" for stem in text.split()]
        more = {stem + ending: meaning for stem, meaning in stems for ending in endings}
        taken = {key_of(word) for word in more}
        for word, meaning, is_first in _by_familiarity(entries):
            key = key_of(word)
            if key not in taken and (is_first or key not in pictured or key == meaning):
                taken.add(key)
                more[word] = meaning
        english = {word: meaning for word, meaning in self.english.items() if key_of(word) not in taken}
        if entries:
            english = {word: meaning for word, meaning in english.items() if not is_english(word)}
        return Pairs(english | more, self.words | {entry.english: entry.words[0] for entry in entries if entry.words})


@dataclass(frozen=True)
class Entry:
    """A line of our lists. words: what an English word is called first, then what else means it."""

    english: str
    words: tuple[str, ...]


def read_list(file: Path) -> list[Entry]:
    """Lines of `english = word | word`, the most familiar first. Raises OSError; ValueError for any other line."""
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        english, is_entry, words = f"{line} ".partition(" = ")
        if not is_entry:
            raise ValueError(f"{file}, line {number}: it should read `english = word | word`: {line}")
        found.append(Entry(english, tuple(word for each in words.split("|") if (word := each.strip()))))
    return found


def _by_familiarity(entries: Sequence[Entry]) -> Iterator[tuple[str, str, bool]]:
    """(word, English, whether it is the first one): what something is called goes before what else it may be called."""
    yield from ((entry.words[0], entry.english, True) for entry in entries if entry.words)
    yield from ((word, entry.english, False) for entry in entries for word in entry.words[1:])


@dataclass
class Counts:
    """At how many characters a word stands, an English one, and both together (twice as often where both are names)."""

    theirs: Counter[str] = field(default_factory=Counter)
    english: Counter[str] = field(default_factory=Counter)
    both: Counter[tuple[str, str]] = field(default_factory=Counter)

    def score(self, word: str, meaning: str) -> float:
        """Dice's coefficient, higher for what is seen often."""
        count = self.both[word, meaning]
        return 2 * count / (self.theirs[word] + self.english[meaning]) * (1 + OFTEN * min(count, OFTEN_MAX))


def aligned(
    theirs: Annotations, english: Annotations, *, unspaced: bool, unsure: frozenset[str] = frozenset()
) -> Pairs:
    """The pairs of a language. Everything is gone through in a settled order, so that ties fall the same way.

    unsure: English words whose keywords mean something else in CLDR.
    """
    spelled = _spellings(theirs)
    counts = _counts(theirs, english)
    best: dict[str, tuple[float, str]] = {}
    for word, meaning in sorted(counts.both):
        score = counts.score(word, meaning)
        if not unspaced and _length(meaning) > _length(word) + 1:
            score -= LONGER
        if score > best.get(word, (LEAST, ""))[0]:
            best[word] = (score, meaning)
    means = {word: meaning for word, (_, meaning) in best.items()}
    if not unspaced:
        parts = _parts(theirs, english)
        means = parts | {
            word: meaning for word, meaning in means.items() if word not in parts or counts.both[word, meaning] > 1
        }
    plain = dict(means)
    all_names = [name.lower() for _, name in sorted(theirs.names.items())]
    uses = Counter(word for name in all_names for word in set(name.split()))
    common = frozenset(word for word, count in uses.items() if count >= COMMON_WORD)
    endings = Counter(name[at:] for name in all_names for at in range(1, len(name))) if unspaced else Counter[str]()
    names, shown = dict[str, str](), dict[str, str]()
    for character in sorted(theirs.names.keys() & english.names.keys()):
        word, meaning = theirs.names[character].lower(), english.names[character].lower()
        if names.setdefault(meaning, word) == word:
            keywords = [text.lower() for text in theirs.keywords.get(character, [])]
            core = (
                _plainest_unspaced(word, meaning, keywords, plain, endings)
                if unspaced
                else _plainest(word, meaning, keywords, plain, common)
            )
            shown.setdefault(meaning, core)
    means.update((word, meaning) for meaning, word in reversed(names.items()))
    words_for = _called(counts, means, unsure)
    words_for |= {meaning: word for meaning, word in shown.items() if unspaced or _length(word) <= _length(meaning) + 1}
    return Pairs(
        {
            spelled.get(word, word): meaning
            for word, meaning in means.items()
            if _short(word, meaning) and len(meaning) > 1
        },
        {meaning: _of_one(spelled.get(word, word)) for meaning, word in words_for.items() if _short(word, meaning)},
    )


def _counts(theirs: Annotations, english: Annotations) -> Counts:
    counts = Counts()
    for character in sorted({*theirs.names, *theirs.keywords} & english.names.keys()):
        words = sorted({text.lower() for text in theirs.texts(character)})
        meant = sorted({text.lower() for text in english.texts(character)})
        named = (theirs.names.get(character, "").lower(), english.names[character].lower())
        counts.theirs.update(words)
        counts.english.update(meant)
        for word in words:
            for each in meant:
                counts.both[word, each] += 2 if (word, each) == named else 1
    return counts


def _called(counts: Counts, means: dict[str, str], unsure: frozenset[str]) -> dict[str, str]:
    """English keyword -> the word that means it, where one alone can be meant."""
    rivals: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for (word, meaning), count in sorted(counts.both.items()):
        if count >= CALLED_LEAST and (score := counts.score(word, meaning)) > LEAST_CALLED:
            rivals[meaning].append((score, word))
    found = dict[str, str]()
    for meaning, scored in rivals.items():
        most = max(score for score, _ in scored)
        near = [word for score, word in sorted(scored, reverse=True) if score >= RIVAL * most]
        alike = [word for word in near if _likeness(word, meaning) >= ALIKE]
        if alike:
            near = [max(alike, key=lambda word: _likeness(word, meaning))]
        elif meaning in unsure or any(not _holds(word, near[0]) for word in near):
            continue
        if means.get(near[0], meaning) == meaning:
            found[meaning] = near[0]
    return found


def _holds(text: str, word: str) -> bool:
    """Whether it is the word itself with more around it: `лист`, `кленовый лист`."""
    return text.startswith(word) or word in text.split()


def _likeness(word: str, meaning: str) -> float:
    return difflib.SequenceMatcher(None, _bare(word), _bare(meaning)).ratio()


def _bare(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


def _plainest(name: str, meaning: str, keywords: list[str], means: dict[str, str], common: frozenset[str]) -> str:
    """A character's name, or of a longer one the keyword that is its core and means the same: `медведь` of `морда
    медведя`. What is left out must stand in many names."""
    words = name.split()
    if _length(meaning) > 1 or len(words) == 1 or not any(word in common for word in words):
        return name
    stems = {word[:STEM] for word in words if word not in common}
    cores = [word for word in keywords if " " not in word and word[:STEM] in stems and means.get(word) == meaning]
    return min(cores, key=len, default=name)


def _plainest_unspaced(
    name: str, meaning: str, keywords: list[str], means: dict[str, str], endings: Counter[str]
) -> str:
    """The same in languages without spaces: `クマ` of `クマの顔`."""
    cores = [
        word
        for word in keywords
        if len(word) > 1 and name.startswith(word) and means.get(word) == meaning
        and endings[name.removeprefix(word)] >= COMMON_WORD
    ]  # fmt: skip
    return max(cores, key=len, default=name)


def _of_one(word: str) -> str:
    """Without what adds the other gender: `Lehrer(in)`, `Bauer/Bäuerin`, `étudiant (tous genres)`."""
    return re.sub(r"\s*[(（][^)）]*[)）]", "", word).partition("/")[0].strip()


def _parts(theirs: Annotations, english: Annotations) -> dict[str, str]:
    """Words that only stand within names -> those within the English names: of `roter Kreis`, `roter Apfel` that is
    `red`."""
    uses, english_uses, both = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for character in sorted(theirs.names.keys() & english.names.keys()):
        words = sorted({word.strip('.,:;()[]“”„«»"') for word in theirs.names[character].lower().split()} - {""})
        meant = sorted(filter(str.isalpha, set(english.names[character].lower().split())))
        uses.update(words)
        english_uses.update(meant)
        both.update((word, each) for word in words for each in meant)
    best: dict[str, tuple[float, str]] = {}
    for (word, meaning), count in sorted(both.items()):
        score = 2 * count / (uses[word] + english_uses[meaning]) * (1 + OFTEN * min(count, OFTEN_MAX))
        covered = count / uses[word]
        if english_uses[meaning] >= COMMON and count / english_uses[meaning] < COMMON_SHARE:
            continue
        if count >= PART_LEAST and covered >= PART_SHARE and score > best.get(word, (PART_SCORE, ""))[0]:
            best[word] = (score, meaning)
    return {word: meaning for word, (_, meaning) in best.items()}


def synonyms(
    wordnet: WordNet, english: Annotations, vocabulary: Iterable[str], unsure: frozenset[str]
) -> dict[str, str]:
    """Words of the vocabulary that are no character's name -> a name that says the same: one that shares their
    commonest sense, or is their plural."""
    names = sorted({name.lower() for name in english.names.values()})
    by_sense: dict[str, str] = {}
    for name in names:
        if senses := wordnet.senses.get(wordnet.singular(name.replace(" ", "_"))):
            by_sense.setdefault(senses[0], name)
    wanted = [word for word in vocabulary if word not in names and word not in unsure]
    senses_of = ((word, wordnet.senses.get(word.replace(" ", "_"))) for word in wanted)
    return {word: by_sense[senses[0]] for word, senses in senses_of if senses and senses[0] in by_sense}


def _spellings(theirs: Annotations) -> dict[str, str]:
    """Lower case -> as it is written most often; names count most."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for character in sorted({*theirs.names, *theirs.keywords}):
        for text in theirs.texts(character):
            seen[text.lower()][text] += 3 if theirs.names.get(character) == text else 1
    return {low: max(sorted(texts), key=texts.__getitem__) for low, texts in seen.items()}


def _length(text: str) -> int:
    return len(text.split())


def _short(*texts: str) -> bool:
    return all(len(text) <= TEXT_MAX and not set("|=>") & set(text) and any(map(str.isalpha, text)) for text in texts)


def text_of(pairs: Pairs, english: Sequence[str]) -> str:
    """A line for each of the English words, with what means it, `|` between: `=` before what is also the word for it,
    `>` before what is that alone. Most lines are short or empty, and the English words are not told again."""
    entries: defaultdict[str, list[str]] = defaultdict(list)
    for word, meaning in sorted(pairs.english.items()):
        entries[meaning].append(f"={word}" if pairs.words.get(meaning) == word else word)
    for meaning, word in pairs.words.items():
        if pairs.english.get(word) != meaning:
            entries[meaning].append(f">{word}")
    return "\n".join("|".join(entries[meaning]) for meaning in english)


def own_names(folder: Path, languages: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Language -> its name in itself and in English."""
    english = _language_names(folder / "en.xml")
    found = {}
    for language in languages:
        file = next((folder / f"{name}.xml" for name in (language, language.partition("_")[0])), folder / "en.xml")
        theirs = _language_names(file) if file.exists() else {}
        plain, _, script = language.partition("_")
        name = english.get(language) or english.get(plain, plain) + (f" ({SCRIPTS[script]})" if script else "")
        found[language] = (theirs.get(language) or theirs.get(plain) or name, name)
    return found


def _language_names(file: Path) -> dict[str, str]:
    root = ET.parse(file).getroot().find("localeDisplayNames/languages")
    names = {} if root is None else {
        each.attrib["type"]: unicodedata.normalize("NFC", each.text or "") for each in root if each.get("alt") is None
    }  # fmt: skip
    return {language: name for language, name in names.items() if name and INHERITED not in name}


def emoji(english: Annotations, derived: Path) -> dict[str, str]:
    """Emoji -> name. Signs of punctuation and arithmetic and currencies are no emoji: they are typed for other reasons;
    nor is one in a tone of skin, which is looked up without."""
    names = english.names | _read(derived)[0]
    return {
        each: name.lower().partition(":")[2].strip() or name.lower()
        for each, name in names.items()
        if unicodedata.category(each[0]) in ("So", "Sk", "Cn") and each[0] not in "©®™°" and not set(each) & SKIN
    }


def lines(table: dict[str, str]) -> str:
    return "\n".join(f"{key}\t{value}" for key, value in sorted(table.items()))


def write(file: Path, members: dict[str, str], *, version: str) -> None:
    """Raises OSError."""
    part = file.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_LZMA) as archive:
        archive.comment = NOTE.format(version=version).encode()
        for name, text in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode(), zipfile.ZIP_LZMA)
    part.replace(file)


NOTE = (
    "Made by scripts/make-dictionary from Unicode CLDR (Debian {version}), copyright 1991-2022 Unicode, Inc. "
    "(Unicode-DFS-2016)."
)


def stop(message: str, code: int) -> NoReturn:
    print(f"make-dictionary: {message}", file=sys.stderr)
    raise SystemExit(code)


def members(packages: dict[str, Package], *, lists: bool = True) -> dict[str, str]:
    """The files of the dictionary: one for each language, the English words, the languages, the emoji, and of ours
    what is needed to read. lists: with those of `words/`. Raises OSError, ParseError, LZMAError, ValueError."""
    common = packages[CLDR].share / "unicode" / "cldr" / "common"
    folder = common / "annotations"
    ours = tomllib.loads(OURS.read_text("utf-8"))
    unsure = frozenset(ours["unsure"]["words"].split("|"))
    english = read_annotations(folder, ENGLISH)
    vocabulary = [word for word in VOCABULARY.read_text("utf-8").splitlines() if not word.startswith("#")]
    pictured = frozenset(vocabulary)
    alike = synonyms(read_wordnet(packages[WORDNET].share / "wordnet"), english, vocabulary, unsure)
    merged = {file for files in REGIONS.values() for file in files}
    found: dict[str, Pairs] = {}
    for language in sorted(file.stem for file in folder.glob("*.xml")):
        if language in LEFT_OUT or language in merged or language == ENGLISH:
            continue
        theirs = read_annotations(folder, language)
        pairs = aligned(theirs, english, unspaced=language in UNSPACED, unsure=unsure)
        if len(pairs.english) >= WORDS_LEAST:
            found[language] = pairs.corrected(
                _ours(language, ours["words"]) if lists else (), ours["forms"].get(language, {}), pictured
            ).completed(alike)
    meanings = sorted({meaning for pairs in found.values() for meaning in (*pairs.words, *pairs.english.values())})
    files = {language: text_of(pairs, meanings) for language, pairs in found.items()}
    names = own_names(common / "main", [*found, ENGLISH])
    return files | {
        "english": "\n".join(meanings),
        "languages": "\n".join(f"{code}\t{own}\t{name}" for code, (own, name) in sorted(names.items())),
        "emoji": lines(emoji(english, common / "annotationsDerived" / "en.xml")),
        **{kind: lines(ours[kind]) for kind in ("little", "particles", "prefixes")},
    }


def _ours(language: str, words: dict[str, dict[str, str]]) -> list[Entry]:
    """words: language -> English word -> what it is called."""
    if (file := LISTS / f"{language}.txt").exists():
        return read_list(file)
    return [Entry(english, (word,)) for english, word in words.get(language, {}).items()]


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make-dictionary", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "models" / "dictionary.zip", metavar="FILE")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 unless the file there is the same")
    args = parser.parse_args(words)
    try:
        packages = fetch([CLDR, WORDNET], args.packages)
        version = f"{CLDR} {packages[CLDR].version}"
        if args.check:
            with tempfile.TemporaryDirectory() as folder:
                again = Path(folder) / "dictionary.zip"
                write(again, members(packages), version=version)
                same = again.read_bytes() == args.output.read_bytes()
            if not same:
                stop(f"it is not what these packages give: {args.output}", 1)
            print(f"the same, to the byte: {args.output}")
            return
        files = members(packages)
        write(args.output, files, version=version)
    except PackageError as error:
        stop(str(error), 3)
    except (OSError, ValueError, ET.ParseError, lzma.LZMAError) as error:
        stop(str(error), 3)
    languages = len(files["languages"].splitlines()) - 1
    print(f"{languages} languages, {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
