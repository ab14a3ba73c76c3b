"""``--launcher-html``: one page that shows what a run measured, without a script and without the network."""
