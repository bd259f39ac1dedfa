"""An app whose only model is a queue that the product knows nothing of."""
