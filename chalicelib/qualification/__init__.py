"""Who may take part with which assets: rules and their trace, overrides, entry, and the qualified set at close."""
