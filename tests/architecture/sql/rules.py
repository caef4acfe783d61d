"""The rules of engineering.md 6: what runs unchanged on PostgreSQL and on a cluster that is sharded by bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from pglast import ast as pg
from pglast.enums import ConstrType

from tests.architecture.sql.joins import Held
from tests.architecture.sql.statements import Statement
from tests.architecture.sql.trees import column, name_of, names, nodes, relation

REFERENCE = {"deployment", "checkpoints", "allowances", "policies", "processes"}
"""Small tables that every shard has whole."""
FOREIGN = {"alembic_version", "pg_inherits", "pg_class"}

VOLATILE = {"clock_timestamp", "timeofday", "random", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "setval"}
SERIAL = {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}

Rule = Callable[[Statement], bool]
"""Whether a statement breaks it."""


def distributed(table: str | None) -> bool:
    """Whether a table of the ledger is cut by bucket."""
    return table is not None and table not in REFERENCE | FOREIGN


# Every statement.


def names_the_bucket(statement: Statement) -> bool:
    """Each ledger table in it is held to buckets that the caller names."""
    return not _names_the_bucket(statement.tree)


def _names_the_bucket(tree: pg.Node) -> bool:
    held = Held(tree, distributed)
    return all(held.to_a_value(block.key(alias)) for block in held.blocks for alias in block.ours)


def joins_on_the_bucket(statement: Statement) -> bool:
    """What is joined lies on one shard."""
    return Held(statement.tree, distributed).apart()


def locks_one_bucket(statement: Statement) -> bool:
    """FOR UPDATE over `IN`, `= ANY`, a join or no key would lock rows on several shards."""
    held = Held(statement.tree, distributed)
    locking = [block for block in held.blocks if getattr(block.tree, "lockingClause", None)]
    return any(block.key(alias) not in held.single for block in locking for alias in block.ours)


def no_merge(statement: Statement) -> bool:
    return any(nodes(statement.tree, pg.MergeStmt))


def no_grouping_sets(statement: Statement) -> bool:
    return any(nodes(statement.tree, pg.GroupingSet))


def no_recursion_across_buckets(statement: Statement) -> bool:
    return any(
        with_.recursive and not all(_names_the_bucket(cte.ctequery) for cte in with_.ctes)
        for with_ in nodes(statement.tree, pg.WithClause)
    )


def no_volatile_functions(statement: Statement) -> bool:
    """The shards would each have an answer of their own: a parameter has one."""
    return bool(VOLATILE & set(_functions(statement)))


def the_bucket_never_changes(statement: Statement) -> bool:
    changed = [update.targetList for update in nodes(statement.tree, pg.UpdateStmt)]
    changed += [clause.targetList for clause in nodes(statement.tree, pg.OnConflictClause) if clause.targetList]
    return any(target.name == "bucket" for target in chain.from_iterable(changed))


def inserts_say_the_bucket(statement: Statement) -> bool:
    return any(
        distributed(insert.relation.relname) and (not insert.cols or "bucket" not in [c.name for c in insert.cols])
        for insert in nodes(statement.tree, pg.InsertStmt)
    )


def no_advisory_locks(statement: Statement) -> bool:
    """They hold on one node only, and a pooler loses them."""
    return any("advisory" in name for name in _functions(statement))


def no_listening(statement: Statement) -> bool:
    return any(nodes(statement.tree, pg.ListenStmt, pg.NotifyStmt, pg.UnlistenStmt)) or bool(
        {"pg_notify", "pg_listening_channels"} & set(_functions(statement))
    )


def no_session_settings(statement: Statement) -> bool:
    """Workers do not see them. `SET TRANSACTION` and `SET LOCAL` for the node that is spoken to are fine when cold."""
    if "set_config" in _functions(statement):
        return True
    return any(statement.hot or not set_.is_local for set_ in _settings(statement))


def _settings(statement: Statement) -> Iterator[pg.VariableSetStmt]:
    for set_ in nodes(statement.tree, pg.VariableSetStmt):
        if set_.name not in ("TRANSACTION",):
            yield set_


def no_rows_of_functions_spread(statement: Statement) -> bool:
    """`(fn()).*` runs the function once for each column."""
    return any(
        isinstance(part.arg, pg.FuncCall) and any(isinstance(step, pg.A_Star) for step in part.indirection)
        for part in nodes(statement.tree, pg.A_Indirection)
    )


def no_returning_of_old_and_new(statement: Statement) -> bool:
    """PostgreSQL 18 only."""
    returning = chain.from_iterable(
        _returned(change) for change in nodes(statement.tree, pg.InsertStmt, pg.UpdateStmt, pg.DeleteStmt)
    )
    return any(column(ref)[0] in ("old", "new") for part in returning for ref in nodes(part, pg.ColumnRef))


def _returned(change: pg.Node) -> tuple[pg.Node, ...]:
    clause = change.returningClause
    return () if clause is None else (clause,)


def no_offset(statement: Statement) -> bool:
    """Pages go on behind a key."""
    return any(select.limitOffset is not None for select in nodes(statement.tree, pg.SelectStmt))


# What migrations make.


def tables_begin_with_the_bucket(statement: Statement) -> bool:
    for create in nodes(statement.tree, pg.CreateStmt):
        columns = [element for element in create.tableElts or () if isinstance(element, pg.ColumnDef)]
        if distributed(create.relation.relname) and columns:
            first = columns[0]
            kinds = {constraint.contype for constraint in first.constraints or ()}
            must = kinds & {ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY}
            if first.colname != "bucket" or name_of(first.typeName.names) != "int4" or not must:
                return True
    return False


def keys_hold_the_bucket(statement: Statement) -> bool:
    """PRIMARY KEY, UNIQUE, FOREIGN KEY and EXCLUDE of a distributed table, as constraint or as index."""
    for table, constraint, own in _constraints(statement):
        keys = names(constraint.keys) or names(constraint.fk_attrs) or ([own] if own else [])
        if distributed(table) and "bucket" not in keys:
            return True
    return any(
        index.unique and distributed(index.relation.relname) and "bucket" not in [p.name for p in index.indexParams]
        for index in nodes(statement.tree, pg.IndexStmt)
    )


_KEYS = {
    ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_FOREIGN, ConstrType.CONSTR_EXCLUSION,
}  # fmt: skip


def _constraints(statement: Statement) -> Iterator[tuple[str, pg.Constraint, str | None]]:
    """Every key with its table, and its column when it stands beside one."""
    for change in nodes(statement.tree, pg.CreateStmt, pg.AlterTableStmt):
        table = change.relation.relname
        of_columns: dict[int, str] = {}
        for definition in nodes(change, pg.ColumnDef):
            of_columns |= {id(constraint): definition.colname for constraint in definition.constraints or ()}
        for constraint in nodes(change, pg.Constraint):
            if constraint.contype in _KEYS:
                yield table, constraint, of_columns.get(id(constraint))


def no_references_from_small_tables(statement: Statement) -> bool:
    """A foreign key from a reference table to a distributed one, or to one that is not ours, does not hold."""
    return any(
        constraint.contype == ConstrType.CONSTR_FOREIGN
        and (not distributed(table) and distributed(constraint.pktable.relname))
        for table, constraint, _ in _constraints(statement)
    )


def no_deferring(statement: Statement) -> bool:
    deferred = {ConstrType.CONSTR_ATTR_DEFERRABLE, ConstrType.CONSTR_ATTR_DEFERRED}
    return any(c.deferrable or c.contype in deferred for c in nodes(statement.tree, pg.Constraint)) or any(
        nodes(statement.tree, pg.ConstraintsSetStmt)
    )


def no_triggers(statement: Statement) -> bool:
    return any(nodes(statement.tree, pg.CreateTrigStmt, pg.CreateEventTrigStmt, pg.RuleStmt))


def no_identities(statement: Statement) -> bool:
    """Workers draw from ranges of their own: order comes from (bucket, seq), ids from Python."""
    identity = any(c.contype == ConstrType.CONSTR_IDENTITY for c in nodes(statement.tree, pg.Constraint))
    serial = any(name_of(type_.names) in SERIAL for type_ in nodes(statement.tree, pg.TypeName) if type_.names)
    return identity or serial or any(nodes(statement.tree, pg.CreateSeqStmt))


def no_virtual_columns(statement: Statement) -> bool:
    return any(
        constraint.contype == ConstrType.CONSTR_GENERATED and constraint.generated_kind != "s"
        for constraint in nodes(statement.tree, pg.Constraint)
    )


def one_level_of_partitions(statement: Statement) -> bool:
    """By range of one column, attached and detached without CONCURRENTLY; no partition is cut again."""
    for create in nodes(statement.tree, pg.CreateStmt):
        if create.partspec is not None and (create.partbound is not None or str(create.partspec.strategy) != "r"):
            return True
    return any(part.concurrent for part in nodes(statement.tree, pg.PartitionCmd))


def grants_do_not_mix(statement: Statement) -> bool:
    """One GRANT on reference and on distributed tables deadlocks a cluster with itself."""
    for grant in nodes(statement.tree, pg.GrantStmt):
        tables = [relation(table) for table in grant.objects or () if isinstance(table, pg.RangeVar)]
        if len({distributed(table) for table in tables}) > 1:
            return True
    return False


def drops_no_schema(statement: Statement) -> bool:
    return any(str(drop.removeType.name) == "OBJECT_SCHEMA" for drop in nodes(statement.tree, pg.DropStmt))


def _functions(statement: Statement) -> Iterator[str]:
    for call in nodes(statement.tree, pg.FuncCall):
        yield name_of(call.funcname)


SENT: list[Rule] = [
    names_the_bucket, joins_on_the_bucket, locks_one_bucket, no_merge, no_grouping_sets, no_recursion_across_buckets,
    no_volatile_functions, the_bucket_never_changes, inserts_say_the_bucket, no_advisory_locks, no_listening,
    no_session_settings, no_rows_of_functions_spread, no_returning_of_old_and_new, no_offset,
]  # fmt: skip
MADE: list[Rule] = [
    joins_on_the_bucket, no_merge, no_grouping_sets, no_recursion_across_buckets, no_volatile_functions,
    the_bucket_never_changes, inserts_say_the_bucket, no_advisory_locks, no_listening, no_rows_of_functions_spread,
    tables_begin_with_the_bucket, keys_hold_the_bucket, no_references_from_small_tables, no_deferring, no_triggers,
    no_identities, no_virtual_columns, one_level_of_partitions, grants_do_not_mix, drops_no_schema,
]  # fmt: skip
