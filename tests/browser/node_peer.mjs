// A client in Node, told by lines of JSON what to do: {"id", "name", "args"}; each is answered by {"id", "value"}.

import { createInterface } from "node:readline";

const [clientUrl, peerUrl, socketUrl] = process.argv.slice(2);
const { Client } = await import(clientUrl);
const { peer } = await import(peerUrl);
const WebSocket = socketUrl ? (await import(socketUrl)).WebSocket : globalThis.WebSocket;
const peers = new Map();

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, of, name, args } = JSON.parse(line);
  let value = null;
  if (name === "start") peers.set(of, peer({ Client, WebSocket, ...args[0] }));
  else value = (await peers.get(of)[name](...args)) ?? null;
  process.stdout.write(`${JSON.stringify({ id, value })}\n`);
}).on("close", () => process.exit(0));
