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
  faults.value = [];
  chosen.value = undefined;
}

export async function listOffer(client: Client): Promise<void> {
  faults.value = [];
  await Promise.all([relist(client, "tools"), relist(client, "resources"), relist(client, "prompts")]);
  const { tools, resources, prompts } = offer.value;
  if (chosen.value !== undefined) return;
  const [tool] = tools;
  const [resource] = resources;
  const [prompt] = prompts;
  if (tool !== undefined) chosen.value = { kind: "tools", name: tool.name };
  else if (resource !== undefined) chosen.value = { kind: "resources", name: resource.uri };
  else if (prompt !== undefined) chosen.value = { kind: "prompts", name: prompt.name };
}

/** Reads one kind again. A server that does not declare it has none. */
export async function relist(client: Client, kind: "tools" | "resources" | "prompts"): Promise<void> {
  if (client.getServerCapabilities()?.[kind] === undefined) return;
  try {
    const read = await listed(client, kind);
    offer.value = { ...offer.value, ...read };
  } catch (error) {
    faults.value = [...faults.value, `The list of ${kind} could not be read: ${sentenceOf(error)}`];
  }
}

async function listed(client: Client, kind: "tools" | "resources" | "prompts"): Promise<Partial<Offer>> {
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
