"""The service behind granian's RSGI: bodies are received without a thread, and what is whole is
handed to the threads that run Django."""
