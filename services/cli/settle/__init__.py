"""`coalition settle`: what finance does, for people and for cron. Each may be repeated, and says what comes next.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 needs a person, 4 blocked.
"""

from __future__ import annotations

import typer

from services.cli.settle import audit, bank, batches, corrections, deciding, reference, windows

app = typer.Typer(help="Close, net, approve, pay, reconcile.", no_args_is_help=True)
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
app.command("match")(bank.match)
app.command("breaks")(bank.breaks)
app.command("resolve-unknown")(bank.resolve_unknown)
app.command("adjust")(corrections.adjust)
app.command("dispute")(corrections.dispute)
app.command("entry")(audit.entry)
app.command("pack")(audit.pack)
app.command("doctor")(audit.doctor)
app.command("replay")(audit.replay)
app.add_typer(bank.app, name="bank")
app.add_typer(reference.fx, name="fx")
