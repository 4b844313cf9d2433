"""Everything that turns a world and a hud into one picture: the renderer, the panels over it, their thumbnails.

The window and `atlas-rt shot` share it; it does not know whether its target is a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.framing import FreeView
from atlas_rt.core.hud import Hud
from atlas_rt.core.images import Tile
from atlas_rt.core.requests import Request
from atlas_rt.core.rows import row_of
from atlas_rt.core.scene import Scene, View, empty_scene
from atlas_rt.render.gl.cleanup import sweep
from atlas_rt.render.gl.context import Context, check_version, renderer_name
from atlas_rt.render.gl.offscreen import OffscreenTarget, Target
from atlas_rt.render.gl.renderer import Renderer
from atlas_rt.render.gl.thumbnails import TextureRef, ThumbnailAtlas
from atlas_rt.ui.input import Input
from atlas_rt.ui.overlay import Overlay, scale_for
from atlas_rt.ui.panels import Panels
from atlas_rt.workers.scenes import Arrival

MEDIUM = 1


class WindowPicture:
    """Owns the OpenGL context and all that lives in it. All calls on its thread."""

    def __init__(
        self,
        context: Context,
        *,
        quality: str,
        read_clipboard: Callable[[], str] | None = None,
        write_clipboard: Callable[[str], None] | None = None,
        layout: Mapping[str, str] | None = None,
        target: Callable[[], Target] | None = None,
    ) -> None:
        """target: where frames go, the context's own framebuffer unless told otherwise.

        Raises MissingError where OpenGL is older than 3.3.
        """
        check_version(context)
        context.gc_mode = "context_gc"  # Python's collector may run on a worker thread, OpenGL must not
        self.context = context
        self._target = target or (lambda: context.screen)
        self.renderer_name = renderer_name(context)
        self._renderer = Renderer(context, quality=quality)
        self._atlas = ThumbnailAtlas(context)
        self._thumbnails = SceneThumbnails(self._atlas)
        self._overlay = Overlay(read_clipboard=read_clipboard, write_clipboard=write_clipboard)
        self._panels = Panels(self._thumbnails, layout=layout)

    @property
    def target(self) -> Target:
        """Where frames go."""
        return self._target()

    @property
    def wants_text(self) -> bool:
        """A text field has the focus, or is about to."""
        return self._panels.wants_text

    @property
    def wants_mouse(self) -> bool:
        """The pointer is over a panel."""
        return self._overlay.wants_mouse

    @property
    def free_view(self) -> FreeView:
        """What the panels of the last frame left of the picture."""
        return self._panels.free

    @property
    def step(self) -> str:
        """The step of the quality ladder."""
        return self._renderer.figures.step

    @property
    def pulses(self) -> bool:
        """Ambient motion can be seen."""
        return self._renderer.pulses

    @property
    def drawn(self) -> str:
        """What the last frame drew, in words."""
        return self._renderer.figures.drawn

    def focus_search(self) -> None:
        """Put the caret into the search field."""
        self._panels.focus_search()

    def observe(self, frame_ms: float) -> bool:
        """Tell the quality ladder what the last frame took; whether that changed its step."""
        return self._renderer.observe(frame_ms)

    def show(self, arrival: Arrival) -> None:
        """Take a scene and its new tiles, at once."""
        for _ in self.staging(arrival):
            pass
        self.show_staged(arrival)

    def staging(self, arrival: Arrival) -> Iterator[None]:
        """Take a scene and its new tiles in short steps, while another one is shown; `show_staged` ends it."""
        yield from self._renderer.staging(arrival.prepared, arrival.tiles, arrival.pixels)

    def show_staged(self, arrival: Arrival) -> None:
        """Show a scene whose tiles are here."""
        self._thumbnails.scene = arrival.scene

    def clear(self) -> None:
        """Forget every tile and picture, because another library is shown from now on."""
        self._thumbnails.scene = empty_scene()
        self._atlas.clear()
        self._renderer.clear()

    def show_picture(self, name: str, pixels: Bytes | None) -> None:
        """Put a picture ("selected", "live") before the panels, or take it away."""
        if pixels is None or not pixels.size:
            self._atlas.drop_picture(name)
        else:
            self._atlas.set_picture(name, pixels)

    def accept(self, tile: Tile) -> None:
        """Take one tile that came."""
        self._renderer.accept(tile)
        if tile.level == MEDIUM:
            self._atlas.accept(tile)

    def wanted_tiles(self, view: View) -> list[tuple[int, int]]:
        """(id, level) of the tiles to fetch, the panels' first."""
        return [(id_, MEDIUM) for id_ in self._thumbnails.wanted()] + self._renderer.wanted(view)

    def build_panels(
        self, hud: Hud, told: Input, *, framebuffer_px: tuple[int, int], dpi_scale: float
    ) -> list[Request]:
        """Show one frame's panels; what the person asked for in them."""
        self._overlay.hear(told, text_focused=self.wants_text)
        self._overlay.begin(
            hud.size_px,
            scale=scale_for(hud.size_px, dpi_scale),
            dt_secs=hud.dt_secs,
            framebuffer_px=framebuffer_px,
        )
        return self._panels.build(hud)

    def draw(self, view: View, target: Target, *, panels: bool = True, still: bool = False) -> None:
        """One frame: the cloud, and over it the panels built last. still: the last one before the picture rests."""
        self._renderer.draw(view, target, still=still)
        if panels:
            self._overlay.draw(target)
        self._atlas.sweep()
        sweep(self.context)

    def picture_of(self, view: View) -> Bytes:
        """(h, w, 3) the view drawn once more, without panels and as richly as can be, whatever the ladder's step."""
        return self._renderer.picture(view)

    def panels_picture(self, size_px: tuple[int, int]) -> Bytes:
        """(h, w, 4) uint8 the panels built last, on nothing: colours times opacity, and the opacity."""
        picture = OffscreenTarget(self.context, size_px)
        try:
            picture.target.clear(0.0, 0.0, 0.0, 0.0)
            self._overlay.draw(picture.target)
            return picture.read(components=4)
        finally:
            picture.release()

    def release(self) -> None:
        for part in (self._overlay, self._atlas, self._renderer):
            part.release()


class SceneThumbnails:
    """What the panels ask for pictures: thumbnails by image id, and the aspect to show them in."""

    def __init__(self, atlas: ThumbnailAtlas) -> None:
        self._atlas = atlas
        self._asked: dict[int, int] = {}  # record -> id of the image that has it
        self.scene: Scene = empty_scene()

    def ref(self, id_: int) -> TextureRef | None:
        """An image's thumbnail; None while it is not here, and for an image that is gone."""
        row = row_of(self.scene.ids, id_)
        if row is None:
            return None
        record = int(self.scene.tiles[row])
        self._asked[record] = id_
        return self._atlas.ref(record)

    def wanted(self) -> list[int]:
        """Ids of the images whose thumbnails were asked for and are not here, the newest asked for first."""
        asked, self._asked = self._asked, {}
        return [asked[record] for record in reversed(self._atlas.wanted()) if record in asked]

    def picture_ref(self, name: str) -> TextureRef | None:
        return self._atlas.picture_ref(name)

    def aspect(self, id_: int) -> float:
        row = row_of(self.scene.ids, id_)
        return 1.0 if row is None else float(self.scene.aspects[row])
