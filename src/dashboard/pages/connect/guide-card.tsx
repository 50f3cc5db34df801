import { shellQuote } from "../../../shell-quote.ts";
import { Card } from "../../components/card.tsx";
import { CopyButton, CopyField } from "../../components/copy-button.tsx";
import { serverUrl } from "../../state/server-url.ts";
import { useStore } from "../../state/use-store.ts";
import { richText, text } from "../../texts/texts.ts";
import { filledToken } from "./connect-state.ts";
import {
  type CodeStep,
  type FieldStep,
  fileOn,
  type Guide,
  type System,
  variableStep,
} from "./guides/guide.ts";
import { maskedText } from "./masked-code.ts";

interface GuideCardProps {
  guide: Guide;
  model: string;
  system: System;
}

/** The lines of one client. */
export function GuideCard({ guide, model, system }: GuideCardProps) {
  const { title, steps, notes = [], command } = guide;
  const isFor = (step: (typeof steps)[number]) =>
    !("systems" in step && step.systems?.includes(system) === false);
  return (
    <Card title={text("connect.guide.title", { client: title })} class="connect-guide">
      <div class="stack">
        {steps
          .filter(isFor)
          .map((step) =>
            "fields" in step ? (
              <FieldsView key={step.about} step={step} model={model} />
            ) : (
              <CodeView key={step.language} step={step} model={model} system={system} />
            ),
          )}
        {notes.map((note) => (
          <p key={note} class="hint">
            {text(note)}
          </p>
        ))}
        {command === undefined ? null : <CommandView command={command} />}
      </div>
    </Card>
  );
}

interface CodeViewProps {
  step: CodeStep;
  model: string;
  system: System;
}

function CodeView({ step, model, system }: CodeViewProps) {
  const token = useStore(filledToken);
  const { text: code, shown } = maskedText(step.code, { url: serverUrl(), model }, token);
  return (
    <div class="stack connect-code">
      {step.about ? <p>{text(step.about)}</p> : null}
      {step.variable === undefined ? null : (
        <>
          <p>{richText("connect.variable", { variable: <code>{step.variable}</code> })}</p>
          <CodeView step={variableStep(step.variable, system)} model={model} system={system} />
        </>
      )}
      {step.file ? (
        <p>
          {richText("connect.file", { file: <code class="connect-file">{fileOn(step.file, system)}</code> })}
        </p>
      ) : null}
      <CopyField text={code} shown={shown} what={text("connect.lines.what")} />
    </div>
  );
}

function FieldsView({ step, model }: { step: FieldStep; model: string }) {
  const token = useStore(filledToken);
  return (
    <div class="stack connect-code">
      <p>{text(step.about)}</p>
      <dl class="connect-fields">
        {step.fields.map(({ label, value }) => {
          const { text: field, shown } = maskedText(value, { url: serverUrl(), model }, token);
          return (
            <div key={label}>
              <dt>{text(label)}</dt>
              <dd>
                <code>{shown}</code>
                <CopyButton text={field} what={text("connect.field.what", { field: text(label) })} isSmall />
              </dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}

/** The command that writes the configuration by itself. */
function CommandView({ command }: { command: string }) {
  const line = `chatgpt-api-server client ${command} --server ${shellQuote(serverUrl())} --write`;
  return (
    <details class="connect-command">
      <summary>{text("connect.command.title")}</summary>
      <div class="stack">
        <p class="hint">{text("connect.command.about")}</p>
        <CopyField text={line} what={text("connect.command.what")} />
      </div>
    </details>
  );
}
