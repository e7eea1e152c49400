"""The two HAProxy controllers, HAProxy Technologies' and the community's."""
