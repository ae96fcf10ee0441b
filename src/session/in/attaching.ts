import type { CallLog } from "../../call-log.ts";
import * as link from "../../link/link.ts";
import * as refusals from "../../protocol/refusals.ts";
import { readsPriming } from "../../protocol/sse-frame.ts";
import type { Conversation } from "../server/conversation.ts";
import type { HandshakeRecord } from "../stored/handshake.ts";
import type { Streams } from "../out/streams.ts";
import type { Admission } from "./admission.ts";
import type { SsePosts } from "./sse-posts.ts";

export interface AttachingOptions {
  ctx: DurableObjectState;
  streams: Streams;
  conversation: Conversation;
  record: HandshakeRecord;
  admission: Admission;
  ssePosts: SsePosts;
  callLog: CallLog;
  /** Whether the session is over: then nothing of it exists. */
  isEnded: () => boolean;
}

/**
 * What a relay meets that attaches a client's stream, in order: is there a session, may it have the stream; then all that
 * its client has not got.
 *
 * Storage: none of its own.
 */
export class Attaching {
  readonly #options: AttachingOptions;

  constructor(options: AttachingOptions) {
    this.#options = options;
  }

  attach(request: link.AttachRequest): Response {
    const refusal = this.#refuse(request);
    if (refusal !== undefined) return refusal;
    const { ctx, streams, conversation, record, ssePosts } = this.#options;
    const { stream, position, lastPost } = request;
    record.holder = request.holder;
    if (position?.saidBy === "client") {
      conversation.delivery.acknowledge(stream, position.after);
      // Answered with a stream that only ends, a client would come back for more.
      if (conversation.isOver(stream, position.after)) return refusals.nothingToResume();
    }
    const { 0: relayEnd, 1: ownEnd } = new WebSocketPair();
    // The relay that it is taken from lets go of the answers that it holds, maybe long before the new one has them.
    if (streams.isAttached(stream)) conversation.delivery.save();
    // Before the socket counts as attached: what is in doubt depends on since when nobody was there.
    const before = streams.presenceOf(stream);
    streams.attach(stream, ownEnd, request);
    if (lastPost !== undefined) ssePosts.expect(lastPost);
    const isPrimed = stream !== link.sseStream && readsPriming(conversation.handshake?.initialize?.["protocolVersion"]);
    conversation.delivery.replay(stream, { after: position?.after, before, isPrimed });
    // Another version of the Worker may have other tools than the client knows. It hears so once, as soon as it listens.
    if (!link.isPostStream(stream)) conversation.transport.tellChanged(record.takeOutdatedLists());
    this.#tellResumed(request);
    const recovering = conversation.recover();
    if (recovering === undefined) conversation.endIfAnswered(stream);
    else ctx.waitUntil(recovering.then(() => conversation.endIfAnswered(stream)));
    return new Response(null, { status: 101, webSocket: relayEnd, headers: link.versionHeaders });
  }

  #refuse({ stream, session, openedAtMs, holder }: link.AttachRequest): Response | undefined {
    const { admission, conversation, isEnded, record, streams } = this.#options;
    const isMissing = session === "stored" && conversation.handshake === undefined;
    if (isEnded() || isMissing) return refusals.unknownSession();
    if (!link.isSameHolder(record.holder ?? holder, holder)) return refusals.unknownSession();
    const wrongLane = admission.refuseOtherLane(stream === link.sseStream ? "sse" : "mcp");
    if (wrongLane !== undefined) return wrongLane;
    return streams.hasNewer(stream, openedAtMs) ? refusals.streamSuperseded() : undefined;
  }

  /** How the client, or its relay, found back. The stream of `/mcp` for what is said unasked is opened, not resumed. */
  #tellResumed({ stream, session, position }: link.AttachRequest): void {
    const { callLog, record } = this.#options;
    if (record.handshake === undefined || session !== "stored") return;
    if (position === undefined && stream !== link.sseStream) return;
    const byClient = position === undefined ? "claim" : "Last-Event-ID";
    callLog.tell({
      event: "session-resumed",
      lane: record.lane,
      by: position?.saidBy === "relay" ? "relay" : byClient,
    });
  }
}
