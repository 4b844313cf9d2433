"""The OpenAPI description as a page to read. It loads nothing from anywhere, which the usual viewers do."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
body { background: #10131c; color: #d8dde8; font: 15px/1.5 system-ui, sans-serif; max-width: 62em; margin: 2em auto; }
h1, h2 { font-weight: 600; } h2 { font-size: 1.05em; margin: 2em 0 0.3em; } code, pre { color: #9fd0ff; }
td { padding: 0.1em 1.5em 0.1em 0; vertical-align: top; } .method { color: #ffc46b; }
"""


def page(description: dict[str, Any]) -> str:
    """HTML. description: as FastAPI makes it."""
    info = description["info"]
    operations = [
        _operation(method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info.get('description', ''))}</p>{''.join(operations)}"
        "<p>The same for programs: <code>/openapi.json</code></p></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (f"{each['name']} ({each['in']})", each.get("description") or each["schema"].get("description", ""))
        for each in operation.get("parameters", ())
    ]
    rows += [(f"body: {kind}", "") for kind in operation.get("requestBody", {}).get("content", ())]
    rows += [(status, answer.get("description", "")) for status, answer in operation["responses"].items()]
    table = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{escape(says)}</td></tr>" for name, says in rows)
    return (
        f'<h2><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h2>'
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p><table>{table}</table>"
    )
