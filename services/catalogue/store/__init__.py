"""Tables and queries of the catalogue; the only place that says `select`."""
