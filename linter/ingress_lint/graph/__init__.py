"""Objects to one immutable graph: who selects whom, who refers to whom, and what is known to exist."""
