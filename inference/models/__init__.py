"""Registry of GGUF models, the llama.cpp worker, prompts and conventions per architecture."""
