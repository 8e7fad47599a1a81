"""Many invocations against everything that can go wrong at once."""
