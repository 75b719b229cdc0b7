"""The connection to Temporal: payloads, search attributes, executions."""
