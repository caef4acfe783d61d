"""`coalition settle`: what finance does, for people and for cron. Each may be repeated, and says what comes next.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 needs a person, 4 blocked.
"""

from __future__ import annotations

import typer

from services.cli.settle import (
    accounts,
    audit,
    bank,
    batches,
    calendars,
    caps,
    contracts,
    corrections,
    deciding,
    deviations,
    files,
    funding,
    looking,
    payments,
    reference,
    rehearsing,
    reports,
    windows,
)

app = typer.Typer(no_args_is_help=True)
app.callback()(rehearsing.settle)
app.command("status")(windows.status)
app.command("close")(windows.close)
app.command("verify")(windows.verify)
app.command("run")(batches.run)
app.command("explain")(batches.explain)
app.command("submit")(batches.submit)
app.command("approve")(deciding.approve)
app.command("decline")(deciding.decline)
app.command("proposals")(deciding.proposals)
app.command("release")(batches.release)
app.command("revise")(batches.revise)
app.command("cancel")(batches.cancel)
app.command("fund")(funding.fund)
app.command("override")(deviations.override)
app.command("default")(deviations.default)
app.command("suspense")(deviations.suspense)
app.command("quarantine")(deviations.quarantine)
app.command("retry")(deviations.retry)
app.command("match")(bank.match)
app.command("breaks")(bank.breaks)
app.command("resolve-unknown")(bank.resolve_unknown)
app.command("adjust")(corrections.adjust)
app.command("dispute")(corrections.dispute)
app.command("adjustments")(looking.adjustments)
app.command("compare")(looking.compare)
app.command("openings")(looking.openings)
app.command("history")(looking.history)
app.command("seal")(looking.seal)
app.command("entries")(looking.entries)
app.command("entry")(audit.entry)
app.command("pack")(audit.pack)
app.command("doctor")(audit.doctor)
app.command("replay")(audit.replay)
app.add_typer(bank.app, name="bank")
app.add_typer(payments.app, name="payment")
app.add_typer(files.app, name="file")
app.add_typer(contracts.app, name="contract")
app.add_typer(caps.app, name="cap")
app.add_typer(accounts.app, name="account")
app.add_typer(reports.app, name="report")
app.add_typer(calendars.calendar, name="calendar")
app.add_typer(calendars.model, name="model")
app.add_typer(reference.fx, name="fx")
