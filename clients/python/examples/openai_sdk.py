"""LLM Service through OpenAI's SDK: only base URL and key differ.

    pip install openai
    export LLM_KEY=$(cat build/quickstart/quickstart.key)
    python3 clients/python/examples/openai_sdk.py
"""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("LLM_URL", "http://127.0.0.1:8004/v1"),
    api_key=os.environ["LLM_KEY"],
)

answer = client.chat.completions.create(
    model="auto",
    messages=[{"role": "user", "content": "Say hello"}],
    # Recorded with the usage row; `run_id` and `agent` too.
    extra_body={"task_type": "general", "run_id": "example-1"},
)
print(answer.choices[0].message.content)
print("tokens:", answer.usage.total_tokens, answer.model_extra["llm_service"])

stream = client.chat.completions.create(
    model="auto",
    messages=[{"role": "user", "content": "Say hello in a stream"}],
    stream=True,
    stream_options={"include_usage": True},
)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
print()
