"""The services outside, over HTTP."""
