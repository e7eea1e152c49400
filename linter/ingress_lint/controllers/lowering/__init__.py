"""Graph to routes: who serves what, where requests enter, and which routes compete."""
