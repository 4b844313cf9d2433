"""Everything that turns a world and a hud into one picture: the renderer, the panels over it, their thumbnails.

The window and `atlas-rt shot` share it; it does not know whether its target is a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.framing import FreeView
from atlas_rt.core.hud import Hud
from atlas_rt.core.images import Tile
from atlas_rt.core.look import TileKey
from atlas_rt.core.requests import Request
from atlas_rt.core.rows import row_of
from atlas_rt.core.scene import Scene, View, empty_scene
from atlas_rt.errors import MissingError
from atlas_rt.render.cloud import CloudRenderer
from atlas_rt.render.gl.cleanup import sweep
from atlas_rt.render.gl.context import Context, check_version, is_software, renderer_name
from atlas_rt.render.gl.look_tiles import LookTiles
from atlas_rt.render.gl.offscreen import OffscreenTarget, Target
from atlas_rt.render.gl.panel_layer import PanelLayer
from atlas_rt.render.gl.presenter import Presenter
from atlas_rt.render.gl.renderer import Renderer
from atlas_rt.render.gl.thumbnails import TextureRef, ThumbnailAtlas
from atlas_rt.typesetting.system_fonts import advice
from atlas_rt.ui.input import Input
from atlas_rt.ui.overlay import Overlay, scale_for
from atlas_rt.ui.panels import Panels
from atlas_rt.window.change_over import ChangeOver
from atlas_rt.workers.fonts import FontWorker
from atlas_rt.workers.scenes import Arrival

if TYPE_CHECKING:
    from atlas_rt.render.soft.rasterizer import Rasterizer

MEDIUM = 1
LOADING_SECS = 4.0
"""How long the first frame may wait for kernels that were compiled before; they take 0.4 to 1 s."""


class WindowPicture:
    """Owns the OpenGL context and all that lives in it. All calls on its thread."""

    def __init__(
        self,
        context: Context,
        *,
        quality: str,
        renderer: str = "gl",
        waits: bool = False,
        read_clipboard: Callable[[], str] | None = None,
        write_clipboard: Callable[[str], None] | None = None,
        layout: Mapping[str, str] | None = None,
        target: Callable[[], Target] | None = None,
    ) -> None:
        """target: where frames go, the context's own framebuffer unless told otherwise. renderer: "gl", "software" (the
        rasterizer) or "auto", which is the rasterizer where OpenGL is drawn by the processor. waits: until the
        rasterizer is compiled, instead of changing over to it in mid-flight, and until fonts are found.

        Raises MissingError where OpenGL is older than 3.3.
        """
        check_version(context)
        context.gc_mode = "context_gc"  # Python's collector may run on a worker thread, OpenGL must not
        self.context = context
        self._target = target or (lambda: context.screen)
        self._quality = quality
        by_processor = renderer == "software" or (renderer == "auto" and is_software(context))
        self._change = _change_over(waits=waits) if by_processor else None
        self.trouble = ""
        """Why the rasterizer does not draw though it should, as a sentence; empty while there is no such trouble."""
        self._atlas = ThumbnailAtlas(context)
        self.looked_at = LookTiles(context)
        """Tiles of pictures that are looked at whole."""
        self._thumbnails = SceneThumbnails(self._atlas, self.looked_at)
        self._overlay = Overlay(
            read_clipboard=read_clipboard, write_clipboard=write_clipboard, layer=PanelLayer(context)
        )
        self._fonts = None if waits else FontWorker()
        self._panels = Panels(self._thumbnails, layout=layout, fonts=self._fonts.fonts if self._fonts else None)
        self._font_changes, self._font_advice = 0, ""
        self._waits = waits
        self._made: CloudRenderer | None = None

    @property
    def renderer_name(self) -> str:
        """What really draws the map: the OpenGL driver as it names itself, or the rasterizer."""
        driver = renderer_name(self.context)
        return driver if isinstance(self._renderer, Renderer) else f"atlas_rt's rasterizer (shown by {driver})"

    @property
    def changing(self) -> bool:
        """OpenGL draws until the rasterizer is there."""
        return self._change is not None

    @property
    def target(self) -> Target:
        """Where frames go."""
        return self._target()

    @property
    def wants_text(self) -> bool:
        """A text field has the focus, or is about to."""
        return self._panels.wants_text

    @property
    def search_has_focus(self) -> bool:
        """What is typed goes into the search field, or is about to."""
        return self._panels.search_has_focus

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
    def refines(self) -> bool:
        """The last frame was a still one, and another still one would look better."""
        return self._renderer.refines

    @property
    def drawn(self) -> str:
        """What the last frame drew, in words."""
        return self._renderer.figures.drawn

    def set_quality(self, quality: str) -> None:
        """Another word of `--quality`, from the next frame on."""
        self._quality = quality
        self._renderer.set_quality(quality)

    def focus_search(self) -> None:
        """Put the caret into the search field."""
        self._panels.focus_search()

    def observe(self, frame_ms: float) -> bool:
        """Tell the quality ladder what the last frame took; whether that changed its step."""
        return self._renderer.observe(frame_ms)

    def show(self, arrival: Arrival) -> None:
        """Take a scene and its new tiles, at once."""
        for each in self._keepers():
            each.load_small(arrival.tiles, arrival.pixels)  # all together they take a tenth of the time of the steps
            for _ in each.staging(arrival.prepared, arrival.tiles[:0], arrival.pixels[:0]):
                pass
        self.show_staged(arrival)

    def staging(self, arrival: Arrival) -> Iterator[None]:
        """Take a scene and its new tiles in short steps, while another one is shown; `show_staged` ends it."""
        for each in self._keepers():
            yield from each.staging(arrival.prepared, arrival.tiles, arrival.pixels)

    def show_staged(self, arrival: Arrival) -> None:
        """Show a scene whose tiles are here."""
        self._thumbnails.scene = arrival.scene

    def clear(self) -> None:
        """Forget every tile and picture, because another library is shown from now on."""
        self._thumbnails.scene = empty_scene()
        self._atlas.clear()
        self.looked_at.keep(())
        for each in self._keepers():
            each.clear()

    def show_picture(self, name: str, pixels: Bytes | None) -> None:
        """Put a picture ("selected", "live") before the panels, or take it away."""
        if pixels is None or not pixels.size:
            self._atlas.drop_picture(name)
        else:
            self._atlas.set_picture(name, pixels)

    def accept(self, tile: Tile) -> None:
        """Take one tile that came."""
        for each in self._keepers():
            each.accept(tile)
        if tile.level == MEDIUM:
            self._atlas.accept(tile)

    def wanted_tiles(self, view: View) -> list[tuple[int, int]]:
        """(id, level) of the tiles to fetch, the panels' first."""
        return [(id_, MEDIUM) for id_ in self._thumbnails.wanted()] + self._renderer.wanted(view)

    def build_panels(
        self, hud: Hud, told: Input, *, framebuffer_px: tuple[int, int], dpi_scale: float, scale: float = 0.0
    ) -> list[Request]:
        """Show one frame's panels; what the person asked for in them. scale: of panels, 0 for what the screen wants."""
        self._overlay.hear(told, text_focused=self.wants_text)
        self._overlay.begin(
            hud.size_px,
            scale=scale or scale_for(hud.size_px, dpi_scale),
            dt_secs=hud.dt_secs,
            framebuffer_px=framebuffer_px,
        )
        return self._panels.build(hud)

    def draw(self, view: View, target: Target, *, panels: bool = True, still: bool = False) -> None:
        """One frame: the cloud, and over it the panels built last. still: the last one before the picture rests."""
        self._renderer.draw(view, target, still=still)
        if panels:
            self._overlay.draw(target, pictures=self._atlas.contents + self.looked_at.contents)
        self._atlas.sweep()
        self.looked_at.sweep()
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

    def change_over(self) -> bool:
        """Let the rasterizer draw from now on, if it should and is there; whether that changes the picture.

        Between two frames only.
        """
        if self._change is None:
            return False
        return self._take_over(patience_secs=0.0)

    def hear_fonts(self) -> tuple[bool, str]:
        """Whether fonts were found that change the picture, and what is to be said where there is none."""
        if self._fonts is None or self._fonts.fonts.changes == self._font_changes:
            return False, ""
        self._font_changes = self._fonts.fonts.changes
        before, self._font_advice = self._font_advice, advice(self._fonts.fonts.missing())
        return True, self._font_advice if self._font_advice != before else ""

    def release(self) -> None:
        if self._change is not None:
            self._change.close()
        if self._fonts is not None:
            self._fonts.close()
        for part in (self._overlay, self._atlas, self.looked_at, self._made):
            if part is not None:
                part.release()

    @property
    def _renderer(self) -> CloudRenderer:
        """What draws the map. Made when it is first needed: until then its kernels load beside all else that begins."""
        if self._made is None:
            self._made = self._first_renderer()
        return self._made

    def _first_renderer(self) -> CloudRenderer:
        """The rasterizer, where it can be had in a moment or is waited for; OpenGL otherwise."""
        if self._change is not None and (self._waits or _is_compiled()):
            renderer = self._rasterizing(self._change.take(patience_secs=None if self._waits else LOADING_SECS))
            if renderer is not None:
                return renderer
        return Renderer(self.context, quality=self._quality)

    def _take_over(self, *, patience_secs: float) -> bool:
        assert self._change is not None
        renderer = self._rasterizing(self._change.take(patience_secs=patience_secs))
        if renderer is None:
            return False
        if self._made is not None:
            self._made.release()
        self._made = renderer
        return True

    def _rasterizing(self, rasterizer: Rasterizer | None) -> CloudRenderer | None:
        """A renderer with this rasterizer; None while there is none, and (`trouble`) where there can be none."""
        assert self._change is not None
        if rasterizer is None:
            self.trouble = self._change.failure
            if self.trouble:
                self._change = None
            return None
        from atlas_rt.render.soft.renderer import SoftwareRenderer

        presenter, target = Presenter(self.context), self.target
        self._change = None
        try:
            presenter.choose(target)
        except MissingError as error:
            self.trouble = f"{ChangeOver.lost}: {error}"
            rasterizer.release()
            return None
        return SoftwareRenderer(rasterizer, presenter, quality=self._quality)

    def _keepers(self) -> list[CloudRenderer | ChangeOver]:
        """Who is told of tiles."""
        renderer = self._renderer  # after which there may be nothing to change over to
        return [renderer] if self._change is None else [renderer, self._change]


def _change_over(*, waits: bool) -> ChangeOver:
    """Loading begins. waits: no frames are drawn meanwhile."""
    from atlas_rt.render.soft import loading

    return ChangeOver(loading.load_rasterizer if waits else loading.load_beside_window)


def _is_compiled() -> bool:
    from atlas_rt.render.soft.loading import is_compiled

    return is_compiled()


class SceneThumbnails:
    """What the panels ask for pictures: thumbnails by image id, and the aspect to show them in."""

    def __init__(self, atlas: ThumbnailAtlas, looked_at: LookTiles) -> None:
        self._atlas, self._looked_at = atlas, looked_at
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

    def tile_ref(self, key: TileKey) -> TextureRef | None:
        return self._looked_at.ref(key)

    def aspect(self, id_: int) -> float:
        row = row_of(self.scene.ids, id_)
        return 1.0 if row is None else float(self.scene.aspects[row])
