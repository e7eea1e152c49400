"""One folder a controller: all that is special to it, lowered into the route model."""
