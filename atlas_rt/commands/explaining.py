"""`clusters --explain`: what would be sent, what it costs, a person's consent, then one cluster after the other."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from atlas_rt.aws.answer_ladder import AnswerLadder
from atlas_rt.aws.bedrock import Bedrock
from atlas_rt.aws.bedrock_errors import BedrockError
from atlas_rt.aws.model_memory import ModelMemory
from atlas_rt.commands.collection import Collection
from atlas_rt.commands.output import answers_yes, asks, print_json, say, tell, write_whole
from atlas_rt.core.money import money
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library import personal_data
from atlas_rt.library.explanations import Explanations
from atlas_rt.library.sources import absolute
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.narrator.claude import ClaudeNarrator
from atlas_rt.narrator.contact_sheet import contact_sheet, contact_sheets
from atlas_rt.narrator.language import NAMES
from atlas_rt.narrator.name_check import NameCheck
from atlas_rt.narrator.permission import Permission
from atlas_rt.narrator.plan import Plan, plan_of, unexplained
from atlas_rt.narrator.spending import BudgetError, Ledger
from atlas_rt.narrator.subject import PICTURES, subjects_of
from atlas_rt.permission import permission_of
from atlas_rt.settings import Settings


def explain(settings: Settings, collection: Collection, *, yes: bool, sheets: str) -> AtlasError | None:
    """Have Claude explain the clusters that it has not explained yet and that no person named.

    The error that ended it early, for which what was answered before stays. Raises UsageError, with the cost printed,
    where nobody can be asked and nobody consented; MissingError where something is lacking from the start.
    """
    permission = permission_of(settings)
    folder = personal_data.data_folder(settings.data_path)
    personal_data.refuse_inside(folder, collection.place.sources, named=bool(settings.data))
    if permission.closed:
        say(settings, f"{permission.closed}: nothing is sent; names and reasons are those of the vocabulary")
        return None
    ledger = _ledger(permission, collection, folder)
    plan = _plan(permission, collection, ledger)
    if not plan.subjects:
        explained = "every cluster has been explained, or was named by you"
        why = explained if collection.scene.cluster_records else "this map has no clusters"
        say(settings, f"nothing to send: {why}")
        return None
    if sheets:
        _write_sheets(settings, collection, plan, sheets)
    if not _consented(settings, plan, yes=yes):
        say(settings, "nothing was sent")
        return None
    return _ask(settings, collection, plan, ledger, Explanations(folder))


def _ledger(permission: Permission, collection: Collection, folder: Path) -> Ledger:
    return Ledger(folder, collection.place.folder.name, permission.budget)


def _plan(permission: Permission, collection: Collection, ledger: Ledger) -> Plan:
    region = permission.where()
    wanted = unexplained(collection.scene, collection.arrival.explained, permission.language)
    with StoreReader.open(collection.place.folder) as store:
        subjects = subjects_of(wanted, collection.scene, collection.vector_index, store)
    return plan_of(subjects, permission.manner(region), region, ledger.spent())


def _consented(settings: Settings, plan: Plan, *, yes: bool) -> bool:
    """Raises UsageError where nobody can be asked."""
    if yes:
        return True
    if not asks(settings):
        if settings.json:
            print_json(_document(settings, plan))
        else:
            tell("\n".join(_lines(settings, plan)))
        raise UsageError("nothing was sent; add --yes to send it at this cost")
    for line in _lines(settings, plan):
        say(settings, line)
    return settings.narrator == "on" or answers_yes("Send this?")


def _lines(settings: Settings, plan: Plan) -> list[str]:
    """The plan as a person reads it."""
    count, manner = len(plan.subjects), plan.manner
    clusters = "1 cluster" if count == 1 else f"{count:,} clusters"
    names = "with" if manner.file_names else "without"
    width, height = plan.largest_px
    known = "" if plan.priced else "; its price is not known, so the dearest is taken"
    library, month = plan.spent
    return [
        f"Claude would name and explain {clusters}, through Amazon Bedrock, in {NAMES[manner.language]}:",
        f"  model   {manner.model_id}{known}",
        f"  region  {plan.region or 'none is set; --narrator-region names one'}",
        f"  sent    for each cluster one contact sheet of at most {PICTURES} images (JPEG, up to {width} x {height}"
        " px),",
        f"          the program's words for them, and names of clusters nearby; {names} the names of files",
        f"  cost    about {money(max(plan.usd))} for one, {money(sum(plan.usd))} for all; twice as much at most where "
        "answers must be asked for again",
        f"  spent   {money(library)} of {money(settings.budget_library)} on this library, {money(month)} of "
        f"{money(settings.budget_month)} this month",
    ]


def _document(settings: Settings, plan: Plan) -> dict[str, Any]:
    """The plan as JSON."""
    library, month = plan.spent
    return {
        "clusters": [subject.cluster for subject in plan.subjects],
        "model": plan.manner.model_id,
        "region": plan.region,
        "language": plan.manner.language,
        "file_names": plan.manner.file_names,
        "sheet_px": list(plan.largest_px),
        "cost_usd_each": max(plan.usd),
        "cost_usd": sum(plan.usd),
        "spent_usd": {"library": library, "month": month},
        "budget_usd": {"library": settings.budget_library, "month": settings.budget_month},
    }


def _write_sheets(settings: Settings, collection: Collection, plan: Plan, word: str) -> None:
    """The very sheets that would be sent, as files."""
    folder = absolute(word)
    if not folder.is_dir():
        raise UsageError(f"this folder does not exist: {folder}")
    tiles = TileFiles(collection.place.folder)
    for subject in plan.subjects:
        sheet = contact_sheet(subject.pictures, tiles)
        write_whole(folder / f"cluster-{subject.cluster}.jpg", partial(_write, content=sheet))
    say(settings, f"{len(plan.subjects):,} contact sheets written to {folder}")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _ask(
    settings: Settings, collection: Collection, plan: Plan, ledger: Ledger, kept: Explanations
) -> AtlasError | None:
    """Ask for one explanation after the other; the error that ended it early, or that no answer came without.

    What goes wrong with one cluster is said, and the next one is asked for, unless it would go wrong there too.
    """
    bedrock = Bedrock(region=settings.narrator_region)
    if remark := bedrock.check(plan.manner.model_id):
        say(settings, remark)
    tiles = TileFiles(collection.place.folder)
    encoder = TextEncoder(collection.model, runtime=collection.runtime)
    taken = {record.id: record.english[0] for record in collection.scene.cluster_records}
    failed: AtlasError | None = None
    answered = 0
    before = ledger.spent()[0]
    with StoreReader.open(collection.place.folder) as store:
        narrator = ClaudeNarrator.of_library(
            store,
            ladder=AnswerLadder(bedrock, ModelMemory.of_cache(collection.cache)),
            manner=plan.manner,
            sheets=lambda subject: contact_sheets(subject, tiles),
            check=NameCheck(encoder.encode, collection.model.text.templates),
            ledger=ledger,
            kept=kept,
        )
        for done, subject in enumerate(plan.subjects, 1):
            others = [name for cluster, name in taken.items() if cluster != subject.cluster]
            try:
                found = narrator.explain(subject, taken=others)
            except (BedrockError, BudgetError) as error:
                failed = error
                if isinstance(error, BudgetError) or error.ends_all:
                    break
                say(settings, f"{done} of {len(plan.subjects)}: {subject.name}: {error}")
                continue
            answered += 1
            taken[subject.cluster] = found.name or subject.name
            say(settings, f"{done} of {len(plan.subjects)}: {subject.name}: {found.remark or found.name}")
    say(settings, f"{money(max(ledger.spent()[0] - before, 0.0))} spent")
    ended_early = isinstance(failed, BudgetError) or (isinstance(failed, BedrockError) and failed.ends_all)
    return failed if ended_early or not answered else None
