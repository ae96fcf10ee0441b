import { createParser } from "eventsource-parser";
import { labelOf, noteOnWire } from "./wire.ts";

/** How long the page stays without a connection when its plug is pulled, milliseconds. */
const unpluggedMs = 2_000;

/** An answer that is not what was asked for, as the page shows it. */
export interface RefusedAnswer {
  /** Whether a stream was asked for: the SDK's client does not ask again. Else it is the answer to a message. */
  isToStream: boolean;
  status: number;
  /** The sentence of the refusal; empty if it had none. */
  sentence: string;
  challenge: string | null;
}

export interface PlugEvents {
  /** A stream was opened: the first, or one after a loss. */
  onStream(): void;
  /** The stream has ended, or could not be opened: the SDK's client tries again. */
  onLost(): void;
  /** `endpoint` came: the server says which session this is. */
  onSession(sessionId: string): void;
  onRefused(answer: RefusedAnswer): void;
}

/**
 * The connection of the page, as a `fetch` for the SDK's transport: it can be cut as a network would cut it, and what goes
 * over it can be looked at. While the plug is out, nothing gets through in either direction.
 */
export class Plug {
  readonly #events: PlugEvents;
  readonly #streams = new Set<() => void>();
  #isOut = false;
  #lastEventId = "";

  constructor(events: PlugEvents) {
    this.#events = events;
  }

  /** Cuts all that is open, for {@linkcode unpluggedMs}. */
  pull(): void {
    this.#isOut = true;
    noteOnWire("connection", "cut", "The plug was pulled: the page's connection is gone.");
    for (const cut of this.#streams) cut();
    setTimeout(() => (this.#isOut = false), unpluggedMs);
  }

  readonly fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    if (this.#isOut) throw new TypeError("The plug is out.");
    if (typeof init?.body === "string") noteOnWire("sent", labelOf(init.body), init.body);
    const controller = new AbortController();
    init?.signal?.addEventListener("abort", () => controller.abort());
    const headers = new Headers(init?.headers);
    const isToStream = headers.get("accept") === "text/event-stream";
    // The SDK's transport drops it. Without, the server repeats what may have been lost, and the page would show it twice.
    if (isToStream && this.#lastEventId !== "") headers.set("last-event-id", this.#lastEventId);
    const response = await fetch(url, { ...init, headers, signal: controller.signal }).catch((error: unknown) => {
      if (isToStream) this.#events.onLost();
      throw error;
    });
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (!response.ok || (isToStream && !isStream)) {
      const sentence = await this.#refused(response.clone(), isToStream);
      // Of a message that is refused the SDK would say the whole body.
      if (!isToStream && sentence !== "") throw new Error(sentence);
    }
    if (!response.ok || !isStream || response.body === null) return response;
    this.#events.onStream();
    return new Response(this.#cuttable(response.body, controller), response);
  };

  /** Returns the sentence of the refusal. */
  async #refused(response: Response, isToStream: boolean): Promise<string> {
    const text = await response.text().catch(() => "");
    const challenge = response.headers.get("www-authenticate");
    noteOnWire("connection", String(response.status), text);
    const sentence = sentenceIn(text);
    this.#events.onRefused({ isToStream, status: response.status, sentence, challenge });
    return sentence;
  }

  /** The stream, which ends with an error when it is cut: the SDK's client then comes back, as after any loss. */
  #cuttable(body: ReadableStream<Uint8Array>, controller: AbortController): ReadableStream<Uint8Array> {
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        this.#lastEventId = id ?? this.#lastEventId;
        this.#received(event ?? "message", data);
      },
    });
    let cut = (): void => undefined;
    const lost = new Promise<never>((_, reject) => {
      cut = () => reject(new TypeError("The connection was cut."));
    });
    lost.catch(() => undefined);
    this.#streams.add(cut);
    const reader = body.getReader();
    return new ReadableStream({
      pull: async (stream) => {
        try {
          const { done, value } = await Promise.race([reader.read(), lost]);
          if (done) {
            this.#gone(cut);
            return stream.close();
          }
          parser.feed(decoder.decode(value, { stream: true }));
          stream.enqueue(value);
        } catch (error) {
          this.#gone(cut);
          controller.abort();
          stream.error(error instanceof DOMException ? new TypeError("The connection was lost.") : error);
        }
      },
      cancel: () => {
        this.#streams.delete(cut);
        controller.abort();
      },
    });
  }

  #gone(cut: () => void): void {
    this.#streams.delete(cut);
    this.#events.onLost();
  }

  #received(event: string, data: string): void {
    noteOnWire("received", event === "message" ? labelOf(data) : event, data);
    if (event !== "endpoint") return;
    const sessionId = URL.parse(data, document.baseURI)?.searchParams.get("sessionId");
    if (sessionId !== null && sessionId !== undefined) this.#events.onSession(sessionId);
  }
}

/** The message of a JSON-RPC error. */
function sentenceIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } | string };
    if (typeof error === "object" && typeof error.message === "string") return error.message;
  } catch {
    // A proxy's own page, which says nothing that belongs here.
  }
  return "";
}
