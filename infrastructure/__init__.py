"""The market on AWS: CDK stacks made from `storage.schema`, `functions.wiring` and what each function's code uses."""
