"What servers say when they refuse a field, in their own words, and what they say when they refuse something else"
import json

import pytest

from agent_distill.servers import refused_fields
from agent_distill.servers import _EXACT

CHAT = dict(model="m", messages=[], n=3, temperature=.5, top_p=1.0, seed=7, max_tokens=9, stop=["a"], logprobs=True)
TEXT = dict(model="m", prompt=[1], n=1, temperature=0, top_p=1.0, seed=7, max_tokens=9, stop=["a"], logprobs=1, **_EXACT)
J = json.dumps


def err(message, **more): return J(dict(error=dict(message=message, type="invalid_request_error", **more)))


CASES = [
    ("mistral", CHAT, J(dict(object="error", message=dict(detail=[dict(type="extra_forbidden", loc=["body","seed"], msg="Extra inputs are not permitted", input=7, url="https://errors.pydantic.dev/2.5/v/extra_forbidden")]), type="invalid_request_error", param=None, code=None)), {"seed"}),
    ("mistral proxy", CHAT, J(dict(object="error", message='{"detail":[{"type":"extra_forbidden","loc":["body","logprobs"],"msg":"Extra inputs are not permitted","input":true,"url":"https://errors.pydantic.dev/2.5/v/extra_forbidden"}]}', type="internal_error_proxy", code="1000")), {"logprobs"}),
    ("old vllm", TEXT, J(dict(object="error", message="[{'type': 'extra_forbidden', 'loc': ('body', 'add_special_tokens'), 'msg': 'Extra inputs are not permitted', 'input': False}, {'type': 'extra_forbidden', 'loc': ('body', 'min_p'), 'msg': 'Extra inputs are not permitted', 'input': 0.0}]", type="BadRequestError", param=None, code=400)), {"add_special_tokens","min_p"}),
    ("nim", CHAT, J(dict(type="urn:inference-service:problem-details:unprocessable-entity", title="Unprocessable Entity", status=422, detail="body -> seed\n  Extra inputs are not permitted (type=extra_forbidden)\nbody -> n\n  Extra inputs are not permitted (type=extra_forbidden)", instance="/v2/nvcf/pexec/functions/b0fcd392", requestId="380d3287")), {"seed","n"}),
    ("pydantic text", CHAT, err("1 validation error for ChatCompletionRequest\nstop\n  Extra inputs are not permitted [type=extra_forbidden, input_value=['<end_code>'], input_type=list]\n    For further information visit https://errors.pydantic.dev/2.10/v/extra_forbidden"), {"stop"}),
    ("openai unknown", TEXT, err("Unrecognized request arguments supplied: add_special_tokens, include_stop_str_in_output, min_p, repetition_penalty, top_k", param=None, code=None), set(_EXACT)),
    ("openai unknown2", TEXT, err("Unknown parameter: 'top_k'.", param="top_k", code="unknown_parameter"), {"top_k"}),
    ("openai o1", CHAT, err("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter"), {"max_tokens"}),
    ("openai temp", CHAT, err("Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.", param="temperature", code="unsupported_value"), {"temperature"}),
    ("openai stop", CHAT, err("Unsupported parameter: 'stop' is not supported with this model.", param="stop", code="unsupported_parameter"), {"stop"}),
    ("openai 403", CHAT, err("You are not allowed to request logprobs from this model", param=None, code=None), {"logprobs"}),
    ("groq n", CHAT, err("'n' : number must be at most 1"), {"n"}),
    ("groq prop", CHAT, err("property 'logprobs' is unsupported"), {"logprobs"}),
    ("groq prop", CHAT, err("`logprobs` is not supported with this model"), {"logprobs"}),
    ("together", CHAT, err("5 is greater than the maximum of 1 - 'logprobs'", param="logprobs", code=None), {"logprobs"}),
    ("gaudi", CHAT, err("Gaudi doesn't support logprobs. Please remove 'logprobs'/'top_logprobs' from your request to receive a response."), {"logprobs"}),
    ("gemini", CHAT, J([dict(error=dict(code=400, message='Invalid JSON payload received. Unknown name "seed": Cannot find field.', status="INVALID_ARGUMENT", details=[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"description":'Invalid JSON payload received. Unknown name "seed": Cannot find field.'}]}]))]), {"seed"}),
    ("gemini2", CHAT, J(dict(error=dict(code=400, message="Unable to submit request because Logprobs is not supported for this model."))), {"logprobs"}),
    ("fireworks", TEXT, err("Extra inputs are not permitted, field: 'min_p', value: 0.0"), {"min_p"}),
    ("xai", CHAT, J(dict(code="Client specified an invalid argument", error="Argument not supported on this model: stop")), {"stop"}),
    ("xai2", CHAT, J(dict(error="Model grok-3-mini does not support parameter logprobs.")), {"logprobs"}),
    ("deepseek", CHAT, err("deepseek-reasoner does not support the parameter `logprobs`"), {"logprobs"}),
    ("cerebras", CHAT, J(dict(message="property 'body.seed' is unsupported", type="invalid_request_error", param="validation_error", code="wrong_api_format")), {"seed"}),
    ("tgi top_p", CHAT, J(dict(error="Input validation error: `top_p` must be > 0.0 and < 1.0", error_type="validation")), {"top_p"}),
    ("tgi top_k", TEXT, J(dict(error="Input validation error: `top_k` must be strictly positive", error_type="validation")), {"top_k"}),
    ("serde", TEXT, "Failed to deserialize the JSON body into the target type: unknown field `min_p`, expected one of `model`, `prompt`, `n`, `seed`, `stop`, `logprobs` at line 1 column 120", {"min_p"}),
    ("llama.cpp n", CHAT, J(dict(error=dict(code=400, message="Only one completion choice is allowed", type="invalid_request_error"))), {"n"}),
    ("llama-cpp-python", CHAT, J(dict(error=dict(message="logprobs is not supported for models created with logits_all=False", type="internal_server_error", param=None, code=None))), {"logprobs"}),
    ("go", TEXT, J(dict(error=dict(message="json: cannot unmarshal number into Go struct field CompletionRequest.logprobs of type bool", type="invalid_request_error"))), {"logprobs"}),
    ("novita", TEXT, J(dict(code=400, reason="CODEC", message="body unmarshal json: cannot unmarshal number 3.0 into Go struct field ChatCompletionRequest.top_k of type int", metadata={})), {"top_k"}),
    ("go strict", CHAT, 'json: unknown field "seed"', {"seed"}),
    ("jsonschema", TEXT, err("Additional properties are not allowed ('min_p', 'top_k' were unexpected)"), {"min_p","top_k"}),
    ("python", TEXT, J(dict(detail="create_completion() got an unexpected keyword argument 'include_stop_str_in_output'")), {"include_stop_str_in_output"}),
    ("drf", CHAT, J(dict(seed=["Unknown field."], n=["Unknown field."])), {"seed","n"}),
    ("fastapi echo", CHAT, J(dict(detail=[dict(type="extra_forbidden", loc=["body","seed"], msg="Extra inputs are not permitted", input=7)], body=CHAT)), {"seed"}),
    ("zod", CHAT, err("Unrecognized key(s) in object: 'seed', 'logprobs'"), {"seed","logprobs"}),
    ("zod2", CHAT, J(dict(success=False, error=dict(issues=[dict(code="unrecognized_keys", keys=["seed","n"], path=[], message="Unrecognized key: \"seed\"")]))), {"seed","n"}),
    ("ajv", CHAT, err('"seed" is not allowed'), {"seed"}),
    ("azure", TEXT, err("Unrecognized request argument supplied: top_k"), {"top_k"}),
    ("pocket", CHAT, err("`n` other than 1 is not supported", param="n"), {"n"}),
    ("n only 1", CHAT, err("Only n=1 is supported"), {"n"}),
    ("best", CHAT, err("This endpoint does not support n > 1"), {"n"}),
    ("vllm logprobs", TEXT, err("Requested sample logprobs of 1, which is greater than max allowed: 0", param="logprobs"), {"logprobs"}),
    ("sglang", TEXT, J(dict(object="error", message="seed is not supported. Please use sampling_seed", code=400)), {"seed"}),
    # and what is no such thing
    ("ctx openai", CHAT, err("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4990 in the messages, 10 in the completion). Please reduce the length of the messages or completion.", param="messages", code="context_length_exceeded"), set()),
    ("ctx vllm", TEXT, err("The decoder prompt (length 300) is longer than the maximum model length of 256. Make sure that `max_model_len` is no smaller than the number of text tokens.", code=400), set()),
    ("max_tokens", CHAT, err("'max_tokens' or 'max_completion_tokens' is too large: 9. This model's maximum context length is 8 tokens and your request has 7 input tokens (9 > 8 - 7).", param="max_tokens"), set()),
    ("max_tokens2", CHAT, err("max_tokens is too large: 900000. This model supports at most 16384 completion tokens, whereas you provided 900000.", param="max_tokens", code="invalid_value"), set()),
    ("model", CHAT, err("The model `m` does not exist or you do not have access to it.", param=None, code="model_not_found"), set()),
    ("key", CHAT, err("Incorrect API key provided: sk-no. You can find your API key at https://platform.openai.com/account/api-keys.", code="invalid_api_key"), set()),
    ("temp", CHAT, err("temperature must be non-negative, got -1.0.", param="temperature"), set()),
    ("llama ctx", TEXT, J(dict(error=dict(code=400, message="the request exceeds the available context size. try increasing the context size or enable context shift", type="exceed_context_size_error", n_prompt_tokens=3000, n_ctx=1024))), set()),
    ("content filter", CHAT, err("The response was filtered due to the prompt triggering content management policy. Please stop and modify your prompt and retry.", param="prompt", code="content_filter"), set()),
    ("template", CHAT, err("System role not supported"), set()),
    ("roles", CHAT, err("Conversation roles must alternate user/assistant/user/assistant/... unexpected role"), set()),
    ("prefill", {**CHAT, "continue_final_message": True, "add_generation_prompt": False}, err("Extra inputs are not permitted: continue_final_message"), set()),
]


@pytest.mark.parametrize("who, sent, said, want", CASES, ids=[c[0] for c in CASES])
def test_the_fields_that_a_server_refuses(who, sent, said, want): assert refused_fields(said, sent) == want


def test_an_error_of_any_shape_is_read():
    for said in "", "null", "[]", "[[[", "7", '{"error": null}', "[" * 5000, '{"a": ' * 3000, "\x00", "an n " * 2000:
        assert refused_fields(said, CHAT) == set()
