import type { Client, Prompt, Resource, ResourceTemplateType, Tool } from "@modelcontextprotocol/client";
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
  const kinds = ["tools", "resources", "prompts"] as const;
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

type Kind = "tools" | "resources" | "prompts";

/** Reads one kind again. */
export async function relist(client: Client, kind: Kind): Promise<void> {
  const read = await readList(client, kind);
  offer.value = { ...offer.value, ...read };
}

/** A server that does not declare a kind has none of it. */
async function readList(client: Client, kind: Kind): Promise<Partial<Offer>> {
  if (client.getServerCapabilities()?.[kind] === undefined) return {};
  try {
    return await listed(client, kind);
  } catch (error) {
    faults.value = [...faults.value, `The list of ${kind} could not be read: ${sentenceOf(error)}`];
    return {};
  }
}

async function listed(client: Client, kind: Kind): Promise<Partial<Offer>> {
  // What was listed a moment ago is not what is asked for.
  const options = { cacheMode: "refresh" } as const;
  switch (kind) {
    case "tools":
      return { tools: (await client.listTools(undefined, options)).tools };
    case "prompts":
      return { prompts: (await client.listPrompts(undefined, options)).prompts };
    case "resources": {
      const { resources } = await client.listResources(undefined, options);
      const { resourceTemplates: templates } = await client.listResourceTemplates(undefined, options);
      return { resources, templates };
    }
  }
}

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
