"""What runs sandboxes: the ``Engine`` protocol and the engines behind it."""
