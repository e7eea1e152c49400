"""Places of rendered charts: from what helm writes to the templates and values that people edit."""
