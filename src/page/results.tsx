import type { ContentBlock, EmbeddedResource } from "@modelcontextprotocol/client";
import { CopyButton } from "./copy-button.tsx";
import { LongText } from "./long-text.tsx";
import { chosen, offer } from "./offer.ts";
import { type Outcome, readResource } from "./runs.ts";

/** What came of a call, in each kind that the protocol has. */
export function Result({ outcome }: { outcome: Outcome }) {
  switch (outcome.kind) {
    case "cancelled":
      return <p class="outcome">Cancelled.</p>;
    case "error":
      return (
        <div class="outcome failed">
          <h4>Error</h4>
          <LongText text={outcome.sentence} />
        </div>
      );
    case "tool": {
      const { content, structuredContent, isError } = outcome.result;
      return (
        <div class={isError === true ? "outcome failed" : "outcome"}>
          <h4>{isError === true ? "The tool failed" : "Result"}</h4>
          {content.map((block, index) => (
            <Block key={index} block={block} />
          ))}
          {structuredContent !== undefined && <Json label="structured content" value={structuredContent} />}
          {content.length === 0 && structuredContent === undefined && <p class="about">Nothing was returned.</p>}
        </div>
      );
    }
    case "resource":
      return (
        <div class="outcome">
          <h4>Contents</h4>
          {outcome.result.contents.map((contents, index) => (
            <Contents key={index} resource={contents} />
          ))}
        </div>
      );
    case "prompt":
      return (
        <div class="outcome">
          <h4>Messages</h4>
          {outcome.result.messages.map(({ role, content }, index) => (
            <div class="message" key={index}>
              <p class="about">{role}</p>
              <Block block={content} />
            </div>
          ))}
        </div>
      );
  }
}

function Block({ block }: { block: ContentBlock }) {
  switch (block.type) {
    case "text":
      return <Text text={block.text} />;
    case "image":
      return <Media mimeType={block.mimeType} data={block.data} />;
    case "audio":
      return <Media mimeType={block.mimeType} data={block.data} />;
    case "resource":
      return <Contents resource={block.resource} />;
    case "resource_link":
      return (
        <div class="part">
          <p>
            {block.title ?? block.name} <code>{block.uri}</code>
          </p>
          {block.description !== undefined && <p class="about">{block.description}</p>}
          <button type="button" class="quiet" onClick={() => open(block.uri)}>
            Read it
          </button>
        </div>
      );
    default:
      return <Json label="content" value={block} />;
  }
}

/** Of a resource that need not be listed. */
function open(uri: string): void {
  const isListed = offer.value.resources.some((resource) => resource.uri === uri);
  if (!isListed) offer.value = { ...offer.value, resources: [...offer.value.resources, { uri, name: uri }] };
  chosen.value = { kind: "resources", name: uri };
  void readResource(`resources ${uri}`, uri);
}

function Text({ text }: { text: string }) {
  return (
    <div class="snippet">
      <LongText text={text} label="text" kind="prose" />
      <CopyButton text={text} label="the text" />
    </div>
  );
}

function Contents({ resource }: { resource: EmbeddedResource["resource"] }) {
  const { uri, mimeType = "application/octet-stream" } = resource;
  return (
    <div class="part">
      <p class="about">
        <code>{uri}</code>
      </p>
      {"text" in resource ? <Text text={resource.text} /> : <Media mimeType={mimeType} data={resource.blob} />}
    </div>
  );
}

/** Pictures and sound are shown, everything else is kept as a file. */
function Media({ mimeType, data }: { mimeType: string; data: string }) {
  const url = `data:${mimeType};base64,${data}`;
  if (mimeType.startsWith("image/")) return <img class="part" src={url} alt={`An image, ${mimeType}`} />;
  // What a tool made has no captions.
  if (mimeType.startsWith("audio/")) return <audio class="part" controls src={url} aria-label={`Sound, ${mimeType}`} />;
  return (
    <p class="part">
      <a class="button" href={url} download="">
        Save
      </a>{" "}
      {mimeType}, {Math.ceil((data.length * 3) / 4).toLocaleString("en")} bytes
    </p>
  );
}

function Json({ label, value }: { label: string; value: unknown }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <>
      <p class="about">{label}</p>
      <div class="snippet">
        <LongText text={text} label={label} />
        <CopyButton text={text} label={label} />
      </div>
    </>
  );
}
