"""The client side: finds the project, starts its daemon, and talks to it."""
