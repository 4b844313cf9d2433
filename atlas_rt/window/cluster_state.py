"""What the person does in the panel of clusters, and what the panel shows of it. Owned by the main thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from atlas_rt.core.cluster_list import ShownClusters, listed
from atlas_rt.core.hud import ClusterPage, ClusterPanel, ClusterRow
from atlas_rt.core.maps import Cluster
from atlas_rt.core.scene import Scene

CLOSED = ClusterPanel()


@dataclass(slots=True)
class ClusterState:
    """Plain state; ids are those of the newest scene, `keep_to` it.

    focused: arrows and Enter are the panel's. order, wanted: how the list is sorted, and what is looked for in it.
    cursor: id of the row the person is at, moved: how often the keyboard moved it. pointed: the cluster that is lit.
    renaming: whose name is being typed. opened: whose page is open, page: what came of it. -1 for none in each case.
    pending: names that are being written, by cluster.
    """

    open: bool = False
    focused: bool = False
    order: str = "size"
    wanted: str = ""
    cursor: int = -1
    moved: int = 0
    pointed: int = -1
    renaming: int = -1
    opened: int = -1
    page: ClusterPage | None = None
    pending: dict[int, str] = field(default_factory=dict)
    _rows: tuple[ClusterRow, ...] = ()
    _rows_of: tuple[object, ...] = ()

    def close(self) -> None:
        """The order stays as it was chosen."""
        self.open = self.focused = False
        self.wanted, self.page = "", None
        self.cursor = self.pointed = self.renaming = self.opened = -1

    def keep_to(self, scene: Scene) -> bool:
        """Let go of clusters that a new scene lacks; False where one went whose name was being typed."""
        ids = {record.id for record in scene.cluster_records}
        typing = self.renaming in ids or self.renaming < 0
        self.pending = {}
        self.cursor = self.cursor if self.cursor in ids else -1
        self.pointed = self.pointed if self.pointed in ids else -1
        self.renaming = self.renaming if self.renaming in ids else -1
        self.opened = self.opened if self.opened in ids else -1
        if self.page is not None and self.page.nearest not in ids:
            self.page = replace(self.page, nearest=-1, apart=(), theirs=())
        return typing

    def rows(self, scene: Scene, shown: ShownClusters) -> tuple[ClusterRow, ...]:
        """The list as it is sorted and searched; the same object until something about it changes."""
        made_of = (scene.generation, scene.cluster_records, self.order, self.wanted, shown, tuple(self.pending.items()))
        if made_of != self._rows_of:
            places = listed(scene.cluster_records, order=self.order, wanted=self.wanted)
            self._rows, self._rows_of = tuple(self._row(scene, place, shown) for place in places), made_of
        return self._rows

    def panel(self, scene: Scene, shown: ShownClusters) -> ClusterPanel:
        """What the panel shows in this frame."""
        records = scene.cluster_records
        if shown.all and not self.open:
            return CLOSED
        alone = next((each.name or f"cluster {each.id}" for each in records if each.id == shown.alone), "")
        concealed = 0 if shown.all else sum(shown.conceals(each.id) for each in records)
        if not self.open:
            return ClusterPanel(concealed=concealed, alone=alone)
        return ClusterPanel(
            open=True,
            rows=self.rows(scene, shown),
            total=len(records),
            free=len(scene.ids) - sum(each.size for each in records),
            order=self.order,
            wanted=self.wanted,
            cursor=self.cursor,
            moved=self.moved,
            renaming=self.renaming,
            opened=self._row_of(scene, self.opened, shown),
            page=self.page if self.page is not None and self.page.id == self.opened else None,
            nearest=self._row_of(scene, self.page.nearest, shown) if self.page is not None else None,
            concealed=concealed,
            alone=alone,
        )

    def _row_of(self, scene: Scene, cluster: int, shown: ShownClusters) -> ClusterRow | None:
        for place, record in enumerate(scene.cluster_records):
            if record.id == cluster:
                return self._row(scene, place, shown)
        return None

    def _row(self, scene: Scene, place: int, shown: ShownClusters) -> ClusterRow:
        record: Cluster = scene.cluster_records[place]
        red, green, blue = scene.cluster_hues[place].tolist()
        return ClusterRow(record, (red, green, blue), shown.conceals(record.id), self.pending.get(record.id))
