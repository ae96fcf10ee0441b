import {
  type Client,
  METHOD_NOT_FOUND,
  type Prompt,
  ProtocolError,
  type Resource,
  type ResourceTemplateType,
  type Tool,
} from "@modelcontextprotocol/client";
import { signal } from "@preact/signals";

/** What the server offers, as it says itself. */
export interface Offer {
  tools: readonly Tool[];
  resources: readonly Resource[];
  templates: readonly ResourceTemplateType[];
  prompts: readonly Prompt[];
}

const nothing: Offer = { tools: [], resources: [], templates: [], prompts: [] };

export const offer = signal<Offer>(nothing);

/** Whether it was read: until then it is empty because nobody knows. */
export const isListed = signal(false);

/** Why a list is not to be had, in the server's words. */
export const faults = signal<readonly string[]>([]);

/** Which of them is open; its kind and its name, URI or template. */
export interface Chosen {
  kind: keyof Offer;
  name: string;
}

export const chosen = signal<Chosen | undefined>(undefined);

export function forgetOffer(): void {
  offer.value = nothing;
  isListed.value = false;
  faults.value = [];
  chosen.value = undefined;
}

export async function listOffer(client: Client): Promise<void> {
  faults.value = [];
  const kinds = ["tools", "resources", "templates", "prompts"] as const;
  const read = await Promise.all(kinds.map((kind) => readList(client, kind)));
  // All at once: nobody is to press what has just moved.
  offer.value = Object.assign({ ...nothing }, ...read) as Offer;
  isListed.value = true;
  const { tools, resources, prompts } = offer.value;
  if (chosen.value !== undefined) return;
  const [tool] = tools;
  const [resource] = resources;
  const [prompt] = prompts;
  if (tool !== undefined) chosen.value = { kind: "tools", name: tool.name };
  else if (resource !== undefined) chosen.value = { kind: "resources", name: resource.uri };
  else if (prompt !== undefined) chosen.value = { kind: "prompts", name: prompt.name };
}

/** Reads again what a server says has changed: one word is for resources and for their templates. */
export async function relist(client: Client, changed: "tools" | "resources" | "prompts"): Promise<void> {
  const kinds = changed === "resources" ? (["resources", "templates"] as const) : [changed];
  const read = await Promise.all(kinds.map((kind) => readList(client, kind)));
  offer.value = Object.assign({ ...offer.value }, ...read) as Offer;
}

/** A server that does not declare a kind has none of it; one that does may have resources and no templates. */
async function readList(client: Client, kind: keyof Offer): Promise<Partial<Offer>> {
  if (client.getServerCapabilities()?.[kind === "templates" ? "resources" : kind] === undefined) return {};
  try {
    return await listed(client, kind);
  } catch (error) {
    if (error instanceof ProtocolError && error.code === METHOD_NOT_FOUND) return {};
    faults.value = [...faults.value, `The list of ${kind} could not be read: ${sentenceOf(error)}`];
    return {};
  }
}

async function listed(client: Client, kind: keyof Offer): Promise<Partial<Offer>> {
  // What was listed a moment ago is not what is asked for.
  const options = { cacheMode: "refresh" } as const;
  switch (kind) {
    case "tools":
      return { tools: (await client.listTools(undefined, options)).tools };
    case "prompts":
      return { prompts: (await client.listPrompts(undefined, options)).prompts };
    case "resources":
      return { resources: (await client.listResources(undefined, options)).resources };
    case "templates":
      return { templates: (await client.listResourceTemplates(undefined, options)).resourceTemplates };
  }
}

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
