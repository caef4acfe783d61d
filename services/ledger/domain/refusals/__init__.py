"""What the ledger says no to. The reasons are published: rename a class and you break a partner."""
