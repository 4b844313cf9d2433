"""Colours in every form that an adjective takes, chosen by hand: CLDR has a few of them, and by what it has `roten` is
a button, `белая` a cane and `blanca` a surrender."""

from __future__ import annotations

COLOURS = ("red", "green", "blue", "yellow", "black", "white", "brown", "gray", "orange", "purple", "pink")
_ENDINGS = {
    "de": " e en em er es",
    "nl": " e",
    "fr": " e s es",
    "es": " o a os as e es",
    "it": " o a i e",
    "pt": " o a os as e es",
    "sv": " a",
    "da": " e t",
    "no": " e t",
    "ru": "ый ий ой ая яя ое ее ые ие ого его ую юю ым им ых их",
    "uk": "ий ій а я е є і",
    "pl": "y i a e ie ą",
    "cs": "ý á é í ou",
    "ja": " い 色",
    "zh": " 色",
    "zh_Hant": " 色",
}
_STEMS = {
    "de": "rot grün blau gelb schwarz weiß/weiss braun grau orange lila/violett -",
    "nl": "rood/rod groen blauw geel/gel zwart wit/witt bruin grijs/grijz oranje paars roze",
    "fr": "rouge vert bleu jaune noir blanc/blanch brun/marron gris orange violet/violett -",
    "es": "roj verd azul amarill negr blanc marrón/marron gris naranja morad/violet rosad",
    "it": "ross verd blu giall ner bianc/bianch marron grigi arancion viola -",
    "pt": "vermelh verd azul/azuis amarel pret/negr branc marrom/castanh cinza/cinzent laranja rox -",
    "sv": "röd/rött grön/grönt blå/blått gul/gult svart vit/vitt brun/brunt grå/grått orange lila rosa",
    "da": "rød grøn blå gul sort hvid brun grå orange lilla lyserød",
    "no": "rød grønn blå gul svart hvit brun grå oransje lilla rosa",
    "ru": "красн зелен син/голуб желт черн бел коричнев сер оранжев фиолетов розов",
    "uk": "червон зелен син/блакитн жовт чорн біл коричнев сір оранжев/помаранчев фіолетов рожев",
    "pl": "czerwon zielon niebiesk żółt czarn biał brązow szar pomarańczow fioletow różow",
    "cs": "červen zelen modr žlut čern bíl hněd šed oranžov fialov růžov",
    "ja": "赤 緑 青 黄/黄色 黒 白 茶色 灰色 オレンジ 紫 ピンク",
    "zh": "红 绿 蓝 黄 黑 白 棕 灰 橙 紫 粉红",
    "zh_Hant": "紅 綠 藍 黃 黑 白 棕 灰 橙 紫 粉紅",
}
"""What stands before the endings, in the order of `COLOURS`; "-" where the word is none of a colour alone."""


def colour_words(language: str) -> dict[str, str]:
    """Word -> colour in English, none for a language that is not there."""
    stems, endings = _STEMS.get(language, "").split(), _ENDINGS.get(language, "").split(" ")
    return {
        f"{stem}{ending}": colour
        for stems_of_one, colour in zip(stems, COLOURS, strict=False)
        for stem in stems_of_one.split("/")
        for ending in endings
        if stem != "-"
    }
