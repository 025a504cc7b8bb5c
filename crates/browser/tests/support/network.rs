//! A network that the test plays: `fetch` and `WebSocket` replaced by objects that note what is
//! asked and answer as they are told.

use js_sys::{Function, Reflect};
use serde_json::Value as Json;
use wasm_bindgen::{JsCast, JsValue};

use super::Replaced;

fn run(script: &str) -> JsValue {
    Function::new_no_args(script).call0(&JsValue::NULL).unwrap()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn json(value: &JsValue) -> Json {
    let text = js_sys::JSON::stringify(value).unwrap();
    serde_json::from_str(&String::from(text)).unwrap()
}

/// `fetch`, answering by a script that sees `request`.
pub(crate) struct Fetch {
    log: JsValue,
    _replaced: Replaced,
}

impl Fetch {
    pub(crate) fn answering(script: &str) -> Self {
        let fake = run(&format!(
            "const log = {{ asked: [], aborted: 0 }};
            const fetch = async request => {{
                request.signal.addEventListener('abort', () => log.aborted++);
                log.asked.push({{
                    url: request.url,
                    method: request.method,
                    cache: request.cache,
                    headers: Object.fromEntries(request.headers),
                    body: JSON.parse(await request.clone().text()),
                }});
                {script}
            }};
            return {{ log, fetch }};"
        ));
        let replaced = Replaced::new("fetch", &get(&fake, "fetch"));
        Self { log: get(&fake, "log"), _replaced: replaced }
    }

    pub(crate) fn asked(&self) -> Json {
        json(&get(&self.log, "asked"))
    }

    pub(crate) fn aborted(&self) -> Json {
        json(&get(&self.log, "aborted"))
    }
}

/// `WebSocket`; the test has the server's end of the last one opened.
pub(crate) struct Sockets {
    fake: JsValue,
    _replaced: Replaced,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        let fake = run("const sockets = { last: null };
            class Fake extends EventTarget {
                constructor(url, protocols) {
                    super();
                    Object.assign(this, { url, protocols, readyState: 0, sent: [] });
                    sockets.last = this;
                }
                send(text) { this.sent.push(JSON.parse(text)); }
                close() { this.readyState = 3; }
            }
            sockets.Fake = Fake;
            return sockets;");
        let replaced = Replaced::new("WebSocket", &get(&fake, "Fake"));
        Self { fake, _replaced: replaced }
    }

    fn last(&self) -> JsValue {
        get(&self.fake, "last")
    }

    fn dispatch(&self, script: &str, detail: &str) {
        let act = Function::new_with_args("socket, detail", script);
        act.call2(&JsValue::NULL, &self.last(), &detail.into()).unwrap();
    }

    pub(crate) fn open(&self) {
        self.dispatch("socket.readyState = 1; socket.dispatchEvent(new Event('open'));", "");
    }

    pub(crate) fn say(&self, message: &Json) {
        let script = "socket.dispatchEvent(new MessageEvent('message', { data: detail }));";
        self.dispatch(script, &message.to_string());
    }

    pub(crate) fn hang_up(&self, reason: &str) {
        let script = "socket.readyState = 3;
            socket.dispatchEvent(new CloseEvent('close', { code: 1012, reason: detail }));";
        self.dispatch(script, reason);
    }

    pub(crate) fn fail(&self) {
        self.dispatch("socket.readyState = 3; socket.dispatchEvent(new Event('error'));", "");
    }

    pub(crate) fn url(&self) -> String {
        get(&self.last(), "url").as_string().unwrap()
    }

    pub(crate) fn protocols(&self) -> Vec<String> {
        let protocols: js_sys::Array = get(&self.last(), "protocols").unchecked_into();
        protocols.iter().filter_map(|name| name.as_string()).collect()
    }

    pub(crate) fn sent(&self) -> Vec<Json> {
        json(&get(&self.last(), "sent")).as_array().cloned().unwrap()
    }

    pub(crate) fn is_closed(&self) -> bool {
        get(&self.last(), "readyState").as_f64() == Some(3.0)
    }
}
