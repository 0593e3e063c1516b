"""Strict twins of four providers: each refuses what the real one refuses, in
its words, and else tells one scripted conversation (`twin_server.ROUNDS`).
"""

from __future__ import annotations

import contextlib

from harness import config
from twin_anthropic import AnthropicTwin
from twin_deepseek import DeepSeekTwin
from twin_gemini import GeminiTwin
from twin_openai import OpenAiTwin

# Public model: provider, upstream model.
MODELS = {
    "deepseek": ("ds", "deepseek-flash"),
    "openai": ("oa", "gpt-5.4"),
    "anthropic": ("an", "claude-sonnet-5"),
    "anthropic-budget": ("an", "claude-haiku-4-5"),
    "gemini": ("ge", "gemini-3-flash-preview"),
    "gemini-budget": ("ge", "gemini-2.5-flash"),
}
DIALECTS = ("deepseek", "openai", "anthropic", "gemini")


class Twins:
    """The four, by provider id; `of(model)` for a public model's."""

    def __init__(self):
        self.ds, self.oa = DeepSeekTwin(), OpenAiTwin()
        self.an, self.ge = AnthropicTwin(), GeminiTwin()
        self.all = {"ds": self.ds, "oa": self.oa, "an": self.an, "ge": self.ge}

    def of(self, model):
        return self.all[MODELS[model][0]]

    def providers(self):
        rows = {"ds": "openai, profile: deepseek", "oa": "openai, "
                "profile: openai", "an": "anthropic", "ge": "gemini"}
        return "\n".join(
            f'{name}: {{dialect: {row}, base_url: '
            f'"{self.all[name].base_url}", api_keys: ["env:TWIN_KEY"]}}'
            for name, row in rows.items())

    def config(self, more_models="", tasks="", extra=""):
        models = "\n".join(
            f"{public}: {{provider: {provider}, upstream: {upstream}}}"
            for public, (provider, upstream) in MODELS.items())
        return config(self.providers(), models + more_models, tasks,
                      extra=extra)

    def forget_requests(self):
        for twin in self.all.values():
            twin.forget_requests()

    def assert_content(self):
        """Nobody refused, nothing was ignored, nothing of theirs was lost."""
        for name, twin in self.all.items():
            assert not twin.refused, (name, [
                (status, body) for _, status, body in twin.refused])
            assert not twin.ignored, (name, twin.ignored)
            assert not twin.lost, (name, twin.lost)

    def close(self):
        for twin in self.all.values():
            twin.close()


@contextlib.contextmanager
def twins():
    made = Twins()
    try:
        yield made
    finally:
        made.close()
