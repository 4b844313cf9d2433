"""What is remembered of models survives the process, and a file that cannot be used stops nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from atlas_rt.aws.answer_ladder import AnswerLadder
from atlas_rt.aws.bedrock_errors import DailyQuotaError, RequestRefusedError
from atlas_rt.aws.model_memory import NAME, ModelMemory
from tests.aws.test_answer_ladder import HAIKU, QUESTION, takes
from tests.bedrock_server import BedrockServer, error, shared_client

ANOTHER_PROCESS = """
import sys
from pathlib import Path
from tests.aws.test_answer_ladder import QUESTION
from atlas_rt.aws.answer_ladder import AnswerLadder
from atlas_rt.aws.bedrock import Bedrock
from atlas_rt.aws.bedrock_errors import DailyQuotaError
from atlas_rt.aws.model_memory import ModelMemory

try:
    print(AnswerLadder(Bedrock(), ModelMemory.of_cache(Path(sys.argv[1]))).ask(QUESTION).facts)
except DailyQuotaError as error:
    print(error)
"""
QUOTA = error(429, "ThrottlingException", "Too many tokens per day, please wait before trying again.")


def ladder(cache: Path, day: int = 28, *, month: int = 11) -> AnswerLadder:
    """As a window or a command that has just begun makes it."""
    return AnswerLadder(shared_client(), ModelMemory(cache / NAME, today=lambda: date(2026, month, day)))


def test_the_way_a_model_takes_is_found_once_for_all_processes(bedrock: BedrockServer, tmp_path: Path) -> None:
    bedrock.answers = takes("tool")  # type: ignore[assignment]
    ladder(tmp_path).ask(QUESTION)
    ladder(tmp_path).ask(QUESTION)
    assert [asked.way for asked in bedrock.asked] == ["schema", "forced tool", "tool", "tool"]
    bedrock.answers = takes("text")  # type: ignore[assignment]  # a new version of the model
    ladder(tmp_path).ask(QUESTION)
    assert ladder(tmp_path).way_of(HAIKU) == "text"
    assert ladder(tmp_path, month=12).way_of(HAIKU) == "text"
    assert ladder(tmp_path, 29, month=12).way_of(HAIKU) == "schema"  # it may have learned it meanwhile
    bedrock.asked.clear()
    bedrock.answers = takes("schema")  # type: ignore[assignment]
    ladder(tmp_path).ask(QUESTION)
    assert [asked.way for asked in bedrock.asked] == ["text", "schema"]
    assert ladder(tmp_path).way_of(HAIKU) == "schema"
    bedrock.answers = takes("none")  # type: ignore[assignment]
    with pytest.raises(RequestRefusedError):
        ladder(tmp_path).ask(QUESTION)
    assert ladder(tmp_path).way_of(HAIKU) == "schema"


def test_a_quota_that_is_used_up_stops_every_process_until_tomorrow(bedrock: BedrockServer, tmp_path: Path) -> None:
    bedrock.answers = [QUOTA]
    run = [sys.executable, "-c", ANOTHER_PROCESS, str(tmp_path)]
    told = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert told.endswith("console of us-east-1.\n")
    with pytest.raises(DailyQuotaError, match=f"Go on tomorrow.*earlier today; .* remove {NAME} from the cache"):
        AnswerLadder(shared_client(), ModelMemory.of_cache(tmp_path)).ask(QUESTION)
    assert len(bedrock.asked) == 1
    bedrock.answers = takes("schema")  # type: ignore[assignment]
    other = AnswerLadder(shared_client(), ModelMemory.of_cache(tmp_path))
    other.check_quota("us.anthropic.another")
    (tmp_path / NAME).unlink()
    other.ask(QUESTION)
    assert len(bedrock.asked) == 2


def test_tomorrow_a_quota_is_new(bedrock: BedrockServer, tmp_path: Path) -> None:
    bedrock.answers = [QUOTA]
    with pytest.raises(DailyQuotaError):
        ladder(tmp_path).ask(QUESTION)
    ladder(tmp_path, 29).check_quota(HAIKU)
    bedrock.answers = takes("schema")  # type: ignore[assignment]
    ladder(tmp_path, 29).ask(QUESTION)
    assert json.loads((tmp_path / NAME).read_text())["quotas"] == {}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"format": 2}',
        '{"format": 1, "ways": [], "quotas": 3}',
        json.dumps({"format": 1, "ways": {HAIKU: {"day": "soon", "text": "tool"}}, "quotas": {}}),
        json.dumps({"format": 1, "ways": {HAIKU: {"day": "2026-11-28", "text": "by post"}}, "quotas": {}}),
    ],
)
def test_a_broken_file_is_begun_anew(bedrock: BedrockServer, tmp_path: Path, content: str) -> None:
    bedrock.answers = takes("forced tool")  # type: ignore[assignment]
    (tmp_path / NAME).write_text(content)
    ladder(tmp_path).ask(QUESTION)
    assert ladder(tmp_path).way_of(HAIKU) == "forced tool"
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_where_nothing_can_be_written_the_process_remembers_by_itself(bedrock: BedrockServer, tmp_path: Path) -> None:
    bedrock.answers, one = takes("tool"), ladder(tmp_path / "nowhere")  # type: ignore[assignment]
    for _ in range(2):
        one.ask(QUESTION)
    assert [asked.way for asked in bedrock.asked] == ["schema", "forced tool", "tool", "tool"]
    bedrock.answers = [QUOTA]
    for _ in range(2):
        with pytest.raises(DailyQuotaError):
            one.ask(QUESTION)
    assert len(bedrock.asked) == 5
    assert list(tmp_path.iterdir()) == []
