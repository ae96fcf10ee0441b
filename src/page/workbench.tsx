import type { Prompt, ResourceTemplateType, Tool } from "@modelcontextprotocol/client";
import { UriTemplate } from "@modelcontextprotocol/client";
import { useErrorBoundary, useState } from "preact/hooks";
import type { Schema } from "./json-schema.ts";
import { type Chosen, chosen, faults, isListed, type Offer, offer, sentenceOf } from "./offer.ts";
import { Gone, Panel } from "./panel.tsx";
import { QuestionCard } from "./question-card.tsx";
import { callTool, getPrompt, isRunning, readResource } from "./runs.ts";

interface Entry extends Chosen {
  title: string;
}

/** So many can be looked through without help. */
const fewEntries = 15;

/** What the server offers, and a place to try each of it. */
export function Workbench() {
  const groups = groupsOf(offer.value).filter(({ entries }) => entries.length > 0);
  const open = chosen.value;
  const isLong = groups.flatMap(({ entries }) => entries).length > fewEntries;
  const [sought, seek] = useState("");
  const isSought = ({ name, title }: Entry): boolean =>
    !isLong || `${title} ${name}`.toLowerCase().includes(sought.trim().toLowerCase());
  const found = groups
    .map((group) => ({ ...group, entries: group.entries.filter(isSought) }))
    .filter(({ entries }) => entries.length > 0);
  const isAnsweredThere = open !== undefined && isRunning(`${open.kind} ${open.name}`);
  return (
    <section aria-labelledby="try">
      <h2 id="try">Try it</h2>
      {faults.value.map((fault) => (
        <p class="fault" role="alert" key={fault}>
          {fault}
        </p>
      ))}
      {groups.length === 0 && faults.value.length === 0 && <Nothing />}
      {!isAnsweredThere && <QuestionCard />}
      <div class="workbench">
        <nav aria-label="What the server offers">
          {isLong && (
            <input
              type="search"
              aria-label="Find in what it offers"
              placeholder="Find"
              onInput={({ currentTarget }) => seek(currentTarget.value)}
            />
          )}
          {isLong && found.length === 0 && <p class="about">Nothing has that in its name.</p>}
          {found.map(({ title, entries }) => (
            <div key={title}>
              <h3>
                {title} <span class="count">{entries.length}</span>
              </h3>
              <ul>
                {entries.map(({ kind, name, title: shown }) => (
                  <li key={name}>
                    <button
                      type="button"
                      aria-current={open?.kind === kind && open.name === name}
                      onClick={() => (chosen.value = { kind, name })}
                    >
                      {shown}
                    </button>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
        {open !== undefined && <Bench key={`${open.kind} ${open.name}`} {...open} />}
      </div>
    </section>
  );
}

function Nothing() {
  if (!isListed.value) return <p class="about late">Reading what this server offers…</p>;
  return <p>This server offers no tools, resources or prompts.</p>;
}

function groupsOf({ tools, resources, templates, prompts }: Offer): { title: string; entries: Entry[] }[] {
  const titled = ({ title, name }: { title?: string | undefined; name: string }): string => title ?? name;
  return [
    { title: "Tools", entries: tools.map((one) => ({ kind: "tools", name: one.name, title: titled(one) })) },
    {
      title: "Resources",
      entries: [
        ...resources.map((one): Entry => ({ kind: "resources", name: one.uri, title: titled(one) })),
        ...templates.map((one): Entry => ({ kind: "templates", name: one.uriTemplate, title: titled(one) })),
      ],
    },
    { title: "Prompts", entries: prompts.map((one) => ({ kind: "prompts", name: one.name, title: titled(one) })) },
  ];
}

/** One tool, resource or prompt. Of one that is described as nobody foresaw, the others do not suffer. */
function Bench(open: Chosen) {
  const [error] = useErrorBoundary() as [unknown, () => void];
  if (error === undefined) return described(open) ?? <Gone {...open} />;
  return (
    <p class="fault" role="alert">
      This cannot be shown: {sentenceOf(error)}
    </p>
  );
}

function described({ kind, name }: Chosen) {
  const { tools, resources, templates, prompts } = offer.value;
  switch (kind) {
    case "tools": {
      const tool = tools.find((one) => one.name === name);
      return tool && <ToolBench tool={tool} />;
    }
    case "resources": {
      const resource = resources.find((one) => one.uri === name);
      const of = `resources ${name}`;
      return (
        resource && <Panel {...{ of, ...resource }} code={name} verb="Read" onRun={() => readResource(of, name)} />
      );
    }
    case "templates": {
      const template = templates.find((one) => one.uriTemplate === name);
      return template && <TemplateBench template={template} />;
    }
    case "prompts": {
      const prompt = prompts.find((one) => one.name === name);
      return prompt && <PromptBench prompt={prompt} />;
    }
  }
}

function ToolBench({ tool }: { tool: Tool }) {
  const hints = tool.annotations ?? {};
  const said = [
    ...(hints.readOnlyHint === true ? ["reads only"] : []),
    ...(hints.idempotentHint === true ? ["may be repeated"] : []),
    ...(hints.destructiveHint === true ? ["may destroy"] : []),
  ];
  const schema = tool.inputSchema as Schema;
  return (
    <Panel
      {...tool}
      {...{ of: `tools ${tool.name}`, hints: said, schema }}
      code={tool.title === undefined ? undefined : tool.name}
      verb="Run"
      onRun={(args) => callTool(tool.name, args)}
    />
  );
}

function TemplateBench({ template }: { template: ResourceTemplateType }) {
  const { uriTemplate } = template;
  const parsed = new UriTemplate(uriTemplate);
  const of = `templates ${uriTemplate}`;
  return (
    <Panel
      {...template}
      {...{ of, schema: ofStrings(parsed.variableNames, parsed.variableNames) }}
      code={uriTemplate}
      verb="Read"
      onRun={(args) => readResource(of, parsed.expand(args as Record<string, string>))}
    />
  );
}

function PromptBench({ prompt }: { prompt: Prompt }) {
  const args = prompt.arguments ?? [];
  const required = args.filter((one) => one.required === true).map((one) => one.name);
  const descriptions = Object.fromEntries(args.map((one) => [one.name, one.description]));
  return (
    <Panel
      {...prompt}
      of={`prompts ${prompt.name}`}
      schema={ofStrings(Object.keys(descriptions), required, descriptions)}
      verb="Get"
      onRun={(given) => getPrompt(prompt.name, given as Record<string, string>)}
    />
  );
}

function ofStrings(
  names: readonly string[],
  required: readonly string[],
  descriptions: Record<string, string | undefined> = {},
): Schema {
  const property = (name: string): Schema => ({
    type: "string",
    description: descriptions[name],
    ...(required.includes(name) ? { minLength: 1 } : {}),
  });
  return { type: "object", required, properties: Object.fromEntries(names.map((name) => [name, property(name)])) };
}
