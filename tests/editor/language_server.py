"""An editor, as far as its YAML language server sees one: JSON-RPC over the server's standard streams."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from engine.clock import Clock

ROOT = Path(__file__).parents[2]
VARIABLE = "INSIDELINE_YAML_LANGUAGE_SERVER"
PATIENCE = 60.0


def find_server() -> str:
    """The program: what the variable names, on PATH, or where ``make editor-server`` puts it; "" when there is none."""
    made = ROOT / "var" / "editor-server" / "node_modules" / ".bin" / "yaml-language-server"
    if named := os.environ.get(VARIABLE):
        return named
    return shutil.which("yaml-language-server") or (str(made) if made.exists() else "")


class Editor:
    """An editor with a folder open in it."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self._settings = {
            "yaml": {
                "validate": True,
                "completion": True,
                "hover": True,
                "yamlVersion": "1.2",
                "schemaStore": {"enable": False},
                "schemas": settings["yaml.schemas"],
            }
        }
        self._clock = Clock()
        self._number = self._version = 0
        self._found: dict[str, list[dict[str, Any]]] = {}
        self._answers: dict[int, Any] = {}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the editor quits
        self._server = subprocess.Popen(
            [find_server(), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        where = folder.as_uri()
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": where,
                "workspaceFolders": [{"uri": where, "name": "home"}],
                "capabilities": {
                    "workspace": {
                        "configuration": True,
                        "didChangeConfiguration": {},
                        "workspaceFolders": True,
                    },
                    "textDocument": {
                        "completion": {"completionItem": {"snippetSupport": True}},
                        "publishDiagnostics": {},
                        "hover": {"contentFormat": ["markdown"]},
                    },
                },
            },
        )
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": self._settings})

    # -- what one does in an editor ---------------------------------------------------------------------

    def opens(self, path: str, text: str | None = None) -> list[dict[str, Any]]:
        """Open a file (with another text than is in it); what the server finds wrong with it."""
        uri = self._uri(path)
        content = text if text is not None else (self.folder / path).read_text(encoding="utf-8")
        self._found.pop(uri, None)
        self._version += 1  # the server remembers a text by its version
        document = {"uri": uri, "languageId": "yaml", "version": self._version, "text": content}
        self._notify("textDocument/didOpen", {"textDocument": document})
        self._read_until(lambda: uri in self._found)
        return self._found[uri]

    def closes(self, path: str) -> None:
        """Close it; the server takes back what it found."""
        uri = self._uri(path)
        self._found.pop(uri, None)
        self._notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        self._read_until(lambda: uri in self._found)

    def completes(self, path: str, text: str) -> dict[str, dict[str, Any]]:
        """What is offered where ``»`` stands in the text: by its label."""
        before, after = text.split("»")
        self.opens(path, before + after)
        answer = self.request("textDocument/completion", self._at(path, before))
        self.closes(path)
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return {item["label"]: item for item in items}

    def explains(self, path: str, text: str) -> str:
        """What is shown of the word behind ``»``."""
        before, after = text.split("»")
        self.opens(path, before + after)
        answer = self.request("textDocument/hover", self._at(path, before))
        self.closes(path)
        return str(answer["contents"]["value"]) if answer else ""

    def quits(self) -> None:
        """Close the editor."""
        self._server.kill()
        self._server.wait()
        self._errors.close()

    # -- JSON-RPC ---------------------------------------------------------------------------------------

    def request(self, method: str, params: Any) -> Any:
        """Ask, and wait for the answer."""
        self._number += 1
        number = self._number
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        self._read_until(lambda: number in self._answers)
        return self._answers.pop(number)

    def _notify(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()

    def _read_until(self, done: Any) -> None:
        with self._clock.timeout(PATIENCE):
            while not done():
                self._take(self._read())

    def _read(self) -> dict[str, Any]:
        stream = self._server.stdout
        assert stream is not None
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            self._errors.seek(0)
            raise AssertionError(f"the language server ended: {self._errors.read().decode()[-2000:]}")
        message: dict[str, Any] = json.loads(stream.read(length))
        return message

    def _take(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method == "workspace/configuration":
            asked = [self._settings.get(item.get("section"), {}) for item in message["params"]["items"]]
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": asked})
        elif method == "textDocument/publishDiagnostics":
            self._found[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif method is not None and "id" in message:
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": None})
        elif method is None and "id" in message:
            assert "error" not in message, message["error"]
            self._answers[message["id"]] = message.get("result")

    def _uri(self, path: str) -> str:
        return (self.folder / path).as_uri()

    def _at(self, path: str, before: str) -> dict[str, Any]:
        line = before.count("\n")
        character = len(before) - (before.rfind("\n") + 1)
        return {
            "textDocument": {"uri": self._uri(path)},
            "position": {"line": line, "character": character},
        }
