"""From the launcher file to evaluations: YAML with places, definitions, roots, and all problems at once."""
