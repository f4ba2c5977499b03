// A client of the WebSocket core (docs/protocol.md): no event is lost and none comes twice, whatever becomes of connections.
//
//   import { Client } from "./client.js";
//   const client = new Client("wss://example.com/ws", { token: async () => (await fetch("/token")).text() });
//   client.on("event", (event) => show(event));
//   client.on("resync", () => fetchEverything());
//   client.connect();
//   await client.send({ type: "question", text: "How much?" });
//
// Runs in browsers and in Node; where there is no global WebSocket, give one: { WebSocket }. Times are milliseconds.

export const PROTOCOL = 1;

/** What to do at each close code: stop, come back now, later, or with a new token. Others count as 1006. */
export const CLOSE_CODES = Object.freeze({
  1000: "stop",
  1001: "now",
  1002: "stop",
  1003: "stop",
  1006: "now",
  1007: "stop",
  1008: "stop",
  1009: "stop",
  1011: "now",
  1012: "now",
  1013: "later",
  4401: "token",
  4429: "later",
});

const LOST = 1006;
const DEFAULTS = {
  token: "",
  thread: null,
  position: null,
  WebSocket: undefined,
  heartbeat: 20000,
  patience: 10000,
  minDelay: 500,
  maxDelay: 30000,
  laterDelay: 2000,
  attempts: Infinity,
  window: 8,
  maxQueue: 1000,
  maxBytes: 65536,
};
const STABLE = 5000; // a connection that lived as long ends a row of failures
const LONGEST_TIMER = 2 ** 31 - 1; // browsers take a longer one for none

/** Why a message was not handled, or a connection ended; `code` is for programs. */
export class ClientError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "ClientError";
    this.code = code;
  }
}

/** One user's connection that comes back by itself, with the position of the last event. */
export class Client {
  #url;
  #options;
  #listeners = new Map();
  #state = "idle";
  #position;
  #thread;
  #dense; // whether numbers of events follow each other: all threads are shown
  #socket = null;
  #session = 0; // of the present connection; what an earlier one still says is not heard
  #failures = 0;
  #greetedAt = 0;
  #heard = 0;
  #asked = 0;
  #replaying = false;
  #held = null; // events that wait, by number, while missing ones are sent again
  #next = 1;
  #pending = new Map(); // what is sent and not answered, by its number
  #queue = [];
  #timers = new Map();
  #first = null;
  #online = () => this.#hurry();

  constructor(url, options = {}) {
    const unknown = Object.keys(options).find((name) => !(name in DEFAULTS));
    if (unknown !== undefined) throw new TypeError(`unknown option '${unknown}'; there are ${Object.keys(DEFAULTS).join(", ")}`);
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, ...Object.fromEntries(given) };
    if (typeof this.#options.WebSocket !== "function") throw new TypeError("there is no global WebSocket; give { WebSocket }");
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace(/^http/, "ws");
    this.#position = this.#options.position && { ...this.#options.position };
    this.#thread = this.#options.thread;
    this.#dense = this.#thread === null;
  }

  /** "idle", "connecting", "open", "waiting" (to come back) or "closed". */
  get state() {
    return this.#state;
  }

  /** Of the last event: { epoch, seq }, or null; give it to another client as option to continue. */
  get position() {
    return this.#position && { ...this.#position };
  }

  /** How many messages wait to be sent or answered. */
  get unanswered() {
    return this.#pending.size;
  }

  /** Call `listener` at each `name`; returns a function that ends it. */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => void this.#listeners.get(name).delete(listener);
  }

  /** Connect, and stay connected until close(); resolves at the first greeting. */
  connect() {
    if (this.#state === "idle" || this.#state === "closed") {
      globalThis.addEventListener?.("online", this.#online);
      this.#failures = 0;
      this.#first = {};
      this.#first.promise = new Promise((resolve, reject) => Object.assign(this.#first, { resolve, reject }));
      this.#first.promise.catch(() => {}); // who does not wait for it has the event "closed"
      this.#open();
    }
    return this.#first.promise;
  }

  /** End for good; what is unanswered is rejected. */
  close() {
    if (this.#state !== "closed") this.#finish(1000, "closed by this client");
  }

  /**
   * Send an application's message; resolves once the server has handled it.
   *
   * Rejects with a ClientError: the server's code, or "uncertain" where the connection ended before the answer (with
   * `again: true` it is sent again instead, and may be handled twice), "timeout", "too_large", "queue_full" or "closed".
   */
  send(message, { again = false, timeout = 0 } = {}) {
    return new Promise((resolve, reject) => {
      const ack = this.#next++;
      const text = JSON.stringify({ ...message, ack });
      if (typeof message?.type !== "string") throw new TypeError("a message is an object with a text under 'type'");
      if (this.#state === "closed") throw new ClientError("closed", "the client is closed");
      if (this.#pending.size >= this.#options.maxQueue) throw new ClientError("queue_full", "too many messages wait");
      if (text.length * 3 > this.#options.maxBytes && new TextEncoder().encode(text).length > this.#options.maxBytes) {
        throw new ClientError("too_large", `the message is longer than ${this.#options.maxBytes} bytes`);
      }
      const entry = { text, again, sent: false, isOwn: false, timer: 0, resolve, reject };
      if (timeout) entry.timer = setTimeout(() => this.#settle(ack, new ClientError("timeout", "no answer in time")), timeout);
      this.#pending.set(ack, entry);
      this.#queue.push(ack);
      this.#flush();
    });
  }

  /** Show another thread from now on, or all (null); resolves once it does. */
  async select(thread) {
    this.#thread = thread;
    this.#dense = false;
    if (this.#state !== "idle" && this.#state !== "closed") await this.send({ type: "select_thread", thread_id: thread }, { again: true });
  }

  #emit(name, ...values) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(...values);
      } catch (error) {
        if (name !== "error" && this.#listeners.get("error")?.size) this.#emit("error", error);
        else console.error(error);
      }
    }
  }

  #enter(state) {
    if (state !== this.#state) {
      this.#state = state;
      this.#emit("state", state);
    }
  }

  #after(name, delay, action) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(action, Math.min(delay, LONGEST_TIMER)));
  }

  #stopTimers() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #token() {
    const { token } = this.#options;
    return typeof token === "function" ? await token() : token;
  }

  async #open() {
    const session = ++this.#session;
    const isPresent = () => session === this.#session;
    this.#stopTimers();
    this.#enter("connecting");
    if (!isPresent()) return;
    const { patience, WebSocket } = this.#options;
    // From here to the greeting: whatever stands still on the way.
    this.#after("connect", patience, () => this.#lost(LOST, "no greeting in time"));
    let token, socket;
    try {
      token = await this.#token();
      if (!isPresent()) return;
      socket = new WebSocket(this.#address(), token ? ["compat.v1", `jwt.${token}`] : ["compat.v1"]);
    } catch (error) {
      if (!isPresent()) return;
      this.#emit("error", error);
      this.#lost(LOST, `no token, or no connection: ${error.message}`);
      return;
    }
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (isPresent()) this.#hear(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (isPresent()) this.#lost(code, reason);
    };
    socket.onerror = () => {
      // The end follows, with its code; of an attempt that failed, Node 20 says nothing more.
      if (isPresent()) this.#after("error", 100, () => this.#lost(LOST, "no connection"));
    };
  }

  #address() {
    const address = new URL(this.#url);
    if (this.#thread !== null) address.searchParams.set("thread", this.#thread);
    if (this.#position !== null) {
      address.searchParams.set("epoch", this.#position.epoch);
      address.searchParams.set("seq", this.#position.seq);
    }
    return address.href;
  }

  #say(message) {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  #hear(data) {
    this.#heard = Date.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      this.#emit("error", error);
      return;
    }
    // An event may have any type: its number makes it one.
    if ("seq" in message && !POSITIONED.has(message.type)) {
      this.#take(message);
      return;
    }
    switch (message.type) {
      case "connection_established":
        return this.#greet(message);
      case "resync":
        return this.#resync(message);
      case "authenticated":
        return this.#refreshIn(message.expires_in);
      case "gap":
        return this.#refetch();
      case "ack":
      case "error":
        return this.#answer(message);
      case "ping":
        return this.#say({ type: "pong" });
      case "pong":
        return this.#live();
      default:
        return this.#emit("notice", message);
    }
  }

  #greet(message) {
    clearTimeout(this.#timers.get("connect"));
    // A position that the server did not take up stays until it says, by "resync", where to go on.
    if (this.#position === null) this.#position = { epoch: message.epoch, seq: message.seq };
    this.#greetedAt = this.#heard;
    this.#asked = 0;
    this.#replaying = message.resumed;
    this.#held = null;
    this.#enter("open");
    if (this.#state !== "open") return;
    this.#say({ type: "ping" }); // its answer comes behind everything that was missed
    this.#watch();
    this.#refreshIn(message.expires_in);
    this.#first.resolve(message);
    this.#emit("open", message);
    this.#flush();
  }

  #live() {
    if (this.#replaying) {
      this.#replaying = false;
      this.#emit("live");
    }
  }

  #take(message) {
    const { epoch, seq } = this.#position;
    const follows = message.epoch === epoch;
    if (follows && message.seq <= seq) return;
    if (this.#held !== null) {
      this.#held.set(message.seq, message);
    } else if (follows && this.#dense && message.seq > seq + 1) {
      this.#refetch();
      this.#held.set(message.seq, message);
    } else {
      this.#show(message, this.#replaying);
    }
  }

  #show(message, isReplayed) {
    this.#position = { epoch: message.epoch, seq: message.seq };
    this.#emit("event", message, isReplayed);
  }

  /** Have what is missing sent again; until that has ended, events are gathered, and shown in order then. */
  #refetch() {
    if (this.#held !== null) return;
    const session = this.#session;
    this.#held = new Map();
    this.#request({ type: "resume", ...this.#position }).then(
      () => {
        if (session !== this.#session || this.#held === null) return;
        const events = [...this.#held.values()].sort((one, other) => one.seq - other.seq);
        this.#held = null;
        for (const event of events) this.#show(event, true);
      },
      (error) => {
        if (session === this.#session) this.#lost(LOST, error.message);
      },
    );
  }

  #resync(message) {
    this.#position = { epoch: message.epoch, seq: message.seq };
    this.#held?.clear();
    this.#emit("resync", message);
  }

  // Sending

  /** Ask for something of the protocol's own, which waits for no other message. */
  #request(message) {
    return new Promise((resolve, reject) => {
      const ack = `own ${this.#next++}`;
      const timer = setTimeout(() => this.#settle(ack, new ClientError("timeout", "no answer in time")), this.#options.patience);
      this.#pending.set(ack, { text: "", again: false, sent: true, isOwn: true, timer, resolve, reject });
      this.#say({ ...message, ack });
    });
  }

  #flush() {
    if (this.#state !== "open") return;
    const waiting = [];
    let room = this.#options.window;
    for (const entry of this.#pending.values()) room -= entry.sent && !entry.isOwn;
    for (const ack of this.#queue) {
      const entry = this.#pending.get(ack);
      if (entry === undefined) continue;
      if (room-- > 0) {
        entry.sent = true;
        this.#say(entry.text);
      } else {
        waiting.push(ack);
      }
    }
    this.#queue = waiting;
  }

  #answer(message) {
    const entry = this.#pending.get(message.ack);
    if (message.type === "error" && message.code === "busy" && entry !== undefined) {
      entry.sent = false;
      this.#after(`busy ${message.ack}`, this.#options.minDelay * (1 + Math.random()), () => {
        this.#queue.unshift(message.ack);
        this.#flush();
      });
    } else if (entry !== undefined) {
      this.#settle(message.ack, message.type === "error" ? new ClientError(message.code, message.message) : null);
    } else if (message.type === "error" && !("ack" in message)) {
      this.#emit("error", new ClientError(message.code, message.message));
    }
  }

  #settle(ack, error) {
    const entry = this.#pending.get(ack);
    if (entry === undefined) return;
    this.#pending.delete(ack);
    clearTimeout(entry.timer);
    if (error) entry.reject(error);
    else entry.resolve();
    this.#flush();
  }

  // Signs of life

  /** A connection that says nothing is asked for an answer; without one it is given up, though no close ever came. */
  #watch() {
    const { heartbeat, patience } = this.#options;
    this.#after("watch", Math.min(heartbeat, patience) / 2, () => {
      const now = Date.now();
      if (this.#asked > this.#heard && now - this.#asked >= patience) {
        this.#lost(LOST, "no sign of life");
        return;
      }
      if (now - this.#heard >= heartbeat && this.#asked <= this.#heard) this.#ask();
      this.#watch();
    });
  }

  #ask() {
    this.#asked = Math.max(Date.now(), this.#heard + 1);
    this.#say({ type: "ping" });
  }

  /** The network is back, says the browser: try now; or is another one, so that the connection may be none. */
  #hurry() {
    if (this.#state === "waiting") this.#open();
    else if (this.#state === "open") this.#ask();
  }

  /** Bring a new token before the present one expires, in as many seconds as the server says. */
  #refreshIn(seconds) {
    if (typeof seconds !== "number" || typeof this.#options.token !== "function") return;
    const session = this.#session;
    const end = Date.now() + seconds * 1000;
    this.#after("refresh", Math.max(1000, seconds * 1000 - Math.min(30000, seconds * 250)), async () => {
      try {
        const token = await this.#token();
        if (session === this.#session) await this.#request({ type: "authenticate", token });
      } catch (error) {
        // The present token holds a while; at its end the connection is closed, and comes back with a new one.
        if (session !== this.#session) return;
        this.#emit("error", error);
        this.#refreshIn((end - Date.now()) / 1000);
      }
    });
  }

  // The end of a connection

  #drop() {
    this.#session++;
    this.#stopTimers();
    this.#held = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onmessage = socket.onclose = null;
    try {
      socket.close(1000); // not waited for: of a half-open one nothing comes
    } catch {
      // it never was open
    }
  }

  #lost(code, reason) {
    const wasOpen = this.#state === "open";
    this.#drop();
    const advice = CLOSE_CODES[code] ?? CLOSE_CODES[LOST];
    if (advice === "stop" || (advice === "token" && typeof this.#options.token !== "function")) {
      this.#finish(code, reason);
      return;
    }
    if (wasOpen && Date.now() - this.#greetedAt >= STABLE) this.#failures = 0;
    if (this.#failures >= this.#options.attempts) {
      this.#finish(code, `${this.#failures} attempts failed; the last: ${reason}`);
      return;
    }
    const { minDelay, maxDelay, laterDelay } = this.#options;
    const delay = Math.random() * Math.min(maxDelay, minDelay * 2 ** this.#failures++) + (advice === "later" ? laterDelay : 0);
    this.#after("retry", delay, () => this.#open());
    this.#enter("waiting");
    if (this.#state !== "waiting") return;
    this.#requeue();
    this.#emit("lost", { code, reason, delay, wasOpen });
  }

  #requeue() {
    const again = [];
    for (const [ack, entry] of [...this.#pending]) {
      if (entry.sent && !entry.again) {
        this.#settle(ack, new ClientError("uncertain", "the connection ended before the answer; it may have been handled"));
      } else {
        entry.sent = false;
        again.push(ack);
      }
    }
    this.#queue = again; // in the order in which they were given
  }

  #finish(code, reason) {
    this.#drop();
    this.#enter("closed");
    globalThis.removeEventListener?.("online", this.#online);
    const error = new ClientError("closed", `closed with ${code}: ${reason}`);
    this.#first?.reject(error);
    for (const ack of [...this.#pending.keys()]) this.#settle(ack, error);
    this.#queue = [];
    this.#emit("closed", { code, reason });
  }
}

const POSITIONED = new Set(["connection_established", "resync"]);
