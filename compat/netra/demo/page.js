// Two clients of the core on one page, each with a token of its own.

import { Client } from "./client.js";

const KINDS = {
  agent_started: "started",
  agent_thinking: "thinking",
  tool_executing: "uses a tool",
  tool_completed: "tool done",
  agent_completed: "completed",
};
const QUESTIONS = ["How much is it?", "And why?", "Since when?", "Who says so?"];
const KEPT = 200;

class Panel {
  constructor(user) {
    this.user = user;
    this.asked = 0;
    this.counts = { received: 0, replayed: 0, lost: 0, twice: 0, foreign: 0, tokens: 0 };
    this.seen = new Set();
    const section = document.querySelector("template").content.cloneNode(true).firstElementChild;
    this.section = section;
    section.id = user;
    section.querySelector("h2").textContent = user[0].toUpperCase() + user.slice(1);
    section.querySelector("h2").id = `name-of-${user}`;
    section.setAttribute("aria-labelledby", `name-of-${user}`);
    this.log = section.querySelector(".log");
    this.rows = this.log.firstElementChild;
    this.log.setAttribute("aria-label", `Events of ${section.querySelector("h2").textContent}`);
    this.cable = section.querySelector(".cable");
    section.querySelector(".ask").addEventListener("click", () => this.ask());
    this.cable.addEventListener("click", () => this.pull());
    document.querySelector("main").append(section);

    const url = new URL(`/ws?who=${user}`, location.href);
    this.client = new Client(url, { token: () => this.token(), heartbeat: 4000, patience: 3000, maxDelay: 3000 });
    this.client.on("state", (state) => this.show(state));
    this.client.on("open", (greeting) => this.write("wire", greeting.resumed ? `connected again, from number ${greeting.seq}` : "connected"));
    this.client.on("lost", ({ code, delay, wasOpen }) => this.lost(code, delay, wasOpen));
    this.client.on("event", (event, isReplayed) => this.take(event, isReplayed));
    this.client.on("resync", ({ reason }) => this.write("wire", `the history does not reach back (${reason})`));
    this.client.on("closed", ({ code, reason }) => this.write("wire", `ended with ${code}: ${reason}`));
    this.client.connect();
  }

  async token() {
    const answer = await fetch(`/token/${this.user}`, { method: "POST" });
    if (!answer.ok) throw new Error(`the demo gives no token: ${answer.status}`);
    this.count("tokens");
    return answer.text();
  }

  async ask() {
    const text = QUESTIONS[this.asked++ % QUESTIONS.length];
    if (this.client.state !== "open") this.write("wire", "the question waits for a connection");
    try {
      await this.client.send({ type: "question", text });
    } catch (error) {
      // The answer goes on without the connection that asked for it.
      if (error.code !== "uncertain") this.write("wire", `not asked: ${error.message}`);
    }
  }

  async pull() {
    const isCut = this.cable.getAttribute("aria-pressed") !== "true";
    this.cable.setAttribute("aria-pressed", isCut);
    this.cable.textContent = isCut ? "Mend the connection" : "Cut the connection";
    await fetch(`/cable/${this.user}/${isCut ? "cut" : "mended"}`, { method: "POST" });
  }

  show(state) {
    this.section.dataset.state = state;
    const words = { connecting: "connecting", open: "connected", waiting: "waiting", closed: "ended" };
    this.section.querySelector(".state span").textContent = words[state] ?? state;
  }

  lost(code, delay, wasOpen) {
    if (wasOpen) this.write("wire", `connection lost (${code})`);
    this.section.querySelector(".state span").textContent = `no connection; tries again in ${(delay / 1000).toFixed(1)} s`;
  }

  take(event, isReplayed) {
    this.count("received");
    if (isReplayed) this.count("replayed");
    const place = `${event.epoch} ${event.seq}`;
    if (this.seen.has(place)) this.count("twice");
    this.seen.add(place);
    if (event.owner !== this.user) this.count("foreign");
    if (this.last?.epoch === event.epoch && event.seq > this.last.seq + 1) this.count("lost", event.seq - this.last.seq - 1);
    this.last = event;
    const look = `${isReplayed ? "replayed " : ""}${event.type === "agent_completed" ? "done" : ""}`;
    this.write(look, event.text, { number: event.seq, kind: KINDS[event.type] ?? event.type, badge: isReplayed ? "replayed" : "" });
  }

  count(name, by = 1) {
    this.counts[name] += by;
    const shown = this.section.querySelector(`[data-count="${name}"]`);
    shown.textContent = this.counts[name];
    shown.classList.add("some");
  }

  write(look, text, { number = "", kind = "", badge = "" } = {}) {
    const row = document.createElement("li");
    row.className = look;
    for (const [name, value] of Object.entries({ number, text, badge, kind })) {
      if (value === "") continue;
      const part = document.createElement("span");
      part.className = name;
      part.textContent = value;
      row.append(part);
    }
    const follows = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    this.rows.append(row);
    while (this.rows.children.length > KEPT) this.rows.firstChild.remove();
    if (follows) this.log.scrollTop = this.log.scrollHeight;
  }
}

for (const user of ["ann", "ben"]) new Panel(user).ask();
