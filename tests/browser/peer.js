// What the scenarios ask of a client, over client.js: the same in a browser and in Node.

export function peer({ Client, WebSocket, url, tokens, options }) {
  const log = [];
  const losses = [];
  const states = [];
  const errors = [];
  const client = new Client(url, { token: async () => (await fetch(tokens)).text(), WebSocket, ...options });
  for (const name of ["event", "resync", "notice"]) client.on(name, (message) => log.push(message.text?.length > 100 ? { ...message, text: "" } : message));
  client.on("lost", ({ code }) => losses.push(code));
  client.on("state", (state) => states.push(state));
  client.on("error", (error) => errors.push(error.code ?? String(error)));
  let isClosing = false;
  client.on("closed", ({ code }) => isClosing || losses.push(code));
  client.connect();
  return {
    log: () => log,
    facts: () => ({ state: client.state, position: client.position, losses, states, errors, unanswered: client.unanswered }),
    send: (message, again) => client.send(message, { again }).then(() => "", (error) => error.code),
    select: (thread) => client.select(thread),
    close: () => {
      isClosing = true;
      client.close();
    },
  };
}
