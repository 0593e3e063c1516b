// OpenAI's client for Node against LLM Service: whole, stream, tools, errors.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_CLIENT_ROOT + "/");
const OpenAI = require("openai").default ?? require("openai");

const client = new OpenAI({
  baseURL: process.env.LLM_URL,
  apiKey: process.env.LLM_KEY,
  maxRetries: 0,
});
const messages = [{ role: "user", content: "Say hello" }];

const whole = await client.chat.completions.create({ model: "auto", messages });
assert.ok(whole.choices[0].message.content);
assert.equal(whole.llm_service.provider, "simulated");

let text = "";
let usage = null;
const stream = await client.chat.completions.create({
  model: "auto",
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(text, whole.choices[0].message.content);
assert.equal(usage.total_tokens, whole.usage.total_tokens);

const tools = [
  {
    type: "function",
    function: {
      name: "lookup",
      parameters: {
        type: "object",
        properties: { id: { type: "integer", minimum: 5, maximum: 5 } },
        required: ["id"],
      },
    },
  },
];
const asked = await client.chat.completions.create({
  model: "auto",
  messages,
  tools,
  tool_choice: { type: "function", function: { name: "lookup" } },
});
const call = asked.choices[0].message.tool_calls[0];
assert.deepEqual(JSON.parse(call.function.arguments), { id: 5 });

const runner = client.chat.completions.stream({ model: "auto", messages, tools });
const final = await runner.finalChatCompletion();
assert.equal(final.choices[0].finish_reason, "tool_calls");

await assert.rejects(
  client.chat.completions.create({ model: "no-such-model", messages }),
  (error) => error.status === 404 && error.code === "model_not_found",
);

const aborted = await client.chat.completions.create({
  model: "auto",
  messages,
  stream: true,
});
aborted.controller.abort();

console.log("all node checks passed");
