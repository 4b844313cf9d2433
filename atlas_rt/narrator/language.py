"""Languages of answers: their names, and whether a text is written in one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from atlas_rt.errors import UsageError

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nb": "Norwegian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip
OTHER_CODES = {"no": "nb", "nn": "nb"}
"""What Unicode's dictionary calls a language that is called otherwise here."""
_SCRIPTS = {
    "CYRILLIC": ("bg", "ru", "uk"), "GREEK": ("el",), "ARABIC": ("ar", "fa"), "HEBREW": ("he",), "DEVANAGARI": ("hi",),
    "THAI": ("th",), "HANGUL": ("ko",), "CJK": ("zh", "ja"), "HIRAGANA": ("ja",), "KATAKANA": ("ja",),
}  # fmt: skip
_WRITTEN_IN_TWO = {"sr"}
_COMMON = {
    "en": "the of and with are is in on from most these they pictures show images",
    "de": "der die das und mit sind ist auf von aus den dem eine bilder zeigen meisten",
    "fr": "le la les des et avec sont est dans sur une du aux images montrent plupart",
    "es": "el los las y con son es en sobre una del imágenes muestran mayoría",
    "it": "il gli e con sono è nel della delle una di immagini mostrano maggior",
    "pt": "o os e com são é em uma do da dos imagens mostram maioria",
    "nl": "de het en met zijn is op van een uit afbeeldingen tonen meeste",
}
"""Words that sentences about pictures use all the time."""
SURE = 3
"""So many common words of one language, and more than twice as many as of the wanted one, say that it is the former."""
SCRIPT_SHARE = 0.5


def checked_language(word: str) -> str:
    """A language as its code: "de" for "de", "de-AT" or "de_AT". Raises UsageError for what is none."""
    code = re.split(r"[-_.]", word.strip().lower())[0]
    code = OTHER_CODES.get(code, code)
    if code not in NAMES:
        raise UsageError(f"--language must be one of {', '.join(NAMES)}, not {word!r}")
    return code


def is_in(text: str, language: str) -> bool:
    """Whether a text may be in this language: its script is right, and its common words are not those of another."""
    scripts = Counter(_script_of(letter) for letter in text if letter.isalpha())
    wanted = {script for script, languages in _SCRIPTS.items() if language in languages} or {"LATIN"}
    right = sum(scripts[script] for script in wanted)
    if language not in _WRITTEN_IN_TWO and right < SCRIPT_SHARE * sum(scripts.values()):
        return False
    if language not in _COMMON:
        return True
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    counts = {code: sum(words[word] for word in common.split()) for code, common in _COMMON.items()}
    other = max(count for code, count in counts.items() if code != language)
    return other < SURE or other <= 2 * counts[language]


def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
