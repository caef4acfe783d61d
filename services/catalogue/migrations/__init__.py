"""Steps of the catalogue's schema, each runnable before and after the code that needs it."""
