"""The route model: what every controller makes of its objects, in the Gateway API's vocabulary."""
