"""YAML as people mean it: every scalar stays the text that was typed, every node knows its place.

A file is composed (by libyaml where PyYAML has it), never constructed: no scalar becomes a number, a date
or a truth value. What surprises people is refused with the fix: duplicate keys, aliases, anchors, tags,
empty values, ``{waybill}`` without quotes, ``#: x`` among options, tabs. Size and depth are capped.

``Document.tree`` is made of ``str``, ``list`` and ``dict[str, …]`` only. Places are looked up by path, a
tuple of keys and indexes: ``document.position(("blocks", "greet", 0, "menu"))``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.schema import compose, mend
from engine.schema.faults import Fault, Position

#: ``str``, or a list or mapping of the same.
Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
#: The way to a value: keys of mappings and indexes of lists.
Path_: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1 << 20  # a file of a megabyte is a mistake or an attack
MAX_DEPTH = mend.MAX_DEPTH
_COMPOSE_DEPTH = 400  # below this many openers a composer's recursion can't overflow


class Cut(str):
    """An unquoted text that ``#`` cut off on its line; a shape that wants text refuses it."""

    __slots__ = ()


class Broken(str):
    """Stands where the source was faulty, so that the shape does not report the same place again. Its text is what was
    written there, as far as that is known: the names in it may be those that the rest refers to."""

    __slots__ = ()


class Document:
    """One YAML file: its plain tree, and the place of everything in it.

    ``tree`` is None when the file can't be read at all; ``faults`` says why.
    """

    __slots__ = ("_lines", "_root", "faults", "file", "holes", "read", "text", "tree")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.read = text  # what is composed: the text, without what can't be read
        self.holes: dict[int, str] = {}  # line (from 0) -> what was cut out there
        self._root: Node | None = None
        self.tree: Tree | None = None
        self.faults: list[Fault] = []
        self._lines: list[str] | None = None

    def nodes(self) -> Node | None:
        """The YAML nodes; composed again when they were released."""
        if self._root is None and self.tree is not None:
            self._root = compose.FastComposer(self.read).get_single_node()
        return self._root

    def release(self) -> None:
        """Let go of the nodes, which are many times as large as the text; faults bring them back."""
        self._root = None

    def line(self, number: int) -> str:
        """The text of line ``number`` (from 1), "" outside the file."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def position(self, path: Sequence[str | int] = (), *, key: bool = False) -> Position:
        """The place of the value at ``path`` (or of its key), or of the nearest thing above it that is there."""
        node, at_key = self._find(path)
        found = at_key if key and at_key is not None else node
        if found is None:
            return Position(self.file, 1, 1)
        return Position(self.file, found.start_mark.line + 1, found.start_mark.column + 1)

    def has(self, path: Sequence[str | int]) -> bool:
        """Is there something at exactly this path?"""
        return self.value(path, _NOTHING) is not _NOTHING

    def value(self, path: Sequence[str | int], otherwise: Any = None) -> Any:
        """The plain value at ``path``, or ``otherwise``."""
        here: Any = self.tree
        for part in path:
            here = inside(here, part, _NOTHING)
            if here is _NOTHING:
                return otherwise
        return here

    def fault(
        self,
        path: Sequence[str | int],
        code: str,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: str = "error",
        also: Position | None = None,
        offset: int | None = None,
        way: str = "",
    ) -> Fault:
        """A fault at ``path`` (at its key with ``key``); ``offset`` moves it to a character of the value's text."""
        node, at_key = self._find(path)
        found = at_key if key and at_key is not None else node
        if found is None:
            return self.fault_at(1, 1, code, message, hint, severity=severity, also=also, way=way)
        line, column = found.start_mark.line + 1, found.start_mark.column + 1
        end = found.end_mark.column + 1 if found.end_mark.line + 1 == line else 0
        if offset is not None and isinstance(node, ScalarNode) and node.style not in ("|", ">"):
            line, column = self._within(node, offset)
            word = _WORD.match(self.line(line), column - 1)
            end = word.end() + 1 if word is not None else column + 1
        return self.fault_at(
            line, column, code, message, hint, severity=severity, also=also, way=way, end=end
        )

    def _within(self, node: ScalarNode, offset: int) -> tuple[int, int]:
        """Line and column of a character of a text. What is written may be longer than what it says: quotes that are
        doubled, escapes, lines that are folded into one."""
        start, end = node.start_mark, node.end_mark
        column = start.column + 1 + offset + (1 if node.style in ('"', "'") else 0)
        written = self.line(start.line + 1)[start.column : end.column if start.line == end.line else None]
        if start.line == end.line and len(written) == len(node.value) + (2 if node.style else 0):
            return start.line + 1, column
        lines = [self.line(number + 1) for number in range(start.line, end.line + 1)]
        lines[-1] = lines[-1][: end.column]
        at, here = start.column + (1 if node.style else 0), 0
        for char in node.value[:offset]:
            if (
                here < len(lines)
                and at >= len(lines[here].rstrip())
                and char.isspace()
                and here + 1 < len(lines)
            ):
                here, at = here + 1, len(lines[here + 1]) - len(lines[here + 1].lstrip())
            elif node.style == "'" and lines[here].startswith("''", at):
                at += 2
            elif node.style == '"' and lines[here].startswith("\\", at):
                at += {"x": 4, "u": 6, "U": 10}.get(lines[here][at + 1 : at + 2], 2)
            else:
                at += 1
        return start.line + here + 1, at + 1

    def fault_at(
        self,
        line: int,
        column: int,
        code: str,
        message: str,
        hint: str = "",
        *,
        severity: str = "error",
        also: Position | None = None,
        way: str = "",
        end: int = 0,
    ) -> Fault:
        """A fault at a line and column (from 1); ``end`` is the column behind what is meant."""
        return Fault(self.file, line, column, code, message, hint, severity, self.line(line), also, way, end)

    def _find(self, path: Sequence[str | int]) -> tuple[Node | None, Node | None]:
        node, at_key = self.nodes(), None
        for part in path:
            if isinstance(node, MappingNode):
                written = (part, _PHONE.get(part))
                for key, value in node.value:
                    if key.value in written:
                        node, at_key = value, key
                        break
                else:
                    break
            elif isinstance(node, SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
                node, at_key = node.value[part], None
            else:
                break
        return node, at_key


_NOTHING = object()
# What an editor underlines from a place within a text: a slot, a quoted word, a dotted name, a sign.
_WORD = re.compile(r"""\{[^{}]*\}|"[^"]*"|'[^']*'|[\w./]+|[^\w\s]{1,2}""")
# A shape reads the keys `star` and `hash` as the phone's characters; the file has the words.
_PHONE: dict[str | int, str] = {"*": "star", "#": "hash"}
# The two ways to write one key of the phone.
_SIGNS = {"*": "star", "star": "*", "#": "hash", "hash": "#"}


def inside(tree: Any, part: str | int, otherwise: Any = None) -> Any:
    """What a mapping has at a key, or a list at an index; ``otherwise`` when there is nothing."""
    if isinstance(tree, dict):
        if part in tree:
            return tree[part]
        return tree.get(_PHONE.get(part, ""), otherwise)
    if isinstance(tree, list) and isinstance(part, int) and 0 <= part < len(tree):
        return tree[part]
    return otherwise


def read_document(path: Path, *, name: str | None = None, max_bytes: int = MAX_BYTES) -> Document:
    """Read one file. ``name`` is how faults call it (the path as given by default). Never raises for the
    file's contents or for a file that can't be read: look at ``Document.faults``."""
    file = name if name is not None else str(path)
    try:
        if (size := path.stat().st_size) > max_bytes:
            return _refused(file, "too-large", f"the file has {size:,} bytes, {max_bytes:,} are allowed")
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        return _refused(file, "unreadable", f"the file can't be read: {error.strerror or error}", line=0)
    if len(data) > max_bytes:
        return _refused(file, "too-large", f"the file has more than {max_bytes:,} bytes")
    return parse_bytes(data, file)


def parse_bytes(data: bytes, file: str) -> Document:
    """Parse the bytes of a file; they must be UTF-8 (a byte-order mark is allowed)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        document = Document(file, data.decode("utf-8", "replace"))
        document.faults.append(
            document.fault_at(
                line,
                column,
                "not-utf-8",
                f"byte 0x{data[error.start]:02x} is not UTF-8",
                "save the file as UTF-8",
            )
        )
        return document
    return parse_text(text, file)


def parse_text(text: str, file: str) -> Document:
    """Parse the text of a file."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    document = Document(file, text)
    # Asking whether all is printable is twenty times as fast as the pattern, and nearly always enough.
    plain = text.replace("\n", "").replace("\t", "").isprintable()
    if not plain and (found := _FORBIDDEN.search(text)):
        line, column = _place(text, found.start())
        document.faults.append(
            document.fault_at(
                line, column, "control-character", f"character U+{ord(found.group()):04X} is not allowed"
            )
        )
        return document
    hash_keys = list(_hash_keys(document)) if "#" in text else []
    signs = "&" in text or "*" in text or "!" in text
    root: Node | None = None
    try:
        if (signs and _SUSPECT.search(text)) or _openers(text) > _COMPOSE_DEPTH:
            root = _mended(document, hash_keys)
        else:
            root = compose.FastComposer(text).get_single_node()
    except yaml.YAMLError:
        root = _mended(document, hash_keys)
    document._root = root
    if document.faults and root is None:
        return document
    if hash_keys:
        quoted = list(_quoted_lines(root))
        document.faults += [
            fault for fault in hash_keys if not any(begin < fault.line <= end for begin, end in quoted)
        ]
    if root is None:
        document.faults.append(document.fault_at(1, 1, "empty-file", "the file is empty"))
        return document
    document.tree = _Builder(document).build(root, 1)
    return document


def _mended(document: Document, hash_keys: list[Fault]) -> Node | None:
    """The nodes of a file that can't be composed as it stands, or must not be: without what is wrong in it."""
    text = mend.cut_out(document, document.text)
    if text is None:
        if hash_keys:  # what the parser made of `#: x` is not the mistake
            document.faults = hash_keys
        return None
    lost = {fault.line for fault in hash_keys}
    document.faults = [fault for fault in document.faults if not lost & _cut_with(document, fault.line)]
    document.read = text = mend.without_marks(document, text)
    try:
        root: Node | None = compose.FastComposer(text).get_single_node()
    except yaml.YAMLError as error:  # a second document
        document.faults.append(mend.explain(document, error))
        return None
    return root


def _cut_with(document: Document, line: int) -> set[int]:
    """The lines (from 1) that were cut out together with a line."""
    for begin, raw in document.holes.items():
        here = set(range(begin + 1, begin + raw.count("\n") + 2))
        if line in here:
            return here
    return set()


# -- before composing ---------------------------------------------------------------------------

# Line ends other than \n would make our line count differ from an editor's.
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]|(?!^)\ufeff"
)
# An alias, anchor or tag can begin only where a node can.
_SUSPECT = re.compile(r"(?:^|[\s\[{,])[&*!][^\s\]},:]", re.MULTILINE)
_HASH_KEY = re.compile(r"(?:^|[\s{,])(#[ \t]*:)[ \t]", re.MULTILINE)
_INDENT = re.compile(r"^[ ?-]+", re.MULTILINE)


def _openers(text: str) -> int:
    """No node of the text is nested deeper than this."""
    brackets = text.count("[") + text.count("{")
    # Each further level of blocks takes at least one more character in front of a line, or none every second time.
    longest = max(map(len, text.split("\n")))
    if brackets + 2 * longest > _COMPOSE_DEPTH:
        longest = max((len(found) for found in _INDENT.findall(text)), default=0)
    return brackets + 2 * longest


def _hash_keys(document: Document) -> Iterator[Fault]:
    """``#: x`` was meant as the phone's hash key, but begins a comment."""
    for found in _HASH_KEY.finditer(document.text):
        line, column = _place(document.text, found.start(1))
        before = document.line(line)[: column - 1].strip()
        if before == "" or before.endswith(("{", ",")):
            yield document.fault_at(
                line, column, "hash-key", "`#` begins a comment, so this option is lost", "write `hash:`"
            )


def _quoted_lines(node: Node | None) -> Iterator[tuple[int, int]]:
    """The lines of texts that run over several: the first (whose text begins behind a key) and the last."""
    if isinstance(node, ScalarNode) and node.style:
        end = node.end_mark
        yield node.start_mark.line + 1, end.line + (1 if end.column else 0)
    elif isinstance(node, (SequenceNode, MappingNode)):
        for item in node.value:
            for part in item if isinstance(item, tuple) else (item,):
                yield from _quoted_lines(part)


# -- from nodes to a plain tree ------------------------------------------------------------------


class _Builder:
    __slots__ = ("comments", "document", "holes")

    def __init__(self, document: Document) -> None:
        self.document = document
        self.holes = document.read is not document.text
        # Only in a line with a `#` behind a blank can a text have been cut off.
        self.comments: frozenset[int] = frozenset()
        if " #" in document.text or "\t#" in document.text:
            lines = document.text.split("\n")
            self.comments = frozenset(
                number for number, line in enumerate(lines) if " #" in line or "\t#" in line
            )

    def build(self, node: Node, depth: int) -> Tree:
        if type(node) is ScalarNode:
            value: str = node.value
            if node.style:
                return value
            if self.holes and mend.is_hole(value):
                return Broken(self.document.holes.get(node.start_mark.line, ""))
            if not value:
                return self.empty(node, "a value")
            if self.comments:
                mark = node.end_mark
                if mark.line in self.comments and _CUT.match(self.document.line(mark.line + 1), mark.column):
                    return Cut(value)
            return value
        if depth > MAX_DEPTH:
            self.document.faults.append(mend.too_deep(self.document, node.start_mark))
            return Broken()
        depth += 1
        looked = self.comments or self.holes
        if type(node) is SequenceNode:
            return [
                item.value
                if type(item) is ScalarNode and item.value and not looked
                else self.build(item, depth)
                for item in node.value
            ]
        result: dict[str, Tree] = {}
        pairs = node.value
        for key, value_node in pairs:
            if type(key) is not ScalarNode:
                self.add(
                    key,
                    "complex-key",
                    "a key must be a plain word",
                    "a text that begins with { or [ must be quoted",
                )
                continue
            name: str = key.value
            if (self.holes and mend.is_hole(name)) or (name == "<<" and self.hole(value_node)):
                continue
            if name in result or (name in _SIGNS and _SIGNS[name] in result):
                first = next(k for k, _ in pairs if k.value in (name, _SIGNS.get(name)))
                where = Position(self.document.file, first.start_mark.line + 1, first.start_mark.column + 1)
                self.add(
                    key, "duplicate-key", f"`{name}` is given twice, first in line {where.line}", also=where
                )
                continue
            if not name and not key.style:
                self.add(key, "empty-key", "a key is missing before `:`")
                continue
            if type(value_node) is ScalarNode:
                if value_node.value and not looked:  # most of all there is
                    result[name] = value_node.value
                    continue
                if not value_node.value and not value_node.style:
                    if self.braces(node, key):
                        self.add(
                            node,
                            "unquoted-braces",
                            f"`{{{name}}}` without quotes is a mapping, not a text",
                            f'quote it: "{{{name}}}"',
                        )
                        return Broken()
                    result[name] = self.empty(key, f"the value of `{name}`")
                    continue
            result[name] = self.build(value_node, depth)
        return result

    def hole(self, node: Node) -> bool:
        return self.holes and type(node) is ScalarNode and mend.is_hole(node.value)

    def braces(self, node: Node, key: ScalarNode) -> bool:
        """Is this mapping ``{waybill}``, without a colon behind its only key?"""
        if not isinstance(node, MappingNode) or len(node.value) != 1 or not node.flow_style:
            return False
        line = self.document.line(key.end_mark.line + 1)
        return not line[key.end_mark.column :].lstrip().startswith(":")

    def empty(self, node: ScalarNode, what: str) -> Tree:
        rest = self.document.line(node.end_mark.line + 1)[node.end_mark.column :].lstrip(": \t")
        if rest.startswith("#"):
            hint = "what follows # is a comment: for the hash key write `hash`, or quote the text"
        else:
            hint = 'give it a value, or "" for an empty text'
        self.add(node, "empty-value", f"{what} is missing", hint)
        return Broken()

    def add(self, node: Node, code: str, message: str, hint: str = "", also: Position | None = None) -> None:
        mark = node.start_mark
        self.document.faults.append(
            self.document.fault_at(mark.line + 1, mark.column + 1, code, message, hint, also=also)
        )


_CUT = re.compile(r"[ \t]+#")


def _place(text: str, index: int) -> tuple[int, int]:
    """Line and column (from 1) of a character."""
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def _refused(file: str, code: str, message: str, line: int = 1) -> Document:
    document = Document(file, "")
    document.faults.append(document.fault_at(line, 1 if line else 0, code, message))
    return document


def yaml_files(folder: Path) -> Iterator[Path]:
    """The YAML files of a folder, sorted by name; hidden ones are left out."""
    if folder.is_dir():
        yield from sorted(
            path
            for path in folder.iterdir()
            if path.suffix in (".yaml", ".yml") and not path.name.startswith(".") and path.is_file()
        )
