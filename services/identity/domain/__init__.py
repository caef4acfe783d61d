"""Who is who: the nouns and rules of identity. Standard library only; time, ids and randomness are arguments."""
