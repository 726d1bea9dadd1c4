"""One file per Lambda entrance: unpack the trigger, call one action."""
