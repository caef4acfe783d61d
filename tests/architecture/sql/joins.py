"""Which ledger tables of a statement are held to which buckets: by a value, by a list of them, or by each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pglast import ast as pg
from pglast.enums import A_Expr_Kind, BoolExprType

from tests.architecture.sql.trees import column, names, nodes

Distributed = Callable[[str], bool]
Key = tuple[int, str]  # a table within its block

BUCKET = "bucket"
VALUE: Key = (0, "a value")
_QUERIES = (pg.SelectStmt, pg.UpdateStmt, pg.DeleteStmt)


@dataclass(eq=False)
class Block:
    """One SELECT, UPDATE or DELETE with what stands in its FROM: `ours` are cut by bucket, `others` are not."""

    tree: pg.Node
    outer: Block | None
    is_condition: bool  # EXISTS, IN and the like: part of the question of the outer block
    ours: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    on: list[pg.Node] = field(default_factory=list)
    using: list[set[str]] = field(default_factory=list)

    def key(self, alias: str) -> Key:
        return (id(self), alias)


class Held:
    """The tables of a statement, and what their buckets are equal to."""

    def __init__(self, tree: pg.Node, distributed: Distributed) -> None:
        self._distributed = distributed
        self._ctes = {cte.ctename for cte in nodes(tree, pg.CommonTableExpr)}
        self.blocks: list[Block] = []
        self._same: dict[Key, Key] = {}
        self.single: set[Key] = set()
        self._read(tree, None, is_condition=False)
        for block in self.blocks:
            for together in block.using:
                for alias in together:
                    self._tie(block.key(min(together)), block.key(alias))
            for condition in block.on:
                self._equate(block, condition)

    def root(self, key: Key) -> Key:
        while (next_ := self._same.get(key, key)) != key:
            key = next_
        return key

    def to_a_value(self, key: Key) -> bool:
        """Whether the table's bucket is among those that the caller names."""
        return self.root(key) == VALUE

    def apart(self) -> bool:
        """Whether tables are joined whose buckets need not be equal."""
        for block in self.blocks:
            inner = [b for b in self.blocks if b.is_condition and b.outer is block]
            roots = {self.root(b.key(alias)) for b in [block, *inner] for alias in b.ours}
            if len(roots) > 1:
                return True
        return False

    # Reading the tree.

    def _read(self, tree: object, outer: Block | None, *, is_condition: bool) -> None:
        if isinstance(tree, pg.SelectStmt) and tree.larg is not None:
            self._read(tree.larg, outer, is_condition=False)
            self._read(tree.rarg, outer, is_condition=False)
            self._below([tree.withClause], outer)
        elif isinstance(tree, _QUERIES):
            block = Block(tree, outer, is_condition)
            self.blocks.append(block)
            self._sources(block)
            self._below([getattr(tree, name) for name in tree], block)
        elif isinstance(tree, pg.Node):
            self._below([tree], outer, into=True)

    def _below(self, parts: list[object], block: Block | None, *, into: bool = False) -> None:
        for part in parts:
            if isinstance(part, tuple | list):
                self._below(list(part), block)
            elif isinstance(part, _QUERIES) and not into:
                self._read(part, block, is_condition=False)
            elif isinstance(part, pg.SubLink):
                self._read(part.subselect, block, is_condition=True)
                self._below([part.testexpr], block)
            elif isinstance(part, pg.Node):
                self._below([getattr(part, name) for name in part], block)

    def _sources(self, block: Block) -> None:
        tree = block.tree
        if isinstance(tree, pg.SelectStmt):
            parts = tree.fromClause or ()
        else:
            parts = (tree.relation, *((tree.fromClause if isinstance(tree, pg.UpdateStmt) else tree.usingClause) or ()))
        for part in parts:
            self._source(block, part)
        if tree.whereClause is not None:
            block.on.append(tree.whereClause)

    def _source(self, block: Block, part: pg.Node) -> set[str]:
        """Take one item of a FROM in; the aliases of ours that it holds."""
        if isinstance(part, pg.JoinExpr):
            found = self._source(block, part.larg) | self._source(block, part.rarg)
            if part.quals is not None:
                block.on.append(part.quals)
            if part.isNatural or BUCKET in names(part.usingClause):
                block.using.append(found)
            return found
        if isinstance(part, pg.RangeVar):
            alias = part.alias.aliasname if part.alias else part.relname
            is_cte = part.schemaname is None and part.relname in self._ctes
            if not is_cte and self._distributed(part.relname):
                block.ours.add(alias)
                return {alias}
            block.others.add(alias)
        elif getattr(part, "alias", None) is not None:
            block.others.add(part.alias.aliasname)
        return set()

    # What equals what.

    def _equate(self, block: Block, condition: pg.Node) -> None:
        if isinstance(condition, pg.BoolExpr) and condition.boolop == BoolExprType.AND_EXPR:
            for part in condition.args:
                self._equate(block, part)
        elif isinstance(condition, pg.A_Expr):
            for one, other, kind in _pairs(condition):
                self._equal(block, one, other, kind)
                self._equal(block, other, one, kind)

    def _equal(self, block: Block, one: object, other: object, kind: A_Expr_Kind) -> None:
        key = self._bucket(block, one)
        if key is None:
            return
        if (same := self._bucket(block, other)) is not None and kind == A_Expr_Kind.AEXPR_OP:
            self._tie(key, same)
        elif all(self._is_foreign(block, ref) for ref in nodes(other, pg.ColumnRef)):
            self._tie(key, VALUE)
            if kind == A_Expr_Kind.AEXPR_OP and not any(nodes(other, pg.ColumnRef)):
                self.single.add(key)

    def _bucket(self, block: Block, part: object) -> Key | None:
        """The table whose bucket this is."""
        if not isinstance(part, pg.ColumnRef) or column(part)[1] != BUCKET:
            return None
        said = column(part)[0]
        within: Block | None = block
        while within is not None:
            if said in within.ours or (not said and len(within.ours) == 1 and not within.others):
                return within.key(said or min(within.ours))
            if said in within.others:
                return None
            within = within.outer
        return None

    def _is_foreign(self, block: Block, ref: pg.ColumnRef) -> bool:
        """Whether a column is of something that is no table of ours: of an array, or of a query that was held."""
        said = column(ref)[0]
        within: Block | None = block
        while within is not None:
            if said in within.others:
                return True
            if said in within.ours or not said:
                return False
            within = within.outer
        return False

    def _tie(self, one: Key, other: Key) -> None:
        first, second = self.root(one), self.root(other)
        if first != second:
            kept, tied = (first, second) if first == VALUE else (second, first)
            self._same[tied] = kept


def _pairs(condition: pg.A_Expr) -> Iterator[tuple[object, object, A_Expr_Kind]]:
    """What the expression sets equal, or confines to a list or a span."""
    kind, left, right = condition.kind, condition.lexpr, condition.rexpr
    confining = (A_Expr_Kind.AEXPR_OP_ANY, A_Expr_Kind.AEXPR_IN, A_Expr_Kind.AEXPR_BETWEEN)
    if kind == A_Expr_Kind.AEXPR_OP and names(condition.name) == ["="]:
        if isinstance(left, pg.RowExpr) and isinstance(right, pg.RowExpr):
            yield from ((one, other, kind) for one, other in zip(left.args, right.args, strict=False))
        else:
            yield left, right, kind
    elif kind in confining and names(condition.name) in (["="], ["BETWEEN"]):
        yield left, right, kind
