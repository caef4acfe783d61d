"""The version of the rules that make numbers: it stands in what is sealed, so that a replay knows which rules it needs.

Change it when the same entries and terms would give other bytes; then the old rules stay for the old windows.
"""

ENGINE = "settlement/1"
