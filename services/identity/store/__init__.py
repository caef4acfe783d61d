"""Tables, queries and what is sealed in them: the only place of identity that says `select`."""
