"""What is judged across all controllers: annotations, classes, settings in the wrong place, retirement, challenges."""
