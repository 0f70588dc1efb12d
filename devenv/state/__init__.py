"""What is known about an environment, and the pure step from one state to the next."""
