"""How the built-in model was made (needs torch, gguf and tokenizers; run time does not)."""
