"""Papers: what banks and people read, as bytes, and the objects of the domain they stand for. No clock, no database."""
