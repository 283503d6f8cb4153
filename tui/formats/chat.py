FALLBACK_TEMPLATE = ""


class ChatFormat: ...


class RenderedPrompt: ...
