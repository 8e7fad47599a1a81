"""The services around Lambda that lambdash owns, as AWS's clients speak to them."""
