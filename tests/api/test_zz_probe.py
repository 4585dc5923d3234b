from tests.api.test_plans_end_to_end import OPENING, open_plan
import base64, orjson, json
def cur(x): return base64.urlsafe_b64encode(json.dumps(x).encode()).decode().rstrip("=")
def test_probe(caller, catch_up):
    pid = open_plan(caller)
    base=f"/v1/plans/{pid}"
    def show(label, r):
        print(label, r.status_code, r.text[:400].replace("\n"," "))
    def raw(body, path=base+"/entries", ct="application/json"):
        return caller.client.post(path, data=body, headers={**caller.headers}, content_type=ct)
    show("dupkey surrogate", raw(b'{"\\ud800":1,"\\ud800":2}'))
    show("nul", raw(b'{"entries":[{"type":"GoalSet","data":{"statement":"a\\u0000"}}]}'))
    show("inf", raw(b'{"entries":[{"type":"GoalSet","data":{"statement":"a","measure":{"name":"n","unit":"u","target":1e999,"direction":"increase"}}}]}'))
    show("huge", raw(b'{"entries":[{"type":"GoalSet","data":{"statement":"a","priority":'+b"9"*5000+b'}}]}'))
    show("entries obj", raw(b'{"entries":{}}'))
    show("entries null", raw(b'{"entries":null}'))
    show("alongside null", raw(b'{"entries":[{"type":"GoalSet","data":{"statement":"a"}}],"alongside":null}'))
    show("data list", raw(b'{"entries":[{"type":"GoalSet","data":[]}]}'))
    show("slash key", raw(b'{"entries":[{"type":"GoalSet","data":{"a/b~":1}}]}'))
    show("none type", raw(b'{"entries":[{"data":{}}]}'))
    for c in (["abc",5],["2026-01-01T00:00:00Z",10**30],["2026-01-01T00:00:00Z",-1],[None,None],["9999999-01-01",1],["2026-01-01T00:00:00Z",2**40]):
        for o in ("recorded","-recorded","occurred","-occurred"):
            show(f"cursor {c} {o}", caller.get(f"{base}/timeline?order={o}&cursor={cur(c)}"))
    show("foreign cursor", caller.get(f"/v1/plans/00000000-0000-4000-8000-000000000009/timeline?cursor={cur(['2026-01-01T00:00:00Z',1])}"))
    show("version", caller.get(f"{base}?version=%EF%BC%91"))
    show("version", caller.get(f"{base}?version=1_0"))
    show("q nul", caller.get(f"/v1/plans?q=%00"))
    show("diff unknown", caller.get(f"{base}/diff?from=1&to=1&x=1"))
    show("accept empty", caller.get(f"{base}/timeline", Accept=""))
    show("status", caller.client.open("/v1/me", method="FOO", headers=caller.headers))
    show("close", caller.post(base+"/entries", {"entries":[{"type":"PlanCompleted","data":{"outcome":"other","summary":"x"}}]}))
    show("closed", caller.post(base+"/entries", {"entries":[{"type":"GoalSet","data":{"statement":"a"}}]}))
    show("//", caller.client.get("//v1/me", headers=caller.headers))
    show("corr", caller.post(base+"/entries", {"entries":[{"type":"EntryCorrected","reason":{"text":"r"},"data":{"entry_id":pid,"data":[]}}]}))
    show("trace", caller.get(f"{base}?trace=1"))
    import time
    t=time.time(); show("dups", raw(b'{"entries":['+b'0,'*300000+b'0]}')); print(time.time()-t)
    t=time.time(); show("many", raw(b'{"entries":[{"type":"RelapseNoted","data":{"what_resurfaced":"x","severity":"mild","goal_ids":['+b'0,'*300000+b'0]}}]}')[:0] if False else raw(b'{"entries":[{"type":"RelapseNoted","data":{"what_resurfaced":"x","severity":"mild","goal_ids":['+b'0,'*300000+b'0]}}]}')); print(time.time()-t)
    body=("{"+",".join(f'"{i}":1' for i in range(80000))+',"79999":1}').encode()
    t=time.time(); show("dupkeys", raw(body)); print(len(body), time.time()-t)
