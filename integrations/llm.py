"""A language model at any OpenAI-compatible address: OpenAI, DeepSeek, a local server."""

from __future__ import annotations

import time

from integrations.errors import NotFoundError
from integrations.http import error_for_status, retry_after_seconds, unreachable

SYSTEM = "LLM"


class LanguageModel:
    """One model at one address."""

    def __init__(self, base_url: str | None, *, api_key: str, model: str | None, timeout_seconds: float = 10.0) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._timeout_seconds = timeout_seconds

    def check(self) -> str:
        """Return how many models the address offers. Raises NotFoundError if our model is not among them."""
        # Imported late: importing openai takes most of a second, and Argux works without a model.
        import openai

        try:
            with openai.OpenAI(
                base_url=self._base_url, api_key=self._api_key, timeout=self._timeout_seconds, max_retries=0
            ) as client:
                offered = [found.id for found in client.models.list()]
        except openai.APIStatusError as error:
            wait = retry_after_seconds(error.response.headers.get("retry-after"), now=time.time())
            raise error_for_status(SYSTEM, error.status_code, "refused", retry_after_seconds=wait) from error
        except openai.APIConnectionError as error:
            raise unreachable(SYSTEM, error) from error
        if self._model and self._model not in offered:
            raise NotFoundError(SYSTEM, f"there is no model {self._model} among the {len(offered)} offered")
        models = "1 model" if len(offered) == 1 else f"{len(offered):,} models"
        return f"{models} offered, {self._model} among them" if self._model else models
