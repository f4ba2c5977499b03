/** A client of the WebSocket core (docs/protocol.md). Times are milliseconds. */

export declare const PROTOCOL: 1;

/** What to do at each close code; one that is not here counts as 1006. */
export declare const CLOSE_CODES: Readonly<Record<number, "stop" | "now" | "later" | "token">>;

/** The place of an event in its user's stream. */
export interface Position {
  epoch: string;
  seq: number;
}

/** What the application of the server has sent: any JSON object, with its place. */
export interface Event extends Position {
  type: string;
  [name: string]: unknown;
}

/** What the server says to this connection alone, and never again. */
export interface Notice {
  type: string;
  [name: string]: unknown;
}

/** The first message of each connection. */
export interface Greeting extends Position {
  type: "connection_established";
  protocol: number;
  connection_id: string;
  user_id: string;
  thread_id: string | null;
  /** Whether what was missed follows. */
  resumed: boolean;
  /** For how many seconds the token holds. */
  expires_in?: number;
  [name: string]: unknown;
}

/** What was missed cannot be sent again: fetch the state anew, and go on from here. */
export interface Resync extends Position {
  type: "resync";
  reason: "epoch_changed" | "history_expired" | "unknown_position" | (string & {});
}

/** A connection ended; the next attempt begins after `delay`. */
export interface Loss {
  code: number;
  reason: string;
  delay: number;
  /** False where the attempt to connect failed. */
  wasOpen: boolean;
}

export type State = "idle" | "connecting" | "open" | "waiting" | "closed";

export interface Listeners {
  /** An event, each once and in order; `isReplayed` where it was missed before. */
  event: (event: Event, isReplayed: boolean) => void;
  /** The server's greeting, at each connection. */
  open: (greeting: Greeting) => void;
  /** Everything that was missed has arrived. */
  live: () => void;
  resync: (resync: Resync) => void;
  notice: (notice: Notice) => void;
  lost: (loss: Loss) => void;
  /** The client no longer comes back: close(), or a code that says so. */
  closed: (end: { code: number; reason: string }) => void;
  state: (state: State) => void;
  /** What a listener or `token` threw, and errors of the server that belong to no message. */
  error: (error: unknown) => void;
}

/** The part of the WebSocket that browsers, Node and the package `ws` have in common. */
export interface WebSocketLike {
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface Options {
  /** A JWT, or what gets one: called for each connection, and before the present one expires. */
  token?: string | (() => string | Promise<string>);
  /** Show one thread; null shows all. */
  thread?: string | null;
  /** Continue after an event that was seen earlier. */
  position?: Position | null;
  /** The class of sockets; by default the global one. */
  WebSocket?: new (url: string, protocols: string[]) => WebSocketLike;
  /** A connection as long silent is asked for a sign of life. */
  heartbeat?: number;
  /** How long a greeting, or a sign of life, may take. */
  patience?: number;
  /** The n-th pause is random, up to minDelay * 2 ** n, and never above maxDelay. */
  minDelay?: number;
  maxDelay?: number;
  /** What is added where the server says "later". */
  laterDelay?: number;
  /** How many attempts in a row may fail. */
  attempts?: number;
  /** How many messages may be unanswered at a time; the server takes sixteen by default. */
  window?: number;
  /** How many messages may wait in all. */
  maxQueue?: number;
  /** The server's `max_message_bytes`. */
  maxBytes?: number;
}

/** Why a message was not handled, or the client ended. */
export declare class ClientError extends Error {
  constructor(code: string, message: string);
  /** The server's code of an error, or "uncertain", "timeout", "too_large", "queue_full", "closed". */
  readonly code: string;
}

/** One user's connection that comes back by itself, with the position of the last event. */
export declare class Client {
  constructor(url: string | URL, options?: Options);
  readonly state: State;
  /** Of the last event; null before the first greeting. */
  readonly position: Position | null;
  /** How many messages wait to be sent or answered. */
  readonly unanswered: number;
  /** Call `listener` at each `name`; returns what ends it. */
  on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]): () => void;
  /** Connect, and stay connected until close(); resolves at the first greeting. */
  connect(): Promise<Greeting>;
  /** End for good; what is unanswered is rejected. */
  close(): void;
  /**
   * Send a message to the application; resolves once it has handled it, rejects with a ClientError.
   *
   * Where the connection ended before the answer, the code is "uncertain"; with `again`, it is sent again instead, and may be
   * handled twice.
   */
  send(message: { type: string; [name: string]: unknown }, options?: { again?: boolean; timeout?: number }): Promise<void>;
  /** Show another thread from now on, or all (null); resolves once the server does. */
  select(thread: string | null): Promise<void>;
}
