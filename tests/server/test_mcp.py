"""`atlas-rt mcp` as an assistant meets it, through the SDK's own client."""

from __future__ import annotations

import base64
import io
import os
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from PIL import Image

from atlas_rt.arguments import COMMANDS
from atlas_rt.server.mcp_tools import build
from tests.commands.person import Person, environment
from tests.libraries import Library

READING = {"library", "search", "similar", "clusters", "cluster", "image"}


def talk(library: Library, here: Path, work: Callable[[Client], Awaitable[None]]) -> None:
    """A conversation with the program in a process of its own, started by the second example of its help."""
    words = shlex.split(COMMANDS["mcp"].examples[1].replace("~/Pictures", shlex.quote(str(library.source))))
    command = Person(here, library.cache).words((*words, "--data", here / "data"))
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "atlas_rt", *command], env=environment(), cwd=str(here)
    )

    async def conversation() -> None:
        with (here / "err").open("w") as errors, anyio.fail_after(60.0):
            async with Client(stdio_client(server, errlog=errors)) as client:
                await work(client)

    anyio.run(conversation)
    assert (here / "err").read_text() == ""


async def told(client: Client, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    return str(answer.content[0].text)  # type: ignore[union-attr]


def test_an_assistant_searches_looks_and_may_rename_where_it_was_allowed(library: Library, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == READING | {"name_cluster"}
        assert all(tool.description for tool in tools)
        facts = await told(client, "library")
        assert (facts["name"], facts["model"]) == (library.source.name, "starter")
        german = await told(client, "search", text="eine Gitarre", language="de_AT", top=1)
        assert german["reading"]["words"] == [["Gitarre", "guitar"]]
        assert "--language must be one of" in await refusal(client, "search", text="a guitar", language="klingon")
        found = await told(client, "search", text="a guitar", top=3)
        guitar = found["results"][0]["id"]
        assert (len(found["results"]), found["results"][0]["match"]) == (3, "strong")
        assert guitar in [
            each["id"] for each in (await told(client, "search", text="a dog", image_id=guitar))["results"]
        ]
        assert (await told(client, "search", image_id=guitar))["results"][0]["id"] == guitar
        near = await told(client, "similar", image_id=guitar, top=4)
        assert (len(near["results"]), guitar in [each["id"] for each in near["results"]]) == (4, False)
        answer = await client.call_tool("image", {"image_id": guitar})
        picture, details = answer.content
        with Image.open(io.BytesIO(base64.b64decode(picture.data))) as shown:  # type: ignore[union-attr]
            assert max(shown.size) <= 1092
        assert "guitar" in details.text  # type: ignore[union-attr]
        clusters = (await told(client, "clusters"))["result"]
        members = await told(client, "cluster", cluster_id=clusters[0]["id"])
        assert len(members["images"]) == clusters[0]["size"]
        named = await told(client, "name_cluster", cluster_id=clusters[0]["id"], name="Mine")
        assert (named["name"], named["named_by"]) == ("Mine", "user")
        assert (await told(client, "clusters"))["result"][0]["name"] == "Mine"
        assert os.fspath(library.source) not in str([answer, members, found])
        assert "say what to look for" in await refusal(client, "search")
        assert "there is no image 9999" in await refusal(client, "similar", image_id=9999)
        assert "there is no cluster 9999" in await refusal(client, "cluster", cluster_id=9999)
        assert "at most 60 characters" in await refusal(
            client, "name_cluster", cluster_id=clusters[0]["id"], name="x" * 61
        )
        assert "less than or equal to 1092" in await refusal(client, "image", image_id=guitar, max_px=2000)

    talk(library, tmp_path, work)


def test_an_assistant_that_may_not_write_has_no_tool_for_it() -> None:
    """In this process, through the SDK's client: no second start is needed to see which tools there are."""
    nothing: Any = None

    async def work() -> None:
        async with Client(build(nothing, nothing, allow_write=False)) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == READING
            assert "Unknown tool" in await refusal(client, "name_cluster", cluster_id=0, name="Mine")

    anyio.run(work)
