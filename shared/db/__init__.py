"""PostgreSQL as the services use it: engines, roles, migrations, and what a lost connection means."""
