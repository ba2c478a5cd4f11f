"""Expressions of flows: ``shipment.state == "delivered"``, ``total + 1``, ``party.tier is known``.

The grammar is a small part of Python's: comparisons, ``and or not``, ``in``, arithmetic, names with dots,
numbers, texts, lists; ``true`` and ``false``; and ``x is known``. Everything else is refused when the flow is
loaded: calls, subscripts, lambdas, powers, names that begin with ``_``. What is left is evaluated by
simpleeval on the syntax tree made at load, with operators that are bounded (no text is repeated or
%-formatted, no number grows beyond 10**18).

Evaluation never switches greenlets, so one evaluator serves all calls of the process.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator, WithJsonSchema
from simpleeval import SimpleEval

from engine.errors import InsidelineError
from engine.flows.scope import UnknownName, field_of
from engine.schema.fields import text_of
from engine.schema.shapes import Ref, wrong

MAX_LENGTH = 500
MAX_NUMBER = 10**18
MAX_TEXT = 4096
_MAX_DEPTH = 24


class ExpressionError(InsidelineError):
    """An expression that can't be compiled (with ``offset`` into its text) or evaluated."""

    def __init__(self, message: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


class Use(NamedTuple):
    """A name that an expression reads: its dotted path, where in the text, and whether only ``is known`` asks."""

    path: tuple[str, ...]
    offset: int
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Equal when its text is."""

    text: str
    uses: tuple[Use, ...] = field(compare=False, repr=False, default=())
    _node: ast.AST | None = field(compare=False, repr=False, default=None)

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """The value over the names in ``scope``. Raises :class:`ExpressionError`, also for an unknown name."""
        return _EVALUATOR.run(self.text, self._node, scope)

    def truth(self, scope: Mapping[str, Any]) -> bool:
        """The value as yes or no."""
        return bool(self.evaluate(scope))

    tested: frozenset[str] = field(init=False, compare=False, repr=False)
    """The roots that the expression asks about with ``is known``."""
    _proven: tuple[frozenset[str], frozenset[str]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        tested = frozenset(use.path[0] for use in self.uses if use.tested)
        object.__setattr__(self, "tested", tested)
        proven = (_proved(self._node, False), _proved(self._node, True)) if tested else (tested, tested)
        object.__setattr__(self, "_proven", proven)

    def proves(self, holds: bool) -> frozenset[str]:
        """The roots that are known for sure when the expression holds (or does not hold)."""
        return self._proven[holds]

    def __str__(self) -> str:
        return self.text


def _proved(node: ast.AST | None, holds: bool) -> frozenset[str]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _proved(node.operand, not holds)
    if isinstance(node, ast.BoolOp):
        parts = [_proved(value, holds) for value in node.values]
        if isinstance(node.op, ast.And) == holds:
            return frozenset().union(*parts)
        return frozenset.intersection(*parts)
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Is, ast.IsNot)):
        root: ast.AST = node.left
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(node.ops[0], ast.Is) == holds and isinstance(root, ast.Name):
            return frozenset((root.id,))
    return frozenset()


@lru_cache(maxsize=16384)
def compile_expression(text: str) -> Expression:
    """Compile; raises :class:`ExpressionError` with the offset of the mistake and a hint."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has more than {MAX_LENGTH} characters")
    lead = len(text) - len(text.lstrip())
    try:
        tree = _parse(text.strip())
    except SyntaxError as error:
        offset = max(0, (error.offset or 1) - 1) + lead
        raise ExpressionError(*_syntax(text, offset, error)) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("this is not an expression") from None
    uses: list[Use] = []
    _Guard(text, lead, uses).check(tree, 0)
    return Expression(text, tuple(uses), tree)


def _parse(text: str) -> ast.expr:
    if re.search(r"[0-9][A-Za-z]|\\", text) is None:
        return ast.parse(text, mode="eval").body
    # `1and x` and unknown escapes are only warned of; here they are mistakes.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ast.parse(text, mode="eval").body


def _syntax(text: str, offset: int, error: SyntaxError) -> tuple[str, int, str]:
    for wrong_sign, right in (("&&", "and"), ("||", "or"), ("“", '"'), ("”", '"'), ("!", "not")):
        at = text.find(wrong_sign)
        if at >= 0 and not text.startswith("!=", at):
            return f"`{wrong_sign}` is no sign of an expression", at, f"write `{right}`"
    if (sole := re.search(r"(?<![=!<>:])=(?!=)", text)) is not None:
        return "`=` does not compare", sole.start(), "write `==`"
    return f"this is not an expression: {error.msg}", offset, ""


# -- what is allowed -------------------------------------------------------------------------------

_REFUSED: dict[type[ast.AST], str] = {
    ast.Call: "calls are not allowed",
    ast.Subscript: "`[…]` behind a name is not allowed, write name.field",
    ast.Lambda: "functions are not allowed",
    ast.IfExp: "`if … else` is not allowed, use `choose`",
    ast.JoinedStr: "f-texts are not allowed",
    ast.NamedExpr: "an expression sets nothing",
    ast.Set: "braces are not allowed: a name in an expression stands without them",
    ast.Dict: "braces are not allowed: a name in an expression stands without them",
}
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_UNARY = (ast.Not, ast.USub, ast.UAdd)
_COMPARE = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
_CONSTANTS = {"true": True, "false": False, "none": None}


class _Guard:
    """Walks a fresh syntax tree: refuses what is not in the grammar, notes the names."""

    def __init__(self, text: str, lead: int, uses: list[Use]) -> None:
        self.text = text
        self.lead = lead
        self.uses = uses

    def refuse(self, node: ast.AST, message: str, hint: str = "") -> ExpressionError:
        return ExpressionError(message, self.offset(node), hint)

    def offset(self, node: ast.AST) -> int:
        # ast counts UTF-8 bytes, and lines; an expression is one line.
        before = self.text.strip().encode()[: getattr(node, "col_offset", 0)]
        return len(before.decode("utf-8", "ignore")) + self.lead

    def check(self, node: ast.AST, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise self.refuse(node, "the expression is nested too deep")
        depth += 1
        if isinstance(node, ast.Constant):
            self.constant(node)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            path = self.path(node)
            if not (len(path) == 1 and path[0] in _CONSTANTS):
                self.uses.append(Use(path, self.offset(node)))
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                self.check(value, depth)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, _UNARY):
            self.check(node.operand, depth)
        elif isinstance(node, ast.BinOp):
            if not isinstance(node.op, _BINARY):
                raise self.refuse(node, f"`{_sign(node.op)}` is not allowed")
            self.check(node.left, depth)
            self.check(node.right, depth)
        elif isinstance(node, ast.Compare):
            self.compare(node, depth)
        elif isinstance(node, (ast.List, ast.Tuple)):
            for item in node.elts:
                self.check(item, depth)
        else:
            raise self.refuse(node, _REFUSED.get(type(node), "this is not allowed in an expression"))

    def constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, str):
            return
        if not isinstance(value, (int, float)) or (
            not isinstance(value, bool) and not abs(value) <= MAX_NUMBER
        ):
            raise self.refuse(node, "this value is not allowed in an expression")

    def path(self, node: ast.AST) -> tuple[str, ...]:
        parts: list[str] = []
        here = node
        while isinstance(here, ast.Attribute):
            parts.append(here.attr)
            here = here.value
        if not isinstance(here, ast.Name):
            raise self.refuse(node, "only a name can have fields")
        parts.append(here.id)
        for part in parts:
            if part.startswith("_"):
                raise self.refuse(node, "a name can't begin with `_`")
        return tuple(reversed(parts))

    def compare(self, node: ast.Compare, depth: int) -> None:
        for sign, right in zip(node.ops, node.comparators, strict=True):
            if not isinstance(sign, (ast.Is, ast.IsNot)):
                if not isinstance(sign, _COMPARE):  # pragma: no cover - Python has no others
                    raise self.refuse(node, "this comparison is not allowed")
                continue
            if not (isinstance(right, ast.Name) and right.id == "known") or len(node.ops) != 1:
                raise self.refuse(
                    right, "`is` asks only whether a value is known", "write `x is known`, or `==`"
                )
            if not isinstance(node.left, (ast.Name, ast.Attribute)):
                raise self.refuse(node.left, "only a name can be known")
            self.uses.append(Use(self.path(node.left), self.offset(node.left), True))
            return
        self.check(node.left, depth)
        for right in node.comparators:
            self.check(right, depth)


def _sign(sign: ast.operator) -> str:
    signs = {
        ast.Pow: "**",
        ast.LShift: "<<",
        ast.RShift: ">>",
        ast.BitOr: "|",
        ast.BitAnd: "&",
        ast.BitXor: "^",
    }
    return signs.get(type(sign), "@")


# -- operators with bounds -------------------------------------------------------------------------


def _number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Floats beside decimals become decimals (0.1 in a flow means a tenth), moments beside days become days."""
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(repr(right))
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(repr(left)), right
    # A moment beside a day is meant as its day: Python would refuse to compare them.
    if (
        isinstance(left, date)
        and isinstance(right, date)
        and isinstance(left, datetime) != isinstance(right, datetime)
    ):
        return _day(left), _day(right)
    return left, right


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _bounded(value: Any) -> Any:
    if _number(value) and not abs(value) <= MAX_NUMBER:  # NaN is not <= either
        raise ExpressionError("the number is too large")
    return value


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        if not (_number(left) and _number(right)):
            raise TypeError(f"{_kind(left)} and {_kind(right)} can't be reckoned with")
        return _bounded(function(*_alike(left, right)))

    return apply


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_TEXT:
            raise ExpressionError("the text is too long")
        return left + right
    return _PLUS(left, right)


_PLUS = _arithmetic(operator.add)


def _ordered(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        left, right = _alike(left, right)
        if not (
            (_number(left) and _number(right))
            or (isinstance(left, str) and isinstance(right, str))
            or (isinstance(left, date) and isinstance(right, date))
            or type(left) is type(right)
        ):
            raise TypeError(f"{_kind(left)} can't be compared with {_kind(right)}")
        return bool(function(left, right))

    return apply


def _same(left: Any, right: Any) -> bool:
    left, right = _alike(left, right)
    return bool(left == right)


def _within(left: Any, right: Any) -> bool:
    if isinstance(right, str):
        if not isinstance(left, str):
            raise TypeError(f"{_kind(left)} can't be in a text")
        return left in right
    if isinstance(right, Mapping):
        return left in right
    if isinstance(right, (list, tuple, set, frozenset)):
        return any(_same(left, item) for item in right)
    raise TypeError(f"nothing is in {_kind(right)}")


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, bool):
        return "yes or no"
    return "a number" if _number(value) else f"a {type(value).__name__}"


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _add,
    ast.Sub: _arithmetic(operator.sub),
    ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv),
    ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod),
    ast.Eq: _same,
    ast.NotEq: lambda left, right: not _same(left, right),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: _within,
    ast.NotIn: lambda left, right: not _within(left, right),
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


class _Evaluator(SimpleEval):  # type: ignore[misc]
    """simpleeval with our operators, names over a scope, and fields of mappings and records only."""

    names: Mapping[str, Any]
    nodes: dict[type[ast.AST], Callable[[Any], Any]]

    def __init__(self) -> None:
        super().__init__(operators=_OPERATORS, functions={}, names={})
        kept = (ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.Attribute, ast.Constant)
        self.nodes = {kind: self.nodes[kind] for kind in kept}
        self.nodes[ast.List] = self.nodes[ast.Tuple] = self._eval_items

    def run(self, text: str, node: ast.AST | None, scope: Mapping[str, Any]) -> Any:
        before = self.names
        self.names = scope
        try:
            return self._eval(node)
        except ExpressionError:
            raise
        except (UnknownName, TypeError, ArithmeticError, ValueError) as error:
            raise ExpressionError(f"{text}: {error}") from error
        finally:
            self.names = before

    def _check_disallowed_items(self, item: Any) -> None:
        """Nothing dangerous can come out: there are no calls, and only fields are read."""

    def _eval_name(self, node: ast.Name) -> Any:
        try:
            return self.names[node.id]
        except KeyError:
            if node.id in _CONSTANTS:
                return _CONSTANTS[node.id]
            raise UnknownName(node.id) from None

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        return field_of(self._eval(node.value), node.attr)

    def _eval_items(self, node: ast.List | ast.Tuple) -> Any:
        return tuple(self._eval(item) for item in node.elts)

    def _eval_compare(self, node: ast.Compare) -> Any:
        if isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            try:
                known = self._eval(node.left) is not None
            except UnknownName:
                known = False
            return known == isinstance(node.ops[0], ast.Is)
        return super()._eval_compare(node)


_EVALUATOR = _Evaluator()


# -- as a field of a shape ---------------------------------------------------------------------------


def _expression(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    try:
        return compile_expression(str(text_of(value, "an expression")))
    except ExpressionError as error:
        raise wrong("expression", error.message, error.hint, offset=error.offset) from None


#: An expression, compiled.
Expr = Annotated[
    Expression,
    PlainValidator(_expression),
    WithJsonSchema({"type": ["string", "boolean"], "examples": ['shipment.state == "delivered"']}),
    Ref("expression"),
]
