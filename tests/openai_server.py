"""A server that speaks OpenAI's protocol, with a model behind it, and that misbehaves on request.

As a process of its own, to be killed: python tests/openai_server.py PORT (it then recites, without a model).
"""
import json, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def recite(body):
    "What a server without a model says: a text that belongs to the prompt, the same for the same prompt"
    prompt = body.get("prompt") or [len(m["content"]) for m in body["messages"]]
    text = f"answer {sum(map(ord, prompt)) if isinstance(prompt, str) else sum(prompt)}"
    return [dict(text=text, tokens=2, logprob=-0.5, finish="stop") for _ in range(body["n"])]


def by_engine(engine):
    "What a `TransformersEngine` says to a prompt of token ids, or of text"
    from agent_distill.engines import Request
    def brain(body):
        ids = body["prompt"]
        if isinstance(ids, str): ids = engine.tokenizer(ids, add_special_tokens=False)["input_ids"]
        r = Request(ids, n=body["n"], temperature=body["temperature"], top_p=body["top_p"], seed=body["seed"],
                    limit=body["max_tokens"], stop=tuple(body.get("stop", ())))
        engine._submit(r)
        return [vars(c) for c in r.future.result(60)]
    return brain


def completion(c):
    return dict(text=c["text"], finish_reason=c["finish"],
                logprobs=dict(token_logprobs=[c["logprob"]] * c["tokens"]))


def chat(c):
    return dict(message=dict(role="assistant", content=c["text"]), finish_reason=c["finish"],
                logprobs=dict(content=[dict(token="?", logprob=c["logprob"])] * c["tokens"]))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *args): pass

    def send(self, status, data, **headers):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for k, v in {"Content-Length": len(data), **headers}.items(): self.send_header(k.replace("_", "-"), str(v))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        s = self.server
        s.looked.append(self.path)
        if s.models is None or not self.path.endswith("/models"):   # what it says elsewhere, or nothing
            return self.send(*(200, s.pages[self.path]) if self.path in s.pages else (404, dict(detail="Not Found")))
        self.send(s.models_status, dict(object="list", data=s.models))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        s = self.server
        with s.lock:
            k = len(s.asked)
            fault = s.faults(k, body) if callable(s.faults) else s.faults.pop(0) if s.faults else ""
            s.asked.append(dict(route=self.path, body=body, fault=fault, at=time.monotonic(),
                                key=self.headers.get("Authorization")))
        if fault: return getattr(self, "fault_" + fault)(body)
        if no := s.refuses(body):
            s.asked[k]["fault"] = "refused"
            return self.send(*no)
        if self.path.endswith("/load_lora_adapter"): return self.send(200, b"Success: it is there")
        self.send(200, self.good(body))

    def good(self, body):
        s, shape = self.server, chat if self.path.endswith("/chat/completions") else completion
        found = s.brain(body)
        return dict(choices=[shape(c) for c in found],
                    usage=dict(prompt_tokens=7, completion_tokens=sum(c["tokens"] for c in found)))

    # what can go wrong
    def fault_429(self, body): self.send(429, dict(error="slow down"), Retry_After="0.2")
    def fault_429forever(self, body): self.send(429, dict(error="slow down"), Retry_After="1e12")
    def fault_500(self, body): self.send(500, dict(error="oops"))
    def fault_503(self, body): self.send(503, dict(error="loading"))
    def fault_400(self, body): self.send(400, dict(error="maximum context length is 8 tokens"))
    def fault_401(self, body): self.send(401, dict(error="who are you?"))
    def fault_302(self, body): self.send(302, b"", Location="http://127.0.0.1:9/")
    def fault_hang(self, body): time.sleep(1.5)
    def fault_drop(self, body): self.close_connection = True
    def fault_html(self, body): self.send(200, b"<html>Bad gateway</html>")
    def fault_list(self, body): self.send(200, [1, 2])
    def fault_deep(self, body): self.send(200, b"[" * 200_000)
    def fault_bytes(self, body): self.send(200, b"\xff\xfe\x00")
    def fault_nothing(self, body): self.send(200, dict(choices=[]))
    def fault_fewer(self, body): self.send(200, {**self.good(body), "choices": self.good(body)["choices"][:1]})

    def fault_half(self, body):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices": [')
        self.close_connection = True

    def changed(self, body, **facts):
        answer = self.good(body)
        for c in answer["choices"]: c.update(facts)
        answer["usage"] = facts.pop("usage", {})
        self.send(200, answer)

    def fault_empty(self, body): self.changed(body, text="", logprobs=None)
    def fault_null(self, body): self.changed(body, text=None)
    def fault_abort(self, body): self.changed(body, finish_reason="abort")
    def fault_nan(self, body): self.changed(body, logprobs=dict(token_logprobs=[float("nan")]))
    def fault_words(self, body): self.changed(body, logprobs=dict(token_logprobs=["-0.1"]))
    def fault_usage(self, body): self.changed(body, usage=dict(prompt_tokens="many"))


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, brain=recite, port=0, name="tiny", context=256, host="127.0.0.1"):
        super().__init__((host, port), Handler)
        self.brain, self.faults, self.asked, self.lock = brain, [], [], threading.Lock()
        self.models, self.models_status = [dict(id=name, max_model_len=context)], 200
        self.refuses = lambda body: None   # (status, error) of a body that it does not take
        self.pages, self.looked = {}, []   # path -> JSON; the paths that were asked for
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def start(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, *args): pass   # a client that went away


if __name__ == "__main__":
    Server(lambda body: time.sleep(0.2) or recite(body), int(sys.argv[1])).serve_forever()
