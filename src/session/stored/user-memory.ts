import { readUserMemoryRequest, type UserMemoryAnswer, type UserMemoryRequest } from "../../link/user-memory.ts";
import type { SessionMemory } from "../../server-context.ts";
import { storedUserMemory } from "./memory.ts";
import { Rows } from "./rows.ts";

/**
 * The memory of one user, in an object that is nothing else: all sessions and requests of that user ask it, one after the
 * other.
 *
 * Storage: rows `memory/<key>`, as a session has. Lifetime: until it is cleared.
 */
export class StoredUserMemory {
  readonly #rows: Rows;
  readonly #memory: SessionMemory;

  constructor(storage: DurableObjectStorage, maxMemoryBytes: number) {
    this.#rows = new Rows(storage);
    this.#memory = storedUserMemory(this.#rows, maxMemoryBytes);
  }

  async answer(request: Request): Promise<Response> {
    const asked = readUserMemoryRequest(await request.text());
    let answer: UserMemoryAnswer;
    try {
      answer = { value: await this.#do(asked) };
    } catch (error) {
      // What a tool's author can do something about; all else is an incident.
      if (!(error instanceof RangeError)) throw error;
      answer = { fault: error.message };
    }
    return Response.json(answer);
  }

  async #do({ do: what, key, value }: Required<UserMemoryRequest>): Promise<unknown> {
    if (what !== "clear") return this.#memory[what](key, value);
    for (const each of this.#memory.keys()) this.#memory.delete(each);
    return await this.#rows.deleteAll();
  }
}
