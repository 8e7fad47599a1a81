"""The operations of the Lambda API, a module for each group; see CONTRIBUTING on adding one."""
