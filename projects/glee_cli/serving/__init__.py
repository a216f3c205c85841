"""What the demo page and ``glee serve`` share: limits of what users send, and turns at the model."""
