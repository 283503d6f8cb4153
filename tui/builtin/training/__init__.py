"""How the guide is made: corpus, vocabulary, training, conversion and check, for people who want to make it again.

`python -m tui.builtin.training` does it all. Needs `torch` and `gguf`, which running lmdeck does not; nothing outside
this folder imports it. The corpus is generated without end from the texts in `seeds/`, so that a model sees hardly
anything twice; what the check asks is kept out of it.
"""
