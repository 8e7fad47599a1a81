"""The imperative shell: performs what the cores decide; deploys, invokes, keeps the journal."""
