"""Tables and queries of settlement. One transaction for each page of the journal, one for each step of a window."""
