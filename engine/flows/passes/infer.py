"""The type of an expression over typed names; what surely goes wrong when it is evaluated is reported."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import NoneType
from typing import Protocol

from engine.flows.expressions import Expression
from engine.flows.types import ANY, FLAG, NOTHING, REAL, TEXT, WHOLE, Type, join, list_of, literal
from engine.schema.faults import did_you_mean

#: Takes a fault within an expression: its offset, code, message, hint.
Report = Callable[[int, str, str, str], None]


class NamesOf(Protocol):
    """Who knows the types of names."""

    def name_type(self, name: str) -> Type: ...


def silent(offset: int, code: str, message: str, hint: str) -> None:
    """Reports nothing."""


def infer(expression: Expression, names: NamesOf, report: Report = silent) -> Type:
    """The type of ``expression``. ANY where it is not known, and where it is faulty."""
    node = expression._node
    return ANY if node is None else _Infer(expression.text, names, report).type_of(node)


class _Infer:
    __slots__ = ("names", "report", "text")

    def __init__(self, text: str, names: NamesOf, report: Report) -> None:
        self.text = text
        self.names = names
        self.report = report

    def type_of(self, node: ast.AST) -> Type:
        kind = type(node)
        if kind is ast.Constant:
            value = node.value  # type: ignore[attr-defined]
            if isinstance(value, bool):
                return FLAG
            return literal(value) if isinstance(value, str) else (WHOLE if isinstance(value, int) else REAL)
        if kind is ast.Name:
            name = node.id  # type: ignore[attr-defined]
            if name in ("true", "false"):
                return FLAG
            return NOTHING if name == "none" else self.names.name_type(name)
        if isinstance(node, ast.Attribute):
            return self._field(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.BoolOp):
            made: Type | None = None
            for value in node.values:
                made = join(made, self.type_of(value))
            return (
                replace(made, literal=None) if made is not None and made.literal is not None else made or ANY
            )
        if isinstance(node, ast.UnaryOp):
            inner = self.type_of(node.operand)
            if isinstance(node.op, ast.Not):
                return _flag(inner)
            if inner.known and not inner.is_number:
                self.fault(node, "wrong-type", f"{inner} has no sign", _number_hint(inner))
                return _unknown(inner)
            return inner
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, (ast.List, ast.Tuple)):
            item: Type | None = None
            for one in node.elts:
                item = join(item, self.type_of(one))
            return list_of(item or ANY)
        return ANY

    def fault(self, node: ast.AST, code: str, message: str, hint: str = "") -> None:
        before = self.text.strip().encode()[: getattr(node, "col_offset", 0)]
        lead = len(self.text) - len(self.text.lstrip())
        self.report(len(before.decode("utf-8", "ignore")) + lead, code, message, hint)

    def source(self, node: ast.AST) -> str:
        return ast.unparse(node)

    def _field(self, node: ast.Attribute) -> Type:
        base = self.type_of(node.value)
        found = base.field(node.attr)
        if found is None:
            self.fault(node, *no_field(self.source(node.value), base, node.attr))
            return _unknown(base)
        return found

    def _binary(self, node: ast.BinOp) -> Type:
        left, right = self.type_of(node.left), self.type_of(node.right)
        mark = replace(
            ANY, private=left.holds_private or right.holds_private, secret=left.secret or right.secret
        )
        if isinstance(node.op, ast.Add) and left.is_text and right.is_text:
            return replace(TEXT, private=mark.private, secret=mark.secret)
        for side, other, at in ((left, right, node.left), (right, left, node.right)):
            if side.known and not side.is_number:
                adds = isinstance(node.op, ast.Add) and side.is_text
                if adds and not other.known:
                    continue
                hint = _number_hint(side)
                if adds and not hint:
                    hint = 'texts are joined in a text: "{one} {other}"'
                said = f"{side} and {other}" if adds else str(side)
                self.fault(at, "wrong-type", f"{said} can't be reckoned with", hint)
                return mark
        if not (left.is_number and right.is_number):
            return mark
        if Decimal in (left.of, right.of):
            return Type(Decimal, private=mark.private, secret=mark.secret)
        real = isinstance(node.op, ast.Div) or float in (left.of, right.of)
        return Type(float if real else int, private=mark.private, secret=mark.secret)

    def _compare(self, node: ast.Compare) -> Type:
        if isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            self.type_of(node.left)  # its fields are looked at
            return FLAG
        left_node, left = node.left, self.type_of(node.left)
        mark = left
        for sign, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.type_of(right_node)
            if isinstance(sign, (ast.In, ast.NotIn)):
                self._within(left_node, left, right_node, right)
            elif isinstance(sign, (ast.Eq, ast.NotEq)):
                self._equal(left_node, left, right_node, right)
            elif left.known and right.known and not _ordered(left, right):
                self.fault(
                    right_node, "wrong-type", f"{left} can't be compared with {right}", _hint(left, right)
                )
            mark = join(mark, right) if right.holds_private or right.secret else mark
            left_node, left = right_node, right
        return _flag(mark)

    def _equal(self, left_node: ast.AST, left: Type, right_node: ast.AST, right: Type) -> None:
        if not (left.known and right.known) or NoneType in (left.of, right.of):
            return
        if not _comparable(left, right):
            message = f"{left} is never {right}: this never holds"
            self.fault(right_node, "wrong-type", message, _hint(left, right))
            return
        for one, other, at, of in (
            (left, right, right_node, left_node),
            (right, left, left_node, right_node),
        ):
            if one.choices and other.literal is not None and other.literal not in one.choices:
                message = f"`{self.source(of)}` is never {other.literal!r}".replace("'", '"')
                self.fault(at, "unknown-choice", message, did_you_mean(other.literal, one.choices))
                return

    def _within(self, left_node: ast.AST, left: Type, right_node: ast.AST, right: Type) -> None:
        if isinstance(right_node, (ast.List, ast.Tuple)):
            for item in right_node.elts:
                self._equal(left_node, left, item, self.type_of(item))
            return
        if not right.known or not left.known:
            return
        if right.is_text:
            if not left.is_text:
                self.fault(left_node, "wrong-type", f"{left} can't be in a text", _hint(right, left))
        elif right.is_list:
            if right.item is not None:
                self._equal(left_node, left, right_node, right.item)
        elif not right.is_record:
            self.fault(right_node, "wrong-type", f"nothing is in {right}", 'write a list: ["a", "b"]')


def no_field(name: str, base: Type, field: str) -> tuple[str, str, str]:
    """Code, message and hint for a field that a value has not."""
    names = list(base.field_names)
    if not names:
        return "unknown-field", f"`{name}` is {base} and has no `{field}`", ""
    return "unknown-field", f"`{name}` has no `{field}`", did_you_mean(field, names)


def _unknown(of: Type) -> Type:
    return replace(ANY, private=True) if of.private else ANY


def _flag(of: Type) -> Type:
    if of.holds_private or of.secret:
        return replace(FLAG, private=of.holds_private, secret=of.secret)
    return FLAG


def _comparable(left: Type, right: Type) -> bool:
    """May the two be equal?"""
    if left.of is right.of or (left.is_number and right.is_number):
        return True
    if bool in (left.of, right.of):
        return left.is_number or right.is_number
    return issubclass(left.of, date) and issubclass(right.of, date)


def _ordered(left: Type, right: Type) -> bool:
    """Can one be less than the other?"""
    if left.of in (dict, list, NoneType) or right.of in (dict, list, NoneType):
        return False
    return _comparable(left, right) and (left.of is bool) == (right.of is bool)


def _number_hint(of: Type) -> str:
    if of.literal is not None and _is_number(of.literal):
        return f'a number is written without quotes, and set with a sign: "= {of.literal}"'
    if of.digits:
        return "digits are a text: collect them `as: number`"
    return ""


def _hint(left: Type, right: Type) -> str:
    """What was probably meant where two types don't meet."""
    for one, other in ((left, right), (right, left)):
        if one.is_number and other.is_text and (hint := _number_hint(other)):
            return hint
    for one, other in ((left, right), (right, left)):
        if one.is_text and other.is_number:
            return "quote it: a text is compared with a text"
        if issubclass(one.of, date) and other.is_text:
            return "compare a day with a day: write year, month and day, as in `now.month == 10`"
        if one.of is bool:
            return "write `true`, `false`, or only the name"
    return ""


def _is_number(text: str) -> bool:
    return text.lstrip("+-").replace(".", "", 1).isdigit()
