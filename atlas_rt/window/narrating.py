"""What a person asks the narrator: why images are together, what they look at; and Claude, once they have agreed."""

from __future__ import annotations

from dataclasses import replace

from atlas_rt.core.money import money
from atlas_rt.core.narration import AnswerCard, Asking, Offer, Spent, Topic
from atlas_rt.core.requests import (
    Agree,
    AskClaude,
    CloseQuestion,
    Decline,
    NarratorRequest,
    OpenQuestion,
    StopClaude,
    TurnPage,
)
from atlas_rt.core.visibility import rows_in_sight
from atlas_rt.window.parts import Parts
from atlas_rt.workers.claude import Begun, ClaudeEvent, ClaudeRequest, Ended, Replied, Unanswered
from atlas_rt.workers.questions import (
    Answered,
    AnswerRequest,
    OfferRequest,
    PageRequest,
    PageShown,
    ProposalRequest,
    Proposed,
    SpentRequest,
    Told,
)

IN_SIGHT = 60
"""Images of the view that are told of: the largest on screen."""


def carry_out(parts: Parts, request: NarratorRequest) -> None:
    """Do what was asked for in a panel."""
    match request:
        case OpenQuestion(topic):
            open_question(parts, topic)
        case CloseQuestion():
            close_question(parts)
        case AskClaude(topics):
            ask(parts, topics)
        case Agree(all_):
            agree(parts, all_topics=all_)
        case Decline():
            decline(parts)
        case TurnPage(step):
            turn_page(parts, step)
        case StopClaude():
            stop(parts)


# -- questions ---------------------------------------------------------------------------------------------------------


def why(parts: Parts) -> None:
    """Y: answer why the selected images are together, or what the person looks at; pressed again, ask Claude."""
    state, topic = parts.panel_state.narrator, _topic_at_hand(parts)
    if parts.panel_state.clusters.opened >= 0:
        ask(parts, (_cluster_topic(parts, parts.panel_state.clusters.opened),))
    elif topic is None:
        parts.panel_state.say("there is nothing in sight to tell of")
    elif state.card is not None and state.card.topic.kind == topic.kind and state.card.topic.ids == topic.ids:
        ask(parts, (topic,))
    else:
        open_question(parts, topic)


def open_question(parts: Parts, topic: Topic) -> None:
    """Answer a question at once from what is known here."""
    state, session = parts.panel_state.narrator, parts.session
    if session is not None and (shown := session.shown) is not None:
        state.card = AnswerCard(topic)
        session.questions.ask(AnswerRequest(topic, shown))


def close_question(parts: Parts) -> None:
    parts.panel_state.narrator.card = None


def _topic_at_hand(parts: Parts) -> Topic | None:
    """What is selected, where that is more than one image, else what is in sight; None where nothing is."""
    world = parts.world
    if len(world.selected_ids) > 1:
        return Topic("selection", ids=world.selected_ids)
    rows = rows_in_sight(world.view(parts.window.framebuffer_px), IN_SIGHT)
    return Topic("view", ids=tuple(world.scene.ids[rows].tolist())) if len(rows) else None


def _cluster_topic(parts: Parts, cluster: int) -> Topic:
    records = parts.world.scene.cluster_records
    name = next((record.name for record in records if record.id == cluster), "")
    return Topic("cluster", clusters=(cluster,), names=(name or f"cluster {cluster}",))


# -- Claude ------------------------------------------------------------------------------------------------------------


def ask(parts: Parts, topics: tuple[Topic, ...]) -> None:
    """Have Claude answer; the person sees first what would be sent, where they have not agreed to it before."""
    state, session = parts.panel_state.narrator, parts.session
    if state.closed or session is None or not topics:
        if state.closed not in {"", "kiosk"}:
            parts.panel_state.say(f"Claude is not asked here: {state.closed}")
        return
    if state.asking is not None or state.waiting is not None or (shown := session.shown) is None:
        parts.panel_state.say("Claude answers one question at a time")
        return
    others = (topic for topic in state.offer.left if topic.clusters != topics[0].clusters)
    alone = len(topics) == 1 and topics[0].kind == "cluster"
    _note(parts, topics[0], "")
    state.waiting = topics[0]
    session.questions.ask(ProposalRequest((*topics, *others) if alone else topics, len(topics) > 1, shown))


def agree(parts: Parts, *, all_topics: bool) -> None:
    """Send what was shown."""
    state, session = parts.panel_state.narrator, parts.session
    if state.proposed is None or session is None:
        return
    proposed = state.proposed
    decline(parts)
    count = len(proposed.proposal.topics) if all_topics else 1
    request = ClaudeRequest(
        topics=proposed.proposal.topics[:count],
        subjects=proposed.subjects[:count],
        region=proposed.proposal.region,
        names={record.id: record.english[0] for record in parts.world.scene.cluster_records},
        consent=None if proposed.proposal.consented else session.questions.consent_to(proposed.proposal),
    )
    state.requests.append(request)
    state.asking = Asking(request.topics[0], "", 0, count, None)
    session.ask_claude(request)


def decline(parts: Parts) -> None:
    """Send nothing of what was shown."""
    state = parts.panel_state.narrator
    state.proposed, state.page, state.waiting, state.at = None, None, None, 0
    parts.display.show_picture("sheet", None)


def turn_page(parts: Parts, step: int) -> None:
    """Look at what would be sent about another topic."""
    state, session = parts.panel_state.narrator, parts.session
    if state.proposed is None or session is None or not state.proposed.subjects:
        return
    state.at = (state.at + step) % len(state.proposed.subjects)
    subject, file_names = state.proposed.subjects[state.at], state.proposed.proposal.file_names
    session.questions.ask(PageRequest(state.at, subject, file_names))


def forget_clusters(parts: Parts) -> None:
    """The clusters that it was about are gone: nothing that was asked or told of them holds for those that come."""
    decline(parts)
    close_question(parts)
    stop(parts)
    parts.panel_state.narrator.troubles = {}


def stop(parts: Parts) -> None:
    """The answers that were asked for are not wanted any more."""
    state = parts.panel_state.narrator
    for request in state.requests:
        request.stopped.set()
    if state.asking is not None:
        state.asking = replace(state.asking, stopping=True)


def step_back(parts: Parts) -> bool:
    """Esc: what would be sent, the answer that comes, the question; whether one of them went."""
    state = parts.panel_state.narrator
    if state.proposed is not None or state.waiting is not None:
        decline(parts)
    elif state.asking is not None and not state.asking.stopping and _in_sight(parts, state.asking.topic):
        stop(parts)
    elif state.card is not None:
        close_question(parts)
    else:
        return False
    return True


def _in_sight(parts: Parts, topic: Topic) -> bool:
    """A panel that shows the answer on a topic is open."""
    state, opened = parts.panel_state.narrator, parts.panel_state.clusters.opened
    return topic.clusters == (opened,) or (state.card is not None and state.card.topic == topic)


# -- what came ---------------------------------------------------------------------------------------------------------


def follow(parts: Parts) -> None:
    """A new scene is shown, or the panel of clusters was opened: what Claude could be asked is another thing now. In
    another language an answer that is shown is told again."""
    state, session = parts.panel_state.narrator, parts.session
    spoke, state.words = state.words, parts.world.scene.words
    if state.card is not None and spoke is not state.words and session is not None and session.shown is not None:
        session.questions.ask(AnswerRequest(state.card.topic, session.shown))
    state.keep_to(parts.world.scene)
    if session is None or state.closed:
        return
    if parts.panel_state.clusters.open and (shown := session.shown) is not None:
        session.questions.ask(OfferRequest(shown, session.explained))
    if state.spent is None:
        session.questions.ask(SpentRequest())


def hear(parts: Parts) -> bool:
    """Take what the threads told; whether any of it is to be seen."""
    session, state = parts.session, parts.panel_state.narrator
    if session is None:
        return False
    told, events, text = session.questions.take(), session.claude_events(), session.claude_text()
    for each in told:
        _hear_question(parts, each)
    for event in events:
        _hear_claude(parts, event)
    if text is not None and state.asking is not None and state.asking.topic == text[0]:
        state.asking = replace(state.asking, text=text[1])
    return bool(told or events or text is not None)


def _hear_question(parts: Parts, told: Told) -> None:
    state = parts.panel_state.narrator
    match told:
        case Answered() if state.card is not None and state.card.topic == told.topic:
            state.card = replace(state.card, own=told.answer, usd=told.usd, trouble=told.trouble)
        case Proposed() if state.waiting == told.proposal.topics[0]:
            _hear_proposal(parts, told)
        case PageShown() if state.proposed is not None and state.at == told.page.at:
            state.page = told.page
            parts.display.show_picture("sheet", told.pixels)
        case Spent():
            state.spent = told
        case Offer():
            state.offer = told


def _hear_proposal(parts: Parts, told: Proposed) -> None:
    state, proposal = parts.panel_state.narrator, told.proposal
    state.waiting = None
    if proposal.trouble:
        _note(parts, proposal.topics[0], proposal.trouble)
        return
    state.proposed = told
    if proposal.consented:
        agree(parts, all_topics=proposal.all)
    else:
        turn_page(parts, 0)


def _hear_claude(parts: Parts, event: ClaudeEvent) -> None:
    state, session = parts.panel_state.narrator, parts.session
    match event:
        case Begun(topic, done, total, secs_left):
            stopping = state.asking is not None and state.asking.stopping
            state.asking = Asking(topic, "", done, total, secs_left, stopping)
        case Replied(topic, explanation):
            _note(parts, topic, explanation.remark)
            if state.card is not None and state.card.topic == topic:
                state.card = replace(state.card, claude=explanation)
            elif explanation.name and not _in_sight(parts, topic) and state.asking and state.asking.total == 1:
                parts.panel_state.say(f"Claude on {topic.title}: {explanation.name}", "good")
            if session is not None:
                session.scenes.poke()
                session.questions.ask(SpentRequest())
        case Unanswered(topic, trouble):
            _note(parts, topic, trouble)
            if trouble and not _in_sight(parts, topic):
                parts.panel_state.say(trouble, "warning")
        case Ended():
            _hear_end(parts, event)


def _hear_end(parts: Parts, ended: Ended) -> None:
    state, session = parts.panel_state.narrator, parts.session
    state.asking = None
    state.requests = state.requests[1:]
    if session is not None:
        session.questions.ask(SpentRequest())
    stopped = ended.stopped and ended.answered < ended.total  # the last answer may have come all the same
    if ended.total > 1 or stopped:
        count = f"{ended.answered:,} of {ended.total:,} answered" if ended.total > 1 else "not answered"
        parts.panel_state.say(f"{'stopped: ' if stopped else ''}{count}, {money(ended.usd)} spent")
    if ended.remark:
        parts.panel_state.say(ended.remark, "warning")


def _note(parts: Parts, topic: Topic, trouble: str) -> None:
    """Why Claude did not answer, where the answer would stand."""
    state = parts.panel_state.narrator
    state.note(topic, trouble)
    if state.card is not None and state.card.topic == topic:
        state.card = replace(state.card, trouble=trouble)
