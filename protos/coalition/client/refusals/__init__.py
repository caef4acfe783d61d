"""The refusals that a till's code looks at, each with its facts as attributes. All others stay `Refused`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coalition.client.refusals import calls, members, points, purchases
from coalition.client.refused import Refused

TYPES: Final[Mapping[str, type[Refused]]] = {**calls.TYPES, **members.TYPES, **points.TYPES, **purchases.TYPES}
"""By reason. A reason that is not here is a plain `Refused`: a new one breaks nobody."""
