"""The JSON Schema of launcher files, from the constructors that read them: for editors, and for the reference pages."""
