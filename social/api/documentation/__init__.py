"""What the OpenAPI document says of this app's endpoints: a decorator for each."""
