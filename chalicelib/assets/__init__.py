"""The asset register: what each FSP can turn up or down, behind which meter, where, and what it is obliged to."""
