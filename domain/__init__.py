"""The trade itself, pure: no I/O, no Temporal, no clock."""
