"""What is known of a class beside the object that defines it: who brings it along, and who serves it."""
