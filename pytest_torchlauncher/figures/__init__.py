"""What a report page draws of an evaluation, as builtin types that travel with its record."""
