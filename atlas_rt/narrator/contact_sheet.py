"""The images of a group on one sheet, on a numbered grid: what is sent of them, and nothing else.

Two groups that are compared have a sheet each, whose numbers run on.

A sheet is made from pixels alone, so nothing that stood in the files (places, cameras, dates) comes along.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from atlas_rt.core.images import MEDIUM_TILE_PX
from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.tile_making import load_picture
from atlas_rt.narrator.subject import Picture, Subject

CELL_PX = 273
"""Four of them are 1092 px, the longest side that is worth its tokens."""
COLUMNS = 4
LABEL_PX = 25
GAP_PX = 4
QUALITY = 85
GROUND, BAR, INK = (40, 42, 48), (0, 0, 0), (255, 255, 255)


def sheet_size(pictures: int) -> tuple[int, int]:
    """Width and height in pixels of a sheet of so many."""
    columns = min(COLUMNS, math.ceil(math.sqrt(pictures)))
    return columns * CELL_PX, math.ceil(pictures / columns) * CELL_PX


def contact_sheets(subject: Subject, tiles: TileFiles) -> tuple[bytes, ...]:
    """The sheets of a subject, as they are sent. Raises MissingError as `contact_sheet`."""
    sheets, first = [], 1
    for pictures in subject.sheets:
        sheets.append(contact_sheet(pictures, tiles, first=first))
        first += len(pictures)
    return tuple(sheets)


def contact_sheet(pictures: Sequence[Picture], tiles: TileFiles, *, first: int = 1) -> bytes:
    """A JPEG with these pictures, numbered from `first`, row by row. Those whose files are not there come from their
    tiles. Raises MissingError where neither can be read."""
    width_px, height_px = sheet_size(len(pictures))
    sheet = Image.new("RGB", (width_px, height_px), GROUND)
    drawing, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=LABEL_PX - 7)
    for at, picture in enumerate(pictures):
        left, top = at % (width_px // CELL_PX) * CELL_PX, at // (width_px // CELL_PX) * CELL_PX
        room = CELL_PX - GAP_PX, CELL_PX - GAP_PX - LABEL_PX
        shown = _read(picture, tiles, max(room))
        shown.thumbnail(room)
        space = (room[0] - shown.width) // 2, (room[1] - shown.height) // 2
        sheet.paste(shown, (left + space[0], top + LABEL_PX + space[1]))
        drawing.rectangle((left, top, left + room[0] - 1, top + LABEL_PX - 1), fill=BAR)
        drawing.text((left + 8, top + 2), str(first + at), font=font, fill=INK)
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _read(picture: Picture, tiles: TileFiles, side_px: int) -> Image.Image:
    try:
        return Image.fromarray(load_picture(picture.path, side_px)).convert("RGB")
    except (DecodeError, OSError, MissingError):
        tile = Image.fromarray(tiles.medium_rgba(picture.record)).convert("RGB")
        width = MEDIUM_TILE_PX * min(1.0, picture.aspect)
        height = MEDIUM_TILE_PX / max(1.0, picture.aspect)
        return tile.resize((max(1, round(width)), max(1, round(height))))
