"""Files that YAML refuses, made readable for the rest of them: so that one mistake hides no other.

What can't be parsed is cut out, the smallest part that does: a value, an item of a list (a step), a key with all below
it (a block). In its place stands a hole, whose text is kept: the names in it may be what the rest refers to.
Aliases, anchors and tags, which people don't mean, are blanked. Lines and columns stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import yaml

from engine.schema import compose
from engine.schema.faults import Fault

if TYPE_CHECKING:
    from engine.schema.source import Document

MAX_DEPTH = 32
#: A scalar of nothing but these stands where something was cut out.
HOLE: Final = "\ue000"
_MOST = 20  # mistakes that are cut out of one file
_MOST_LARGE = 2  # and of one that takes long to read again and again
_LARGE = 100_000  # characters


def is_hole(text: str) -> bool:
    """Was something cut out here?"""
    return text.startswith(HOLE) and not text.strip(HOLE)


# -- what can't be parsed ------------------------------------------------------------------------


def cut_out(document: Document, text: str) -> str | None:
    """``text`` without the parts that can't be parsed, each told in ``document.faults`` and kept in ``document.holes``
    by its line (from 0). None when that leads nowhere: then the fault is told, and the file is not read."""
    error = _error(text)
    if error is not None and not isinstance(error, _TooDeep):
        text = _cut_unclosed(document, text)
        error = _error(text)
    for _ in range(_MOST if len(text) < _LARGE else _MOST_LARGE):
        if error is None:
            return text
        if isinstance(error, _TooDeep):
            document.faults.append(too_deep(document, error.problem_mark))
            return None
        fault = explain(document, error)
        cut = _best_cut(text.split("\n"), error)
        if cut is None:
            document.faults.append(fault)
            return None
        text, error, begin, _, raw = cut
        document.faults.append(fault)
        document.holes[begin] = raw
    if error is not None:
        document.faults.append(explain(document, error))
        return None
    return text


class _TooDeep(yaml.MarkedYAMLError):
    """Nested so deep that it is an attack, or takes for ever to read."""


def _error(text: str) -> yaml.YAMLError | None:
    """What keeps a text from being parsed, walking its events, which needs no recursion."""
    parser, depth = compose.FastComposer(text), 0
    try:
        for event in iter(parser.get_event, None):
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
                if depth > MAX_DEPTH:
                    return _TooDeep(problem_mark=event.start_mark)  # type: ignore[arg-type]
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
    except yaml.YAMLError as error:
        return error
    return None


# -- quotes and brackets without an end ------------------------------------------------------------


def _cut_unclosed(document: Document, text: str) -> str:
    """``text`` without the parts in which a quote or bracket is opened and not closed before the next key or item, and
    with the colons that are missing behind keys. The parser would go on reading, and tell of it, and of what is right
    behind it, at some later place."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        if (block := _BLOCK_TEXT.search(lines[at])) is not None and not lines[at].lstrip().startswith("#"):
            indent, at = _indent(lines[at]), at + 1
            while block and at < len(lines) and (not lines[at].strip() or _indent(lines[at]) > indent):
                at += 1
            continue
        if (bare := _bare_key(lines, at)) is not None:
            lines[at] = bare
            message = f"`:` is missing behind `{bare.strip(' -:')}`"
            document.faults.append(document.fault_at(at + 1, len(bare), "syntax", message))
        scan = _Scan()
        begin, indent = at, _indent(lines[at])
        wrong = scan.line(lines[at], at)
        at += 1
        while wrong is None and scan.open and at < len(lines):
            if lines[at].strip() and _indent(lines[at]) <= indent and _structural(lines[at]):
                break
            wrong = scan.line(lines[at], at)
            at += 1
        if wrong is None and scan.open:
            sign, line, column = scan.open[-1]
            what = "this quote" if sign in "\"'" else f"this `{sign}`"
            wrong = line, column, f"{what} is never closed"
        if wrong is not None:
            line, column, message = wrong
            document.faults.append(document.fault_at(line + 1, column + 1, "syntax", message))
            first, end, instead = next(_parts(lines, begin), (begin, at, ""))
            end = max(end, at)
            document.holes[first] = "\n".join(lines[first:end])
            lines[first:end] = [instead, *[""] * (end - first - 1)]
            at = max(at, end)
    return "\n".join(lines)


_BARE = re.compile(r"( *(?:- )?[A-Za-z_][\w-]*)\s*(?:#.*)?")


def _bare_key(lines: list[str], at: int) -> str | None:
    """A line with a lone word, below which stands what belongs to a key: that line with its colon."""
    found = _BARE.fullmatch(lines[at])
    below = next((line for line in lines[at + 1 :] if line.strip() and not line.lstrip().startswith("#")), "")
    if found is None or _indent(below) <= _indent(lines[at]):
        return None
    # Below `- word` an item is no list of its own: it was moved in too far.
    fits = _KEY if lines[at].lstrip().startswith("- ") else re.compile(f"{_ITEM.pattern}|{_KEY.pattern}")
    return f"{found[1]}:" if fits.match(below) is not None else None


_BLOCK_TEXT = re.compile(r"(?:^|[\s:-])[|>][-+0-9]*\s*(?:#.*)?$")
_CLOSES: Final = {"}": "{", "]": "["}


class _Scan:
    """Quotes and brackets over the lines of one value, as YAML reads them."""

    def __init__(self) -> None:
        self.open: list[tuple[str, int, int]] = []  # sign, line, column

    def line(self, text: str, number: int) -> tuple[int, int, str] | None:
        """Read one more line. A place and message where a bracket closes what it can't."""
        at, begins = 0, True  # may a value begin here?
        while at < len(text):
            char = text[at]
            quote = self.open[-1][0] if self.open and self.open[-1][0] in "\"'" else ""
            if quote:
                if quote == '"' and char == "\\":
                    at += 1
                elif char == quote:
                    if quote == "'" and text.startswith("''", at):
                        at += 1
                    else:
                        self.open.pop()
                        begins = False
            elif char == "#" and (at == 0 or text[at - 1] in " \t"):
                break
            elif char in "\"'" and begins:
                self.open.append((char, number, at))
            elif char in "{[" and (begins or self.open):
                self.open.append((char, number, at))
                begins = True
            elif char in "}]" and self.open:
                if self.open[-1][0] != _CLOSES[char]:
                    return number, at, f"`{char}` does not close the `{self.open[-1][0]}` before"
                self.open.pop()
                begins = False
            elif (char == "," and self.open) or (char in ":-" and text[at + 1 : at + 2] in ("", " ")):
                begins = True
            elif char not in " \t":
                begins = False
            at += 1
        return None


def _structural(line: str) -> bool:
    return _ITEM.match(line) is not None or _KEY.match(line) is not None


_Cut = tuple[str, "yaml.YAMLError | None", int, int, str]


def _best_cut(lines: list[str], error: yaml.YAMLError) -> _Cut | None:
    """The smallest cut after which the file can be read on: the new text, its next error, where was cut (the first line
    and the one behind the last), and what stood there. None when none helps."""
    at = _line_of(error)
    chains = [list(_parts(lines, start)) for start in _suspects(lines, error, at)]
    for level in range(max(map(len, chains), default=0)):
        best: tuple[float, _Cut] | None = None
        for chain in chains:
            if level >= len(chain):
                continue
            begin, end, instead = chain[level]
            new = "\n".join([*lines[:begin], instead, *[""] * (end - begin - 1), *lines[end:]])
            left = _error(new)
            reached = float("inf") if left is None else _line_of(left)
            if reached > max(at, end - 1) and (best is None or reached > best[0]):
                best = reached, (new, left, begin, end, "\n".join(lines[begin:end]))
        if best is not None:
            return best[1]
    return None


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line if mark is not None else 0


def _suspects(lines: list[str], error: yaml.YAMLError, at: int) -> list[int]:
    """Lines that may hold the mistake: where the parser gave up, where what it was reading began, the one before."""
    last = next((n for n in range(min(at, len(lines) - 1), -1, -1) if lines[n].strip()), 0)
    found = [last]
    context = getattr(error, "context_mark", None)
    if context is not None and re.search("quoted|flow", str(getattr(error, "context", ""))):
        found.append(context.line)
    found += [n for n in range(last - 1, -1, -1) if lines[n].strip()][:1]
    return [line for line in dict.fromkeys(found) if line < len(lines)]


_ITEM = re.compile(r"( *)- ")
_KEY = re.compile(r"""( *)(?:"[^"]*"|'[^']*'|[^\s#:"'\[{&*!|>%@-][^:#]*?):(?:\s|$)""")


def _parts(lines: list[str], at: int) -> Iterator[tuple[int, int, str]]:
    """The parts of a file that hold a line, from the smallest on: first line, the line behind the last, and what stands
    there once it is cut out."""
    depth = _indent(lines[at]) + 1 if lines[at].strip() else 10**6
    for line in range(at, -1, -1):
        text = lines[line]
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        indent = _indent(text)
        if indent >= depth and not (indent == depth == 0):
            continue
        item = _ITEM.match(text)
        key = None if item is not None else _KEY.match(text)
        if item is None and key is None:
            depth = min(depth, indent + 1)
            continue
        end = line + 1
        while end < len(lines) and (
            not lines[end].strip()
            or _indent(lines[end]) > indent
            or (key is not None and _indent(lines[end]) == indent and _ITEM.match(lines[end]) is not None)
        ):
            end += 1
        while end > line + 1 and not lines[end - 1].strip():
            end -= 1
        if item is not None:
            within = _KEY.match(" " * indent + "  " + text[indent + 2 :])
            if line == at and within is not None and end > line + 1:
                # `- id: "x` of a step with more keys: the one line first.
                yield line, line + 1, text[: within.end()].rstrip() + f" {HOLE}"
            yield line, end, f"{item[1]}- {HOLE}"
        else:
            assert key is not None
            yield line, end, f"{text[: key.end()].rstrip()} {HOLE}"
        # An item belongs to a key that may stand as far to the left as itself.
        depth = indent + 1 if item is not None and indent > 0 and _listed(lines, line, indent) else indent


def _listed(lines: list[str], at: int, indent: int) -> bool:
    """Does the list of the item in line ``at`` stand as far to the left as its key?"""
    for line in range(at - 1, -1, -1):
        text = lines[line]
        if text.strip() and not text.lstrip().startswith("#") and _indent(text) <= indent:
            if _indent(text) == indent and _ITEM.match(text) is not None:
                continue
            return _indent(text) == indent
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


# -- aliases, anchors, tags ----------------------------------------------------------------------


_MARKS = re.compile(r"&[A-Za-z0-9_-]+|!(?:<[^>\s]*>|[^\s,\[\]{}]*)")
_HINTS: Final = {
    "alias": "write the value out; a text that begins with * must be quoted",
    "anchor": "remove it; a text that begins with & must be quoted",
    "tag": "remove it; a text that begins with ! must be quoted",
}


def without_marks(document: Document, text: str) -> str:
    """``text``, which can be parsed, without its aliases, anchors and tags, each told in ``document.faults``."""
    blanks: list[tuple[int, int, str]] = []
    for event in iter(compose.FastComposer(text).get_event, None):
        mark: Any = event.start_mark
        end: Any = event.end_mark
        if isinstance(event, yaml.AliasEvent):
            _refuse(document, mark, "alias", f"alias `*{event.anchor}`")
            blanks.append((mark.index, end.index, HOLE))
            continue
        if isinstance(event, yaml.NodeEvent):
            tag = getattr(event, "tag", None)
            if event.anchor is not None:
                _refuse(document, mark, "anchor", f"anchor `&{event.anchor}`")
            if tag is not None:
                _refuse(document, mark, "tag", f"tag `{tag}`")
            if event.anchor is not None or tag is not None:
                # A scalar without text is what was meant as one: `title: !x`.
                bare = isinstance(event, yaml.ScalarEvent) and not event.value and not event.style
                blanks += _mark_places(text, mark.index, HOLE if bare else " ")
    for begin, end, blank in reversed(blanks):
        text = text[:begin] + blank * (end - begin) + text[end:]
    return text


def _mark_places(text: str, at: int, blank: str) -> Iterator[tuple[int, int, str]]:
    """The anchor and the tag that begin at ``at``; the last one is what is replaced by ``blank``."""
    found = []
    while (mark := _MARKS.match(text, at)) is not None:
        found.append(mark.span())
        at = mark.end()
        while at < len(text) and text[at] in " \n":
            at += 1
    for number, (begin, end) in enumerate(found):
        yield begin, end, blank if number == len(found) - 1 else " "


def _refuse(document: Document, mark: Any, code: str, what: str) -> None:
    document.faults.append(
        document.fault_at(mark.line + 1, mark.column + 1, code, f"{what} is not allowed", _HINTS[code])
    )


def too_deep(document: Document, mark: Any) -> Fault:
    """The fault of something that is nested too deep."""
    return document.fault_at(
        mark.line + 1, mark.column + 1, "too-deep", f"nested more than {MAX_DEPTH} levels deep"
    )


# -- what libyaml refuses, in people's words -------------------------------------------------------


def explain(document: Document, error: yaml.YAMLError) -> Fault:
    """An error of the parser, in people's words."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error).splitlines()[0]
    context = str(getattr(error, "context", None) or "")
    if mark is None:
        return document.fault_at(1, 1, "syntax", problem)
    line, column = mark.line + 1, mark.column + 1
    if "alias" in context:
        start = error.context_mark  # type: ignore[attr-defined]
        return document.fault_at(
            start.line + 1,
            start.column + 1,
            "unquoted-star",
            "`*` without quotes is YAML syntax",
            'write `star`, or "*"',
        )
    # libyaml reports the line where it gave up; people made the mistake on the line that has text.
    if line > 1 and not document.line(line).strip():
        line = next((n for n in range(line, 0, -1) if document.line(n).strip()), 1)
        column = len(document.line(line).rstrip()) + 1
    text = document.line(line)
    before = text[: column - 1].rstrip()
    hint = ""
    if "\t" in text[:column]:
        problem, hint = "a tab can't indent", "indent with blanks"
    elif before.endswith("}") or re.search(r":\s*\{[^{}:]*\}\s*\S", text):
        hint = "a text with braces in front must be quoted"
    elif "cannot start any token" in problem:
        problem = f"a text can't begin with {text[column - 1 : column]}"
        hint = "quote it"
    elif "mapping values are not allowed" in problem:
        hint = "a text with `: ` in it must be quoted; or the indentation is wrong"
    elif "another document" in problem:
        problem, hint = "a file holds one document", "remove the `---`"
    elif "#" in text and "flow" in context:
        hint = "` #` begins a comment: write `hash` for the key, or quote the text"
    elif "expected key" in problem or "expected '-' indicator" in problem:
        hint = "check the indentation"
    elif "end of stream" in problem and "quoted" in context:
        start = error.context_mark  # type: ignore[attr-defined]
        line, column = start.line + 1, start.column + 1
        problem = "this quote is never closed"
    code = "tab" if hint == "indent with blanks" else "syntax"
    return document.fault_at(line, column, code, problem, hint)
