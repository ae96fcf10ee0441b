import { effect } from "@preact/signals";
import { render } from "preact";
import { connect, facts, link } from "./connection.ts";
import { HowToConnect } from "./how-to-connect.tsx";
import { Status, Trouble } from "./status.tsx";
import { WireView } from "./wire-view.tsx";
import { Workbench } from "./workbench.tsx";

function Page() {
  const known = facts.value;
  // Where there is a login, nothing is shown before it but where one is.
  const isLoggedOut = link.value.state === "login";
  return (
    <main class="sheet">
      <header>
        <Status />
        <h1>
          {known?.name ?? location.host} {known !== undefined && <span class="version">{known.version}</span>}
        </h1>
        {known?.instructions !== undefined && <p class="instructions">{known.instructions}</p>}
      </header>
      <Trouble />
      {!isLoggedOut && <HowToConnect />}
      {known !== undefined && <Workbench />}
      {known !== undefined && <WireView />}
      <footer>
        {known !== undefined && <p>It speaks the Model Context Protocol, revision {known.revision} to this page.</p>}
      </footer>
    </main>
  );
}

effect(() => {
  document.title = facts.value?.name ?? "MCP server";
});

const root = document.querySelector("#page");
if (root !== null) render(<Page />, root);
void connect();
