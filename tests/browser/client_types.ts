// What users write holds, and each line below @ts-expect-error does not.

import { CLOSE_CODES, Client, ClientError, type Event, type Position } from "./client.js";

const client = new Client("wss://example.com/ws", {
  token: async () => (await fetch("/token")).text(),
  position: { epoch: "e", seq: 3 },
  heartbeat: 1000,
  WebSocket,
});
const stop: () => void = client.on("event", (event: Event, isReplayed: boolean) => console.log(event.seq, event.type, event.text, isReplayed));
client.on("lost", ({ code, delay }) => console.log(code.toFixed(), delay.toFixed()));
client.on("resync", ({ reason, seq }) => console.log(reason, seq));
const position: Position | null = client.position;
const advice: "stop" | "now" | "later" | "token" = CLOSE_CODES[1001];
export async function use(): Promise<void> {
  const greeting = await client.connect();
  console.log(greeting.user_id, greeting.expires_in?.toFixed(), position, advice, client.state === "open", client.unanswered);
  try {
    await client.send({ type: "question", text: "How much?" }, { again: true, timeout: 1000 });
  } catch (error) {
    if (error instanceof ClientError && error.code === "uncertain") stop();
  }
  await client.select(null);
  client.close();
}

// @ts-expect-error
client.on("evnt", () => {});
// @ts-expect-error
client.send({ text: "a message without a type" });
// @ts-expect-error
new Client("/ws", { tokens: "misspelt" });
// @ts-expect-error
client.position = null;
